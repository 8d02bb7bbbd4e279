"""What a daemon that started now would find due: what `run --test` shows. Nothing happens.

What their gates make of these fires stands in `prospects`.
"""

from __future__ import annotations

from collections.abc import Container, Iterable, Iterator, Mapping
from datetime import date, datetime

from msgspec import Struct
from msgspec.structs import replace

from inisched.engine.seat import asked_for, begin, dated
from inisched.model.job import Job
from inisched.model.run import Fire, Gap, Reason, Trigger
from inisched.questions.coming import rhythm_of
from inisched.stores.history import Row, parse
from inisched.stores.job_state import JobState
from inisched.timing.due import due

Days = tuple[date, date]


class Pending(Struct, frozen=True, kw_only=True):
    """A fire that would be carried out, or a stretch of fires that would not.

    `outcome` is run, wait or skip; `until` is None for a single fire, and `fire` for a stretch.
    `row` is that of a fire taken up already. `ready` is what its gate says; None: nobody asked.
    """

    job: str
    zone: str
    fire_at: datetime
    outcome: str
    trigger: str
    until: datetime | None = None
    count: int = 1
    reason: str | None = None
    fire: Fire | None = None
    row: Row | None = None
    ready: bool | None = None

    @property
    def period(self) -> Days | None:
        return self.fire.period if self.fire is not None else None

    @property
    def override(self) -> bool:
        """Whether it would run although its data is not ready."""
        return self.fire is not None and self.fire.override


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
            fire = Fire(job=job.name, at=now, moved=now, trigger=Trigger.START)
            beat = rhythm_of(job, known.get(job.name), now, seed=seed)
            found.append(one_of(job, asked_for(job, beat, fire)))
    found = [_switched(one, held=held, paused=one.job in paused) for one in found]
    return sorted(found, key=lambda one: one.fire_at)


def _switched(one: Pending, *, held: bool, paused: bool) -> Pending:
    if one.outcome == "run" and paused and one.trigger != Trigger.MANUAL.value:
        return replace(one, outcome="skip", reason=Reason.PAUSED.value)
    return replace(one, outcome="wait") if one.outcome == "run" and held else one


def _waiting(row: Row, jobs: Mapping[str, Job], now: datetime) -> Iterator[Pending]:
    """A fire a former daemon left waiting goes on, unless it waits for a moment still to come."""
    job, moment = jobs.get(row["job"]), row["not_before"]
    if job is None or row["state"] != "waiting":
        return
    if row["fire_until"] is not None:
        yield _held(job, row)
        return
    at = parse(row["fire_at"])
    fire = Fire(
        job=job.name,
        at=at,
        moved=at,
        trigger=Trigger(row["trigger"]),
        period=_days(row),
        override=row["override"],
    )
    yield one_of(job, fire, "run" if moment is None or moment <= now else "wait", row=row)


def _days(row: Row) -> Days | None:
    if row["period_end"] is None:
        return None
    return date.fromisoformat(row["period_start"]), date.fromisoformat(row["period_end"])


def _due(job: Job, state: JobState | None, now: datetime, seed: str) -> Iterator[Pending]:
    if state is None or state.meaning != job.schedule.meaning() or state.looked is None:
        _, since = begin(job, state.looked if state else None, now)
    elif state.resting:
        return
    else:
        since = state.looked
    found = due(job, rhythm_of(job, state, now, seed=seed), since, now)
    yield from (_gap(job, gap) for gap in found.gaps)
    yield from (one_of(job, dated(job, fire)) for fire in found.run)


def one_of(job: Job, fire: Fire, outcome: str = "run", *, row: Row | None = None) -> Pending:
    """A single fire."""
    return Pending(
        job=job.name,
        zone=job.schedule.zone,
        fire_at=fire.moved,
        outcome=outcome,
        trigger=fire.trigger.value,
        fire=fire,
        row=row,
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


def _held(job: Job, row: Row) -> Pending:
    """What came due during a hold."""
    return Pending(
        job=job.name,
        zone=job.schedule.zone,
        fire_at=parse(row["fire_at"]),
        until=parse(row["fire_until"]),
        count=row["count"],
        outcome="wait",
        trigger=row["trigger"],
        reason="hold",
    )
