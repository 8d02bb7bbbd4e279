"""A time zone as stretches of constant offset, so that civil time becomes whole-number arithmetic.

Moments are seconds since 1970 in UTC; a local reading is the same count taken from the clock on
the wall. Both are whole numbers.
"""

from __future__ import annotations

import os
from collections.abc import Iterator
from datetime import UTC, datetime
from functools import cache
from typing import NamedTuple
from zoneinfo import ZoneInfo

DAY = 86400
LAST_YEAR = 9998
"""Beyond it `datetime` ends, and with it every schedule."""


class Stretch(NamedTuple):
    """The moments [start, end) during which local time is UTC + offset seconds."""

    start: int
    end: int
    offset: int


class Zone:
    """One IANA zone. Use `zone(name)`, which keeps one per name."""

    def __init__(self, name: str) -> None:
        self.name = name
        self.info = ZoneInfo(name)
        self._years: dict[int, tuple[Stretch, ...]] = {}
        self._latest = Stretch(0, 0, 0)
        """The one a reading was found in: the next mostly lies in it too."""

    def offset(self, moment: int) -> int:
        """Seconds local time is ahead of UTC at that moment."""
        for stretch in self._year(_year_of(moment)):
            if moment < stretch.end:
                return stretch.offset
        raise OverflowError(f"no offset known at {moment}")

    def local(self, moment: int) -> int:
        """What the clock on the wall shows at that moment."""
        return moment + self.offset(moment)

    def instant(self, reading: int) -> int:
        """The first moment at which the clock on the wall shows `reading`.

        Of a reading that occurs twice the first; for one that does not occur, the first valid
        moment after the gap.
        """
        start, end, offset = self._latest
        if start <= reading - DAY and reading - offset < end:
            return reading - offset
        for stretch in self.stretches(reading - DAY):
            if reading - stretch.offset < stretch.end:
                self._latest = stretch
                return max(reading - stretch.offset, stretch.start)
        raise OverflowError("no such moment before the end of time")

    def stretches(self, moment: int) -> Iterator[Stretch]:
        """All stretches from the one that holds `moment` on; also cut at turns of the UTC year."""
        for year in range(_year_of(moment), LAST_YEAR + 1):
            for stretch in self._year(year):
                if moment < stretch.end:
                    yield stretch

    def _year(self, year: int) -> tuple[Stretch, ...]:
        known = self._years.get(year)
        if known is None:
            known = self._years[year] = tuple(self._probe(year))
        return known

    def _probe(self, year: int) -> Iterator[Stretch]:
        """Find the year's changes of offset: look once a day, then halve to the second."""
        start = begin = _new_year(year)
        end = _new_year(year + 1)
        offset = self._ask(begin)
        for noon in range(begin + DAY, end, DAY):
            if self._ask(noon) != offset:
                change = self._change(noon - DAY, noon)
                yield Stretch(start, change, offset)
                start, offset = change, self._ask(noon)
        if self._ask(end - 1) != offset:
            change = self._change(max(start, end - 2 * DAY), end - 1)
            yield Stretch(start, change, offset)
            start, offset = change, self._ask(end - 1)
        yield Stretch(start, end, offset)

    def _change(self, before: int, after: int) -> int:
        """The first moment in (before, after] whose offset is no longer that of `before`."""
        offset = self._ask(before)
        while after - before > 1:
            middle = (before + after) // 2
            if self._ask(middle) == offset:
                before = middle
            else:
                after = middle
        return after

    def _ask(self, moment: int) -> int:
        shift = datetime.fromtimestamp(moment, self.info).utcoffset()
        assert shift is not None
        return shift.days * DAY + shift.seconds


@cache
def zone(name: str) -> Zone:
    """The zone of that IANA name; raises what `zoneinfo.ZoneInfo` raises for a wrong one."""
    return Zone(name)


@cache
def host_zone() -> str:
    """The host's zone: $TZ where it names one, else the one the system is set to, else UTC."""
    candidates = [os.environ.get("TZ", "").lstrip(":"), _etc_timezone(), _etc_localtime(), "UTC"]
    return next(name for name in candidates if name and is_zone(name))


def is_zone(name: str) -> bool:
    """Whether that is the name of a zone this machine knows."""
    try:
        zone(name)
    except (OSError, ValueError, KeyError):
        return False
    return True


def _etc_timezone() -> str:
    try:
        with open("/etc/timezone", encoding="ascii") as file:
            return file.readline(100).strip()
    except (OSError, ValueError):
        return ""


def _etc_localtime() -> str:
    return os.path.realpath("/etc/localtime").partition("zoneinfo/")[2]


def _year_of(moment: int) -> int:
    return datetime.fromtimestamp(moment, UTC).year


def _new_year(year: int) -> int:
    return int(datetime(year, 1, 1, tzinfo=UTC).timestamp())
