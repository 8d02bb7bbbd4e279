"""`inisched trigger`, `stop` and `reload`: what a person wants of the daemon."""

from __future__ import annotations

import time
from datetime import timedelta

import click

from inisched.cli.asking import GLANCE, Refusal, asked, login
from inisched.cli.exits import Exit, Trouble
from inisched.cli.files import json_option, open_history, path_option, read_file
from inisched.cli.place import find_file
from inisched.cli.table import print_json
from inisched.cli.times import Duration
from inisched.config.drawing import draw
from inisched.config.loader import Config, load
from inisched.stores.history import History, Row
from inisched.timing.nearest import did_you_mean

KILL_AFTER = timedelta(seconds=5)
"""Of a job that is not in the file any more."""

MARGIN = 2.0
"""Seconds beyond `kill_after` for a killed run to be gone."""


@click.command("trigger")
@click.argument("job")
@path_option
@json_option
@click.option("--in", "delay", type=Duration(), default="0 s", metavar="D",
              help="So long from now; at once without it.")  # fmt: skip
def trigger_command(job: str, path: str | None, as_json: bool, delay: timedelta) -> int:
    """Have the daemon run a job, now or later, and print the run's id.

    Disabled and paused jobs run too. Where `overlap` refuses the run the exit code is 75.

    \b
    Example: inisched trigger "nightly report" --in 10m
    """
    config = read_file(path, ledger_will_do=True)
    milliseconds = delay // timedelta(milliseconds=1)
    try:
        answer = asked(config, {"ask": "trigger", "job": job, "delay_ms": milliseconds})
    except Refusal as no:
        if no.code is Exit.UNKNOWN:
            raise Trouble(_unknown(job, config), Exit.UNKNOWN) from None
        raise
    run = answer["run"]
    if answer["refused"]:
        raise Trouble(f"not now: '{job}' is busy, so run {run} is skipped", Exit.NOT_NOW)
    if as_json:
        print_json({"run": run})
    else:
        click.echo(run)
    return Exit.FINE


def _unknown(job: str, config: Config) -> str:
    names = [section.name for section in config.sections]
    if job in names:
        return f"the daemon does not know '{job}' yet; inisched reload makes it read the file"
    hint = did_you_mean(job, names)
    return f"there is no job '{job}'" + (f"; {hint}" if hint else "")


@click.command("stop")
@click.argument("run", type=int)
@path_option
def stop_command(run: int, path: str | None) -> int:
    """End a run, a pending retry or a waiting fire; its row becomes `stopped`.

    TERM to all of its processes, and KILL after the job's `kill_after`. Waits until it is gone.

    \b
    Example: inisched stop 42
    """
    config = read_file(path, ledger_will_do=True)
    if not 0 < run < 2**63:
        raise Trouble(f"there is no run {run}", Exit.UNKNOWN)
    answer = asked(config, {"ask": "stop", "run": run, "by": login()})
    history = open_history(config.database)
    if not answer["stopped"]:
        row = _row(history, run)
        raise Trouble(
            f"run {run} has ended already: {row['state']}" if row else f"there is no run {run}",
            Exit.UNKNOWN,
        )
    gone = _await_end(config, history, run)
    click.echo(f"run {run} {'is stopped' if gone else 'was told to end'}")
    return Exit.FINE


def _await_end(config: Config, history: History, run: int) -> bool:
    """Whether the run has ended in the time it has for that."""
    row = _row(history, run)
    jobs = {job.name: job.kill_after for job in config.jobs}
    patience = jobs.get(row["job"], KILL_AFTER) if row else KILL_AFTER
    deadline = time.monotonic() + patience.total_seconds() + MARGIN
    while row is not None and row["state"] in ("waiting", "running"):
        if time.monotonic() >= deadline:
            return False
        time.sleep(GLANCE)
        row = _row(history, run)
    return True


def _row(history: History, run: int) -> Row | None:
    found = history.run(run)
    return None if found is None else found.row


@click.command("reload")
@path_option
def reload_command(path: str | None) -> int:
    """Make the daemon read the file again, and tell how that went.

    Exit code 1 where the file has a problem: a broken job runs on as it was, and a file that
    cannot be read changes nothing.

    \b
    Example: inisched reload -P /srv/app/scheduler.ini
    """
    config = load(find_file(path), strict_references=False)
    if config.fatal and not config.database.is_file():
        click.echo(draw(config.diagnostics), err=True, nl=False)
        return Exit.PROBLEM
    asked(config, {"ask": "reload"})
    while not (reading := asked(config, {"ask": "reading"}))["done"]:
        time.sleep(GLANCE)
    click.echo(reading["drawn"], err=True, nl=False)
    if reading["problem"]:
        raise Trouble(reading["problem"])
    click.echo(reading["summary"], nl=False)
    return Exit.FINE if reading["ok"] else Exit.PROBLEM
