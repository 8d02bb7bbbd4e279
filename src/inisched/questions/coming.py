"""Coming fires: what `next` lists and `list` shows."""

from __future__ import annotations

import heapq
from collections.abc import Iterable, Iterator, Mapping
from datetime import datetime, timedelta
from itertools import islice, takewhile
from types import MappingProxyType

from msgspec import Struct

from inisched.model.job import Job
from inisched.stores.job_state import JobState
from inisched.timing.recurrence import Anchor, first_look
from inisched.timing.rhythm import Rhythm, rhythm

_INSTANT = timedelta(microseconds=1)

NO_PAUSES: Mapping[str, datetime] = MappingProxyType({})


class Coming(Struct, frozen=True):
    """A fire that lies ahead. Not `exact` where it depends on when runs before it end."""

    job: str
    at: datetime
    zone: str
    exact: bool


def coming(
    jobs: Iterable[Job],
    known: Mapping[str, JobState],
    *,
    since: datetime,
    until: datetime | None = None,
    limit: int | None = None,
    seed: str = "",
    fresh: bool = False,
    paused: Mapping[str, datetime] = NO_PAUSES,
) -> list[Coming]:
    """Fires of active jobs in (since, until], by moment, then in file order.

    At most `limit` of them. A job the ledger does not know, and with `fresh` every job, is taken
    to be seen first at `since`. `seed` is the database's id. `paused` jobs have no fires before
    that moment.
    """
    streams = [
        _fires_in_order(
            number,
            job,
            None if fresh else known.get(job.name),
            since,
            seed,
            None if fresh else paused.get(job.name),
        )
        for number, job in enumerate(jobs)
        if job.active
    ]
    merged: Iterator[Coming] = (fire for _, _, fire in heapq.merge(*streams))
    if until is not None:
        merged = takewhile(lambda fire: fire.at <= until, merged)
    return list(islice(merged, limit))


def _fires_in_order(
    number: int,
    job: Job,
    state: JobState | None,
    since: datetime,
    seed: str,
    paused_until: datetime | None,
) -> Iterator[tuple[datetime, int, Coming]]:
    for fire in fires(job, state, since, seed=seed, paused_until=paused_until):
        yield fire.at, number, fire


def fires(
    job: Job,
    state: JobState | None,
    since: datetime,
    *,
    seed: str = "",
    paused_until: datetime | None = None,
) -> Iterator[Coming]:
    """One job's fires whose (moved) moment is after `since`, and none before a pause is over."""
    beat = rhythm_of(job, state, since, seed=seed)
    if paused_until is not None:
        since = max(since, paused_until - _INSTANT)
    if job.schedule.from_end:
        yield from _from_its_end(job, beat, since)
        return
    schedule = job.schedule
    fire = beat.next(since - schedule.jitter)
    while fire is not None:
        moved = beat.moved(fire)
        if moved > since:
            yield Coming(job.name, moved, schedule.zone, exact=True)
        fire = beat.next(fire)


def _from_its_end(job: Job, beat: Rhythm, since: datetime) -> Iterator[Coming]:
    """The next one, then a guess: as if every run took no time."""
    schedule = job.schedule
    fire = beat.next(beat.anchor.moment + beat.shift - _INSTANT)
    exact = True
    while fire is not None:
        if fire > since:
            yield Coming(job.name, beat.moved(fire), schedule.zone, exact=exact)
        anchor = Anchor(fire - beat.shift)
        beat = rhythm(job.name, schedule, anchor, seed=beat.seed, shift=beat.shift)
        fire = beat.next(fire)
        exact = False


def rhythm_of(job: Job, state: JobState | None, now: datetime, *, seed: str = "") -> Rhythm:
    """The job's rhythm as the ledger knows it, or as if first looked at now."""
    schedule = job.schedule
    if state is not None and state.anchor is not None and state.meaning == schedule.meaning():
        return state.rhythm(job, seed)
    return rhythm(job.name, schedule, first_look(schedule, now), seed=seed)
