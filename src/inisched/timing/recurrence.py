"""From a schedule and where it began to its fires: the one recurrence everything asks.

The rules are those of the reference, "How time behaves"; this module picks the pattern, and
`pattern` does the arithmetic.
"""

from __future__ import annotations

from bisect import bisect_right
from datetime import UTC, datetime, timedelta
from functools import lru_cache
from hashlib import blake2b
from typing import NamedTuple

from inisched.model.schedule import Every, Schedule, Unit
from inisched.timing.cron import Cron
from inisched.timing.pattern import (
    Apart,
    Chain,
    Countable,
    Days,
    Elapsed,
    EveryDays,
    EveryMonths,
    Labels,
    Once,
    OnDays,
    Pattern,
    Weekdays,
    day_in_month,
    month_of,
)
from inisched.timing.zone import DAY, LAST_YEAR, Zone, zone

COUNT_AT_MOST = 100_000
"""Fires that can only be counted one by one are counted so far; then it is a lower bound."""

LAST_MOMENT = datetime(LAST_YEAR, 12, 30, tzinfo=UTC)

KEPT = 16
"""So many neighbouring fires a rule keeps in mind."""

END_OF_TIME = (OverflowError, ValueError)
"""What dates raise beyond it."""

_EPOCH = datetime(1970, 1, 1, tzinfo=UTC)
_SECOND = timedelta(seconds=1)
_NOTHING = timedelta(0)


class Anchor(NamedTuple):
    """Where a rhythm begins: the first look, whose own moment does not count, or `active_from`,
    whose moment does (`inclusive`) where the schedule matches it."""

    moment: datetime
    inclusive: bool = False


def first_look(schedule: Schedule, now: datetime) -> Anchor:
    """Where the rhythm of a schedule begins that is first looked at now.

    The look is cut to whole seconds; `active_from`, where given, takes its place.
    """
    if schedule.active_from is not None:
        return Anchor(schedule.active_from, inclusive=True)
    return this_look(now)


@lru_cache(maxsize=1)
def this_look(now: datetime) -> Anchor:
    """The look itself: all jobs that begin with it share it."""
    return Anchor(now.replace(microsecond=0))


class Rule:
    """The fires of one schedule from its anchor to its `active_until`. Moments are aware."""

    __slots__ = ("_behind", "_fraction", "_kept", "_pattern", "_start", "_until")

    def __init__(self, schedule: Schedule, anchor: Anchor, *, job: str) -> None:
        whole = anchor.moment.replace(microsecond=0)
        odd = schedule.elapsed and anchor.moment.microsecond
        self._fraction = anchor.moment - whole if odd else _NOTHING
        self._start = _seconds(whole) + (0 if anchor.inclusive else 1)
        self._until = schedule.active_until
        self._pattern = _pattern(schedule, _seconds(whole), anchor.inclusive, job)
        self._kept: list[datetime] = []  # neighbours, ascending: who asks, asks about those
        self._behind = LAST_MOMENT  # no fire lies between it and the first of them

    def after(self, moment: datetime) -> datetime | None:
        """The first fire strictly after the moment; None where no more comes."""
        kept = self._kept
        if kept and moment < kept[0] and self._behind <= moment:
            return kept[0]
        if self._has_in_mind(moment):
            return kept[bisect_right(kept, moment)]
        found = self._find_after(moment)
        self._kept, self._behind = [] if found is None else [found], moment
        return found

    def _has_in_mind(self, moment: datetime) -> bool:
        """Whether the fires on both sides of the moment are known, or are with one more step."""
        kept = self._kept
        if not kept or moment < kept[0]:
            return False
        if moment >= kept[-1]:
            following = self._find_after(kept[-1])
            if following is None or moment >= following:
                return False
            kept.append(following)
            if len(kept) > KEPT:
                self._behind = kept.pop(0)
        return True

    def _find_after(self, moment: datetime) -> datetime | None:
        if self._pattern is None:
            return None
        try:
            fire = self._pattern.after(max(self._whole(moment), self._start - 1))
            found = None if fire is None else self._moment(fire)
        except END_OF_TIME:
            return None
        return None if found and self._until and found > self._until else found

    def latest(self, since: datetime, until: datetime) -> datetime | None:
        """The last fire in (since, until]; None where there is none."""
        if self._has_in_mind(until):
            found = self._kept[bisect_right(self._kept, until) - 1]
            return found if found > since else None
        until = self._reachable(until)
        if self._pattern is None or until <= since:
            return None
        fire = self._pattern.latest(self._whole(until))
        if fire is None or fire < self._start:
            return None
        found = self._moment(fire)
        return found if found > since else None

    def count(self, since: datetime, until: datetime) -> tuple[int, bool]:
        """How many fires lie in (since, until], and whether that is all of them.

        Fires without a regular step are counted up to COUNT_AT_MOST.
        """
        until = self._reachable(until)
        if isinstance(self._pattern, Countable):
            begin = max(self._whole(since), self._start - 1)
            return self._pattern.count(begin, max(begin, self._whole(until))), True
        number, fire = 0, self.after(since)
        while fire is not None and fire <= until:
            if number == COUNT_AT_MOST:
                return number, False
            number, fire = number + 1, self.after(fire)
        return number, True

    def _reachable(self, until: datetime) -> datetime:
        """Not beyond `active_until`, nor beyond what zones can tell."""
        return min(until, self._until or LAST_MOMENT, LAST_MOMENT)

    def _moment(self, seconds: int) -> datetime:
        return _EPOCH + seconds * _SECOND + self._fraction

    def _whole(self, moment: datetime) -> int:
        return _seconds(moment - self._fraction)


def recurrence(schedule: Schedule, anchor: Anchor, *, job: str) -> Rule:
    """The rule of a schedule that began at the anchor. The job's name seeds random intervals.

    Jobs with one schedule that began together share their rule, and what it has in mind.
    """
    if schedule.every is not None and schedule.every.latest is not None:
        return Rule(schedule, anchor, job=job)
    return _shared(schedule, anchor)


@lru_cache(maxsize=1024)
def _shared(schedule: Schedule, anchor: Anchor) -> Rule:
    return Rule(schedule, anchor, job="")


def _pattern(schedule: Schedule, anchor: int, inclusive: bool, job: str) -> Pattern | None:
    every = schedule.every
    if every is None:
        assert schedule.cron is not None
        return Cron(schedule.cron, zone(schedule.zone))
    if every.never:
        return None
    if every.latest is not None:
        chain = _random(schedule, every, anchor, inclusive, job)
        return Once(chain.start) if schedule.from_end and chain.start is not None else chain
    if schedule.elapsed:
        assert every.unit is not None and every.unit.seconds is not None
        step = every.interval * every.unit.seconds
        if schedule.from_end:
            return Once(anchor if inclusive else anchor + step)
        return Elapsed(anchor, step, from_anchor=inclusive)
    if every.unit in (Unit.MINUTE, Unit.HOUR):
        return _labels(schedule, every, anchor, inclusive)
    return _civil(schedule, every, anchor, inclusive)


def _labels(schedule: Schedule, every: Every, anchor: int, inclusive: bool) -> Pattern:
    """N = 1: every match after the anchor. N > 1: counted from the label in the anchor's hour."""
    assert every.unit is not None and every.unit.seconds is not None
    period, where = every.unit.seconds, zone(schedule.zone)
    reading = where.local(anchor)
    labels: list[Labels] = []
    for label in schedule.at:
        base = anchor - reading % period + label if every.interval > 1 else anchor - inclusive
        labels.append(Labels(where, period=period, label=label, base=base, nth=every.interval))
    matches = inclusive and every.interval > 1 and reading % period in schedule.at
    if len(labels) == 1 and not matches:
        return labels[0]
    return Apart(labels, once=anchor if matches else None)


def _civil(schedule: Schedule, every: Every, anchor: int, inclusive: bool) -> Pattern:
    """Times of day on days, weekdays, weeks or months."""
    where = zone(schedule.zone)
    reading = where.local(anchor)
    today = reading // DAY
    times = schedule.at or (reading % DAY,)
    on_day = _on_day(schedule, today)
    start = anchor if inclusive else anchor + 1
    if every.weekdays:
        return OnDays(where, Weekdays(today, every.weekdays), times)
    days, first = _lattice(schedule, every, today, on_day, _FirstTime(where, times, start))
    matches = inclusive and anchor in OnDays(where, days, times).on(today)
    if every.unit is Unit.MONTH:
        matches = matches and day_in_month(month_of(today), on_day) == today
    once = anchor if matches and first > today else None
    pattern = OnDays(where, days, times)
    return pattern if once is None else Apart([pattern], once=once)


class _FirstTime(NamedTuple):
    """Finds the first of some days that has one of the times at or after `start`."""

    where: Zone
    times: tuple[int, ...]
    start: int

    def day(self, days: Days, today: int) -> int:
        on = OnDays(self.where, days, self.times)
        day = days.on_or_after(today)
        while day is not None and on.on(day)[-1] < self.start:
            day = days.on_or_after(day + 1)
        return today if day is None else day


def _lattice(
    schedule: Schedule, every: Every, today: int, on_day: int, first_time: _FirstTime
) -> tuple[Days, int]:
    """The due days and the first of them."""
    if every.unit is Unit.MONTH:
        if schedule.at:
            first = first_time.day(EveryMonths(month_of(today), 1, on_day), today)
            return EveryMonths(month_of(first), every.interval, on_day), first
        month = month_of(today) + every.interval
        return EveryMonths(month, every.interval, on_day), day_in_month(month, on_day) or today + 1
    if every.unit is Unit.WEEK:
        step = 7 * every.interval
        first = first_time.day(EveryDays(today, 1), today) if schedule.at else today + step
        return EveryDays(first, step), first
    first = today if every.interval == 1 else today + every.interval
    return EveryDays(first, every.interval), first


def _on_day(schedule: Schedule, today: int) -> int:
    if schedule.on_day is not None:
        return schedule.on_day
    return (_EPOCH + timedelta(days=today)).day


def _random(schedule: Schedule, every: Every, anchor: int, inclusive: bool, job: str) -> Chain:
    """`5 to 10 minutes`: each step drawn from the fire before it, so that every look agrees."""
    assert every.unit is not None and every.latest is not None
    size = every.unit.seconds or 0
    low, span = every.interval, every.latest - every.interval + 1

    def draw(fire: int) -> int:
        digest = blake2b(f"{job}\0{fire}".encode(errors="surrogatepass"), digest_size=8).digest()
        return low + int.from_bytes(digest, "big") % span

    if schedule.elapsed:
        return Chain(
            anchor if inclusive else anchor + draw(anchor) * size,
            lambda fire: fire + draw(fire) * size,
        )
    where = zone(schedule.zone)
    today = where.local(anchor) // DAY
    times = schedule.at or (where.local(anchor) % DAY,)
    on_day = _on_day(schedule, today)
    on = OnDays(where, EveryDays(today, 1), times)

    def step(fire: int) -> int | None:
        day: int | None = where.local(fire) // DAY
        assert day is not None
        rest = [instant for instant in on.on(day) if instant > fire]
        if rest and fire != anchor:
            return rest[0]
        if every.unit is Unit.MONTH:
            day = day_in_month(month_of(day) + draw(fire), on_day)
        else:
            day += draw(fire) * size // DAY
        return None if day is None else on.on(day)[0]

    return Chain(anchor if inclusive and anchor in on.on(today) else step(anchor), step)


def _seconds(moment: datetime) -> int:
    return (moment - _EPOCH) // _SECOND


def shortest_gap(schedule: Schedule) -> timedelta | None:
    """The shortest time between two fires, as far as two years from now tell; None: no two fires.

    Clock changes may bring two fires closer for one night; they do not count here.
    """
    every = schedule.every
    if every is not None and schedule.elapsed and every.unit is not None:
        return timedelta(seconds=every.interval * (every.unit.seconds or 0))
    calm = Schedule(
        zone="UTC", text="", every=every, cron=schedule.cron, at=schedule.at, on_day=schedule.on_day
    )
    rule = recurrence(calm, Anchor(datetime(2027, 1, 1, tzinfo=UTC)), job="")
    fire = rule.after(datetime(2027, 1, 1, tzinfo=UTC))
    gaps: list[timedelta] = []
    while fire is not None and len(gaps) < 1000:
        later = rule.after(fire)
        if later is None or later.year > 2032:
            break
        gaps.append(later - fire)
        fire = later
    return min(gaps, default=None)
