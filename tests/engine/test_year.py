"""A whole year on a fake clock, through every clock change, with deaths at every possible point.

What ought to have run is told by the oracle, which shares no line with the product.
"""

from __future__ import annotations

import random
from collections import Counter
from collections.abc import Callable, Iterator
from datetime import UTC, datetime, timedelta
from itertools import pairwise
from pathlib import Path
from typing import Any, NamedTuple

import pytest

from engine.world import FakeRun, World
from inisched.config.loader import Config, load
from inisched.engine.nursery import Departed
from inisched.executors.running import Task
from inisched.model.job import Job
from inisched.model.run import Outcome, State
from inisched.stores.ledger import Ledger
from inisched.stores.moments import from_ms
from timing import oracle

BEGIN = datetime(2027, 1, 1, 9, 17, 23, tzinfo=UTC)
END = datetime(2028, 1, 2, tzinfo=UTC)
SECOND = timedelta(seconds=1)
BERLIN, NEW_YORK, LORD_HOWE = "Europe/Berlin", "America/New_York", "Australia/Lord_Howe"


def section(name: str, *lines: str) -> str:
    return "\n".join([f"[{name}]", "command = true", *lines, ""])


YEAR = [
    section("elapsed", "every = 7 hours"),
    section("seconds", "every = 40 seconds", f"timezone = {BERLIN}",
            "active_from = 2027-03-28 01:50", "active_until = 2027-03-28 03:10"),
    section("random", "every = 30 to 50 hours"),
    section("from end", "every = 31 hours", "from_end = yes"),
    section("labels spring", "every = hour", "at = :15, :45:10", f"timezone = {LORD_HOWE}",
            "active_from = 2027-10-02", "active_until = 2027-10-04"),
    section("labels autumn", "every = hour", "at = :15, :45:10", f"timezone = {LORD_HOWE}",
            "active_from = 2027-04-03", "active_until = 2027-04-05"),
    section("second labels", "every = 2 hours", "at = :15", f"timezone = {NEW_YORK}",
            "active_from = 2027-11-05", "active_until = 2027-11-09"),
    section("minutes", "every = minute", "at = :30", f"timezone = {NEW_YORK}",
            "active_from = 2027-03-14 01:50", "active_until = 2027-03-14 03:10"),
    section("daily", "every = day", "at = 02:30", f"timezone = {BERLIN}"),
    section("three days", "every = 3 days", "at = 01:30, 18:00", f"timezone = {NEW_YORK}"),
    section("fortnight", "every = 2 weeks", f"timezone = {LORD_HOWE}"),
    section("last day", "every = month", "on_day = last", "at = 02:15", f"timezone = {LORD_HOWE}"),
    section("odd months", "every = 2 months", "on_day = 31", "at = 02:59", f"timezone = {BERLIN}"),
    section("weekdays", "every = sunday, monday", "at = 2:15", f"timezone = {NEW_YORK}"),
    section("weekday", "every = weekday", f"timezone = {LORD_HOWE}"),
    section("cron fixed", "cron = 30 1,2 * * sun", f"timezone = {BERLIN}"),
    section("cron wild", "cron = */20 1-3 * 3,4,10,11 sun", f"timezone = {NEW_YORK}"),
    section("moved", "every = day", "at = 03:00", "jitter = 90 minutes", f"timezone = {BERLIN}"),
    section("from a day on", "every = 5 days", "active_from = 2027-02-01 12:00",
            "active_until = 2027-11-30", f"timezone = {NEW_YORK}"),
]  # fmt: skip
NOT_FORESEEN = ("random", "from end")


class Died(BaseException):
    """The daemon is gone, in the midst of what it did."""


class Deaths:
    """Lets the daemon die just before or just after some of what it writes or starts."""

    WRITES = ("claim", "begin", "note_processes", "finish_all", "skip", "cancel", "enter")

    def __init__(self, when: Callable[[int], bool]) -> None:
        self.when = when
        self.number = 0
        self.points: list[str] = []

    def watch(self, ledger: Ledger) -> None:
        for name in self.WRITES:
            setattr(ledger, name, self._deadly(name, getattr(ledger, name)))

    def _deadly(self, name: str, write: Callable[..., Any]) -> Callable[..., Any]:
        def deadly(*args: Any, **options: Any) -> Any:
            self.pass_by(f"before {name}")
            found = write(*args, **options)
            self.pass_by(f"after {name}")
            return found

        return deadly

    def pass_by(self, point: str) -> None:
        self.number += 1
        if self.when(self.number):
            self.points.append(point)
            raise Died


class Mortal(World):
    """A world that jumps from due moment to due moment, and whose daemon may die anywhere.

    Runs last as long as `lasts` says; their ends come from `ends`, one for each start of a fire.
    """

    def __init__(self, folder: Path, text: str, deaths: Deaths, **options: Any) -> None:
        self._config: Config | None = None
        self.deaths = deaths
        self.lasts: dict[str, timedelta] = {}
        self.fails: dict[str, int] = {}
        self.until: dict[int, datetime] = {}
        self.starts: Counter[tuple[str, datetime, int]] = Counter()
        super().__init__(folder, text, **options)

    @property
    def config(self) -> Config:
        if self._config is None:
            self._config = load(self.file, strict_references=True)
        return self._config

    def begin(self) -> None:
        while True:
            self.ledger._db.execute("UPDATE meta SET value = 'the same' WHERE key = 'id'")
            self.deaths.watch(self.ledger)
            self.until = {}
            try:
                super().begin()
            except Died:
                self.revive()
            else:
                return

    def revive(self) -> None:
        self.ledger.close()
        self.ledger = Ledger(self.config.database, full=False)

    @property
    def waiting(self) -> int:
        return sum(len(seat.line) for seat in self.engine.seats.values())

    def live(self, until: datetime) -> None:
        """Until then, waking whenever something is due or ends."""
        while True:
            ends = min(self.until.values(), default=until)
            due = min(self.engine.due or until, ends)
            if due > until:
                break
            self.now = max(self.now, due)
            self.wake()
            if due == until:
                break
        self.now = until

    def settle(self) -> None:
        """What runs comes to its end, without another fire."""
        while self.until:
            run_id, self.now = min(self.until.items(), key=lambda item: item[1])
            del self.until[run_id]
            self.engine.ended(Departed(run_id, 0.0, timed_out=False, left=0), self.now)

    def wake(self) -> None:
        try:
            self.deaths.pass_by("before the look")
            for run_id in [n for n, end in self.until.items() if end <= self.now]:
                del self.until[run_id]
                self.deaths.pass_by("after the end")
                self.engine.ended(Departed(run_id, 0.0, timed_out=False, left=0), self.now)
            self.engine.look(self.now)
            while any(seat.line and not seat.running for seat in self.engine.seats.values()):
                waiting = self.waiting
                self.engine.look(self.now)
                if self.waiting == waiting:
                    break
            self.deaths.pass_by("after the look")
        except Died:
            self.revive()
            self.begin()

    def _start(self, task: Task) -> FakeRun | Outcome:  # type: ignore[override]
        name = task.job.name
        self.deaths.pass_by("before the start")
        self.starts[name, task.scheduled_for, task.attempt] += 1
        outcome = Outcome(state=State.SUCCESS, exit_code=0)
        if task.attempt <= self.fails.get(name, 0):
            outcome = Outcome(state=State.FAILURE, exit_code=1)
        if name not in self.lasts:
            return outcome
        self.until[task.run_id] = self.now + self.lasts[name]
        return FakeRun(task, outcome)

    def down(self, length: timedelta) -> None:
        """The daemon dies, and comes back so much later."""
        self.now += length
        self.revive()
        self.begin()

    def table(self) -> dict[str, list[Entry]]:
        """The ledger by job, oldest first."""
        query = """SELECT name, fire_at, fire_until, count, attempt, state, reason, trigger, ended_at
                     FROM run JOIN job ON job.id = job_id ORDER BY run.id"""
        found: dict[str, list[Entry]] = {name: [] for name in self.engine.seats}
        for (
            name,
            first,
            last,
            count,
            attempt,
            state,
            reason,
            trigger,
            ended,
        ) in self.ledger._db.execute(query):
            until = None if last is None else from_ms(last)
            end = None if ended is None else from_ms(ended)
            entry = Entry(from_ms(first), until, count, attempt, state, reason or trigger, end)
            found[name].append(entry)
        return found


class Entry(NamedTuple):
    """A row of the ledger; `why` is the reason of what did not run, else the trigger."""

    at: datetime
    until: datetime | None
    count: int
    attempt: int
    state: str
    why: str
    ended: datetime | None = None


def foreseen(job: Job, since: datetime, until: datetime) -> list[datetime]:
    """What the oracle says of a job that was first looked at in BEGIN's moment `since`."""
    schedule = job.schedule
    begin, inclusive = schedule.active_from or since, schedule.active_from is not None
    earliest = min(begin, since) - SECOND
    return oracle.fires(schedule, begin, inclusive=inclusive, since=earliest, until=until)


def never(_: int) -> bool:
    return False


LASTS = {
    "elapsed": timedelta(minutes=20),
    "from end": timedelta(minutes=45),
    "daily": timedelta(hours=2),
    "moved": timedelta(minutes=10),
    "minutes": timedelta(seconds=50),
}


@pytest.fixture
def mortal(tmp_path: Path) -> Iterator[Callable[..., Mortal]]:
    worlds: list[Mortal] = []

    def make(text: str, when: Callable[[int], bool] = never, **options: Any) -> Mortal:
        folder = tmp_path / str(len(worlds))
        folder.mkdir()
        worlds.append(Mortal(folder, text, Deaths(when), **options))
        return worlds[-1]

    yield make
    for one in worlds:
        one.ledger.close()


Make = Callable[..., Mortal]


# -- a year ------------------------------------------------------------------------------------


def test_in_a_whole_year_every_fire_has_its_run_and_nothing_else_has(mortal: Make) -> None:
    w = mortal("\n".join(YEAR), start=BEGIN, settings="max_running = 50")
    w.lasts = LASTS
    w.live(END)
    table = w.table()
    for job in w.config.jobs:
        rows = table[job.name]
        done = {(row.attempt, row.count, row.until, row.state, row.why) for row in rows}
        assert done == {(1, 1, None, "success", "schedule")}, job.name
        fires = [row.at for row in rows]
        if job.schedule.jitter:
            fires = unmoved(job, fires, END)
        if job.name not in NOT_FORESEEN:
            assert fires == foreseen(job, BEGIN, END), job.name
    check_the_unforeseen(table)


def unmoved(job: Job, fires: list[datetime], until: datetime) -> list[datetime]:
    """The moments before they were moved by jitter; each is the latest before its fire."""
    plan = foreseen(job, BEGIN, until)
    found = [max(moment for moment in plan if moment <= fire) for fire in fires]
    assert all(
        fire - moment < job.schedule.jitter for fire, moment in zip(fires, found, strict=True)
    )
    return found


def check_the_unforeseen(table: dict[str, list[Entry]]) -> None:
    random_fires = [BEGIN, *(row.at for row in table["random"])]
    hours = {(b - a) / timedelta(hours=1) for a, b in pairwise(random_fires)}
    assert hours == set(range(30, 51))
    ends = [BEGIN, *(row.ended for row in table["from end"])]
    assert [row.at - end for row, end in zip(table["from end"], ends, strict=False) if end] == [
        timedelta(hours=31)
    ] * len(table["from end"])


@pytest.mark.parametrize(
    ("begin", "end"), [("2027-03-12 11:09", "2027-04-06"), ("2027-10-01 00:04", "2027-11-08")]
)
def test_deaths_all_over_change_nothing_but_the_runs_they_fell_in(
    mortal: Make, begin: str, end: str
) -> None:
    dice = random.Random(begin)
    start, until = (datetime.fromisoformat(text).replace(tzinfo=UTC) for text in (begin, end))
    tables = []
    for when in (never, lambda _: dice.random() < 0.03):
        w = mortal("\n".join(YEAR), when, start=start, settings="max_running = 50")
        w.lasts = LASTS
        w.live(until)
        w.settle()
        tables.append(w.table())
    assert len(w.deaths.points) > 50
    calm, wild = tables
    for name, rows in wild.items():
        if name != "from end":
            assert [row[:4] for row in rows] == [row[:4] for row in calm[name]], name
            fates = {(a.state, b.state) for a, b in zip(calm[name], rows, strict=True)}
            same = {("success", "success"), ("skipped", "skipped")}
            assert fates <= same | {("success", "interrupted")}, name
    interrupted = sum(row.state == "interrupted" for rows in wild.values() for row in rows)
    assert 0 < interrupted < 5 * len(w.deaths.points)
    assert max(w.starts.values()) == 1


# -- every point -------------------------------------------------------------------------------

POINTS = "\n".join([
    "[pool:p]",
    section("one", "every = 20 minutes", "pool = p"),
    section("two", "every = 20 minutes", "pool = p"),
    section("queued", "every = 25 minutes", "overlap = queue"),
    section("again", "every = 40 minutes", "retries = 1", "retry_delay = 5 minutes"),
    section("rerun", "every = 35 minutes", "rerun_interrupted = yes"),
    section("fixed", "cron = 0,30 2,3 * * *", f"timezone = {BERLIN}"),
])  # fmt: skip
SPRING = datetime(2027, 3, 28, 0, 15, tzinfo=UTC)


def live_through_the_night(make: Make, when: Callable[[int], bool] = never) -> Mortal:
    w = make(POINTS, when, start=SPRING, settings="max_running = 2")
    w.fails = {"again": 1}
    w.lasts = {
        "one": timedelta(minutes=3),
        "two": timedelta(minutes=2),
        "queued": timedelta(minutes=28),
        "again": timedelta(minutes=1),
        "rerun": timedelta(minutes=2),
    }
    w.live(SPRING + timedelta(minutes=62))
    w.lasts = {}
    w.live(SPRING + timedelta(minutes=64))
    return w


def fates(w: Mortal) -> dict[tuple[str, datetime], list[tuple[int, str]]]:
    """Attempt and state of each row of each fire."""
    found: dict[tuple[str, datetime], list[tuple[int, str]]] = {}
    for name, rows in w.table().items():
        for row in rows:
            assert row.until is None
            found.setdefault((name, row.at), []).append((row.attempt, row.state))
    return found


def test_a_death_at_any_point_of_a_fire_loses_nothing_and_starts_nothing_twice(
    mortal: Make,
) -> None:
    calm = live_through_the_night(mortal)
    expected, points = fates(calm), calm.deaths.number
    assert ("fixed", SPRING + timedelta(minutes=45)) in expected
    died = Counter()
    for number in range(1, points + 1):
        w = live_through_the_night(mortal, lambda n, at=number: n == at)  # type: ignore[misc]
        died.update(w.deaths.points)
        found = fates(w)
        assert found.keys() == expected.keys(), w.deaths.points
        for fire, attempts in found.items():
            states = [state for _, state in attempts]
            assert [attempt for attempt, _ in attempts] == list(range(1, len(attempts) + 1))
            if "interrupted" not in states:
                assert attempts == expected[fire], (w.deaths.points, fire)
            elif fire[0] == "rerun":
                assert states == ["interrupted", "success"]
            else:
                assert states[-1] == "interrupted"
        assert max(w.starts.values()) == 1
        w.ledger.close()
    assert len(died) > 10


# -- downtime ----------------------------------------------------------------------------------

DOWN = {
    "elapsed": ["every = 3 hours"],
    "labels": ["every = hour", "at = :30", f"timezone = {LORD_HOWE}"],
    "daily": ["every = day", "at = 02:30, 14:00", f"timezone = {BERLIN}"],
    "weekdays": ["every = sunday, tuesday", "at = 2:15", f"timezone = {NEW_YORK}"],
    "cron": ["cron = 30 */2 * * *", f"timezone = {BERLIN}"],
}


@pytest.mark.parametrize("misfire", ["coalesce", "skip", "all"])
def test_whatever_the_daemon_missed_is_accounted_for_as_its_job_says(
    mortal: Make, misfire: str
) -> None:
    begin, dice = datetime(2027, 3, 10, 7, 5, tzinfo=UTC), random.Random(misfire)
    text = [
        section(n, *lines, f"misfire = {misfire}", "max_catchup = 4") for n, lines in DOWN.items()
    ]
    w = mortal("\n".join(text), start=begin, settings="max_running = 50")
    looks: list[tuple[datetime, datetime]] = []
    while w.now < datetime(2027, 4, 12, tzinfo=UTC):
        w.live(w.now + timedelta(minutes=dice.randrange(1, 2000)))
        before = w.now
        due = w.engine.due
        if dice.random() < 0.3 and due is not None:
            w.down(due - w.now + dice.choice([0, 1, 59, 60, 61]) * SECOND)
        else:
            w.down(timedelta(minutes=dice.choice([1, 40, 300, 2000, 6000]) * dice.random()))
        looks.append((before, w.now))
    w.live(w.now + SECOND)
    table = w.table()
    for job in w.config.jobs:
        expected = expected_account(job, foreseen(job, begin, w.now + timedelta(days=9)), looks)
        assert [row[:6] for row in table[job.name]] == expected, job.name


def expected_account(
    job: Job, plan: list[datetime], looks: list[tuple[datetime, datetime]]
) -> list[tuple[Any, ...]]:
    """The rows of a job whose daemon was down in each of the stretches (from, to]."""
    rows: list[tuple[Any, ...]] = []

    def run(at: datetime, why: str) -> None:
        rows.append((at, None, 1, 1, "success", why))

    def gap(fires: list[datetime], why: str) -> None:
        if rows and rows[-1][5] == why == "misfire":
            first, _, count, *_ = rows.pop()
            rows.append((first, fires[-1], count + len(fires), 1, "skipped", why))
        elif fires:
            rows.append((fires[0], fires[-1], len(fires), 1, "skipped", why))

    begun = looks[0][0] - timedelta(days=30)
    for since, until in looks:
        for fire in [fire for fire in plan if begun < fire <= since]:
            run(fire, "schedule")
        missed = [fire for fire in plan if since < fire <= until]
        begun = until
        on_time: list[datetime] = []
        if missed:
            following = plan[plan.index(missed[-1]) + 1]
            grace = min(60 * SECOND, (following - missed[-1]) / 2)
            if until - missed[-1] <= grace:
                on_time.append(missed.pop())
        keep = {"coalesce": 1, "skip": 0, "all": 4}[job.misfire.value]
        late = missed[len(missed) - min(keep, len(missed)) :]
        rest = missed[: len(missed) - len(late)]
        if rest:
            gap(rest, "coalesced" if keep == 1 else "misfire")
        for fire in late:
            run(fire, "catchup")
        for fire in on_time:
            run(fire, "schedule")
    return rows


@pytest.mark.parametrize("lines", DOWN.values(), ids=DOWN)
def test_twenty_restarts_in_a_minute_make_one_catch_up(mortal: Make, lines: list[str]) -> None:
    w = mortal(section("a", *lines), start=BEGIN, settings="max_running = 50")
    w.down(timedelta(days=9, seconds=5))
    for _ in range(20):
        w.down(3 * SECOND)
    catch_ups = [row for row in w.table()["a"] if row.why == "catchup"]
    assert len(catch_ups) == 1
