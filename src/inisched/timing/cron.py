"""Cron expressions: cronsim says what their fields match, the zone says when that is.

Debian's rule for clock changes: where minute and hour are fixed, each reading counts once (in a
gap: right after it); where one of them starts with `*`, the fields simply follow the clock.
"""

from __future__ import annotations

import re
from bisect import bisect_right
from collections.abc import Iterator
from datetime import datetime, timedelta
from functools import lru_cache

from inisched.model.diagnostic import Unreadable
from inisched.timing.pattern import EPOCH_DAY
from inisched.timing.zone import DAY, Zone

REBOOT = "@reboot"
ALIASES = {
    "@hourly": "0 * * * *",
    "@daily": "0 0 * * *",
    "@midnight": "0 0 * * *",
    "@weekly": "0 0 * * 0",
    "@monthly": "0 0 1 * *",
    "@yearly": "0 0 1 1 *",
    "@annually": "0 0 1 1 *",
}
_EPOCH = datetime(1970, 1, 1)
_ONE_DAY = timedelta(days=1)
_HOUR = 3600
_LONGEST_WAIT = 50
"""Years without a matching day after which none is looked for, as in cronsim."""
_FIELDS = ("second", "minute", "hour", "day-of-month", "month", "day-of-week")
_RANGES = {
    "second": "0 to 59",
    "minute": "0 to 59",
    "hour": "0 to 23",
    "day-of-month": "1 to 31 (a day that occurs), L or LW",
    "month": "1 to 12 or JAN to DEC",
    "day-of-week": "0 to 7 or SUN to SAT, 5#2, 5L",
}
_EXPECTED = "five fields (minute hour day month weekday), six with seconds first, or an alias"


def read_cron(text: str) -> str:
    """Read a cron expression: single spaces, aliases spelled out; `@reboot` stays what it is.

    Raises Unreadable with the place of the field that is wrong.
    """
    fields = [(match[0], match.start()) for match in re.finditer(r"\S+", text)]
    if len(fields) == 1 and text.strip().startswith("@"):
        return _alias(text.strip())
    if len(fields) not in (5, 6):
        raise Unreadable(
            f"a cron expression has five or six fields, this one has {len(fields)}",
            expected=_EXPECTED,
        )
    expression = " ".join(field for field, _ in fields)
    from cronsim import CronSim, CronSimError  # with calendar and locale; most files need none

    try:
        CronSim(expression, _EPOCH)
    except CronSimError as error:
        raise _unreadable(fields, str(error)) from None
    return expression


def _alias(name: str) -> str:
    lowered = name.lower()
    if lowered == REBOOT:
        return REBOOT
    if lowered in ALIASES:
        return ALIASES[lowered]
    raise Unreadable(f"'{name}' is not a cron alias", expected=", ".join([*ALIASES, REBOOT]))


def _unreadable(fields: list[tuple[str, int]], problem: str) -> Unreadable:
    name = problem.removeprefix("Bad ")
    if name not in _FIELDS:
        return Unreadable("the cron expression cannot be read", expected=_EXPECTED)
    field, start = fields[_FIELDS.index(name) - (6 - len(fields))]
    return Unreadable(
        f"'{field}' does not fit the field {name}",
        start=start,
        length=len(field),
        expected=_RANGES[name],
    )


class Fields:
    """The readings of the clock an expression matches, in seconds since 1970 on the wall.

    cronsim takes the expression apart, and knows which days match.
    """

    def __init__(self, expression: str) -> None:
        from cronsim import CronSim

        self._sim = sim = CronSim(expression, _EPOCH)
        self._hours = sorted(sim.hours)
        self._within = sorted(m * 60 + second for m in sim.minutes for second in sim.seconds)

    def after(self, reading: int) -> Iterator[int]:
        """Readings after that one, as if no clock ever changed."""
        for day in self._days(reading + 1):
            for hour in self._hours:
                begin = day * DAY + hour * _HOUR
                for second in self._within[bisect_right(self._within, reading - begin) :]:
                    yield begin + second

    def _days(self, reading: int) -> Iterator[int]:
        """Matching days since 1970, from that of the reading on, until none comes for 50 years."""
        day = _EPOCH.date() + timedelta(days=reading // DAY)
        latest = day.year + _LONGEST_WAIT
        while day.year <= latest:
            try:
                if day.month not in self._sim.months:
                    day = day.replace(day=28) + timedelta(days=4)
                    day = day.replace(day=1)
                    continue
                if self._sim.match_day(day):
                    yield day.toordinal() - EPOCH_DAY
                    latest = day.year + _LONGEST_WAIT
                day += _ONE_DAY
            except OverflowError:
                return


_fields = lru_cache(maxsize=1024)(Fields)


class Cron:
    """The moments of a cron expression in a zone, in seconds since 1970."""

    def __init__(self, expression: str, zone: Zone) -> None:
        self.fields = _fields(expression)
        self.zone = zone
        minute, hour = expression.split()[-5:-3]
        self.fixed = not minute.startswith("*") and not hour.startswith("*")
        self._ahead: tuple[int, int | None, Iterator[int]] | None = None

    def after(self, moment: int) -> int | None:
        """The first fire strictly after the moment; None where no more comes."""
        if self._ahead:
            asked, found, rest = self._ahead
            if found is not None and asked <= moment < found:
                return found
            if moment == found:
                return self._remember(moment, rest)
        return self._remember(moment, self._from(moment))

    def _remember(self, moment: int, rest: Iterator[int]) -> int | None:
        """Asked in order, the answers cost one step each: keep where the search stands."""
        found = next((fire for fire in rest if fire > moment), None)
        self._ahead = (moment, found, rest)
        return found

    def latest(self, moment: int) -> int | None:
        """The last fire at or before the moment."""
        begin = moment
        while begin > moment - 60 * 366 * DAY:
            begin -= 40 * DAY if begin == moment else 366 * DAY
            fire = self.after(begin)
            if fire is not None and fire <= moment:
                break
        else:
            return None
        return self._last_of(begin, moment)

    def _last_of(self, begin: int, moment: int) -> int | None:
        """Halve (begin, moment], which holds a fire, until one step shows the last."""
        while moment - begin > 120:
            middle = (begin + moment) // 2
            later = self.after(middle)
            if later is not None and later <= moment:
                begin = middle
            else:
                moment = middle
        last = None
        fire = self.after(begin)
        while fire is not None and fire <= moment:
            last, fire = fire, self.after(fire)
        return last

    def _from(self, moment: int) -> Iterator[int]:
        if self.fixed:
            return map(self.zone.instant, self.fields.after(self.zone.local(moment)))
        return self._following_the_clock(moment)

    def _following_the_clock(self, moment: int) -> Iterator[int]:
        for start, end, offset in self.zone.stretches(moment):
            for reading in self.fields.after(max(start, moment) + offset - 1):
                if reading >= end + offset:
                    break
                yield reading - offset
