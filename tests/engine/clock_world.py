"""A world whose wall clock can be set while real time goes on, and a daemon that minds it.

It does with the clock what the daemon does: it looks at it at each wake, and again at its start.
"""

from __future__ import annotations

from datetime import datetime, timedelta
from pathlib import Path
from typing import NamedTuple

from engine.world import FakeRun, World
from inisched.engine import switching
from inisched.engine.clock_watch import ClockWatch
from inisched.engine.engine import Engine
from inisched.engine.recovery import recover, set_back
from inisched.executors.running import Task
from inisched.model.run import Outcome
from inisched.stores.ledger import Ledger

LONGEST_SLEEP = 30.0
START = datetime.fromisoformat("2026-11-20T10:20:00Z")


class FakeClock:
    """Three clocks: one on the wall, one that never stops, one that stops in a suspend."""

    def __init__(self, wall: datetime) -> None:
        self.wall, self.boot, self.awake = wall, 1000.0, 500.0

    def now(self) -> datetime:
        return self.wall

    def until(self, moment: datetime) -> float:
        return (moment - self.wall).total_seconds()

    def monotonic(self) -> float:
        return self.awake

    def boottime(self) -> float:
        return self.boot

    def sleep(self, seconds: float) -> None:
        self.go(seconds)

    def go(self, seconds: float, *, suspended: bool = False) -> None:
        """Real time passes."""
        self.wall += timedelta(seconds=seconds)
        self.boot += seconds
        self.awake += 0 if suspended else seconds

    def set(self, step: timedelta) -> None:
        """Somebody sets the clock on the wall."""
        self.wall += step


class Started(NamedTuple):
    job: str
    fire_at: datetime
    wall: datetime
    real: float
    """Seconds since the world began."""


class ClockWorld(World):
    """`live` lets the daemon run; whatever is done to the clock between is seen at its next wake."""

    def __init__(
        self, folder: Path, text: str, *, start: datetime = START, settings: str = ""
    ) -> None:
        self.clock = FakeClock(start)
        self.instant = True
        self.set_while_starting = timedelta(0)
        self.runs: list[Started] = []
        super().__init__(folder, text, start=start, settings=settings)

    @property
    def now(self) -> datetime:
        return self.clock.wall

    @now.setter
    def now(self, moment: datetime) -> None:
        self.clock.wall = moment

    @property
    def real(self) -> float:
        return self.clock.boot - 1000.0

    # -- the daemon's life ---------------------------------------------------------------------

    def begin(self) -> None:
        config = self.config
        self.ledger._db.execute("UPDATE meta SET value = 'the same' WHERE key = 'id'")
        self.told_to_end: list[int] = []
        self.know(config)
        self.engine = Engine(
            self.ledger,
            self._start,
            max_running=config.settings.max_running,
            pools=config.pools,
            end=self.told_to_end.append,
            herald=self.herald,
            stopwatch=lambda: 0.0,
        )
        self.watch = ClockWatch(self.clock)
        former = self.ledger.last_life()
        back = set_back(self.ledger, former, self.now)
        waiting = recover(self.ledger, former, config, self.now, herald=self.herald)
        if back is not None:
            self.engine.set_clock(back, self.now)
        self.ledger.open_life(1, "here", self.now)
        if self.set_while_starting:
            self.clock.set(self.set_while_starting)
            self.turn()
        self.engine.adopt(config.jobs, self.now)
        unfinished = switching.begin(self.engine, self.now)
        self.engine.resume(waiting)
        for change in unfinished:
            switching.take_effect(self.engine, change, self.now)
        self.engine.look(self.now, at_start=True)

    def turn(self, patience: float = LONGEST_SLEEP) -> None:
        """The daemon wakes, after a sleep of so many seconds or less."""
        now, happened = self.watch.look(patience)
        for absence in happened:
            if absence.step is None:
                self.ledger.was_away(absence)
            else:
                self.engine.set_clock(absence, now)
        self.engine.look(now)
        self.ledger.beat(now)

    @property
    def patience(self) -> float:
        """Seconds the daemon would sleep now."""
        due = self.engine.due
        left = LONGEST_SLEEP if due is None else (due - self.now).total_seconds()
        return max(0.0, min(LONGEST_SLEEP, left))

    def live(self, **duration: float) -> None:
        """So much real time passes under a daemon that wakes when something is due."""
        end = self.clock.boot + timedelta(**duration).total_seconds()
        while (left := end - self.clock.boot) > 0:
            due = self.engine.due
            wait = left if due is None else max(0.001, (due - self.now).total_seconds())
            wait = min(wait, left)
            self.clock.go(wait)
            self.turn(wait)

    def set(self, *, unseen: float = 0.0, **step: float) -> None:
        """The clock is set; the daemon, asleep, sees it `unseen` seconds later, or at its wake."""
        nap = min(self.patience, unseen)
        self.clock.set(timedelta(**step))
        self.clock.go(nap)
        self.turn(nap)

    def freeze(self, *, suspended: bool = True, **duration: float) -> None:
        """Nobody looks for so long."""
        self.clock.go(timedelta(**duration).total_seconds(), suspended=suspended)
        self.turn()

    def down(
        self,
        *,
        set_by: timedelta = timedelta(0),
        set_while_starting: timedelta = timedelta(0),
        **duration: float,
    ) -> None:
        """The daemon dies, comes back so much later, and the clock was set meanwhile."""
        self.set_while_starting = set_while_starting
        self.ledger.close()
        self.clock.go(timedelta(**duration).total_seconds())
        self.clock.set(set_by)
        self.ledger = Ledger(self.config.database, full=False)
        self.begin()

    def _start(self, task: Task) -> FakeRun | Outcome:  # type: ignore[override]
        state = self.ledger._db.execute("SELECT state FROM run WHERE id = ?", (task.run_id,))
        assert state.fetchone()[0] == "running"
        self.runs.append(Started(task.job.name, task.scheduled_for, self.now, self.real))
        assert isinstance(self.outcome, Outcome)
        return self.outcome if self.instant else FakeRun(task, self.outcome)

    # -- what is to be seen --------------------------------------------------------------------

    def beats(self, job: str) -> list[float]:
        """Real seconds from the world's beginning to each start of the job."""
        return [round(run.real, 3) for run in self.runs if run.job == job]

    def eras(self, job: str) -> list[int]:
        """The era of each row, oldest first."""
        query = "SELECT v.era FROM v_runs AS v WHERE v.job = ? ORDER BY v.id"
        return [row[0] for row in self.ledger._db.execute(query, (job,))]
