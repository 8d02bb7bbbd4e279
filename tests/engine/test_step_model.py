"""Clocks set, machines asleep, daemons dead, jobs on hold: the account against a model.

The model knows real time and what the clock on the wall showed, and nothing of rhythms that
move. Its intervals count real time; its fixed times are found by arithmetic on what the clock
showed while a daemon looked.
"""

from __future__ import annotations

import os
from datetime import UTC, datetime, timedelta
from pathlib import Path
from tempfile import TemporaryDirectory
from typing import Any

from hypothesis import HealthCheck, example, given, settings
from hypothesis import strategies as st

from engine.clock_world import START, ClockWorld
from inisched.stores.moments import from_ms

EXAMPLES = int(os.environ.get("EXAMPLES", "40"))
SECOND = timedelta(seconds=1)
EPOCH = datetime(1970, 1, 1, tzinfo=UTC)

INTERVALS = {"seven": 7 * 60, "half hour": 30 * 60, "five hours": 5 * 3600}
"""Seconds."""

FIXED: dict[str, tuple[int, int]] = {
    "labels": (1800, 20 * 60),
    "second hour": (2 * 3600, 15 * 60),
    "daily": (86400, 10 * 3600 + 1800),
    "third day": (3 * 86400, 9 * 3600 + (START - EPOCH).days % 3 * 86400),
    "cron": (900, 0),
    "monday": (7 * 86400, 4 * 86400 + 12 * 3600),
    "jittered": (3600, 1800),
}
"""Every so many seconds, at so many past: on the wall, counted from 1970."""

FILE = """
[seven]
command = true
every = 7 minutes
[half hour]
command = true
every = 30 minutes
misfire = skip
[five hours]
command = true
every = 5 hours
misfire = all
[labels]
command = true
every = hour
at = :20, :50
[second hour]
command = true
every = 2 hours
at = :15
misfire = skip
[daily]
command = true
every = day
at = 10:30
[third day]
command = true
every = 3 days
at = 9:00
misfire = all
[cron]
command = true
cron = */15 * * * *
misfire = all
max_catchup = 3
[monday]
command = true
every = monday
at = 12:00
[jittered]
command = true
every = hour
at = :30
jitter = 40 minutes
misfire = skip
"""


class Model:
    """What has passed: in real time for intervals, on the wall for fixed times."""

    def __init__(self, world: ClockWorld) -> None:
        self.w = world
        self.wall = self.looked = world.now
        self.boot = world.clock.boot
        self.elapsed = 0.0
        self.numbers: dict[str, int] = {}
        self.passes: list[tuple[datetime, datetime]] = []

    # -- what happens --------------------------------------------------------------------------

    def live(self, seconds: int) -> None:
        end = self.w.clock.boot + seconds
        while (left := end - self.w.clock.boot) > 0:
            due = self.w.engine.due
            wait = left if due is None else (due - self.w.now).total_seconds()
            wait = min(max(wait, 0.001), left)
            self.w.clock.go(wait)
            self.w.turn(wait)
            self._saw()

    def set(self, step: int, unseen: float) -> None:
        self.w.set(seconds=step, unseen=unseen)
        self._saw()

    def freeze(self, seconds: int, suspended: bool, step: int) -> None:
        self.w.clock.set(step * SECOND)
        self.w.freeze(seconds=seconds, suspended=suspended)
        self._saw()

    def down(self, seconds: int, step: int) -> None:
        self.w.down(seconds=seconds, set_by=step * SECOND)
        passed = self.w.now - self.wall
        self.elapsed += max(0.0, passed.total_seconds())
        self._has_passed(passed, min(passed, 0 * SECOND))
        self.check_intervals()

    def hold(self) -> None:
        self.w.throw("hold")
        self._saw()

    def release(self, run: bool) -> None:
        self.w.throw("release", run=run)
        self._saw()

    def _saw(self) -> None:
        real = self.w.clock.boot - self.boot
        step = self.w.now - self.wall - timedelta(seconds=real)
        self.elapsed += real
        step = step if abs(step) >= SECOND / 2 else 0 * SECOND
        self._has_passed(step, step)
        self.check_intervals()

    def _has_passed(self, unseen: timedelta, step: timedelta) -> None:
        """What the wall showed; what it skipped `unseen` before the first look is nothing."""
        if step < 0 * SECOND:
            self.looked = min(self.looked, self.wall + step)
        elif self.looked < START <= self.wall + unseen:
            self.looked = START
        if self.w.now > self.looked:
            self.passes.append((self.looked, self.w.now))
            self.looked = self.w.now
        self.wall, self.boot = self.w.now, self.w.clock.boot

    # -- what must be --------------------------------------------------------------------------

    def check_intervals(self) -> None:
        """Up to now every real interval is in the account once, the latest at its moment."""
        for job, length in INTERVALS.items():
            found = self._rows(job)
            number = int(round(self.elapsed, 3) // length)
            assert sum(count for _, _, count, _ in found) == number, job
            if number > self.numbers.get(job, 0):
                self.numbers[job] = number
                last = self.w.now - timedelta(seconds=self.elapsed - number * length)
                assert abs((found[-1][1] or found[-1][0]) - last) < SECOND / 100, job

    def check_fixed_times(self) -> None:
        """What the wall showed is in the account once: as a run, or in one gap."""
        for job in FIXED:
            found = self._rows(job)
            runs = [first for first, until, _, _ in found if until is None]
            gaps = [(first, until, count) for first, until, count, _ in found if until is not None]
            shown = self._shown(job)
            assert len(runs) == len(set(runs)), job
            assert set(runs) <= shown, job
            rest = {moment for moment in shown if moment <= self.looked} - set(runs)
            for first, until, count in gaps:
                inside = {moment for moment in rest if first <= moment <= until}
                assert len(inside) == count, (job, first, until)
                rest -= inside
            assert not rest, (job, sorted(rest))

    def _shown(self, job: str) -> set[datetime]:
        """Every moment of the job that the wall showed while a daemon looked, or after."""
        period, past = FIXED[job]
        moved = self.w.engine.seats[job].rhythm.moved
        found = set()
        for since, until in self.passes:
            number = int((since - EPOCH).total_seconds() - past) // period - 1
            while (fire := EPOCH + (number * period + past) * SECOND) <= until:
                number += 1
                if since < moved(fire) <= until:
                    found.add(moved(fire))
        return found

    def _rows(self, job: str) -> list[tuple[datetime, datetime | None, int, str]]:
        """Of each row of the job, oldest first: first fire, last fire of a gap, count, state."""
        query = """SELECT fire_at, fire_until, count, state FROM run
                    WHERE job_id = (SELECT id FROM job WHERE name = ?) ORDER BY id"""
        return [
            (from_ms(first), None if until is None else from_ms(until), count, state)
            for first, until, count, state in self.w.ledger._db.execute(query, (job,))
        ]


sizes = st.one_of(
    st.sampled_from([1, 60, 61, 600, 3600, 7200, 86400]),
    st.integers(1, 3 * 86400),
)
steps = st.builds(lambda size, sign: size * sign, sizes, st.sampled_from([-1, 1]))
perhaps = st.one_of(st.just(0), steps)
lengths = st.one_of(st.integers(1, 600), st.integers(1, 36 * 3600))
actions = st.one_of(
    st.tuples(st.just(Model.live), st.integers(1, 3 * 3600)),
    st.tuples(st.just(Model.set), steps, st.sampled_from([0.0, 1.0, 29.0])),
    st.tuples(st.just(Model.freeze), lengths, st.booleans(), perhaps),
    st.tuples(st.just(Model.down), lengths, perhaps),
    st.tuples(st.just(Model.hold)),
    st.tuples(st.just(Model.release), st.booleans()),
)

CUT_BEFORE_THE_FIRST_LOOK: list[Any] = [
    (Model.live, 3631),
    (Model.set, -11778, 29.0),
    (Model.set, 650, 29.0),
    (Model.set, -62, 0.0),
    (Model.set, 7501, 0.0),
]


@settings(max_examples=EXAMPLES, deadline=None, suppress_health_check=list(HealthCheck))
@given(st.lists(actions, min_size=1, max_size=8))
@example(CUT_BEFORE_THE_FIRST_LOOK)
def test_whatever_is_done_to_time_the_account_is_that_of_the_model(plan: list[Any]) -> None:
    with TemporaryDirectory() as folder:
        w = ClockWorld(Path(folder), FILE, settings="max_running = 100")
        model = Model(w)
        try:
            for act, *values in plan:
                act(model, *values)
                model.check_intervals()
                model.check_fixed_times()
        finally:
            w.ledger.close()
