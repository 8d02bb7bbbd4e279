"""Fire times by brute force, derived from the sentences of the contract (§2 When, §6) alone.

Slow and obvious on purpose, and it shares no line with `inisched.timing`: a zone is a list of
stretches with one offset each, found by stepping through real time, and every schedule is a scan.
Transitions off the whole minute (before 1970, mostly) are not its subject; nor are `from_end`,
jitter and `5 to 10 minutes`, whose fires are not for an outsider to predict.
"""

from __future__ import annotations

from calendar import monthrange
from collections.abc import Iterator
from dataclasses import dataclass
from datetime import UTC, date, datetime, time, timedelta
from functools import cache
from zoneinfo import ZoneInfo

from inisched.model.schedule import LAST_DAY, Schedule, Unit

SECOND = timedelta(seconds=1)
MINUTE = timedelta(minutes=1)
HOUR = timedelta(hours=1)
DAY = timedelta(days=1)


# ---------------------------------------------------------------- real time and the local clock


@dataclass(frozen=True)
class Stretch:
    """Real time from `begin` up to but without `end` (naive UTC) with one offset."""

    begin: datetime
    end: datetime
    offset: timedelta


class Clock:
    """The local clock of one zone in some years (of UTC)."""

    def __init__(self, zone: str, first_year: int, last_year: int) -> None:
        self.stretches: list[Stretch] = []
        for year in range(first_year, last_year + 1):
            for stretch in stretches_of_year(zone, year):
                if self.stretches and self.stretches[-1].offset == stretch.offset:
                    last = self.stretches.pop()
                    stretch = Stretch(last.begin, stretch.end, stretch.offset)
                self.stretches.append(stretch)

    def shows(self, real: datetime) -> datetime:
        """What the clock on the wall shows at a real moment."""
        return real + self.offset(real)

    def offset(self, real: datetime) -> timedelta:
        return next(s.offset for s in self.stretches if s.begin <= real < s.end)

    def occurrences(self, label: datetime) -> list[datetime]:
        """Every real moment at which the clock shows `label`: none, one or two."""
        return [label - s.offset for s in self.stretches if s.begin <= label - s.offset < s.end]

    def moment(self, label: datetime) -> datetime:
        """The one real moment of a wall-clock time.

        A local time that occurs twice: the first. One that does not exist: the first valid
        instant after the gap.
        """
        found = self.occurrences(label)
        if found:
            return found[0]
        for before, behind in zip(self.stretches, self.stretches[1:], strict=False):
            if before.end + before.offset <= label < behind.begin + behind.offset:
                return behind.begin
        raise AssertionError(f"{label} lies outside the window of this clock")


@cache
def stretches_of_year(zone: str, year: int) -> list[Stretch]:
    """Step through real time by the hour, and by the minute through hours with a change."""
    found = []
    begin, end = datetime(year, 1, 1), datetime(year + 1, 1, 1)
    info, real = ZoneInfo(zone), begin
    offset = _offset(info, begin)
    while real < end:
        real += HOUR if _offset(info, real + HOUR) == offset else MINUTE
        if real < end and _offset(info, real) != offset:
            found.append(Stretch(begin, real, offset))
            begin, offset = real, _offset(info, real)
    return [*found, Stretch(begin, end, offset)]


def _offset(zone: ZoneInfo, real: datetime) -> timedelta:
    offset = real.replace(tzinfo=UTC).astimezone(zone).utcoffset()
    assert offset is not None
    return offset


@cache
def clock_of_years(zone: str, first: int, last: int) -> Clock:
    return Clock(zone, first, last)


def clock(zone: str, begin: datetime, end: datetime) -> Clock:
    """The clock for a window (naive UTC), with a month before it and a year and more after it."""
    return clock_of_years(zone, (begin - 31 * DAY).year, end.year + 1)


# ------------------------------------------------------------------------------------- the fires


def fires(
    schedule: Schedule, anchor: datetime, *, inclusive: bool, since: datetime, until: datetime
) -> list[datetime]:
    """Every fire in (since, until], oldest first; all moments are aware UTC.

    `anchor` is the first look, after which fires begin, or with `inclusive` the `active_from`,
    which itself counts where it matches.
    """
    anchor, since, until = (m.astimezone(UTC).replace(tzinfo=None) for m in (anchor, since, until))
    if schedule.active_until:
        until = min(until, schedule.active_until.astimezone(UTC).replace(tzinfo=None))
    if until < anchor or schedule.on_demand:
        return []
    scene = Scene(
        schedule=schedule,
        anchor=anchor,
        inclusive=inclusive,
        since=since,
        until=until,
        clock=clock(schedule.zone, anchor, until),
    )
    begun = {f for f in scene.candidates() if f > anchor or (inclusive and f == anchor)}
    return [f.replace(tzinfo=UTC) for f in sorted(begun) if since < f <= until]


@dataclass(frozen=True)
class Scene:
    """One question to the oracle; all moments naive UTC, all labels naive local."""

    schedule: Schedule
    anchor: datetime
    inclusive: bool
    since: datetime
    until: datetime
    clock: Clock

    @property
    def first_look(self) -> datetime:
        """What the clock showed at the anchor."""
        return self.clock.shows(self.anchor)

    def candidates(self) -> Iterator[datetime]:
        """Fires, and perhaps some before the anchor or outside the window: `fires` cuts."""
        every, at = self.schedule.every, self.schedule.at
        if self.schedule.cron is not None:
            return self.cron()
        assert every is not None
        if every.weekdays:
            return self.civil(self.weekdays(every.weekdays))
        match every.unit:
            case Unit.SECOND:
                return self.elapsed(every.interval * SECOND)
            case Unit.MINUTE if not at:
                return self.elapsed(every.interval * MINUTE)
            case Unit.HOUR if not at:
                return self.elapsed(every.interval * HOUR)
            case Unit.MINUTE:
                return self.clock_labels(every.interval, MINUTE)
            case Unit.HOUR:
                return self.clock_labels(every.interval, HOUR)
            case Unit.DAY:
                return self.days(every.interval)
            case Unit.WEEK:
                return self.weeks(every.interval)
            case Unit.MONTH:
                return self.months(every.interval)
        raise AssertionError(every)

    # seconds, minutes, hours without `at`: elapsed time from the previous fire, first at the
    # first look + N; with `active_from` first at it.
    def elapsed(self, step: timedelta) -> Iterator[datetime]:
        skipped = max(0, (self.since - self.anchor) // step)
        fire = self.anchor + skipped * step
        while fire <= self.until:
            if fire > self.anchor or self.inclusive:
                yield fire
            fire += step

    # minutes with :SS, hours with :MM or MM:SS: every real instant whose local fields match. N > 1:
    # every N-th, counted from the matching label in the civil hour (minute) of the first look.
    def clock_labels(self, interval: int, period: timedelta) -> Iterator[datetime]:
        for into in self.schedule.at:
            into_period = timedelta(seconds=into)
            label_0 = self.civil_period(period) + into_period
            number_0 = label_0 - self.clock.offset(self.anchor)
            matching = sorted(self.matching(period, into_period))
            if interval == 1:
                yield from matching
                continue
            if number_0 == self.anchor:
                yield number_0
            later = [m for m in matching if m > number_0]
            yield from later[interval - 1 :: interval]

    def civil_period(self, period: timedelta) -> datetime:
        """The label at which the civil hour (minute) of the first look begins."""
        look = self.first_look
        return look.replace(second=0) if period == MINUTE else look.replace(minute=0, second=0)

    def matching(self, period: timedelta, into: timedelta) -> Iterator[datetime]:
        """Every real instant from shortly before the anchor whose label is `into` a period."""
        earliest, latest = self.anchor - 3 * HOUR, self.until
        for s in self.clock.stretches:
            begin, end = max(s.begin, earliest), min(s.end, latest + SECOND)
            if begin >= end:
                continue
            label = (begin + s.offset).replace(minute=0, second=0) + into
            while label < end + s.offset:
                if label >= begin + s.offset:
                    yield label - s.offset
                label += period

    # days, weeks, months, weekdays: the wall-clock time in the job's zone, once per due civil day.
    def times(self) -> list[timedelta]:
        """Into the day; without `at` the first look's time of day."""
        look = self.first_look
        if self.schedule.at:
            return [timedelta(seconds=s) for s in self.schedule.at]
        return [look - _midnight(look.date())]

    def moments(self, day: date) -> list[datetime]:
        return [self.clock.moment(_midnight(day) + t) for t in self.times()]

    def civil(self, due_days: Iterator[date]) -> Iterator[datetime]:
        for day in due_days:
            yield from self.moments(day)

    def calendar(self) -> Iterator[date]:
        """Every day from the first look's to the day after the window."""
        day = self.first_look.date()
        while _midnight(day) <= self.until + 2 * DAY:
            yield day
            day += DAY

    def weekdays(self, due: tuple[int, ...]) -> Iterator[date]:
        return (day for day in self.calendar() if day.weekday() in due)

    # N = 1: the first such moment after the first look. N days: the first look's civil day + N, then
    # every N days; the first look's day itself counts only where it is the `active_from` that fires.
    def days(self, interval: int) -> Iterator[datetime]:
        for number, day in enumerate(self.calendar()):
            if number % interval == 0:
                moments = self.moments(day)
                if number == 0 and interval > 1:
                    moments = [m for m in moments if m == self.anchor]
                yield from moments

    def counts(self, moment: datetime) -> bool:
        return moment > self.anchor or (self.inclusive and moment == self.anchor)

    # `week` and N weeks with `at`: first such time, without: first look + 7 N days; then + 7 N days.
    def weeks(self, interval: int) -> Iterator[datetime]:
        if not self.schedule.at:
            yield from self.days(7 * interval)
            return
        day_0 = next(d for d in self.calendar_ahead() if any(map(self.counts, self.moments(d))))
        for day in self.calendar_ahead():
            if day >= day_0 and (day - day_0).days % (7 * interval) == 0:
                yield from self.moments(day)

    def calendar_ahead(self) -> Iterator[date]:
        """As `calendar`, and long enough to find a first time even where the window is short."""
        day = self.first_look.date()
        while _midnight(day) <= max(self.until, self.anchor + 10 * DAY) + 2 * DAY:
            yield day
            day += DAY

    # N months alike; `on_day`: a short month uses its last day; default: the day of the first look.
    def months(self, interval: int) -> Iterator[datetime]:
        due = [self.day_in(month) for month in self.months_ahead()]
        if not self.schedule.at:
            yield from (m for m in self.moments(due[0]) if m == self.anchor)
            for day in due[interval::interval]:
                yield from self.moments(day)
            return
        month_0 = next(n for n, d in enumerate(due) if any(map(self.counts, self.moments(d))))
        for day in due[month_0::interval]:
            yield from self.moments(day)

    def months_ahead(self) -> Iterator[tuple[int, int]]:
        look = self.first_look
        year, month = look.year, look.month
        last = max(self.until, self.anchor + 62 * DAY) + 31 * DAY
        while (year, month) <= (last.year, last.month):
            yield year, month
            year, month = (year, month + 1) if month < 12 else (year + 1, 1)

    def day_in(self, month: tuple[int, int]) -> date:
        length = monthrange(*month)[1]
        on_day = self.first_look.day if self.schedule.on_day is None else self.schedule.on_day
        return date(*month, length if on_day == LAST_DAY else min(on_day, length))

    # cron: Debian's rules. A field that begins with `*` follows the clock; where seconds, minutes and
    # hours are all fixed, each label of a due day is one wall-clock time as above.
    def cron(self) -> Iterator[datetime]:
        assert self.schedule.cron is not None
        table = CronTable.read(self.schedule.cron)
        yield from self.cron_by_clock(table) if table.follows_clock else self.cron_fixed(table)

    def cron_by_clock(self, table: CronTable) -> Iterator[datetime]:
        minute = max(self.anchor, self.since).replace(second=0, microsecond=0)
        while minute <= self.until:
            label = self.clock.shows(minute)
            if label.minute in table.minutes and label.hour in table.hours and table.due(label):
                yield from (minute + timedelta(seconds=s) for s in table.seconds)
            minute += MINUTE

    def cron_fixed(self, table: CronTable) -> Iterator[datetime]:
        day = max(self.first_look, self.clock.shows(max(self.since, self.anchor))).date() - 2 * DAY
        while _midnight(day) <= self.until + 2 * DAY:
            if table.due(day):
                for hour in table.hours:
                    for minute in table.minutes:
                        for second in table.seconds:
                            yield self.clock.moment(
                                datetime.combine(day, time(hour, minute, second))
                            )
            day += DAY


def _midnight(day: date) -> datetime:
    return datetime.combine(day, time())


# ------------------------------------------------------------------------------------------ cron


@dataclass(frozen=True)
class CronTable:
    """Five or six fields of crontab(5): `*`, numbers, names, ranges, steps and lists of them."""

    seconds: list[int]
    minutes: list[int]
    hours: list[int]
    month_days: list[int]
    months: list[int]
    week_days: list[int]
    follows_clock: bool
    both_days: bool

    @classmethod
    def read(cls, text: str) -> CronTable:
        words = _NICKNAMES.get(text.lower(), text).split()
        second, minute, hour, month_day, month, week_day = ["0", *words][-6:]
        return cls(
            seconds=_field(second, 0, 59),
            minutes=_field(minute, 0, 59),
            hours=_field(hour, 0, 23),
            month_days=_field(month_day, 1, 31),
            months=_field(month, 1, 12, ["", *_MONTHS]),
            week_days=sorted({d % 7 for d in _field(week_day, 0, 7, _WEEK_DAYS)}),
            follows_clock=any(f.startswith("*") for f in (second, minute, hour)),
            both_days=month_day.startswith("*") or week_day.startswith("*"),
        )

    def due(self, day: date) -> bool:
        """Both day fields must match where one begins with `*`, else either is enough."""
        by_month, by_week = day.day in self.month_days, day.isoweekday() % 7 in self.week_days
        days = by_month and by_week if self.both_days else by_month or by_week
        return day.month in self.months and days


_NICKNAMES = {
    "@hourly": "0 * * * *",
    "@daily": "0 0 * * *",
    "@midnight": "0 0 * * *",
    "@weekly": "0 0 * * 0",
    "@monthly": "0 0 1 * *",
    "@yearly": "0 0 1 1 *",
    "@annually": "0 0 1 1 *",
}
_MONTHS = ["jan", "feb", "mar", "apr", "may", "jun", "jul", "aug", "sep", "oct", "nov", "dec"]
_WEEK_DAYS = ["sun", "mon", "tue", "wed", "thu", "fri", "sat"]


def _field(text: str, low: int, high: int, names: list[str] | None = None) -> list[int]:
    def number(word: str) -> int:
        return names.index(word.lower()) if names and word.lower() in names else int(word)

    found: set[int] = set()
    for part in text.split(","):
        span, _, step = part.partition("/")
        first, dash, last = span.partition("-")
        if span == "*":
            values = range(low, high + 1)
        else:
            values = range(number(first), number(last if dash else first) + 1)
        found.update(values[:: int(step or 1)])
    return sorted(found)
