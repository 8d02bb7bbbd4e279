"""`inisched run --test`: what is due, and what would become of it. Nothing is run or written."""

from __future__ import annotations

import click

from inisched.cli.files import judge_file, open_history
from inisched.cli.table import print_json, print_table
from inisched.cli.times import now
from inisched.config.drawing import draw
from inisched.config.judged import errors
from inisched.config.loader import Config
from inisched.questions.moments import iso_utc, show_moment
from inisched.questions.pending import Pending, pending
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
    found = pending(
        switched.jobs.values(),
        switched.known,
        history.open_rows(),
        present,
        seed=seed,
        at_start=not once,
        held=history.held() is not None,
        paused=switched.paused,
    )
    if as_json:
        print_json([_as_json(one) for one in found])
    elif found:
        print_table(
            ("FIRE", "WHAT", "JOB", ""),
            [
                (show_moment(one.fire_at, one.zone, present), one.outcome, one.job, _words(one))
                for one in found
            ],
        )
    else:
        click.echo("Nothing is due.")


def _words(one: Pending) -> str:
    parts = [] if one.trigger == "schedule" else [one.trigger]
    if one.reason is not None:
        parts.append(one.reason)
    if one.count > 1:
        parts.append(f"{one.count} fires")
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
    }
