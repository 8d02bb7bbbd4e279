"""Ends of runs: what came of one, and what is to be entered with it."""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from datetime import datetime
from typing import NamedTuple

from msgspec.structs import replace

from inisched.engine.nursery import Departed
from inisched.engine.run import Run
from inisched.engine.seat import Seat
from inisched.model.duration import show_duration
from inisched.model.job import Job
from inisched.model.run import FAILURES, SUCCESSES, Fire, Outcome, State, Trigger
from inisched.stores.claims import Ended
from inisched.stores.post import Report

End = tuple[Run, Outcome, datetime]
"""A run, its outcome, and when it ended."""


def concluded(outcome: Outcome, departed: Departed, job: Job) -> Outcome:
    """With what its process could not say: that it timed out, or left others behind."""
    if departed.timed_out and job.timeout is not None:
        message = f"timed out after {show_duration(job.timeout)}"
        return replace(outcome, state=State.TIMEOUT, message=message, reason=None)
    if departed.left:
        noun = "a process" if departed.left == 1 else f"{departed.left} processes"
        parts = (outcome.message, f"left {noun} behind, ended")
        return replace(outcome, message="; ".join(part for part in parts if part))
    return outcome


class Line(NamedTuple):
    """Whether a line of periods stops at the run, or goes on after it."""

    run_id: int
    failed: bool


class Ending(NamedTuple):
    """The end of a run at a moment, and what is to be entered with it."""

    run: Run
    outcome: Outcome
    at: datetime
    again: datetime | None
    then: Sequence[tuple[Seat, Fire]] = ()
    line: Line | None = None
    report: Report | None = None


def line_of(run: Run, outcome: Outcome) -> Line | None:
    """What the last attempt at a fire means for the periods behind it; None: nothing."""
    seat, entry = run.seat, run.claimed
    if seat.job.report_period is None:
        return None
    mends = seat.failed is not None and entry.fire.period == seat.failed.fire.period
    if outcome.state in SUCCESSES and mends:
        return Line(entry.run_id, failed=False)
    asked_for = entry.fire.trigger in (Trigger.MANUAL, Trigger.THEN, Trigger.START)
    if outcome.state in FAILURES and not asked_for:
        return Line(entry.run_id, failed=True)
    return None


def again(run: Run, outcome: Outcome, ended: datetime) -> datetime | None:
    """When the fire is tried again; None where this was its last attempt."""
    retry = run.seat.job.retry
    attempt = run.claimed.attempt
    if outcome.state not in (State.FAILURE, State.TIMEOUT) or attempt > retry.retries:
        return None
    return ended + retry.pause(attempt)


def unrelated(ends: Iterable[End]) -> list[End]:
    """The first of the ends, as far as none bears on another: each of a job that neither is nor
    follows one of the others."""
    found, concerned = [], set[str]()
    for end in ends:
        job = end[0].seat.job
        if not concerned.isdisjoint((job.name, *job.then)):
            break
        concerned.update((job.name, *job.then))
        found.append(end)
    return found


def as_entered(ending: Ending) -> Ended:
    """The end as the ledger is to have it."""
    run, line = ending.run, ending.line
    return Ended(
        run.claimed,
        ending.outcome,
        ending.at,
        took=ending.at - run.started,
        began=run.started if run.running is None else None,
        again=ending.again,
        then=[(seat.state, fire) for seat, fire in ending.then],
        line=line and (run.seat.state, line.run_id if line.failed else None),
        report=ending.report,
    )
