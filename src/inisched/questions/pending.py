"""What a daemon that started now would find due: what `run --test` shows. Nothing happens."""

from __future__ import annotations

from collections.abc import Container, Iterable, Iterator, Mapping
from dataclasses import dataclass, replace
from datetime import datetime

from inisched.engine.seat import begin
from inisched.model.job import Job
from inisched.model.run import Gap, Reason, Trigger
from inisched.questions.coming import rhythm_of
from inisched.stores.history import Row, parse
from inisched.stores.job_state import JobState
from inisched.timing.due import due


@dataclass(frozen=True, slots=True, kw_only=True)
class Pending:
    """A fire that would be carried out, or a stretch of fires that would not.

    `outcome` is run, wait or skip; `until` is None for a single fire.
    """

    job: str
    zone: str
    fire_at: datetime
    outcome: str
    trigger: str
    until: datetime | None = None
    count: int = 1
    reason: str | None = None


def pending(
    jobs: Iterable[Job],
    known: Mapping[str, JobState],
    opened: Iterable[Row],
    now: datetime,
    *,
    seed: str,
    at_start: bool,
    held: bool = False,
    paused: Container[str] = (),
) -> list[Pending]:
    """In the order of their fires. `opened` are rows that wait, `at_start`: a daemon would start,
    so that jobs with `run_at_start` have a fire of it. While all is `held` what would run waits;
    a job that is `paused` skips it."""
    active = {job.name: job for job in jobs if job.active}
    found = [one for row in opened for one in _waiting(row, active, now)]
    for job in active.values():
        found += _due(job, known.get(job.name), now, seed)
        if at_start and job.run_at_start:
            found.append(_one(job, now, "start"))
    found = [_switched(one, held=held, paused=one.job in paused) for one in found]
    return sorted(found, key=lambda one: one.fire_at)


def _switched(one: Pending, *, held: bool, paused: bool) -> Pending:
    if one.outcome == "run" and paused and one.trigger != Trigger.MANUAL.value:
        return replace(one, outcome="skip", reason=Reason.PAUSED.value)
    return replace(one, outcome="wait") if one.outcome == "run" and held else one


def _waiting(row: Row, jobs: Mapping[str, Job], now: datetime) -> Iterator[Pending]:
    """A fire a former daemon left waiting goes on, unless it waits for a moment still to come."""
    job, moment = jobs.get(row["job"]), row["not_before"]
    if job is not None and row["state"] == "waiting":
        ready = moment is None or moment <= now
        yield _one(job, parse(row["fire_at"]), row["trigger"], "run" if ready else "wait")


def _due(job: Job, state: JobState | None, now: datetime, seed: str) -> Iterator[Pending]:
    if state is None or state.meaning != job.schedule.meaning() or state.looked is None:
        _, since = begin(job, state.looked if state else None, now)
    elif state.resting:
        return
    else:
        since = state.looked
    found = due(job, rhythm_of(job, state, now, seed=seed), since, now)
    yield from (_gap(job, gap) for gap in found.gaps)
    yield from (_one(job, fire.moved, fire.trigger.value) for fire in found.run)


def _one(job: Job, moment: datetime, trigger: str, outcome: str = "run") -> Pending:
    return Pending(
        job=job.name, zone=job.schedule.zone, fire_at=moment, outcome=outcome, trigger=trigger
    )


def _gap(job: Job, gap: Gap) -> Pending:
    return Pending(
        job=job.name,
        zone=job.schedule.zone,
        fire_at=gap.first,
        until=gap.last,
        count=gap.count,
        outcome="skip",
        trigger="schedule",
        reason=gap.reason.value,
    )
