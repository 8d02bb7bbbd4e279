"""The engine: what is due is claimed, then started; what ends is noted, then told.

It owns no clock, no process and no file: moments are handed in, runs are started through the
door `start`, and every decision is in the ledger before anything happens in the world.
"""

from __future__ import annotations

import logging
from collections import deque
from collections.abc import Callable, Iterable
from dataclasses import dataclass, replace
from datetime import UTC, datetime, timedelta
from typing import Protocol

from inisched.engine.seat import Seat, begin
from inisched.executors.running import Task
from inisched.model.duration import show_duration
from inisched.model.job import Job, Misfire
from inisched.model.run import Fire, Outcome, Reason, State, Trigger
from inisched.stores.ledger import Beginning, Claimed, JobState, Ledger, LedgerDown, Take
from inisched.timing import library
from inisched.timing.recurrence import Anchor
from inisched.timing.rhythm import rhythm

log = logging.getLogger("inisched")


class UnderWay(Protocol):
    """A run in a process of its own: pid and start time name that process for good."""

    pid: int
    started: int

    def outcome(self) -> Outcome:
        """How it ended, once it has."""


Start = Callable[[Task], UnderWay | Outcome]
"""The executors' door: start an attempt; an Outcome at once where it ran inside the daemon."""


GONE = "the job is no longer in the file"

RETRY = timedelta(seconds=1)
"""How long to wait before the ledger is tried again."""


@dataclass(slots=True)
class Run:
    """A run under way; `running` is None where it ran inside the daemon.

    `stopped` says who ended it before its time; "" while nobody has.
    """

    seat: Seat
    claimed: Claimed
    running: UnderWay | None
    started: datetime
    stopped: str = ""


class Engine:
    """The jobs of one file and their runs. `max_running` counts runs under way together."""

    def __init__(self, ledger: Ledger, start: Start, *, max_running: int) -> None:
        self.ledger = ledger
        self.start = start
        self.max_running = max_running
        self.seats: dict[str, Seat] = {}
        self.runs: dict[int, Run] = {}
        self.failed = 0
        self.now = datetime.min.replace(tzinfo=UTC)
        self.scheduler = library.Scheduler(lambda: self.now)
        self._rung: list[str] = []
        self._queued: dict[str, Seat] = {}
        self._unrecorded: deque[tuple[Run, Outcome, datetime]] = deque()
        self._again: datetime | None = None

    # -- the file ------------------------------------------------------------------------------

    def adopt(self, jobs: Iterable[Job], now: datetime) -> None:
        """Take over the jobs of the file: new ones begin, unchanged ones keep their rhythm.

        Raises LedgerDown, and then nothing has changed.
        """
        self.now = now
        wanted = {job.name: job for job in jobs if job.active}
        states = self.ledger.jobs()
        states |= self.ledger.seat(
            [new for job in wanted.values() if (new := _beginning(job, states.get(job.name), now))]
        )
        for name in [name for name in self.seats if name not in wanted]:
            self._remove(self.seats.pop(name))
        seed = self.ledger.id
        for job in wanted.values():
            former = self.seats.get(job.name)
            if former is None or former.job != job:
                self.seats[job.name] = self._seat(job, states[job.name], former, seed)

    def _seat(self, job: Job, state: JobState, former: Seat | None, seed: str) -> Seat:
        assert state.anchor is not None and state.looked is not None
        anchor = state.anchor
        if job.schedule.from_end and state.ended is not None:
            anchor = Anchor(max(state.ended, anchor.moment))
        beat = rhythm(job.name, job.schedule, anchor, seed=seed)
        entry = library.register(self.scheduler, beat, state.looked, self._rung.append)
        seat = Seat(job, state, beat, entry, state.looked)
        if former is not None:
            self.scheduler.cancel_job(former.entry)
            seat.running, seat.line = former.running, former.line
            for run in self.runs.values():
                if run.seat is former:
                    run.seat = seat
            if seat.line:
                self._queued[job.name] = seat
        return seat

    def _remove(self, seat: Seat) -> None:
        seat.removed = True
        self.scheduler.cancel_job(seat.entry)
        self._queued.pop(seat.job.name, None)
        while seat.line:
            waiting = seat.line.popleft()
            self.ledger.skip(waiting.run_id, Reason.REMOVED, GONE)

    def resume(self, waiting: Iterable[Claimed]) -> None:
        """Put the waiting fires of a former daemon back into their lines."""
        for claimed in waiting:
            seat = self.seats.get(claimed.fire.job)
            if seat is None:
                self.ledger.skip(claimed.run_id, Reason.REMOVED, GONE)
                continue
            seat.line.append(claimed)
            self._queued[seat.job.name] = seat

    def state(self) -> str:
        """What runs and waits, in a line."""
        runs = [f"{run.seat.job.name} (run {run_id})" for run_id, run in self.runs.items()]
        waits = [f"{name} ({len(seat.line)})" for name, seat in self._queued.items()]
        return f"running: {', '.join(runs) or 'nothing'}; waiting: {', '.join(waits) or 'nothing'}"

    # -- looking -------------------------------------------------------------------------------

    @property
    def due(self) -> datetime | None:
        """When to look next; None where nothing will come due."""
        due = self.scheduler.due
        return max(due, self._again) if due and self._again else due or self._again

    @property
    def idle(self) -> bool:
        """Nothing runs, nothing waits, nothing is left to be recorded."""
        return not (self.runs or self._queued or self._unrecorded)

    def look(self, now: datetime, *, at_start: bool = False) -> None:
        """Claim everything that has come due by now, then start what may start.

        `at_start`: the daemon has just begun, so jobs with `run_at_start` have a fire of it.
        """
        self.now = now
        self._again = None
        self.scheduler.run_pending()
        seats = {name: self.seats[name] for name in self._rung if name in self.seats}
        self._rung.clear()
        starters = {n: s for n, s in self.seats.items() if at_start and s.job.run_at_start}
        seats |= starters
        former = {name: seat.looked for name, seat in seats.items()}
        try:
            self._record_the_rest()
            takes = [self._take(seat, starts=name in starters) for name, seat in seats.items()]
            self._start_all(self._claim(takes))
            self.advance(now)
        except LedgerDown as error:
            self._look_again(former, error)

    def _take(self, seat: Seat, *, starts: bool) -> Take:
        take = seat.look(self.now)
        if starts:
            fire = Fire(job=seat.job.name, at=self.now, moved=self.now, trigger=Trigger.START)
            take.wait.append(fire)
        return take

    def _claim(self, takes: list[Take]) -> list[tuple[Seat, Claimed]]:
        """Enter the takes; what comes back has its row and starts now."""
        if not takes:
            return []
        free = self.max_running - len(self.runs)
        for take in takes:
            seat = self.seats[take.job.name]
            if take.wait and free > 0 and not seat.running and not seat.line:
                take.start.append(take.wait.pop(0))
                free -= 1
        begun = []
        for take, claimed in self.ledger.claim(takes, self.now):
            seat = self.seats[take.job.name]
            begun += [(seat, entry) for entry in claimed if entry.start]
            self._queue(seat, [entry for entry in claimed if not entry.start])
        return begun

    def _queue(self, seat: Seat, entries: list[Claimed]) -> None:
        """Join the line. A single fire that waits for a place gives way to a newer one."""
        if not entries:
            return
        if len(seat.line) == 1 and not seat.running and seat.job.misfire is not Misfire.ALL:
            message = f"coalesced into run {entries[0].run_id}"
            self.ledger.skip(seat.line.popleft().run_id, Reason.COALESCED, message)
        seat.line.extend(entries)
        self._queued[seat.job.name] = seat

    def _look_again(self, former: dict[str, datetime], error: LedgerDown) -> None:
        """What cannot be recorded is not started: undo the look and try again in a second."""
        log.error("the ledger cannot be written (%s); nothing starts until it can", error)
        for name, looked in former.items():
            seat = self.seats[name]
            seat.looked = seat.entry.since = looked
            seat.entry.reschedule()
        self._again = self.now + RETRY

    # -- running -------------------------------------------------------------------------------

    def advance(self, now: datetime) -> None:
        """Start waiting fires as far as places are free, the oldest fire first."""
        self.now = now
        free = max(0, self.max_running - len(self.runs))
        ready = [seat for seat in self._queued.values() if not seat.running]
        ready.sort(key=lambda seat: seat.line[0].fire.moved)
        chosen = [(seat, seat.line[0]) for seat in ready[:free]]
        if not chosen:
            return
        self.ledger.begin([entry.run_id for _, entry in chosen], now)
        for seat, _ in chosen:
            seat.line.popleft()
            if not seat.line:
                del self._queued[seat.job.name]
        self._start_all(chosen)

    def _start_all(self, begun: list[tuple[Seat, Claimed]]) -> None:
        processes: dict[int, tuple[int, int]] = {}
        for seat, entry in begun:
            seat.running.add(entry.run_id)
            started = self._start(Task.of(entry.run_id, seat.job, entry.fire))
            if isinstance(started, Outcome):
                self._end(Run(seat, entry, None, self.now), started, self.now)
            else:
                self.runs[entry.run_id] = Run(seat, entry, started, self.now)
                processes[entry.run_id] = (started.pid, started.started)
        if processes:
            self.ledger.note_processes(processes)

    def _start(self, task: Task) -> UnderWay | Outcome:
        log.debug("%s: run %d starts", task.job.name, task.run_id)
        try:
            return self.start(task)
        except OSError as error:
            message = f"could not start: {error.strerror or error}"
            return Outcome(state=State.FAILURE, message=message)

    def ended(self, run_id: int, now: datetime) -> None:
        """A run's process is gone: note how it ended, and start what waited for it."""
        run = self.runs.pop(run_id)
        assert run.running is not None
        outcome = run.running.outcome()
        if run.stopped:
            outcome = replace(outcome, state=State.STOPPED, message=run.stopped)
        self._end(run, outcome, now)

    def _end(self, run: Run, outcome: Outcome, now: datetime) -> None:
        run.seat.running.discard(run.claimed.run_id)
        self._unrecorded.append((run, outcome, now))
        try:
            self._record_the_rest()
        except LedgerDown as error:
            log.error(
                "the ledger cannot be written (%s); the end of run %d is kept and tried again",
                error,
                run.claimed.run_id,
            )
            self._again = now + RETRY

    def _record_the_rest(self) -> None:
        while self._unrecorded:
            run, outcome, ended = self._unrecorded[0]
            self.ledger.finish(run.claimed.run_id, outcome, ended)
            self._unrecorded.popleft()
            self._tell(run, outcome, ended)
            self._from_its_end(run.seat, ended)

    def _tell(self, run: Run, outcome: Outcome, ended: datetime) -> None:
        failed = outcome.state not in (State.SUCCESS, State.WARNING, State.SKIPPED)
        self.failed += outcome.state in (State.FAILURE, State.TIMEOUT)
        log.log(
            logging.WARNING if failed else logging.INFO,
            "%s: run %d %s after %s%s",
            run.seat.job.name,
            run.claimed.run_id,
            outcome.state.value,
            show_duration(ended - run.started),
            f": {outcome.message}" if outcome.message else "",
        )

    def _from_its_end(self, seat: Seat, ended: datetime) -> None:
        """With `from_end` the next fire counts from here."""
        if not seat.job.schedule.from_end or seat.removed:
            return
        seat.rhythm = rhythm(seat.job.name, seat.job.schedule, Anchor(ended), seed=seat.rhythm.seed)
        seat.looked = max(seat.looked, ended)
        seat.entry.following(seat.rhythm, seat.looked).reschedule()


def _beginning(job: Job, state: JobState | None, now: datetime) -> Beginning | None:
    """The rhythm that begins now; None where the ledger knows it already."""
    meaning = job.schedule.meaning()
    if state is not None and state.anchor is not None and state.meaning == meaning:
        return None
    anchor, looked = begin(job, state.looked if state else None, now)
    return Beginning(job.name, meaning, anchor, looked)
