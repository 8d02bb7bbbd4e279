"""`inisched enable`, `disable`, `reschedule`, `pause`, `resume`, `clear`: switches of one job."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

import click

from inisched.cli.asking import login
from inisched.cli.exits import Exit, Trouble
from inisched.cli.files import job_named, open_history, path_option, read_file
from inisched.cli.throwing import throw
from inisched.cli.times import now, time_from
from inisched.config.drawing import escaped
from inisched.config.loader import Config
from inisched.config.rescheduled import check_jitter, reschedule
from inisched.engine.change import Action, Change
from inisched.model.diagnostic import Unreadable
from inisched.model.schedule import Schedule
from inisched.questions.account import zone_of
from inisched.questions.moments import show_moment


def note_option(command: Callable[..., Any]) -> Callable[..., Any]:
    """`--note TEXT`."""
    return click.option("--note", default="", metavar="TEXT", help="Why; shown with the switch.")(
        command
    )


def _say(text: str) -> int:
    click.echo(escaped(text))
    return Exit.FINE


def _known(path: str | None, job: str) -> Config:
    """The file, if it or its ledger knows the job; else the command ends with exit code 4."""
    config = read_file(path, ledger_will_do=True)
    job_named(config, open_history(config.database), job)
    return config


def _thrown(path: str | None, job: str, action: Action, note: str) -> bool:
    """Throw a switch of the job that says all by itself; whether there was anything to it."""
    config = _known(path, job)
    return throw(config, Change(action=action, by=login(), note=note, job=job))


@click.command("enable")
@click.argument("job")
@path_option
@note_option
def enable_command(job: str, path: str | None, note: str) -> int:
    """Switch a job on, whatever the file says.

    It goes on in its old rhythm; what would have come due while it was off is not caught up.

    \b
    Example: inisched enable sweep --note "the disk is back"
    """
    _thrown(path, job, Action.ENABLE, note)
    return _say(f"{job} is enabled")


@click.command("disable")
@click.argument("job")
@path_option
@note_option
def disable_command(job: str, path: str | None, note: str) -> int:
    """Switch a job off, whatever the file says. What runs runs on; what waits is skipped.

    \b
    Example: inisched disable sweep --note "the disk is full"
    """
    _thrown(path, job, Action.DISABLE, note)
    return _say(f"{job} is disabled")


@click.command("pause")
@click.argument("job")
@path_option
@click.option("--until", metavar="T", required=True, help="When it goes on.")
@note_option
def pause_command(job: str, path: str | None, until: str, note: str) -> int:
    """Let a job rest until a moment; its fires until then are skipped as `paused`.

    T is an ISO date or date-time, HH:MM (the next), or a duration from now.

    \b
    Example: inisched pause "nightly report" --until 2026-12-01 --note "the shop is closed"
    """
    config, present = _known(path, job), now()
    zone = zone_of(config, job)
    moment = time_from(until, zone, present, ahead=True)
    shown = show_moment(moment, zone, present)
    if moment <= present:
        raise Trouble(f"'{until}' is not ahead: it is {shown}, expected a later T", Exit.MISUSE)
    throw(config, Change(action=Action.PAUSE, by=login(), note=note, job=job, until=moment))
    return _say(f"{job} is paused until {shown}")


@click.command("resume")
@click.argument("job")
@path_option
@note_option
def resume_command(job: str, path: str | None, note: str) -> int:
    """End a pause now.

    \b
    Example: inisched resume "nightly report"
    """
    done = _thrown(path, job, Action.RESUME, note)
    return _say(f"{job} goes on" if done else f"{job} is not paused")


@click.command("clear")
@click.argument("job")
@path_option
@note_option
def clear_command(job: str, path: str | None, note: str) -> int:
    """Forget a failure mark or a failed period: later periods wait for it no longer.

    \b
    Example: inisched clear "monthly report" --note "sent by hand"
    """
    _thrown(path, job, Action.CLEAR, note)
    return _say(f"{job} is cleared")


@click.command("reschedule")
@click.argument("job")
@path_option
@click.option("--every", metavar="TEXT", help="As `every` in the file.")
@click.option("--at", multiple=True, metavar="TIMES", help="With --every: as `at` in the file.")
@click.option("--on-day", metavar="DAY", help="With months: as `on_day` in the file.")
@click.option("--from-end", is_flag=True, help="As `from_end = yes` in the file.")
@click.option("--cron", metavar="TEXT", help="In place of --every: as `cron` in the file.")
@click.option("--clear", is_flag=True, help="Take it back: the file's schedule, in its rhythm.")
@note_option
def reschedule_command(
    job: str,
    path: str | None,
    every: str | None,
    at: tuple[str, ...],
    on_day: str | None,
    from_end: bool,
    cron: str | None,
    clear: bool,
    note: str,
) -> int:
    """Give a job another schedule, from now on, in place of all the file says of it.

    \b
    Examples: inisched reschedule sweep --every "2 hours" --at :30
              inisched reschedule sweep --cron "*/5 * * * *" --note "until the flood is over"
              inisched reschedule sweep --clear
    """
    given = {
        "every": every,
        "at": ", ".join(at) if at else None,
        "on_day": on_day,
        "from_end": "yes" if from_end else None,
        "cron": cron,
    }
    keys = {name: text for name, text in given.items() if text is not None}
    _check_choice(keys, clear=clear)
    config = _known(path, job)
    text = _written(config, job).text if clear else _read(config, job, keys).text
    change = Change(
        action=Action.RESCHEDULE, by=login(), note=note, job=job, schedule=None if clear else keys
    )
    done = throw(config, change)
    if not clear:
        return _say(f"{job} is rescheduled: {text}")
    back = f": {text}" if text else ""
    return _say(f"{job} goes by the file again{back}" if done else f"{job} is not rescheduled")


def _check_choice(keys: dict[str, str], *, clear: bool) -> None:
    if clear and keys:
        raise Trouble("--clear stands alone: it takes a new schedule back", Exit.MISUSE)
    if "every" in keys and "cron" in keys:
        raise Trouble("--every and --cron do not go together: give one of them", Exit.MISUSE)
    if not clear and "every" not in keys and "cron" not in keys:
        raise Trouble("a new schedule has --every or --cron; --clear takes it back", Exit.MISUSE)


def _read(config: Config, job: str, keys: dict[str, str]) -> Schedule:
    try:
        schedule = reschedule(_written(config, job), keys)
        check_jitter(schedule)
    except Unreadable as error:
        parts = [error.problem, *([f"expected {error.expected}"] if error.expected else [])]
        hint = f"; {error.hint}" if error.hint else ""
        raise Trouble(", ".join(parts) + hint, Exit.MISUSE) from None
    return schedule


def _written(config: Config, job: str) -> Schedule:
    """The file's schedule; one without a word where the file has none."""
    found = [section.job for section in config.sections if section.name == job]
    if found and found[0] is not None:
        return found[0].schedule
    return Schedule(zone=zone_of(config, job), text="")
