"""The one question: which fires lie between the last look and now, and what becomes of each."""

from __future__ import annotations

from datetime import datetime, timedelta

from msgspec import Struct

from inisched.model.job import Job, Misfire
from inisched.model.run import Fire, Gap, Reason, Trigger
from inisched.timing.rhythm import Rhythm

_INSTANT = timedelta(microseconds=1)


class Due(Struct, frozen=True):
    """What a look found: fires to run, oldest first, and stretches that will not run.

    `upto` is the unmoved moment up to which every fire is now accounted for. A gap with the
    reason `coalesced` was folded into the first fire of `run`.
    """

    upto: datetime
    run: tuple[Fire, ...] = ()
    gaps: tuple[Gap, ...] = ()


def due(job: Job, rhythm: Rhythm, since: datetime, now: datetime) -> Due:
    """Sort the job's fires in (since, now] into those to run and those gone by.

    A fire is on time when it is taken up at most `job.grace` late, or half the way to the fire
    after it, whichever is less; so only the latest can be. What is older is a misfire, and
    `job.misfire` decides.
    """
    upto = rhythm.upto(now)
    last = rhythm.latest(since, upto)
    if last is None:
        return Due(upto)
    on_time: tuple[Fire, ...] = ()
    moved = rhythm.moved(last)
    if now == moved or now - moved <= grace_of(job, rhythm, last):
        on_time = (Fire(job=job.name, at=last, moved=moved, trigger=Trigger.SCHEDULE),)
        last = rhythm.latest(since, last - _INSTANT)
    if last is None:
        return Due(upto, on_time)
    late, gaps = _misfires(job, rhythm, since, last)
    return Due(upto, late + on_time, gaps)


def grace_of(job: Job, rhythm: Rhythm, fire: datetime) -> timedelta:
    """How late this fire may be taken up and still count as on time."""
    every = rhythm.schedule.every
    if rhythm.schedule.from_end and every and every.unit and every.unit.seconds:
        return min(job.grace, timedelta(seconds=every.interval * every.unit.seconds) / 2)
    following = rhythm.next(fire)
    return job.grace if following is None else min(job.grace, (following - fire) / 2)


def _misfires(
    job: Job, rhythm: Rhythm, since: datetime, last: datetime
) -> tuple[tuple[Fire, ...], tuple[Gap, ...]]:
    """What becomes of the misfires in (since, last], where `last` is one."""
    keep = {Misfire.SKIP: 0, Misfire.COALESCE: 1, Misfire.ALL: job.max_catchup}[job.misfire]
    run: list[Fire] = []
    rest: datetime | None = last
    while rest is not None and len(run) < keep:
        run.append(_fire(job, rhythm, rest, Trigger.CATCHUP))
        rest = rhythm.latest(since, rest - _INSTANT)
    run.reverse()
    if rest is None:
        return tuple(run), ()
    reason = Reason.COALESCED if job.misfire is Misfire.COALESCE else Reason.MISFIRE
    return tuple(run), (gap(job.name, rhythm, since, rest, reason),)


def gap(job: str, rhythm: Rhythm, since: datetime, last: datetime, reason: Reason) -> Gap:
    """The fires in (since, last] as one stretch; `last` is itself a fire."""
    first = rhythm.next(since)
    assert first is not None
    count, exact = rhythm.count(since, last)
    return Gap(
        job=job,
        first=rhythm.moved(first),
        last=rhythm.moved(last),
        count=count,
        reason=reason,
        exact=exact,
    )


def _fire(job: Job, rhythm: Rhythm, at: datetime, trigger: Trigger) -> Fire:
    return Fire(job=job.name, at=at, moved=rhythm.moved(at), trigger=trigger)
