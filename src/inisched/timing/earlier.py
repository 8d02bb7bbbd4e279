"""A rhythm begun earlier than it was, for a clock that was set back behind its beginning."""

from __future__ import annotations

from collections.abc import Iterator
from datetime import UTC, datetime, timedelta
from itertools import count, islice
from math import lcm

from inisched.model.schedule import Every, Schedule, Unit
from inisched.timing.pattern import day_in_month, month_of
from inisched.timing.recurrence import Anchor, recurrence
from inisched.timing.zone import DAY, zone

MOST_BEGINNINGS = 12
"""How many earlier beginnings are tried, to find one from which the rhythm goes on as it was."""

_EPOCH = datetime(1970, 1, 1, tzinfo=UTC)
_SECOND = timedelta(seconds=1)


def has_steps(schedule: Schedule) -> bool:
    """Whether one fire tells where the others are; `cron` needs no beginning to tell."""
    every = schedule.every
    return every is None or (not every.never and every.latest is None)


def earlier(schedule: Schedule, anchor: Anchor, moment: datetime) -> Anchor:
    """The same rhythm, begun whole steps earlier, at or before the moment.

    For a clock that was set back behind the beginning. What has no steps begins at the moment.
    """
    every = schedule.every
    fresh = Anchor(moment.replace(microsecond=0))
    if every is None or not has_steps(schedule):
        return fresh
    coming = _some_fires(schedule, anchor, anchor.moment)
    since = (coming[0] if coming else anchor.moment) - timedelta(microseconds=1)
    beginnings = list(islice(_beginnings(schedule, every, anchor, fresh), MOST_BEGINNINGS))
    for found in beginnings:
        if _some_fires(schedule, found, since) == coming:
            return found
    return beginnings[0] if beginnings else fresh


def _beginnings(
    schedule: Schedule, every: Every, anchor: Anchor, before: Anchor
) -> Iterator[Anchor]:
    """Moments whole steps before the anchor and not after `before`, latest first.

    Not all will do: on its day the clock may not show the anchor's time of day, its month may be
    too short for the anchor's day, and the clock may have skipped labels since.
    """
    where = zone(schedule.zone)
    begin = _seconds(anchor.moment)
    behind = begin - _seconds(before.moment) + DAY
    if every.unit in (Unit.MINUTE, Unit.HOUR):
        period = every.unit.seconds or 0
        back = -(-behind // (every.interval * period)) * every.interval * period
        for number in count():
            yield Anchor(_moment(begin - back - number * period))
    day, time = divmod(where.local(begin), DAY)
    for number in count():
        found: int | None
        if every.unit is Unit.MONTH:
            step = lcm(every.interval, 12)
            months = (-(-behind // (28 * DAY * step)) + number) * step
            found = day_in_month(month_of(day) - months, _moment(day * DAY).day)
        else:
            step = 7 if every.weekdays else every.interval * (7 if every.unit is Unit.WEEK else 1)
            found = day - (-(-behind // (step * DAY)) + number) * step
        if found is None:
            return
        yield Anchor(_moment(where.instant(found * DAY + time)))


def _some_fires(schedule: Schedule, anchor: Anchor, since: datetime) -> list[datetime]:
    """The first fires after `since`, enough of them to know one phase from another."""
    rule = recurrence(schedule, anchor, job="")
    fires: list[datetime] = []
    fire = rule.after(since)
    while fire is not None and len(fires) <= len(schedule.at) + 1:
        fires.append(fire)
        fire = rule.after(fire)
    return fires


def _seconds(moment: datetime) -> int:
    return (moment - _EPOCH) // _SECOND


def _moment(seconds: int) -> datetime:
    return _EPOCH + seconds * _SECOND
