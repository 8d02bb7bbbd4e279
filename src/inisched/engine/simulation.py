"""Plays the engine on a clock that jumps from event to event: what would run, wait and be skipped.

It is the engine of the daemon with the ledger on paper; a run is no process but a moment at
which it ends.
"""

from __future__ import annotations

import heapq
import logging
from collections.abc import Iterable, Iterator, Mapping
from contextlib import contextmanager
from datetime import UTC, datetime, timedelta

from msgspec import Struct
from msgspec.structs import replace

from inisched.engine.engine import Engine
from inisched.engine.nursery import Departed
from inisched.engine.paper import PaperLedger, PaperRun, PaperSkip
from inisched.engine.seat import Seat
from inisched.executors.running import Task
from inisched.model.job import Gates, Job, Overlap, Pool
from inisched.model.run import Outcome, State
from inisched.stores.claims import Claimed
from inisched.stores.job_state import JobState

_SUCCESS = Outcome(state=State.SUCCESS)


class _Imagined:
    """A run without a process."""

    pid = started = 0

    def outcome(self) -> Outcome:
        return _SUCCESS


_IMAGINED = _Imagined()


class Peak(Struct, frozen=True):
    """The most runs at a time, when that was first so, and the jobs they were of."""

    runs: int
    at: datetime
    jobs: tuple[str, ...] = ()


class Simulation:
    """One stretch of time, played once."""

    def __init__(
        self,
        states: Mapping[str, JobState],
        lengths: Mapping[str, timedelta],
        *,
        seed: str,
        max_running: int,
        pools: Mapping[str, Pool] | None = None,
    ) -> None:
        """`states` and `lengths` say of each job where its rhythm stands and how long it runs."""
        self._ledger = PaperLedger(states, seed)
        self._engine = Engine(
            self._ledger, self._start, max_running=max_running, pools=pools, end=self._end_early
        )
        self._lengths = lengths
        self._ends: list[tuple[datetime, int]] = []
        self._told_to_end: list[int] = []
        self._due: datetime | None = None
        self.now = datetime.min.replace(tzinfo=UTC)
        self.peak = Peak(0, self.now)

    @property
    def skips(self) -> list[PaperSkip]:
        """What would be skipped, by fire."""
        return sorted(self._ledger.skips, key=lambda skip: skip.fire_at)

    def play(self, jobs: Iterable[Job], since: datetime, until: datetime) -> Iterator[PaperRun]:
        """The runs of fires in (since, until], in the order of their starts.

        Of the jobs only active ones take part. What waits or runs at the end is played on, but
        nothing more comes due.
        """
        self.peak = Peak(0, since)
        with _unsaid():
            active = [replace(job, gates=Gates()) for job in jobs if job.active]
            self._engine.adopt(active, since)
            for moment in self._moments(until):
                self._turn(moment)
                yield from self._ledger.runs()

    def _moments(self, until: datetime) -> Iterator[datetime]:
        while (moment := self._next()) is not None and moment <= until:
            yield moment
        self._engine.closed = True
        while (moment := self._next()) is not None:
            yield moment

    def _next(self) -> datetime | None:
        self._due = self._engine.due
        if self._ends and (self._due is None or self._ends[0][0] < self._due):
            return self._ends[0][0]
        return self._due

    def _turn(self, now: datetime) -> None:
        """As the daemon does it: first what has ended, then what has come due."""
        self.now = now
        while self._ends and self._ends[0][0] <= now:
            self._end(heapq.heappop(self._ends)[1])
        if self._due is None or now < self._due:
            self._engine.advance(now)
        else:
            self._engine.look(now)
        self._note()
        while self._told_to_end:
            told, self._told_to_end = self._told_to_end, []
            for run_id in told:
                self._end(run_id)
            self._engine.advance(now)
            self._note()

    def _note(self) -> None:
        """The peak so far, and what those wait for that have begun to wait."""
        runs = self._engine.runs
        if len(runs) > self.peak.runs:
            jobs = tuple(run.seat.job.name for run in runs.values())
            self.peak = Peak(len(runs), self.now, jobs)
        for arrival in self._ledger.arrivals:
            seat = self._engine.seats[arrival.fire.job]
            entry = next((e for e in reversed(seat.line) if e.run_id == arrival.run_id), None)
            if entry is not None:
                arrival.gate = self._gate(seat, entry)
        self._ledger.arrivals.clear()

    def _gate(self, seat: Seat, entry: Claimed) -> str:
        """What the fire waits for; one that replaces waits for its own run only as the last."""
        gates = self._engine.gates
        shut = gates.shut(seat, entry) or "line"
        if shut == "overlap" and seat.job.overlap is Overlap.REPLACE:
            return gates.full(seat, freed=len(seat.running)) or shut
        return shut

    # -- the doors -----------------------------------------------------------------------------

    def _start(self, task: Task) -> _Imagined:
        end = self.now + self._lengths[task.job.name]
        heapq.heappush(self._ends, (end, task.run_id))
        if task.job.overlap is not Overlap.REPLACE:
            self._ledger.foresee(task.run_id, end)
        return _IMAGINED

    def _end_early(self, run_id: int) -> None:
        self._told_to_end.append(run_id)

    def _end(self, run_id: int) -> None:
        if run_id in self._engine.runs:  # else it was replaced
            departed = Departed(run_id, ago=0.0, timed_out=False, left=0)
            self._engine.ended(departed, self.now)


@contextmanager
def _unsaid() -> Iterator[None]:
    """What an engine logs of runs that do not take place is nobody's business."""
    log = logging.getLogger("inisched")
    former, log.disabled = log.disabled, True
    try:
        yield
    finally:
        log.disabled = former
