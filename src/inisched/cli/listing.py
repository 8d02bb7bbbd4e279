"""`inisched list`: each job with its last run and its next fire."""

from __future__ import annotations

from collections.abc import Iterator
from datetime import datetime, timedelta

import click

from inisched.cli.asking import told_gates
from inisched.cli.exits import Exit
from inisched.cli.files import (
    json_option,
    judge_file,
    open_history,
    path_option,
    read_file,
    utc_option,
)
from inisched.cli.remarks import hold_remark, switch_remarks
from inisched.cli.table import print_json, print_table
from inisched.cli.times import now
from inisched.config.drawing import escaped
from inisched.config.judged import Judged
from inisched.config.loader import Config
from inisched.model.duration import show_duration
from inisched.questions.account import took
from inisched.questions.brief import in_brief
from inisched.questions.health import daemon
from inisched.questions.judgements import as_remembered
from inisched.questions.moments import iso_utc, show_moment
from inisched.questions.overview import JobLine, overview
from inisched.questions.sentences import Speaker
from inisched.stores.history import History
from inisched.stores.switches import Hold

COSTLY = 3
"""A run that has cost so many fires is worth a word."""

TIME_LIMIT = 10.0
"""Seconds one module may take to import where nobody has judged its callbacks yet."""


@click.command("list")
@path_option
@json_option
@utc_option
@click.option("--all", "everything", is_flag=True, help="Inactive jobs too.")
@click.option("--long", is_flag=True, help="What is passed to each callback, and descriptions.")
def list_command(path: str | None, as_json: bool, utc: bool, everything: bool, long: bool) -> int:
    """Each job of the file: its state, its next fire, its last run, its schedule.

    \b
    Example: inisched list --all --long
    """
    config = read_file(path)
    history = open_history(config.database)
    judged = _judged(config, history)
    present = now()
    up = daemon(config.database) is not None
    lines = overview(judged, history, present, alive=up, told=lambda: told_gates(config))
    shown = [line for line in lines if everything or line.state != "inactive"]
    if as_json:
        print_json([_as_json(line) for line in shown])
    elif not lines:
        click.echo(escaped(f"There are no jobs in {config.path}."))
    else:
        zone = config.settings.timezone
        _print(shown, history.held(), zone, present, utc=utc, long=long)
        hidden = len(lines) - len(shown)
        if hidden:
            click.echo(f"{hidden} inactive, shown with --all")
    return Exit.FINE


def _judged(config: Config, history: History) -> Judged:
    """With what the ledger remembers of the callbacks; imports only what nobody has judged."""
    judged, unjudged = as_remembered(config, history)
    return judge_file(config, time_limit=TIME_LIMIT) if unjudged else judged


def _as_json(line: JobLine) -> dict[str, object]:
    section, last = line.section, line.last
    return {
        "job": section.name,
        "active": line.active,
        "broken": section.job is None,
        "stale": line.stale,
        "schedule": line.schedule_text,
        "timezone": section.timezone,
        "next_fire": iso_utc(line.next_fire) if line.next_fire else None,
        "last_fire": last["fire_at"] if last else None,
        "last_state": last["state"] if last else None,
        "last_duration_s": last["duration_s"] if last else None,
        "running": line.running,
        "waiting_for": line.waiting_for,
        "waiting_fire": iso_utc(line.waiting_fire) if line.waiting_fire else None,
        "switches": _switches(line),
        "passed": dict(line.passed),
        "description": section.description,
        "file": section.place.file,
        "line": section.place.line,
    }


def _switches(line: JobLine) -> dict[str, object] | None:
    """Who, when and why are those of the switch that was thrown last."""
    switch = line.switch
    if switch is None:
        return None
    until, latest = switch.paused_until, switch.latest
    return {
        "enabled": switch.enabled,
        "paused_until": iso_utc(until) if until else None,
        "schedule": line.new_schedule,
        "by": latest.by,
        "since": iso_utc(latest.since),
        "note": latest.note or None,
    }


def _print(
    lines: list[JobLine], hold: Hold | None, zone: str, present: datetime, *, utc: bool, long: bool
) -> None:
    print_table(
        ("STATE", "NEXT", "LEFT", "LAST", "TOOK", "RESULT", "SCHEDULE", "JOB", ""),
        [_row(line, present, utc=utc) for line in lines],
    )
    for line in lines:
        for remark in switch_remarks(line.section, line.switch, present, utc=utc):
            click.echo(escaped(remark))
    if hold is not None:
        click.echo(escaped(hold_remark(hold, zone, present, utc=utc)))
    for remark in _remarks(lines):
        click.echo(escaped(remark))
    if long:
        for line in lines:
            _print_long(line)


def _remarks(lines: list[JobLine]) -> Iterator[str]:
    """What deserves a word: runs that cost fires, and fires held back for want of places."""
    for line in lines:
        if line.cost >= COSTLY and line.last is not None:
            run, fires = line.last["id"], line.cost
            yield f"{line.section.name}: run {run} has cost {fires} fires by still going"
    held = [line.section.name for line in lines if line.waiting_for == "max_running"]
    if held:
        yield f"max_running holds back: {', '.join(held)}"


def _row(line: JobLine, present: datetime, *, utc: bool) -> tuple[str, ...]:
    zone, last = line.section.zone, line.last
    coming, fired = line.waiting_fire or line.next_fire, line.last_fire
    return (
        line.state,
        show_moment(coming, zone, present, utc=utc) if coming else "-",
        "-" if line.waiting_fire else _left(coming, present),
        show_moment(fired, zone, present, utc=utc) if fired else "-",
        took(last) if last else "-",
        (last["state"] + (" (cleared)" if line.cleared else "")) if last else "-",
        line.schedule_text or "-",
        line.section.name,
        _waits(line, present, utc=utc),
    )


def _waits(line: JobLine, present: datetime, *, utc: bool) -> str:
    """What a waiting job waits for."""
    if line.waiter is None or line.waiting_fire is None:
        return ""
    return f"({in_brief(line.waiter, Speaker(line.section.zone, present, utc))})"


def _left(coming: datetime | None, present: datetime) -> str:
    if coming is None:
        return "-"
    return show_duration(timedelta(seconds=max(0, round((coming - present).total_seconds()))))


def _print_long(line: JobLine) -> None:
    section = line.section
    click.echo()
    click.echo(escaped(f"{section.name}  ({section.place.file}:{section.place.line})"))
    if section.description:
        click.echo(escaped(f"    {section.description}"))
    for name, value in line.passed.items():
        click.echo(escaped(f"    {name} = {value!r}"))
