"""`inisched run --test`: what is due, and what would become of it. Nothing is run or written."""

from __future__ import annotations

from collections.abc import Callable
from datetime import datetime

import click

from inisched.cli.exits import BROKEN_OFF
from inisched.cli.files import judge_file, open_history
from inisched.cli.table import print_json, print_table
from inisched.cli.times import now
from inisched.config.drawing import draw, escaped
from inisched.config.judged import errors
from inisched.config.loader import Config
from inisched.engine.clock import SystemClock
from inisched.engine.rehearsal import is_ready
from inisched.executors.starting import Executors
from inisched.model.job import Job
from inisched.model.run import Fire
from inisched.questions.moments import iso_utc, show_moment
from inisched.questions.pending import Pending, pending
from inisched.questions.prospects import Ask, Prospects
from inisched.questions.switched import standing
from inisched.stores.opening import database_id

IMPORT_LIMIT = 10.0
"""Seconds one import of a callback's module may take."""


def dry_run(config: Config, *, once: bool, as_json: bool) -> None:
    """Tell what `run`, or a pass of `run --once`, would find due now."""
    config = judge_file(config, time_limit=IMPORT_LIMIT).config
    bad = errors(config.diagnostics)
    if bad:
        click.echo(draw(bad), err=True, nl=False)
    history, present = open_history(config.database), now()
    seed = history.id or database_id(config.database)
    switched = standing(config.jobs, history, present)
    jobs, known = list(switched.jobs.values()), switched.known
    found = pending(
        jobs,
        known,
        history.open_rows(),
        present,
        seed=seed,
        at_start=not once,
        held=history.held() is not None,
        paused=switched.paused,
    )
    gates = Prospects(jobs, known, present, ask=_asker(config), find=history.entry)
    found = gates.of(found, once=once)
    if as_json:
        print_json([_as_json(one) for one in found])
    elif found:
        _print(found, present)
    else:
        click.echo("Nothing is due.")


def _asker(config: Config) -> Ask:
    """Asks a gate as the daemon would, and tells on standard error why it has no answer."""
    paths = [str(path) for path in config.settings.python_path]
    executors = Executors(config.real_path.parent, paths)
    clock = SystemClock()

    def ask(job: Job, fire: Fire) -> bool:
        asked = is_ready(job, fire, executors, clock)
        if asked.stopped:
            raise SystemExit(BROKEN_OFF)
        if asked.answer.yes is None:
            text = f"{job.name}: ready has no answer: {asked.answer.words}"
            click.echo(escaped(f"inisched: {text}"), err=True)
        return bool(asked.answer.yes)

    return ask


def _print(found: list[Pending], present: datetime) -> None:
    """With a period and an answer only where any of them has one."""
    columns: dict[str, Callable[[Pending], str]] = {
        "FIRE": lambda one: show_moment(one.fire_at, one.zone, present),
        "WHAT": lambda one: one.outcome,
    }
    if any(one.period for one in found):
        columns["PERIOD"] = _period
    if any(one.ready is not None for one in found):
        columns["READY"] = lambda one: {None: "-", True: "yes", False: "no"}[one.ready]
    columns |= {"JOB": lambda one: one.job, "": _words}
    print_table(list(columns), [[cell(one) for cell in columns.values()] for one in found])


def _period(one: Pending) -> str:
    if one.period is None:
        return "-"
    first, last = one.period
    return str(last) if first == last else f"{first} to {last}"


def _words(one: Pending) -> str:
    parts = [] if one.trigger == "schedule" else [one.trigger]
    if one.reason is not None:
        parts.append(one.reason)
    if one.count > 1:
        parts.append(f"{one.count} fires")
    if one.override:
        parts.append("override")
    return ", ".join(parts)


def _as_json(one: Pending) -> dict[str, object]:
    return {
        "job": one.job,
        "fire_at": iso_utc(one.fire_at),
        "fire_until": None if one.until is None else iso_utc(one.until),
        "count": one.count,
        "outcome": one.outcome,
        "reason": one.reason,
        "trigger": one.trigger,
        "period_start": str(one.period[0]) if one.period else None,
        "period_end": str(one.period[1]) if one.period else None,
        "ready": one.ready,
    }
