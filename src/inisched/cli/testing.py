"""`inisched test`: a job run now, here, by the daemon's own code."""

from __future__ import annotations

import os
import sys
from collections.abc import Iterator, Mapping

import click

from inisched.cli.asking import user_name
from inisched.cli.exits import BROKEN_OFF, Exit, Trouble
from inisched.cli.files import path_option, read_file
from inisched.cli.place import find_file
from inisched.cli.times import time_from
from inisched.config.drawing import draw, escaped
from inisched.config.judged import errors
from inisched.config.loader import Config, load
from inisched.config.masking import MASK, is_secret
from inisched.engine.clock import SystemClock
from inisched.engine.control import Unreachable, ask, socket_of
from inisched.engine.lock import AlreadyRunning, InstanceLock
from inisched.engine.rehearsal import Asked, Rehearsal, inquire, rehearse
from inisched.engine.systemd import OURS
from inisched.executors.kept import mask
from inisched.executors.starting import Executors
from inisched.executors.surroundings import environment
from inisched.model.duration import show_duration
from inisched.model.job import Job
from inisched.model.run import State
from inisched.stores.ledger import Ledger, LedgerDown
from inisched.stores.soundness import Unusable
from inisched.timing.nearest import did_you_mean

_CODES = {State.SUCCESS: Exit.FINE, State.WARNING: Exit.FINE, State.SKIPPED: Exit.NOT_NOW}

_SHELLS_OWN = ("_", "SHLVL")

Environment = Mapping[str, str]


@click.command("test")
@click.argument("job")
@path_option
@click.option("--at", metavar="T", help="Run it for this moment (now).")
@click.option("--show-env", is_flag=True, help="Only tell what differs from your shell.")
@click.option("--record", is_flag=True, help="Enter the run in the ledger.")
def test_command(job: str, path: str | None, at: str | None, show_env: bool, record: bool) -> int:
    """Run a job now, here, as the daemon would and in its environment; output comes live.

    What `ready` and `should_run` answer is told first, and the job runs whatever that is. Switches,
    `overlap`, `pool`, `after`, retries and `then` do not count, and the ledger hears nothing of it
    without --record. Exit code 0, 1, or 75 where the callback skipped itself.

    \b
    Example: inisched test "nightly report" --at 2026-11-20T06:00
    """
    if show_env and record:
        raise Trouble("--show-env runs nothing that --record could enter", Exit.MISUSE)
    file, shell = find_file(path), dict(os.environ)
    move_to_the_daemon(read_file(file))
    config = load(file, strict_references=True)
    wanted = _job(config, job)
    folder = config.real_path.parent
    if show_env:
        try:
            found = environment(wanted.around, folder, {}).items()
        except OSError as error:
            raise Trouble(error.strerror or str(error)) from None
        words = {os.fsdecode(name): os.fsdecode(value) for name, value in found}
        for line in _differences(words, shell, wanted):
            click.echo(escaped(line))
        return Exit.FINE
    clock = SystemClock()
    moment = time_from(at, wanted.schedule.zone, clock.now())
    executors = Executors(folder, [str(path) for path in config.settings.python_path])
    for asked in inquire(wanted, moment, executors, clock, out=_out, err=_err):
        if asked.stopped:
            return BROKEN_OFF
        click.echo(escaped(_answer(asked)))
    run = rehearse(wanted, moment, executors, clock, out=_out, err=_err)
    entered = _record(config, run) if record and not run.stopped else None
    _tell(run, entered)
    return BROKEN_OFF if run.stopped else _CODES.get(run.outcome.state, Exit.PROBLEM)


def move_to_the_daemon(config: Config) -> None:
    """Make the daemon's environment our own; say so where that is not to be had."""
    try:
        answer = ask(socket_of(config.database), {"ask": "environment"})
        theirs, user = answer["environment"], answer["user"]
    except (Unreachable, KeyError) as error:
        why = str(error) if isinstance(error, Unreachable) else "the daemon does not tell"
        click.echo(f"inisched: {why}: the environment is your own", err=True)
        return
    os.environ.clear()
    os.environ.update(theirs)
    if user != os.geteuid():
        names = user_name(os.geteuid()), user_name(user)
        click.echo("inisched: you are {}, the daemon runs as {}".format(*names), err=True)


def _job(config: Config, name: str) -> Job:
    """The job, if it can run; else what is wrong is said, and that is the end."""
    sections = [section for section in config.sections if section.name == name]
    if config.fatal or config.settings_broken or (sections and sections[0].job is None):
        bad = errors(config.diagnostics)
        click.echo(draw([one for one in bad if one.job == name] or bad), err=True, nl=False)
        raise SystemExit(Exit.PROBLEM)
    if not sections:
        hint = did_you_mean(name, [section.name for section in config.sections])
        raise Trouble(f"there is no job '{name}'" + (f"; {hint}" if hint else ""), Exit.UNKNOWN)
    job = sections[0].job
    assert job is not None
    return job


def _out(data: bytes) -> None:
    sys.stdout.buffer.write(data)
    sys.stdout.buffer.flush()


def _err(data: bytes) -> None:
    sys.stderr.buffer.write(data)
    sys.stderr.buffer.flush()


def _answer(asked: Asked) -> str:
    """A line on what a gate said, and what the daemon makes of it where it said nothing."""
    name = asked.gate.shown or asked.gate.target
    if asked.answer.yes is not None:
        return f"{asked.key}: {'yes' if asked.answer.yes else 'no'} ({name})"
    taken = "yes" if asked.key == "should_run" else "no"
    return f"{asked.key}: no answer, taken as {taken}: {asked.answer.words} ({name})"


def _tell(run: Rehearsal, entered: int | None) -> None:
    outcome = run.outcome
    if outcome.output:
        click.echo(outcome.output)
    click.echo(
        escaped(
            f"{run.fire.job}: {outcome.state.value} after {show_duration(run.ended - run.started)}"
            + (f": {outcome.message}" if outcome.message else "")
            + (f" (recorded as run {entered})" if entered is not None else "")
        )
    )


def _record(config: Config, run: Rehearsal) -> int:
    """Have the run entered: by the daemon, or in its place where there is none; the row's id."""
    try:
        answer = ask(socket_of(config.database), {"ask": "record", "run": run.packed()})
    except Unreachable:
        return _record_alone(config, run)
    if "run" not in answer:
        raise Trouble(f"the run was not recorded: {answer.get('message')}")
    return int(answer["run"])


def _record_alone(config: Config, run: Rehearsal) -> int:
    lock = InstanceLock(config.database)
    try:
        lock.acquire("command")
        try:
            ledger = Ledger(config.database, full=config.settings.durability == "full")
            try:
                return ledger.record(run.fire, run.outcome, started=run.started, ended=run.ended)
            finally:
                ledger.close()
        finally:
            lock.release()
    except AlreadyRunning:
        reason = "the run was not recorded: the daemon does not answer"
        raise Trouble(reason, Exit.UNREACHABLE) from None
    except (Unusable, LedgerDown, OSError) as error:
        raise Trouble(f"the run was not recorded: {error}") from None


def _differences(theirs: Environment, shell: Environment, job: Job) -> Iterator[str]:
    """ "+" for what only the job has, "-" for what only the shell has, "~" where they differ."""
    for name in sorted((theirs.keys() | shell.keys()) - {*OURS, *_SHELLS_OWN}):
        left, right = theirs.get(name), shell.get(name)
        if left == right:
            continue
        if left is None or right is None:
            sign, value = ("-", right) if left is None else ("+", left)
            yield f"{sign} {name}={_shown(name, value or '', job)}"
        else:
            yield f"~ {name}={_shown(name, left, job)}"
            yield f"  in your shell: {_shown(name, right, job)}"


def _shown(name: str, value: str, job: Job) -> str:
    if is_secret(name):
        return MASK
    return mask(value.encode(errors="surrogateescape"), job.secrets).decode(errors="replace")
