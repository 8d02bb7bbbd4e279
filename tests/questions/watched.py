"""A world whose daemons leave the traces real ones do: lives, heartbeats, absences, a lock."""

from __future__ import annotations

import json
import os
import socket
from collections.abc import Mapping
from datetime import datetime, timedelta

from engine.world import World
from inisched.engine.engine import Engine
from inisched.engine.recovery import recover, set_back
from inisched.engine.step import note_step
from inisched.executors.running import process_start
from inisched.questions.case import case_of
from inisched.questions.spans import read_span
from inisched.questions.why import Answer, why
from inisched.stores.claims import Absence
from inisched.stores.history import History
from inisched.stores.ledger import Ledger

BEAT = timedelta(seconds=30)


class Watched(World):
    """`go` lets the daemon look at each fire and every 30 seconds, as a real one does."""

    alive = False
    role = "daemon"

    # -- the daemon ----------------------------------------------------------------------------

    def begin(self) -> None:
        config = self.config
        self.told_to_end = []
        self.know(config)
        self.engine = Engine(
            self.ledger,
            self._start,
            max_running=config.settings.max_running,
            pools=config.pools,
            end=self.told_to_end.append,
            ask=self._ask,
            herald=self.herald,
            stopwatch=lambda: 0.0,
        )
        former = self.ledger.last_life()
        back = set_back(self.ledger, former, self.now)
        waiting = recover(self.ledger, former, config, self.now, herald=self.herald)
        if back is not None and back.step is not None:
            waiting = [entry.after(back.step) for entry in waiting]
        self.ledger.open_life(os.getpid(), socket.gethostname(), self.now)
        self._lock(held=True)
        if back is not None:
            note_step(self.ledger, config.jobs, back)
        self._adopt()
        self.engine.resume(waiting)
        self.engine.look(self.now, at_start=True)
        self.alive = True

    def _adopt(self) -> None:
        config, seats = self.config, self.engine.seats
        broken = [section.name for section in config.broken]
        stale = [seats[name].job for name in broken if name in seats]
        self.engine.adopt(
            [*config.jobs, *stale], self.now, stale=[job.name for job in stale], broken=broken
        )

    def _lock(self, *, held: bool) -> None:
        holder = {
            "pid": os.getpid(),
            "host": socket.gethostname(),
            "since": "",
            "role": self.role,
            "started": process_start(os.getpid()) if held else -1,
        }
        self.config.database.with_suffix(".lock").write_text(json.dumps(holder))

    def kill(self) -> None:
        """The daemon dies; the last that is known of it is its heartbeat."""
        self.ledger.close()
        self.alive = False
        self._lock(held=False)

    def stop(self) -> None:
        """The daemon leaves in order."""
        self.ledger.close_life(self.now)
        self.kill()

    def start(self, **later: float) -> None:
        """A daemon starts, so much later."""
        self.now += timedelta(**later)
        self.ledger = Ledger(self.config.database, full=False)
        self.begin()

    def reload(self, text: str) -> None:
        self.write(text)
        self._adopt()
        self.engine.look(self.now)

    # -- time ----------------------------------------------------------------------------------

    def go(self, **later: float) -> None:
        """Time passes; a daemon that lives looks, and each run ends within a second."""
        until = self.now + timedelta(**later)
        while self.alive and self.now < until:
            due = self.engine.due
            self.now = min(until, self.now + BEAT, max(due, self.now) if due else until)
            self.engine.look(self.now)
            self.ledger.beat(self.now)
            if due == self.now:
                self.now += timedelta(milliseconds=1)
        self.now = until

    def to(self, clock: str) -> None:
        """Time passes until the clock shows that."""
        self.go(seconds=(at(clock) - self.now).total_seconds())

    def end_all(self) -> None:
        while self.engine.runs:
            self.end(next(iter(self.engine.runs.values())).seat.job.name)

    def freeze(self, *, machine: bool = False, **later: float) -> None:
        """The process is stopped so long, or the machine sleeps."""
        absence = Absence(self.now, self.now + timedelta(**later), machine=machine)
        self.now = absence.until
        self.ledger.was_away(absence)
        self.engine.look(self.now)
        self.ledger.beat(self.now)

    def set_clock(self, **by: float) -> None:
        step = timedelta(**by)
        absence = Absence(self.now, self.now + step, step=step)
        self.now = absence.until
        self.engine.set_clock(absence, self.now)
        self.engine.look(self.now)
        self.ledger.beat(self.now)

    # -- the question --------------------------------------------------------------------------

    def ask(
        self,
        when: str | None = None,
        *,
        job: str = "a",
        utc: bool = False,
        gates: Mapping[int, str] | None = None,
    ) -> Answer:
        config = self.config
        history = History(config.database)
        try:
            case = case_of(config, history, job, self.now, utc=utc, gates=lambda: gates or {})
            spans = () if when is None else read_span(when, case.speaker.zone, self.now)
            return why(case, spans)
        finally:
            history.close()

    def why(self, when: str | None = None, *, job: str = "a", utc: bool = False) -> str:
        """The answer as it is printed."""
        return " ".join(self.ask(when, job=job, utc=utc).tale.text)


def at(clock: str) -> datetime:
    """A moment of the day worlds begin on: 20 November 2026, UTC; or an ISO date-time."""
    text = clock if "T" in clock else f"2026-11-20T{clock}"
    return datetime.fromisoformat(f"{text}+00:00")
