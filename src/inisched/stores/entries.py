"""Attempts at fires as rows: what the statements are given, and what is read."""

from __future__ import annotations

import sqlite3
from collections.abc import Mapping
from datetime import date, datetime, timedelta
from typing import Any

from inisched.model.run import FAILURES, SUCCESSES, Fire, Outcome, State, Trigger
from inisched.stores.claims import Claimed, Ended, OpenRun, Stretch
from inisched.stores.job_state import JobState
from inisched.stores.moments import from_ms, maybe_moment, to_ms

_MILLISECOND = timedelta(milliseconds=1)
_WAITING, _RUNNING = State.WAITING.value, State.RUNNING.value


def first_attempt(job: JobState, entry: Claimed) -> tuple[Any, ...]:
    """What the statement `insert_run` is given."""
    fire, taken_at = entry.fire, to_ms(entry.taken_at)
    first, last = fire.period or (None, None)
    return (
        entry.run_id,
        job.id,
        to_ms(fire.moved),
        to_ms(fire.at),
        job.era,
        entry.attempt,
        _RUNNING if entry.start else _WAITING,
        fire.trigger.value,
        taken_at,
        entry.not_before and to_ms(entry.not_before),
        taken_at if entry.start else None,
        first and first.isoformat(),
        last and last.isoformat(),
        fire.override,
    )


def last_words(end: Ended) -> tuple[Any, ...]:
    """What the statement `finish_run` is given."""
    outcome = end.outcome
    return (
        outcome.state.value,
        outcome.reason and outcome.reason.value,
        to_ms(end.at),
        outcome.exit_code,
        outcome.message,
        None if end.took is None else end.took // _MILLISECOND,
        end.began and to_ms(end.began),
        end.claimed.run_id,
    )


def has_output(end: Ended) -> bool:
    """Whether there is anything for a row of `output`."""
    return bool(end.outcome.stdout or end.outcome.stderr or end.outcome.output)


def output(end: Ended) -> tuple[Any, ...]:
    """What the statement `insert_output` is given."""
    kept = end.outcome
    totals = kept.stdout_total, kept.stderr_total
    return end.claimed.run_id, kept.stdout, kept.stderr, *totals, kept.output


def note_of_end(claimed: Claimed, at: datetime, outcome: Outcome) -> tuple[Any, ...]:
    """What the statement `note_ended` is given."""
    moment, state = to_ms(at), outcome.state
    good, bad = state in SUCCESSES, state in FAILURES
    return moment, moment if good else None, moment if bad else None, claimed.run_id


def run_values(
    run: OpenRun, started: datetime | None, jobs: Mapping[str, JobState]
) -> dict[str, Any]:
    """A row of `run` whole, as it is put back into a database that was taken away."""
    claimed, job = run.claimed, jobs[run.claimed.fire.job]
    return {
        "id": claimed.run_id,
        "job_id": job.id,
        "fire_at": to_ms(claimed.fire.moved),
        "fire_unmoved": to_ms(claimed.fire.at),
        "era": job.era,
        "attempt": claimed.attempt,
        "state": run.state.value,
        "trigger": claimed.fire.trigger.value,
        "taken_at": to_ms(claimed.taken_at),
        "not_before": to_ms(claimed.not_before) if claimed.not_before else None,
        "started_at": to_ms(started) if started else None,
        "pid": run.pid,
        "pid_started": run.pid_started,
        "fire_until": to_ms(run.held.last_moved) if run.held else None,
        "count": run.held.count if run.held else 1,
        "period_start": claimed.fire.period and claimed.fire.period[0].isoformat(),
        "period_end": claimed.fire.period and claimed.fire.period[1].isoformat(),
        "override": claimed.fire.override,
        "first_at": to_ms(claimed.first_at) if claimed.first_at else None,
        "asked": claimed.asked,
        "asked_at": to_ms(claimed.asked_at) if claimed.asked_at else None,
    }


def open_run(row: sqlite3.Row) -> OpenRun:
    fire = Fire(
        job=row["job"],
        at=from_ms(row["fire_unmoved"]),
        moved=from_ms(row["fire_at"]),
        trigger=Trigger(row["trigger"]),
        period=period(row),
        override=bool(row["override"]),
    )
    held = None
    if row["fire_until"] is not None:
        last = from_ms(row["fire_until"])
        held = Stretch(first=fire.at, first_moved=fire.moved, last_moved=last, count=row["count"])
    claimed = Claimed(
        run_id=row["id"],
        fire=fire,
        taken_at=from_ms(row["taken_at"]),
        attempt=row["attempt"],
        not_before=maybe_moment(row["not_before"]),
        first_at=maybe_moment(row["first_at"]),
        asked=row["asked"],
        asked_at=maybe_moment(row["asked_at"]),
    )
    return OpenRun(claimed, State(row["state"]), row["pid"], row["pid_started"], held)


def period(row: sqlite3.Row) -> tuple[date, date] | None:
    if row["period_start"] is None:
        return None
    return date.fromisoformat(row["period_start"]), date.fromisoformat(row["period_end"])
