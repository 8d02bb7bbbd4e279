"""When a job is due, as its section says it; the arithmetic lives in `timing`."""

from __future__ import annotations

from datetime import datetime, timedelta
from enum import Enum
from functools import lru_cache

from msgspec import Struct

LAST_DAY = 0
"""`on_day = last`."""


class Unit(Enum):
    """The units of `every`; the value is the singular users write."""

    SECOND = "second"
    MINUTE = "minute"
    HOUR = "hour"
    DAY = "day"
    WEEK = "week"
    MONTH = "month"

    @property
    def seconds(self) -> int | None:
        """Length in seconds; None for a month, which has none of its own."""
        return _SECONDS.get(self)


_SECONDS = {
    Unit.SECOND: 1,
    Unit.MINUTE: 60,
    Unit.HOUR: 3600,
    Unit.DAY: 86400,
    Unit.WEEK: 604800,
}
_OF_THE_DAY = (Unit.SECOND, Unit.MINUTE, Unit.HOUR)


class Every(Struct, frozen=True):
    """A read `every`: a unit with its number, or weekdays, or `never` (neither).

    `latest` is the upper end, inclusive, of `5 to 10 minutes`. Weekdays count from Monday = 0.
    """

    unit: Unit | None = None
    interval: int = 1
    latest: int | None = None
    weekdays: tuple[int, ...] = ()

    @property
    def never(self) -> bool:
        return self.unit is None and not self.weekdays


class Schedule(Struct, frozen=True, kw_only=True, cache_hash=True):
    """When one job is due.

    Exactly one of `every` and `cron` is set. `at` holds seconds into the day (into the hour or
    the minute where `every` counts those), ascending and without repeats. `on_day` is 1 to 31,
    LAST_DAY, or None for the day of the first look. `active_from` and `active_until` are aware
    UTC and both inclusive. `text` is how the schedule is shown.
    """

    zone: str
    text: str
    every: Every | None = None
    cron: str | None = None
    at: tuple[int, ...] = ()
    on_day: int | None = None
    active_from: datetime | None = None
    active_until: datetime | None = None
    jitter: timedelta = timedelta(0)
    from_end: bool = False

    @property
    def elapsed(self) -> bool:
        """True where fires are a fixed time apart, whatever the clock on the wall shows."""
        unit = self.every.unit if self.every else None
        return unit in _OF_THE_DAY and not self.at

    @property
    def on_demand(self) -> bool:
        """True for `every = never`: no fire comes by itself."""
        return self.every is not None and self.every.never

    def meaning(self) -> str:
        """The same text for two schedules that mean the same, however they are spelled.

        A changed meaning starts the rhythm afresh. Jitter and `active_until` move or end fires,
        they do not change the rhythm, and so do not count.
        """
        return _meaning(self)


@lru_cache(maxsize=1024)
def _meaning(schedule: Schedule) -> str:
    every = schedule.every
    rhythm: tuple[object, ...]
    if every is None:
        rhythm = ("cron", schedule.cron, schedule.zone)
    elif schedule.elapsed and every.unit is not None and every.unit.seconds is not None:
        step = every.unit.seconds
        latest = every.latest and every.latest * step
        rhythm = ("elapsed", every.interval * step, latest, every.latest and step)
    else:
        unit = every.unit.value if every.unit else None
        rhythm = (unit, every.interval, every.latest, every.weekdays, schedule.zone)
    return repr((rhythm, schedule.at, schedule.on_day, schedule.active_from, schedule.from_end))
