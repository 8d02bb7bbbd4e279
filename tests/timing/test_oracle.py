"""The implementation against the oracle: random schedules around every clock change of 2024–2028.

INISCHED_ORACLE_SAMPLES=40 asks that many questions of each change and kind instead of a few.
"""

from __future__ import annotations

import os
import random
from bisect import bisect_right
from collections.abc import Callable, Iterator
from dataclasses import dataclass
from datetime import UTC, datetime, timedelta
from functools import cache, cached_property
from itertools import pairwise

import pytest
from msgspec.structs import replace

from inisched.model.schedule import Schedule
from inisched.timing.clock_times import read_times
from inisched.timing.phrase import read_every
from inisched.timing.recurrence import Anchor, recurrence
from timing import oracle
from timing.plans import plan

SAMPLES = int(os.environ.get("INISCHED_ORACLE_SAMPLES", "1"))
LONGEST_LIST = 1500
"""Fires compared of one case."""

ZONES = [
    "Europe/London",
    "America/New_York",
    "Australia/Lord_Howe",
    "America/Sao_Paulo",
    "Asia/Kolkata",
    "Africa/Casablanca",
    "Pacific/Apia",
    "UTC",
    "America/St_Johns",
    "Asia/Kathmandu",
    "Antarctica/Troll",
    "Africa/Cairo",
    "Asia/Gaza",
    "America/Santiago",
    "Asia/Beirut",
]
ODD_DAYS = {
    "America/St_Johns": ["2010-03-14T03:31", "2010-11-07T02:31"],  # at one minute past midnight
    "Europe/London": ["2028-02-29T00:00"],
}
QUIET_DAYS = ["2024-02-29T12:00", "2026-12-31T23:00"]


# ------------------------------------------------------------------------------ random questions


@dataclass(frozen=True)
class Change:
    """A change of the clock, and the two local times between which it jumps."""

    at: datetime  # naive UTC
    before: datetime
    behind: datetime


def changes(zone: str) -> list[Change]:
    begin, end = datetime(2024, 1, 1), datetime(2029, 1, 1)
    clock = oracle.clock(zone, begin, end)
    moments = [s.begin for s in clock.stretches[1:] if begin < s.begin < end] or [
        datetime.fromisoformat(day) for day in QUIET_DAYS
    ]
    moments += [datetime.fromisoformat(day) for day in ODD_DAYS.get(zone, [])]
    return [_change(zone, moment) for moment in moments]


def _change(zone: str, moment: datetime) -> Change:
    clock = oracle.clock(zone, moment, moment)
    return Change(moment, moment + clock.offset(moment - oracle.SECOND), clock.shows(moment))


class Dice(random.Random):
    """Random parts of a schedule, more often than not close to one change."""

    change: Change

    def label(self) -> datetime:
        """A local time around the two ends of the jump."""
        end = self.choice([self.change.before, self.change.behind])
        step = self.choice([1800, 900, 60, 1])
        return end + timedelta(seconds=self.randint(-5400 // step, 5400 // step) * step)

    def times_of_day(self) -> str:
        words = []
        for _ in range(self.choice([1, 1, 2, 4])):
            label = (
                self.label()
                if self.random() < 0.8
                else datetime(2000, 1, 1) + timedelta(seconds=self.randrange(86400))
            )
            words.append(f"{label:%H:%M:%S}" if label.second else f"{label:%H:%M}")
        return ", ".join(words)

    def into_hour(self) -> str:
        words = [
            f":{self.choice([0, 15, 29, 30, 45, 59, self.randrange(60)]):02}"
            for _ in range(self.choice([1, 1, 2, 3]))
        ]
        if self.random() < 0.3:
            words.append(f"{self.randrange(60):02}:{self.randrange(60):02}")
        return ", ".join(words)

    def into_minute(self) -> str:
        return ", ".join(f":{self.randrange(60):02}" for _ in range(self.choice([1, 2])))

    def number(self) -> int:
        return self.choice([1, 1, 2, 2, 3, 5, 7, 13])

    def on_day(self) -> str | None:
        return self.choice(
            [
                None,
                "last",
                "31",
                "30",
                "29",
                "28",
                "1",
                str(self.label().day),
                str(self.label().day),
            ]
        )

    def weekdays(self) -> str:
        names = ["monday", "tuesday", "wednesday", "thursday", "friday", "saturday", "sunday"]
        today = names[self.label().weekday()]
        return self.choice(["weekday", "weekend", today, ", ".join({today, self.choice(names)})])

    def cron_fixed(self) -> str:
        hours = sorted({self.label().hour for _ in range(self.choice([1, 2, 3]))})
        hour = self.choice(
            [",".join(map(str, hours)), f"{hours[0]}-{hours[-1]}", "0-23", "1-23/2", str(hours[0])]
        )
        minute = self.choice(
            ["0", "30", "0,15,45", "0-59/20", str(self.label().minute), "59", "1-59/29"]
        )
        second = self.choice(["", "", "", "0 ", "30 ", "0,59 "])
        return f"cron {second}{minute} {hour} {self.cron_days()}"

    def cron_by_clock(self) -> str:
        hour = str(self.label().hour)
        fields = [
            f"* {hour}",
            f"*/30 {hour}",
            f"{self.label().minute} *",
            "0,15,30,45 */2",
            "*/45 *",
            f"*/7 {hour},0-3",
            "30 */3",
        ]
        second = self.choice(["", "", "", "0 ", "10,50 "])
        return f"cron {second}{self.choice(fields)} {self.cron_days()}"

    def cron_days(self) -> str:
        day = self.label()
        week_day = day.isoweekday() % 7
        choices = [
            "* * *",
            "* * *",
            f"{day.day} * *",
            f"* * {week_day}",
            f"{day.day} {day.month} *",
        ]
        choices += [
            f"{day.day} * {(week_day + 3) % 7}",
            f"*/2 * {week_day or 7}",
            f"1-15 * {day:%a}",
            "31 * *",
            f"* {day:%b} 1-5",
        ]
        return self.choice(choices)

    def look(self, reach: timedelta) -> datetime:
        """A moment (naive UTC) just before, at, after, in either pass, or well before the change."""
        around = [
            timedelta(seconds=s)
            for s in (-3600, -1801, -1800, -60, -1, 0, 1, 60, 899, 1800, 3599, 3600)
        ]
        spread = self.choice([timedelta(hours=3), timedelta(days=1), reach])
        earlier = timedelta(seconds=self.randrange(-7200, int(spread.total_seconds())))
        return self.change.at + (self.choice(around) if self.random() < 0.4 else -earlier)


@dataclass(frozen=True)
class Kind:
    """One sort of schedule, how far before the change the first look may lie, how long one watches."""

    name: str
    say: Callable[[Dice], dict[str, object]]
    reach: timedelta
    watch: timedelta


def _kinds() -> Iterator[Kind]:
    def kind(
        name: str, say: Callable[[Dice], dict[str, object]], reach: float, watch: float
    ) -> Kind:
        return Kind(name, say, timedelta(days=reach), timedelta(days=watch))

    yield kind("seconds", lambda d: {"rhythm": f"{d.choice([1, 7, 90, 1800])} seconds"}, 0.06, 0.12)
    yield kind("minutes", lambda d: {"rhythm": f"{d.choice([1, 5, 45, 90])} minutes"}, 1, 2)
    yield kind("hours", lambda d: {"rhythm": f"{d.choice([1, 2, 5, 12, 36])} hours"}, 20, 30)
    yield kind(
        "minutes at", lambda d: {"rhythm": f"{d.number()} minutes", "at": d.into_minute()}, 0.3, 0.5
    )
    yield kind("hours at", lambda d: {"rhythm": f"{d.number()} hours", "at": d.into_hour()}, 4, 8)
    yield kind("days", lambda d: {"rhythm": f"{d.number()} days"}, 30, 60)
    yield kind(
        "days at", lambda d: {"rhythm": f"{d.number()} days", "at": d.times_of_day()}, 30, 60
    )
    yield kind("weekdays", lambda d: {"rhythm": d.weekdays()}, 30, 60)
    yield kind("weekdays at", lambda d: {"rhythm": d.weekdays(), "at": d.times_of_day()}, 30, 60)
    yield kind("weeks", lambda d: {"rhythm": f"{d.number()} weeks"}, 100, 200)
    yield kind(
        "weeks at", lambda d: {"rhythm": f"{d.number()} weeks", "at": d.times_of_day()}, 100, 200
    )
    yield kind(
        "months", lambda d: {"rhythm": f"{d.number()} months", "on_day": d.on_day()}, 400, 1000
    )
    yield kind(
        "months at",
        lambda d: {"rhythm": f"{d.number()} months", "on_day": d.on_day(), "at": d.times_of_day()},
        400,
        1000,
    )
    yield kind("cron fixed", lambda d: {"rhythm": d.cron_fixed()}, 20, 60)
    yield kind("cron by the clock", lambda d: {"rhythm": d.cron_by_clock()}, 2, 4)


KINDS = list(_kinds())


@dataclass(frozen=True)
class Question:
    schedule: Schedule
    said: dict[str, object]
    anchor: Anchor
    since: datetime
    until: datetime
    seed: str

    @property
    def dice(self) -> Dice:
        """The same throws for every test, in whichever order they run."""
        return Dice(self.seed)

    def __str__(self) -> str:
        """What to paste into a test."""
        said = {k: v for k, v in self.said.items() if v is not None}
        return (
            f"{said} anchor={self.anchor.moment.isoformat()} inclusive={self.anchor.inclusive}"
            f" window=({self.since.isoformat()}, {self.until.isoformat()}]"
        )

    @cached_property
    def expected(self) -> list[datetime]:
        anchor = self.anchor
        found = oracle.fires(
            self.schedule,
            anchor.moment,
            inclusive=anchor.inclusive,
            since=self.since,
            until=self.until,
        )
        return found[:LONGEST_LIST]

    @cached_property
    def end(self) -> datetime:
        """How far `expected` is the whole truth."""
        return self.expected[-1] if len(self.expected) == LONGEST_LIST else self.until

    def points(self, number: int) -> list[datetime]:
        """Moments in the window: its ends, on a fire, a moment beside one."""
        dice, found = self.dice, [self.since, self.end]
        for _ in range(number - 2 if self.expected else 0):
            nudge = timedelta(microseconds=dice.choice([0, 0, 1, -1, 1_000_000, -1_000_000]))
            point = dice.choice(self.expected) + nudge
            found.append(max(self.since, min(self.end, point)))
        dice.shuffle(found)
        return [*found, self.end]


@cache
def questions(zone: str, kind: Kind) -> list[Question]:
    return [_question(zone, kind, change, n) for change in changes(zone) for n in range(SAMPLES)]


def _question(zone: str, kind: Kind, change: Change, sample: int) -> Question:
    dice = Dice(f"{zone} {kind.name} {change.at} {sample}")
    dice.change = change
    look, inclusive = dice.look(kind.reach).replace(tzinfo=UTC), dice.random() < 0.4
    said = {**kind.say(dice), "zone": zone}
    if inclusive:
        look = _sometimes_a_fire(plan(**said), look, dice, kind)  # type: ignore[arg-type]
        said["active_from"] = look.isoformat()
    until = look + kind.watch
    if dice.random() < 0.2:
        last = _sometimes_a_fire(plan(**said), look + dice.random() * kind.watch, dice, kind)  # type: ignore[arg-type]
        said["active_until"] = last.replace(microsecond=0).isoformat()
    since = look + dice.choice(
        [-timedelta(days=3), -oracle.SECOND, timedelta(0), dice.random() * kind.watch / 2]
    )
    return Question(plan(**said), said, Anchor(look, inclusive), since, until, repr(dice.random()))  # type: ignore[arg-type]


def _sometimes_a_fire(schedule: Schedule, near: datetime, dice: Dice, kind: Kind) -> datetime:
    """Mostly a moment at which the schedule of a first look an hour or so before would fire."""
    early = near - timedelta(hours=2)
    if dice.random() < 0.3:
        return near
    found = oracle.fires(
        schedule,
        early,
        inclusive=False,
        since=early,
        until=near + min(kind.reach, timedelta(days=3)),
    )
    return dice.choice(found) if found else near


# ----------------------------------------------------------------------------------- the answers


def chain(question: Question, since: datetime, limit: int) -> list[datetime]:
    rule = recurrence(question.schedule, question.anchor, job="job")
    found: list[datetime] = []
    fire = rule.after(since)
    while fire is not None and fire <= question.until and len(found) < limit:
        found.append(fire)
        fire = rule.after(fire)
    return found


def agree(question: Question, found: object, expected: object) -> None:
    if found != expected:
        pytest.fail(f"{question}\n{_difference(found, expected)}", pytrace=False)


def _difference(found: object, expected: object) -> str:
    if not isinstance(found, list) or not isinstance(expected, list):
        return f"found {found}, expected {expected}"
    at = next(
        (n for n, (a, b) in enumerate(zip(found, expected, strict=False)) if a != b),
        min(len(found), len(expected)),
    )
    return "\n".join(
        f"{who} from number {at}: " + ", ".join(m.isoformat() for m in those[at : at + 4])
        for who, those in (("found", found), ("expected", expected))
    )


@pytest.mark.parametrize("kind", KINDS, ids=lambda kind: kind.name.replace(" ", "_"))
@pytest.mark.parametrize("zone", ZONES)
class TestAroundEveryChange:
    def test_the_chain_of_fires_is_the_oracles(self, zone: str, kind: Kind) -> None:
        for question in questions(zone, kind):
            agree(question, chain(question, question.since, LONGEST_LIST), question.expected)

    def test_a_chain_begun_anywhere_is_the_tail(self, zone: str, kind: Kind) -> None:
        for question in questions(zone, kind):
            for since in question.points(6):
                tail = question.expected[bisect_right(question.expected, since) :][:3]
                agree(question, chain(question, since, 3)[: len(tail)], tail)

    def test_count_and_latest_are_those_of_the_list(self, zone: str, kind: Kind) -> None:
        for question in questions(zone, kind):
            rule = recurrence(question.schedule, question.anchor, job="job")
            points = question.points(6)
            for since, until in pairwise(points):
                among = [fire for fire in question.expected if since < fire <= until]
                agree(question, rule.count(since, until), (len(among), True))
                agree(question, rule.latest(since, until), among[-1] if among else None)


class TestRandomIntervals:
    """`5 to 10 minutes`: whole units, uniform, drawn by a hash of job and previous fire."""

    # 600 draws from 6 values: each about 100 times.
    LOOK = datetime(2026, 3, 29, 0, 30, tzinfo=UTC)

    def fires(
        self, job: str = "job", since: timedelta = timedelta(0), number: int = 600
    ) -> list[datetime]:
        base = plan("5 minutes", zone="Europe/London")
        assert base.every
        rule = recurrence(
            replace(base, every=replace(base.every, latest=10)), Anchor(self.LOOK, False), job=job
        )
        found = [self.LOOK + since]
        while len(found) <= number:
            following = rule.after(found[-1])
            assert following
            found.append(following)
        return found

    def test_every_gap_is_one_of_the_whole_minutes(self) -> None:
        fires = self.fires()
        gaps = {(b - a) / timedelta(minutes=1) for a, b in pairwise(fires)}
        assert gaps == {5.0, 6.0, 7.0, 8.0, 9.0, 10.0}

    def test_no_gap_is_much_more_likely_than_another(self) -> None:
        fires = self.fires()
        gaps = [(b - a) // timedelta(minutes=1) for a, b in pairwise(fires)]
        assert all(60 < gaps.count(minutes) < 140 for minutes in range(5, 11))

    def test_the_same_job_draws_the_same_on_every_look(self) -> None:
        assert self.fires() == self.fires()

    def test_another_job_draws_otherwise(self) -> None:
        assert self.fires("job") != self.fires("other")

    def test_a_chain_begun_between_two_fires_is_the_tail(self) -> None:
        assert (
            self.fires(since=timedelta(hours=5, seconds=1), number=10)[1:]
            == [fire for fire in self.fires() if fire > self.LOOK + timedelta(hours=5, seconds=1)][
                :10
            ]
        )


class TestCountsOfCron:
    LOOK = datetime(2026, 3, 28, 12, tzinfo=UTC)

    def count(self, seconds: int) -> tuple[int, bool]:
        rule = recurrence(plan("cron * * * * * *", zone="UTC"), Anchor(self.LOOK, False), job="job")
        return rule.count(self.LOOK, self.LOOK + timedelta(seconds=seconds))

    def test_100000_fires_are_counted_exactly(self) -> None:
        assert self.count(100_000) == (100_000, True)

    def test_one_more_is_a_lower_bound(self) -> None:
        assert self.count(100_001) == (100_000, False)


class TestReadingOfPlans:
    """The short hand of these tests means what the file means."""

    @pytest.mark.parametrize(
        ("rhythm", "at"),
        [
            ("second", ""),
            ("90 minutes", ""),
            ("minute", ":05, :30"),
            ("3 hours", ":15, 30:10, 5:09"),
            ("day", "9:30, 00:00, 23:59:59"),
            ("2 weeks", "09:30"),
            ("monday, thursday", "09:30"),
            ("weekend", "09:30"),
            ("weekday", ""),
            ("13 months", "09:30"),
            ("never", ""),
        ],
    )
    def test_a_plan_is_what_the_phrase_says(self, rhythm: str, at: str) -> None:
        every = read_every(rhythm)
        said = plan(rhythm, zone="UTC", at=at)
        assert (said.every, said.at) == (every, read_times(at, every) if at else ())
