"""The patterns schedules are made of. All moments are whole seconds since 1970, UTC.

A pattern answers one question, `after`: the first fire strictly after a moment, None where no
more comes. Those that can say the rest without walking say that too: `latest`, the last fire at
or before a moment, and `count`, how many lie in (since, until].
"""

from __future__ import annotations

from bisect import bisect_right
from collections.abc import Callable, Sequence
from datetime import date, timedelta
from typing import Protocol, runtime_checkable

from inisched.model.schedule import LAST_DAY
from inisched.timing.zone import DAY, Zone

EPOCH_DAY = date(1970, 1, 1).toordinal()
_DAYS_KEPT = 8
_LAST_DAY_OF_TIME = date(9998, 12, 31).toordinal() - EPOCH_DAY


class Pattern(Protocol):
    """What every pattern can say."""

    def after(self, moment: int) -> int | None:
        """The first fire strictly after the moment."""

    def latest(self, moment: int) -> int | None:
        """The last fire at or before the moment."""


@runtime_checkable
class Countable(Pattern, Protocol):
    """A pattern that can count without walking."""

    def count(self, since: int, until: int) -> int:
        """How many fires lie in (since, until], where until is not before since."""


class Elapsed:
    """Every `step` seconds from `anchor`, whatever the clock on the wall shows."""

    __slots__ = ("first", "step")

    def __init__(self, anchor: int, step: int, *, from_anchor: bool) -> None:
        self.step = step
        self.first = anchor if from_anchor else anchor + step

    def after(self, moment: int) -> int | None:
        if moment < self.first:
            return self.first
        return self.first + ((moment - self.first) // self.step + 1) * self.step

    def latest(self, moment: int) -> int | None:
        if moment < self.first:
            return None
        return moment - (moment - self.first) % self.step

    def count(self, since: int, until: int) -> int:
        return self._upto(until) - self._upto(since)

    def _upto(self, moment: int) -> int:
        return max(0, (moment - self.first) // self.step + 1)


class Once:
    """A single fire: with `from_end` the next one is only known when that one has ended."""

    __slots__ = ("moment",)

    def __init__(self, moment: int) -> None:
        self.moment = moment

    def after(self, moment: int) -> int | None:
        return self.moment if self.moment > moment else None

    def latest(self, moment: int) -> int | None:
        return self.moment if self.moment <= moment else None


class Labels:
    """Every N-th real instant whose second of the hour (minute) is `label`, counted from `base`.

    `base` is number 0 and need not occur itself; fires are numbers N, 2 N, …
    """

    __slots__ = ("base", "label", "nth", "period", "zone")

    def __init__(self, zone: Zone, *, period: int, label: int, base: int, nth: int) -> None:
        self.zone, self.period, self.label, self.base, self.nth = zone, period, label, base, nth

    def after(self, moment: int) -> int | None:
        number = self.number(max(moment, self.base)) // self.nth + 1
        return self._instant(number * self.nth)

    def latest(self, moment: int) -> int | None:
        number = self.number(moment) // self.nth if moment > self.base else 0
        return self._instant(number * self.nth) if number else None

    def count(self, since: int, until: int) -> int:
        upto, before = (self.number(max(m, self.base)) // self.nth for m in (until, since))
        return upto - before

    def number(self, moment: int) -> int:
        """How many matching instants lie in (base, moment]."""
        total = 0
        for start, end, offset in self.zone.stretches(self.base):
            low, high = max(start - 1, self.base), min(end - 1, moment)
            total += (high + offset - self.label) // self.period
            total -= (low + offset - self.label) // self.period
            if moment < end:
                break
        return total

    def _instant(self, number: int) -> int | None:
        """The matching instant with that number, from 1."""
        for start, end, offset in self.zone.stretches(self.base):
            low = max(start - 1, self.base)
            before = (low + offset - self.label) // self.period
            here = (end - 1 + offset - self.label) // self.period - before
            if number <= here:
                return (before + number) * self.period + self.label - offset
            number -= here
        return None


class Days(Protocol):
    """A set of civil days, as days since 1970."""

    def on_or_after(self, day: int) -> int | None: ...

    def on_or_before(self, day: int) -> int | None: ...


class EveryDays:
    """`first` and every `step` days from there."""

    __slots__ = ("first", "step")

    def __init__(self, first: int, step: int) -> None:
        self.first, self.step = first, step

    def on_or_after(self, day: int) -> int | None:
        return max(self.first, day + (self.first - day) % self.step)

    def on_or_before(self, day: int) -> int | None:
        return None if day < self.first else day - (day - self.first) % self.step


class Weekdays:
    """The days of the week, Monday = 0, on or after `first`."""

    __slots__ = ("first", "weekdays")

    def __init__(self, first: int, weekdays: tuple[int, ...]) -> None:
        self.first = first
        self.weekdays = frozenset(weekdays)

    def on_or_after(self, day: int) -> int | None:
        day = max(day, self.first)
        return next(day + n for n in range(7) if _weekday(day + n) in self.weekdays)

    def on_or_before(self, day: int) -> int | None:
        day = next(day - n for n in range(7) if _weekday(day - n) in self.weekdays)
        return day if day >= self.first else None


class EveryMonths:
    """One day in the month `first` (months since year 0) and in every `step`-th from there."""

    __slots__ = ("first", "on_day", "step")

    def __init__(self, first: int, step: int, on_day: int) -> None:
        self.first, self.step, self.on_day = first, step, on_day

    def on_or_after(self, day: int) -> int | None:
        month = max(self.first, month_of(day))
        month += (self.first - month) % self.step
        found = day_in_month(month, self.on_day)
        if found is not None and found < day:
            found = day_in_month(month + self.step, self.on_day)
        return found

    def on_or_before(self, day: int) -> int | None:
        month = month_of(day)
        if month < self.first:
            return None
        month -= (month - self.first) % self.step
        found = day_in_month(month, self.on_day)
        if found is not None and found > day:
            month -= self.step
            found = day_in_month(month, self.on_day)
        return found if month >= self.first else None


def month_of(day: int) -> int:
    """The month of a day, counted from year 0."""
    then = date.fromordinal(day + EPOCH_DAY)
    return then.year * 12 + then.month - 1


def day_in_month(month: int, on_day: int) -> int | None:
    """That day of a month; a short month, and LAST_DAY, use its last. None beyond all dates."""
    year, index = divmod(month + 1, 12)
    if not 1 <= year <= 9998:
        return None
    last = date(year, index + 1, 1) - timedelta(days=1)
    day = last.day if on_day == LAST_DAY else min(on_day, last.day)
    return last.replace(day=day).toordinal() - EPOCH_DAY


def _weekday(day: int) -> int:
    return (day + 3) % 7


class OnDays:
    """Times of day on a set of civil days."""

    __slots__ = ("_known", "days", "times", "zone")

    def __init__(self, zone: Zone, days: Days, times: tuple[int, ...]) -> None:
        self.zone, self.days, self.times = zone, days, times
        self._known: dict[int, list[int]] = {}

    def after(self, moment: int) -> int | None:
        day = self.days.on_or_after(self.zone.local(moment) // DAY - 1)
        while day is not None and day <= _LAST_DAY_OF_TIME:
            instants = self.on(day)
            position = bisect_right(instants, moment)
            if position < len(instants):
                return instants[position]
            day = self.days.on_or_after(day + 1)
        return None

    def latest(self, moment: int) -> int | None:
        day = self.days.on_or_before(self.zone.local(moment) // DAY + 1)
        while day is not None:
            instants = self.on(day)
            position = bisect_right(instants, moment)
            if position:
                return instants[position - 1]
            day = self.days.on_or_before(day - 1)
        return None

    def count(self, since: int, until: int) -> int:
        total, before = 0, since
        day = self.days.on_or_after(self.zone.local(since) // DAY - 1)
        last = self.zone.local(until) // DAY + 1
        while day is not None and day <= last:
            if self._calm(day, since, until):
                total += len(self.times)
            else:
                instants = {instant for instant in self.on(day) if before < instant <= until}
                total += len(instants)
                before = max(instants, default=before)
            day = self.days.on_or_after(day + 1)
        return total

    def _calm(self, day: int, since: int, until: int) -> bool:
        """Whether the whole day lies in (since, until] and no clock changes in it."""
        start, end = self.zone.instant(day * DAY), self.zone.instant(day * DAY + DAY)
        return since < start and end <= until and end - start == DAY

    def on(self, day: int) -> list[int]:
        """The instants of one due day, ascending."""
        instants = self._known.get(day)
        if instants is None:
            if len(self._known) >= _DAYS_KEPT:
                self._known.clear()
            instants = [self.zone.instant(day * DAY + time) for time in self.times]
            self._known[day] = instants
        return instants


class Chain:
    """Fires each of which is found from the one before: random intervals.

    Every STRIDE-th fire is remembered, so that the whole way is walked but once.
    """

    STRIDE = 64

    def __init__(self, start: int | None, step: Callable[[int], int | None]) -> None:
        """`start` is the first fire, `step` finds the fire after a given one."""
        self.start = start
        self.step = step
        self._stones = [] if start is None else [start]
        self._asked = (start or 0, 0)

    def after(self, moment: int) -> int | None:
        return self._around(moment)[1]

    def latest(self, moment: int) -> int | None:
        return self._around(moment)[0]

    def _around(self, moment: int) -> tuple[int | None, int | None]:
        """The last fire at or before the moment, and the first after it."""
        stone = bisect_right(self._stones, moment) - 1
        if stone < 0:
            return None, self.start
        before, steps = self._stones[stone], 0
        if before <= self._asked[0] <= moment:
            before, steps = self._asked
        while (fire := self.step(before)) is not None and fire <= moment:
            before, steps = fire, steps + 1
            if steps % self.STRIDE == 0:
                self._stones.append(fire)
        self._asked = (before, steps)  # asked in order, the answers cost one step each
        return before, fire


class Apart:
    """Patterns that never share a moment, nor with `once`, a moment of its own."""

    __slots__ = ("once", "patterns")

    def __init__(self, patterns: Sequence[Countable], once: int | None = None) -> None:
        self.patterns = patterns
        self.once = once

    def after(self, moment: int) -> int | None:
        fires = [fire for p in self.patterns if (fire := p.after(moment)) is not None]
        if self.once is not None and self.once > moment:
            fires.append(self.once)
        return min(fires, default=None)

    def latest(self, moment: int) -> int | None:
        fires = [fire for p in self.patterns if (fire := p.latest(moment)) is not None]
        if self.once is not None and self.once <= moment:
            fires.append(self.once)
        return max(fires, default=None)

    def count(self, since: int, until: int) -> int:
        once = self.once is not None and since < self.once <= until
        return sum(pattern.count(since, until) for pattern in self.patterns) + once
