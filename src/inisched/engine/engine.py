"""The engine: what is due is claimed, then started; what ends is noted, then told.

It owns no clock, no process and no file: moments are handed in, runs are started through the
door `start` and ended through the door `end`, and every decision is in the ledger before
anything happens in the world.
"""

from __future__ import annotations

import logging
import time
from collections import deque
from collections.abc import Callable, Collection, Iterable, Mapping
from datetime import UTC, datetime, timedelta
from heapq import nsmallest

from msgspec.structs import replace

from inisched.engine import beginnings
from inisched.engine.asking import READY, SHOULD_RUN, Ask, moments
from inisched.engine.disabled import account_for_disabled
from inisched.engine.endings import Ending, again, as_entered, concluded, line_of, unrelated
from inisched.engine.facts import facts, of_attempt, of_end
from inisched.engine.gates import Gates
from inisched.engine.herald import Herald
from inisched.engine.nursery import Departed
from inisched.engine.outage import Outage
from inisched.engine.run import End, Run, Start, UnderWay
from inisched.engine.seat import Seat, asked_for
from inisched.engine.step import missed_before, note_step
from inisched.engine.switched import switched
from inisched.engine.tally import Tally
from inisched.engine.telling import Telling
from inisched.engine.waiting import Waiting
from inisched.executors.running import Task
from inisched.model.collector import collector_resting
from inisched.model.duration import show_duration
from inisched.model.job import Job, Misfire, Overlap, Pool
from inisched.model.run import Fire, Gap, Outcome, Reason, State, Trigger
from inisched.stores.claims import Absence, Claimed, GapRow, Held, OpenRun, Take
from inisched.stores.job_state import JobState
from inisched.stores.ledger import Ledger, LedgerDown
from inisched.stores.switches import ENABLED, Switch
from inisched.timing import library

log = logging.getLogger("inisched")

GONE = "the job is no longer in the file"
OFF = "the job was switched off in the file"

TRY_AGAIN = timedelta(seconds=1)
"""How long to wait before the ledger is tried again."""

NOTED_WITHIN = timedelta(milliseconds=20)
"""How soon it is written which process carries a run out, unless the run has ended by then."""

ENDS_WITHIN = timedelta(milliseconds=50)
"""After it the ends of callbacks that run in the daemon are written, though others are to follow
at once."""

_MILLISECOND = timedelta(milliseconds=1)


class Engine:
    """The jobs of one file and their runs."""

    def __init__(
        self,
        ledger: Ledger,
        start: Start,
        *,
        max_running: int,
        pools: Mapping[str, Pool] | None = None,
        end: End = lambda run_id: None,
        ask: Ask | None = None,
        herald: Herald | None = None,
        stopwatch: Callable[[], float] = time.monotonic,
    ) -> None:
        """`ask` is the door by which gates are asked; without one nobody is, and all is ready.

        `herald` decides what people are told; without one that is nothing. `stopwatch` only tells
        how long starts take.
        """
        self.ledger = ledger
        self.start = start
        self.end = end
        self._stopwatch = stopwatch
        self.waiting = Waiting(self, ask)
        self.gates = Gates(max_running, pools or {})
        self.telling = Telling(self, herald)
        self.seats: dict[str, Seat] = {}
        self.written: dict[str, Job] = {}
        """The jobs as the file has them; those of the seats are as their switches make them."""
        self.switches: Mapping[str, Switch] = {}
        self.runs: dict[int, Run] = {}
        self.untried: set[str] = set()
        """Jobs whose failed period is to be tried again before anything else of them starts."""
        self.failed: set[tuple[str, datetime]] = set()
        """Fires whose latest attempt failed: a later one may still mend that."""
        self.closed = False
        """Nothing new is taken up any more; what was goes its way."""
        self.tally: Tally | None = None
        """What is counted; None where nobody wants to know."""
        self._now, self._read_at = datetime.min.replace(tzinfo=UTC), stopwatch()
        self.scheduler = library.Scheduler(lambda: self._now)
        self._rung: list[str] = []
        self._ring = self._rung.append
        self._unrecorded: deque[tuple[Run, Outcome, datetime]] = deque()
        self._unskipped: list[tuple[Claimed, Reason, str]] = []
        self._unnoted: set[int] = set()
        self.note_by: datetime | None = None
        """When it must be written which processes carry runs out; None: it is."""
        self._starting = False
        self._again: datetime | None = None
        self.outage = Outage()
        self._waiters: dict[str, Seat] = {}
        self._steps: list[Absence] = []
        self._unseated = False
        """A step is in the ledger, and the seats have not followed yet."""
        self._early: list[timedelta] = []
        self._cut: dict[int, GapRow] = {}
        """Rows that were cut by these steps, for what is to be put back."""
        self._adopted = False
        self._stale: Collection[str] = ()
        self._broken: Collection[str] = ()

    # -- the file ------------------------------------------------------------------------------

    @collector_resting()
    def adopt(
        self,
        jobs: Iterable[Job],
        now: datetime,
        *,
        stale: Iterable[str] = (),
        broken: Collection[str] = (),
    ) -> None:
        """Take over the jobs of the file: new ones begin, unchanged ones keep their rhythm.

        Stretches in which a job was not in the file, inactive or `broken` have no fires. `stale`
        names those whose last good definition stands in for a broken one. Raises LedgerDown, and
        then nothing has changed.
        """
        self.now = now
        written, stale = {job.name: job for job in jobs}, list(stale)
        switches = self.ledger.switches.all()
        if self._steps or self._unseated:
            self._note_steps(switched(written.values(), self.ledger.jobs(), switches, now).jobs)
        former_states, gaps = account_for_disabled(self.ledger, written.values(), switches, now)
        self.count_gaps(gaps)
        taken = switched(written.values(), former_states, switches, now)
        wanted = {job.name: job for job in taken.jobs}
        states = self.ledger.seat(
            [beginnings.beginning(job, taken.known.get(job.name), now) for job in wanted.values()],
            now,
            resting=beginnings.resting(former_states, wanted, broken, switches),
            stale=stale,
            back=[name for name in wanted if beginnings.is_back(switches.get(name))],
            known=former_states,
            missed=missed_before(self.ledger, wanted.values(), taken.known, now, self.ledger.id),
        )
        self.written, self.switches = written, switches
        self._stale, self._broken = stale, broken
        for name, known in former_states.items():
            if name in states and known.ahead:
                states[name] = replace(states[name], ahead=known.ahead)
        self.gates.followed.know(states.values())
        for name in [name for name in self.seats if name not in wanted]:
            self._rest(self.seats.pop(name), Reason.REMOVED, GONE)
        seed = self.ledger.id
        for job in wanted.values():
            former = self.seats.get(job.name)
            if former is None or former.job != job:
                seat = self.seats[job.name] = self._seat(job, states[job.name], former, seed)
                before = former_states.get(job.name)
                goes_on = before is not None and before.meaning == seat.state.meaning
                self.telling.expect(seat, None if goes_on else now)
        self._adopted = True
        self.telling.adopted(self.seats, broken)

    def adopt_again(self, now: datetime) -> None:
        """Take over the same jobs of the file once more: a switch was thrown. Raises LedgerDown."""
        self.adopt(self.written.values(), now, stale=self._stale, broken=self._broken)

    def _seat(self, job: Job, state: JobState, former: Seat | None, seed: str) -> Seat:
        looked = state.looked
        assert looked is not None
        beat = state.rhythm(job, seed)
        seat = Seat(job, beginnings.in_its_era(job, state), beat, None, looked)
        if job.active:
            seat.entry = library.register(self.scheduler, beat, looked, self._ring)
        if former is not None:
            self._succeed(seat, former)
            return seat
        if state.failed_run is not None and job.report_period is not None:
            seat.failed = self.ledger.failed_attempt(state.failed_run)
        switch = self.switches.get(job.name)
        if switch is not None:
            seat.paused_from, seat.paused_until = switch.paused_from, switch.paused_until
        return seat

    def _succeed(self, seat: Seat, former: Seat) -> None:
        """Hand what runs and waits over to the job's new definition."""
        if not seat.job.active:
            self._rest(former, Reason.DISABLED, self._off(seat))
        elif former.entry is not None:
            self.scheduler.cancel_job(former.entry)
        seat.take_over(former)
        for run in (*self.runs.values(), *(run for run, _, _ in self._unrecorded)):
            if run.seat is former:
                run.seat = seat
        self.note_waiter(seat)

    def _rest(self, seat: Seat, reason: Reason, message: str) -> None:
        """The job is gone or off: nothing of it waits any longer; what runs runs on.

        What a person asked for runs although the job is off.
        """
        seat.removed = reason is Reason.REMOVED
        self.telling.forget(seat)
        if seat.entry is not None:
            self.scheduler.cancel_job(seat.entry)
        for entry in (*seat.line, *seat.pending.values()):
            if seat.removed or entry.fire.trigger is not Trigger.MANUAL:
                self.skip(entry, reason, message)
                self.waiting.forget(seat, entry)
                seat.pending.pop(entry.run_id, None)
                if entry in seat.line:
                    seat.line.remove(entry)
        if seat.held is not None:
            self.skip(seat.held[0], reason, message, seat.held[1].count)
            seat.held = None
        self._waiters.pop(seat.job.name, None)

    def _off(self, seat: Seat) -> str:
        """Why a job of the file is off."""
        switch = self.switches.get(seat.job.name)
        if switch is None or switch.enabled is None:
            return OFF
        return f"the job was disabled by {switch.marks[ENABLED].by}"

    def resume(self, waiting: Iterable[OpenRun]) -> None:
        """Put the waiting fires of a former daemon back where they were.

        They are moved by the steps of the clock that came before a file was adopted.
        """
        for left in waiting:
            row = left.after(sum(self._early, timedelta(0)))
            entry = row.claimed
            seat = self.seats.get(entry.fire.job)
            if row.held is not None and entry.run_id in self._cut:
                row = replace(row, held=row.held.cut(self._cut[entry.run_id]))
            count = row.held.count if row.held is not None else 1
            if not count:
                continue
            if seat is None:
                self.skip(entry, Reason.REMOVED, GONE, count)
            elif not seat.job.active and entry.fire.trigger is not Trigger.MANUAL:
                self.skip(entry, Reason.DISABLED, self._off(seat), count)
            elif row.held is not None:
                seat.held = entry, row.held
            else:
                self._hold(seat, entry)

    def _hold(self, seat: Seat, entry: Claimed) -> None:
        """Let an entered fire wait: for its moment, where it has one, else in line."""
        if entry.not_before is not None and entry.not_before > self.now:
            seat.pending[entry.run_id] = entry
        elif entry.attempt > 1:
            seat.line.appendleft(entry)
        else:
            seat.line.append(entry)
        self.note_waiter(seat)

    def note_waiter(self, seat: Seat) -> None:
        seat.patient = False
        if seat.line or seat.pending:
            self._waiters[seat.job.name] = seat
        else:
            self._waiters.pop(seat.job.name, None)

    def state(self) -> str:
        """What runs and waits, in a line."""
        runs = [f"{run.seat.job.name} (run {run_id})" for run_id, run in self.runs.items()]
        waits = [f"{name} ({len(s.line) + len(s.pending)})" for name, s in self._waiters.items()]
        return f"running: {', '.join(runs) or 'nothing'}; waiting: {', '.join(waits) or 'nothing'}"

    # -- the clock -----------------------------------------------------------------------------

    def set_clock(self, absence: Absence, now: datetime) -> None:
        """The wall clock was set: what runs and waits moves with it, and so do the rhythms.

        If the ledger cannot be written now, they do once it can; nothing starts before. What comes
        before a file is adopted is noted then.
        """
        assert absence.step is not None
        self.now, self._again = now, None
        self.gates.followed.move(absence.step)
        self.telling.move(absence.step)
        for run in (*self.runs.values(), *(run for run, _, _ in self._unrecorded)):
            run.started += absence.step
        ends = [(run, outcome, end + absence.step) for run, outcome, end in self._unrecorded]
        self._unrecorded = deque(ends)
        self.note_by = self.note_by and self.note_by + absence.step
        for seat in self._waiters.values():
            seat.line = deque(entry.after(absence.step) for entry in seat.line)
            seat.pending = {n: entry.after(absence.step) for n, entry in seat.pending.items()}
        self._steps.append(absence)
        if not self._adopted:
            self._early.append(absence.step)
            return
        try:
            self._note_steps(seat.job for seat in self.seats.values())
        except LedgerDown as error:
            self.put_off(error)

    def _note_steps(self, jobs: Iterable[Job]) -> None:
        jobs = list(jobs)
        while self._steps:
            cut = {row.id: row for row in note_step(self.ledger, jobs, self._steps[0])}
            self._steps.pop(0)
            if not self._adopted:
                self._cut |= cut
            for seat in self.seats.values():
                self._cut_held(seat, cut)
            self._unseated = True
        if self._unseated:
            states = self.ledger.jobs()
            for name, seat in self.seats.items():
                self._reseat(seat, states[name])
            self._unseated = False

    def _cut_held(self, seat: Seat, cut: Mapping[int, GapRow]) -> None:
        """What came due during a hold and lies ahead again is not held any longer."""
        row = cut.get(seat.held[0].run_id) if seat.held is not None else None
        if seat.held is not None and row is not None:
            seat.held = (seat.held[0], seat.held[1].cut(row)) if row.count else None

    def _reseat(self, seat: Seat, state: JobState) -> None:
        """Go on from where the ledger says the job stands."""
        assert state.looked is not None
        seat.state, seat.looked = beginnings.in_its_era(seat.job, state), state.looked
        seat.rhythm = state.rhythm(seat.job, seat.rhythm.seed)
        if seat.entry is not None:
            seat.entry.following(seat.rhythm, seat.looked).reschedule()
        self.telling.expect(seat)

    # -- looking -------------------------------------------------------------------------------

    @property
    def due(self) -> datetime | None:
        """When to look next; None where nothing will come due."""
        moments = [None if self.closed else self.scheduler.due, *self._coming()]
        due = min((moment for moment in moments if moment is not None), default=None)
        return max(due, self._again) if due and self._again else due or self._again

    def _coming(self) -> Iterable[datetime | None]:
        """When pending attempts are due, when waiting for a pool is given up, and when people are
        to be told something."""
        yield from self.telling.due
        for seat in self._waiters.values():
            if seat.patient:
                continue
            for entry in seat.pending.values():
                yield entry.not_before
            pool = self.gates.pools.get(seat.job.pool or "")
            if pool is not None and pool.wait is not None:
                yield from (entry.taken_at + pool.wait for entry in seat.line)
            yield from moments(seat)

    @property
    def idle(self) -> bool:
        """Nothing runs, nothing is asked, nothing is left to be recorded.

        What waits then waits for something that does not come by itself.
        """
        return not (self.outage or self.runs or self.waiting.questions or self._unrecorded)

    def look(self, now: datetime, *, at_start: bool = False) -> None:
        """Claim everything that has come due by now, then start what may start.

        `at_start`: the daemon has just begun, so jobs with `run_at_start` have a fire of it.
        """
        self.now = now
        self._again = None
        self._starting = at_start or self._starting
        if self.outage and not self._is_writable():
            return
        try:
            if (self._steps or self._unseated) and self._adopted:
                self._note_steps(seat.job for seat in self.seats.values())
            self.telling.look(now)
        except LedgerDown as error:
            self.put_off(error)
            return
        begun = self._take_up()
        if begun is None:
            return
        self._starting = False
        self.outage.over(now)
        try:
            if begun:
                self._start_all(begun)
            self.advance(now)
        except LedgerDown as error:
            self.put_off(error)

    def _take_up(self) -> list[tuple[Seat, Claimed]] | None:
        """Claim what has come due: what need not wait, to be started; None if that cannot be."""
        seats = self._called()
        starters = self._starters() if self._starting else {}
        seats |= starters
        former = {name: seat.looked for name, seat in seats.items()}
        try:
            if self._unrecorded and not seats:
                self._start_all(self._hand_over())
            self._record_the_rest()
            if not seats:
                return []
            with collector_resting():
                takes = [self._take(seat, starts=name in starters) for name, seat in seats.items()]
                return self._claim(takes)
        except LedgerDown as error:
            self._look_again(former, error)
            return None

    def _called(self) -> dict[str, Seat]:
        """The seats of the jobs that have come due."""
        due = self.scheduler.due
        if self.closed or due is None or due > self._now:
            return {}
        with collector_resting():
            self.scheduler.run_pending()
            seats = {name: self.seats[name] for name in self._rung if name in self.seats}
        self._rung.clear()
        return seats

    @property
    def now(self) -> datetime:
        """The moment of this look, or of what is done between two."""
        return self._now

    @now.setter
    def now(self, moment: datetime) -> None:
        if moment != self._now:
            self._now, self._read_at = moment, self._stopwatch()

    def _present(self) -> datetime:
        """The moment it is while callbacks run inside the daemon, and `now` stands still."""
        return self._now + round((self._stopwatch() - self._read_at) * 1000) * _MILLISECOND

    def _starters(self) -> dict[str, Seat]:
        return {name: seat for name, seat in self.seats.items() if _starts(seat.job)}

    def _take(self, seat: Seat, *, starts: bool) -> Take:
        take = seat.look(self.now, held=self.gates.held)
        if starts:
            fire = Fire(job=seat.job.name, at=self.now, moved=self.now, trigger=Trigger.START)
            take.wait.append(self.dated(seat, fire))
        return take

    def dated(self, seat: Seat, fire: Fire) -> Fire:
        """A fire somebody asked for, with its period: the failed one, else the latest fire's."""
        failed = seat.failed.fire if seat.failed is not None else None
        return asked_for(seat.job, seat.rhythm, fire, failed)

    def _claim(self, takes: list[Take]) -> list[tuple[Seat, Claimed]]:
        """Enter the takes in one transaction; what need not wait is returned, to be started."""
        self.count_places()
        crowded = any(map(_wants_a_place, self._waiters.values()))
        for take in takes:
            seat = self.seats[take.job.name]
            free = not crowded and not seat.running and not seat.line and not seat.retrying
            if take.wait and free and self._is_open(seat):
                self.gates.take(seat)
                take.start.append(take.wait.pop(0))
        begun, report = [], self.telling.of_gaps(takes, self.now)
        claims = self.ledger.claim(takes, self.now, report=report)
        self.telling.told(report)
        for take, claimed in claims:
            self.count_gaps(take.gaps)
            seat = self.seats[take.job.name]
            self._pile_up(seat, take)
            begun += [(seat, entry) for entry in claimed if entry.start]
            self.enter_line(seat, [entry for entry in claimed if not entry.start])
            if seat.failed is not None and any(entry.scheduled for entry in claimed):
                self.untried.add(seat.job.name)
        return begun

    def count_places(self) -> None:
        """Begin a round of the gates: what runs holds a place, and what is asked at the last."""
        asked = [q.seat for q in self.waiting.questions.values() if q.about == SHOULD_RUN]
        self.gates.count([*(run.seat for run in self.runs.values()), *asked], self.now)

    def _is_open(self, seat: Seat) -> bool:
        """Whether a new fire of an idle job may start without having waited at all."""
        gates = seat.job.gates
        if self.gates.held or seat.failed is not None or gates.ready or gates.should_run:
            return False
        if seat.is_paused(self.now) or self.gates.followed.unmet(seat.job.name, gates):
            return False
        return not self.gates.full(seat)

    def _pile_up(self, seat: Seat, take: Take) -> None:
        """During a hold what comes due is one row that grows."""
        if take.held is None or take.held_row is None:
            return
        if seat.held is None:
            fire = Fire(job=seat.job.name, at=take.held.first, moved=take.held.first_moved)
            seat.held = Claimed(run_id=take.held_row, fire=fire, taken_at=self.now), take.held
            return
        entry, stretch = seat.held
        count, last = stretch.count + take.held.count, take.held.last_moved
        seat.held = entry, replace(stretch, count=count, last_moved=last)

    def try_failed_periods(self) -> None:
        """Try every failed period once more, though no new fire has come due."""
        for seat in self.seats.values():
            if seat.job.active:
                self.try_failed(seat)

    def try_failed(self, seat: Seat) -> None:
        """Try the failed period once more: the next attempt at its fire, before all others."""
        if seat.failed is None or seat.retrying or seat.running:
            return
        again = self.ledger.enter_again(seat.failed, self.now)
        if again is not None:
            self._hold(seat, replace(again, not_before=None))

    def enter_line(self, seat: Seat, entries: list[Claimed]) -> None:
        """Join the line. A single fire that waits gives way to a newer one, as `coalesced`."""
        if not entries:
            return
        latest = seat.line[-1] if seat.line and seat.line[-1].attempt == 1 else None
        beside = seat.job.overlap in (Overlap.REPLACE, Overlap.ALLOW)
        gives_way = latest is not None and (latest.alone if len(seat.line) > 1 else True)
        if gives_way and (beside or not seat.running) and seat.job.misfire is not Misfire.ALL:
            entries[0] = self.take_place(seat, seat.line.pop(), entries[0])
        for entry in entries:
            self._hold(seat, entry)
        self._shorten(seat)

    def take_place(self, seat: Seat, older: Claimed, newer: Claimed) -> Claimed:
        """The newer fire waits in place of the older one, and no longer than that would have."""
        seat.forget(older)
        try:
            newer = self.ledger.take_place(older, newer)
            self.count_skip(older, Reason.COALESCED)
            return newer
        except LedgerDown as error:
            self.put_off(error)
            self.skip(older, Reason.COALESCED, f"coalesced into run {newer.run_id}")
            return replace(newer, taken_at=older.taken_at, first_at=older.first_fire)

    def _shorten(self, seat: Seat) -> None:
        """Beyond `max_catchup` in the line the oldest are skipped."""
        if seat.job.misfire is Misfire.ALL:
            fires = [entry for entry in seat.line if entry.scheduled]
            for entry in fires[: max(0, len(fires) - seat.job.max_catchup)]:
                self.skip(entry, Reason.MISFIRE, "the line was full")
                seat.line.remove(entry)
                self.waiting.forget(seat, entry)

    def skip(self, entry: Claimed, reason: Reason, message: str, count: int = 1) -> None:
        """A fire that gives way; if that cannot be written now, it is once it can.

        `count`: how many fires its row stands for.
        """
        self.count_skip(entry, reason, count)
        try:
            if self.outage:
                raise LedgerDown
            self._skip(entry, reason, message)
        except LedgerDown as error:
            self._unskipped.append((entry, reason, message))
            self.put_off(error)

    def _skip(
        self, entry: Claimed, reason: Reason, message: str, now: datetime | None = None
    ) -> None:
        """Enter a skip, and write to who hears of it. With `now` its job counts that as an end."""
        report = self.telling.of_skip(entry, reason, message, self.now)
        self.ledger.skip(entry.run_id, reason, message, now, report=report)
        self.telling.told(report)
        if now is not None:
            self.count_skip(entry, reason)

    def give_up(self, entry: Claimed, reason: Reason, message: str) -> None:
        """A fire has waited in vain; with `from_end` that is an end. Raises LedgerDown."""
        self._skip(entry, reason, message, self.now)

    def count_skip(self, entry: Claimed, reason: Reason, count: int = 1) -> None:
        if self.tally is not None:
            self.tally.skipped(entry.fire.job, reason, count)

    def count_gaps(self, gaps: Iterable[Gap]) -> None:
        if self.tally is not None:
            for gap in gaps:
                self.tally.skipped(gap.job, gap.reason, gap.count)

    def _count_end(self, run: Run, outcome: Outcome, ended: datetime) -> None:
        if self.tally is not None:
            fire, late = run.claimed.fire, run.started - run.claimed.fire.moved
            took = ended - run.started
            self.tally.ended(fire.job, outcome.state, fire.trigger, took, late)

    def _look_again(self, former: dict[str, datetime], error: LedgerDown) -> None:
        """What cannot be recorded is not started: undo the look and try again in a second."""
        for name, looked in former.items():
            seat = self.seats[name]
            seat.looked = looked
            if seat.entry is not None:
                seat.entry.following(seat.rhythm, looked).reschedule()
        self.put_off(error)

    def put_off(self, error: LedgerDown) -> None:
        """The ledger cannot be written: say so, and try again in a second."""
        if str(error):
            self.outage.note(error, self.now)
        self._again = self.now + TRY_AGAIN

    def _is_writable(self) -> bool:
        """After an outage, whether the ledger can be written again."""
        try:
            self.ledger.beat(self.now)
        except LedgerDown as error:
            self.put_off(error)
            return False
        return True

    # -- asked for by a person -----------------------------------------------------------------

    def trigger(self, name: str, now: datetime, delay: timedelta) -> tuple[int, bool]:
        """Enter a fire a person asked for: its run's id, and whether `overlap` refused it.

        Raises KeyError for a job that is not in the file, LedgerDown.
        """
        seat = self.seats[name]
        self.now = now
        fire = Fire(job=name, at=now + delay, moved=now + delay, trigger=Trigger.MANUAL)
        entry = self.ledger.enter(seat.state, self.dated(seat, fire), now)
        if delay:
            self._hold(seat, entry)
        elif not self._admit(seat, entry):
            return entry.run_id, True
        try:
            self.advance(now)
        except LedgerDown as error:
            self.put_off(error)
        return entry.run_id, False

    def _admit(self, seat: Seat, entry: Claimed) -> bool:
        """Let a single entered fire meet `overlap`; whether it may wait or start."""
        overlap = seat.job.overlap
        if seat.busy and (overlap is Overlap.SKIP or (overlap is Overlap.QUEUE and seat.line)):
            message = "the run before it was still going"
            self.skip(entry, Reason.OVERLAP, message)
            return False
        self.enter_line(seat, [replace(entry, alone=True, not_before=None)])
        return True

    def stop(self, run_id: int, by: str) -> bool:
        """End a run, or a fire or retry that waits; whether there was such a thing."""
        run = self.runs.get(run_id)
        if run is not None:
            self._stop(run, f"stopped by {by}", None)
            return True
        for seat in self._waiters.values():
            for entry in (*seat.line, *seat.pending.values()):
                if entry.run_id == run_id:
                    self._cancel(seat, entry, f"stopped by {by}", None)
                    return True
        return False

    def _stop(self, run: Run, message: str, reason: Reason | None) -> None:
        if not run.stopped:
            run.stopped, run.reason = message, reason
            self.end(run.claimed.run_id)

    def _cancel(self, seat: Seat, entry: Claimed, message: str, reason: Reason | None) -> None:
        self.ledger.cancel(entry.run_id, reason, message, self.now)
        self.waiting.forget(seat, entry)
        seat.pending.pop(entry.run_id, None)
        if entry in seat.line:
            seat.line.remove(entry)
        self.note_waiter(seat)

    # -- running -------------------------------------------------------------------------------

    def advance(self, now: datetime) -> None:
        """Start waiting fires as far as gates are open, the oldest fire first."""
        self.now = now
        for name in sorted(self.untried):
            if name in self.seats:
                self.try_failed(self.seats[name])
            self.untried.discard(name)
        self._wake(now)
        while self._waiters and self._start_next():
            pass  # what ran inside the daemon is over already, and has made room

    def _start_next(self) -> bool:
        """Start what may start now; whether some of it has ended at once."""
        self.count_places()
        chosen: list[tuple[Seat, Claimed]] = []
        waiting = [seat for seat in self._waiters.values() if seat.line]
        if self.gates.crowded:
            waiting = [seat for seat in waiting if not seat.patient]
        for seat in sorted(waiting, key=lambda seat: seat.line[0].fire.moved):
            if seat.patient and self.gates.crowded:
                continue
            if (entry := self._next(seat)) is not None:
                self.gates.take(seat)
                chosen.append((seat, entry))
        if not chosen:
            return False
        self.ledger.begin([entry for _, entry in chosen], self.now)
        self._leave_line(chosen)
        self._start_all(chosen)
        return any(entry.run_id not in self.runs for _, entry in chosen)

    def _leave_line(self, begun: list[tuple[Seat, Claimed]]) -> None:
        for seat, entry in begun:
            seat.line.remove(entry)
            seat.forget(entry)
            self.note_waiter(seat)

    def _next(self, seat: Seat) -> Claimed | None:
        """The waiting fire that may start now: the first in line, or one sent past it."""
        if self.passes(seat, seat.line[0]):
            return seat.line[0]
        if seat.line and (head := seat.head) is not seat.line[0]:
            return None if self.gates.shut(seat, head) else head
        return None

    def passes(self, seat: Seat, entry: Claimed) -> bool:
        """Whether the first in line may start now; where it must ask or make room, that begins."""
        if seat.asking == entry.run_id:
            return False
        seat.shut = shut = self.gates.shut(seat, entry)
        seat.note_patience()
        if shut == "overlap" and seat.job.overlap is Overlap.REPLACE:
            seat.shut = shut = self.gates.waits(seat, entry) or shut
        if shut == READY or (shut is not None and shut.startswith("after:")):
            return self.waiting.wait(seat, shut)
        if shut is None:
            return self.waiting.should_run(seat, entry)
        if shut == "overlap" and self.gates.replaces(seat, entry):
            return self.waiting.should_run(seat, entry) and self._replace(seat, entry)
        return False

    def _wake(self, now: datetime) -> None:
        """Pending attempts whose moment has come join the line; who waited too long leaves it."""
        for seat in [seat for seat in self._waiters.values() if not seat.patient]:
            for entry in [e for e in seat.pending.values() if _due(e, now)]:
                del seat.pending[entry.run_id]
                if entry.attempt > 1:
                    seat.line.appendleft(entry)
                else:
                    self._admit(seat, entry)
            pool = self.gates.pools.get(seat.job.pool or "")
            if pool is not None and pool.wait is not None:
                for entry in [e for e in seat.line if now >= e.taken_at + pool.wait]:
                    message = f"no place in the pool within {show_duration(pool.wait)}"
                    self.waiting.give_up(seat, entry, Reason.POOL, message)
            self.note_waiter(seat)

    def _replace(self, seat: Seat, entry: Claimed) -> bool:
        """Make room for the fire; whether it may start now.

        Where a run is under way it may once that run's tree is gone.
        """
        message = f"replaced by run {entry.run_id}"
        for retry in [other for other in seat.pending.values() if other.attempt > 1]:
            self._cancel(seat, retry, message, Reason.REPLACED)
        for run_id in seat.running:
            self._stop(self.runs[run_id], message, Reason.REPLACED)
        return not seat.running

    def _start_all(self, begun: list[tuple[Seat, Claimed]]) -> None:
        made: list[int] = []
        self.telling.of_starts(begun, self.now)
        present = self._present()
        record_at = present + ENDS_WITHIN
        for seat, entry in begun:
            seat.running.add(entry.run_id)
            self.gates.followed[seat.job.name].started = self.now
            if log.isEnabledFor(logging.DEBUG):
                log.debug("%s: run %d starts", seat.job.name, entry.run_id, extra=of_attempt(entry))
            started = self._start(self.task(seat, entry))
            begun_at, present = present, self._present()
            if isinstance(started, Outcome):
                self._end(Run(seat, entry, None, begun_at), started, present)
                if present >= record_at:
                    self._record_if_it_can()
                    present = self._present()
                    record_at = present + ENDS_WITHIN
            else:
                self.runs[entry.run_id] = Run(seat, entry, started, self.now)
                if started.pid:
                    made.append(entry.run_id)
        self.note_processes(made, self.now)
        if self._unrecorded:
            self._record_if_it_can()

    def task(self, seat: Seat, entry: Claimed) -> Task:
        return Task.of(entry.run_id, seat.job, entry.fire, entry.attempt, ledger=seat.rhythm.seed)

    def note_processes(self, runs: Iterable[int], now: datetime) -> None:
        """Which process carries each run out is known, to be written with what is written next.

        Until then a run is known by the mark its processes carry.
        """
        self._unnoted.update(run_id for run_id in runs if run_id in self.runs)
        if self._unnoted and self.note_by is None:
            self.note_by = now + NOTED_WITHIN

    def _start(self, task: Task) -> UnderWay | Outcome:
        try:
            return self.start(task)
        except OSError as error:
            what = f": {error.filename}" if error.filename else ""
            message = f"could not start: {error.strerror or error}{what}"
            return Outcome(state=State.FAILURE, message=message)

    def ended(self, departed: Departed, now: datetime) -> None:
        """A run's process is gone: record how it ended."""
        self.note_end(departed, now)
        self._record_if_it_can()

    def note_end(self, departed: Departed, now: datetime) -> None:
        """A run's process is gone: how it ended is recorded at the next look."""
        run = self.runs.pop(departed.run_id)
        assert run.running is not None
        outcome = concluded(run.running.outcome(), departed, run.seat.job)
        if run.stopped:
            outcome = replace(outcome, state=State.STOPPED, message=run.stopped, reason=run.reason)
        self._end(run, outcome, now)

    def _end(self, run: Run, outcome: Outcome, now: datetime) -> None:
        run.seat.running.discard(run.claimed.run_id)
        self._unnoted.discard(run.claimed.run_id)
        self._unrecorded.append((run, outcome, now))

    def _record_if_it_can(self) -> None:
        try:
            if self.outage:
                raise LedgerDown
            self._record_the_rest()
        except LedgerDown as error:
            self.put_off(error)

    def record(self, now: datetime) -> bool:
        """Look at nothing, but write what could not be written so far; whether all is written."""
        self.now = now
        left = bool(self._unrecorded or self._unskipped or self._unnoted)
        if left and (self._again is None or now >= self._again):
            self._again = None
            try:
                self._record_the_rest(all_of_it=True)
                self.outage.over(now)
                left = False
            except LedgerDown as error:
                self.put_off(error)
        return not left

    @property
    def held(self) -> Held:
        """All that is in hand, for a ledger that has lost it."""
        jobs = [replace(seat.state, looked=seat.looked) for seat in self.seats.values()]
        runs = [*self.runs.values(), *(run for run, _, _ in self._unrecorded)]
        gone = {run.seat.job.name: run.seat.state for run in runs if run.seat.removed}
        jobs += [state for name, state in gone.items() if name not in self.seats]
        seats = self._waiters.values()
        waiting = [entry for seat in seats for entry in (*seat.line, *seat.pending.values())]
        waiting += [entry for entry, _, _ in self._unskipped if entry.fire.job in self.seats]
        held = [seat.held for seat in self.seats.values() if seat.held is not None]
        return Held(
            jobs,
            [
                *((_as_open(run), run.started) for run in runs),
                *((OpenRun(entry, State.WAITING, None, None), None) for entry in waiting),
                *((OpenRun(e, State.WAITING, None, None, stretch), None) for e, stretch in held),
            ],
        )

    def _record_the_rest(self, *, all_of_it: bool = False) -> None:
        """Write what is to be written; which processes carry runs out only if it is time to."""
        while self._unskipped:
            entry, reason, message = self._unskipped[0]
            self._skip(entry, reason, message)
            self._unskipped.pop(0)
        while self._unrecorded:
            self._record_ends([self._ending(*end) for end in unrelated(self._unrecorded)])
        if self._unnoted and (all_of_it or (self.note_by and self.now >= self.note_by)):
            self.ledger.note_processes(self._processes)
            self._unnoted, self.note_by = set(), None

    @property
    def _processes(self) -> dict[int, tuple[int, int]]:
        """Those that are to be noted, by run: pid and start time."""
        found = ((run_id, self.runs[run_id].running) for run_id in self._unnoted)
        return {run_id: (one.pid, one.started) for run_id, one in found if one is not None}

    def _ending(self, run: Run, outcome: Outcome, ended: datetime) -> Ending:
        """What is to be written of an end."""
        retry_at = again(run, outcome, ended)
        if retry_at is not None:
            return Ending(run, outcome, ended, retry_at)
        then = self._followers(run, outcome, ended)
        report = self.telling.of_end(run, outcome, ended)
        return Ending(run, outcome, ended, None, then, line_of(run, outcome), report)

    def _hand_over(self) -> list[tuple[Seat, Claimed]]:
        """Record ends together with the beginning of whoever takes their places, to be started."""
        endings = [self._ending(*end) for end in unrelated(self._unrecorded)]
        heirs = self._heirs(endings)
        self._record_ends(endings, heirs)
        return heirs

    def _heirs(self, endings: list[Ending]) -> list[tuple[Seat, Claimed]]:
        """Who starts next, as far as no end can change that: all who wait want a place alone."""
        waiting = self._waiters.values()
        if self.untried or any(e.then for e in endings) or not all(s.patient for s in waiting):
            return []
        self.count_places()
        first = nsmallest(self.gates.free, waiting, key=lambda seat: seat.line[0].fire.moved)
        return [(seat, seat.line[0]) for seat in first]

    def _record_ends(
        self, endings: list[Ending], heirs: list[tuple[Seat, Claimed]] | None = None
    ) -> None:
        """Write ends that do not bear on each other, and what follows from each of them.

        The `heirs` begin in the same transaction.
        """
        with self.ledger.together():
            if self._unnoted:
                self.ledger.note_processes(self._processes)
            entered = self.ledger.finish_all([as_entered(ending) for ending in endings])
            if heirs:
                self.ledger.begin([entry for _, entry in heirs], self.now)
        self._leave_line(heirs or [])
        self._unnoted, self.note_by = set(), None
        for ending, (retry, followers) in zip(endings, entered, strict=True):
            self._unrecorded.popleft()
            self._conclude(ending, retry, followers)

    def _conclude(self, ending: Ending, retry: Claimed | None, followers: list[Claimed]) -> None:
        """Go by an end that has been written."""
        run, line = ending.run, ending.line
        self.telling.told(ending.report, run)
        self._tell(run, ending.outcome, ending.at, ending.again)
        self._count_end(run, ending.outcome, ending.at)
        if retry is not None and not run.seat.removed:
            self._hold(run.seat, retry)
        elif retry is None:
            self.gates.followed[run.seat.job.name].note(ending.outcome.state, ending.at)
            if line is not None:
                run.seat.failed = run.claimed if line.failed else None
            self.from_its_end(run.seat, ending.at)
        for entry in followers:
            self._begin_after(entry)

    def _followers(self, run: Run, outcome: Outcome, ended: datetime) -> list[tuple[Seat, Fire]]:
        """The fires of the jobs that come after this one."""
        job, found = run.seat.job, []
        if not job.then or run.seat.removed or not job.then_on.takes(outcome.state):
            return []
        for name in job.then:
            seat = self.seats.get(name)
            if seat is None:
                text = "%s: %s cannot come after it: it is broken"
                log.error(text, job.name, name, extra=facts(job=job.name))
                continue
            fire = Fire(job=name, at=ended, moved=ended, trigger=Trigger.THEN)
            found.append((seat, self.dated(seat, fire)))
        return found

    def _begin_after(self, entry: Claimed) -> None:
        """A fire that follows another job's end, and has its row already, passes its own gates."""
        seat = self.seats[entry.fire.job]
        if seat.job.active:
            self._admit(seat, entry)
        else:
            self.skip(entry, Reason.DISABLED, self._off(seat))

    def _tell(self, run: Run, outcome: Outcome, ended: datetime, again: datetime | None) -> None:
        bad = outcome.state not in (State.SUCCESS, State.WARNING, State.SKIPPED)
        fire = run.claimed.fire
        if outcome.state in (State.FAILURE, State.TIMEOUT):
            self.failed.add((fire.job, fire.at))
        else:
            self.failed.discard((fire.job, fire.at))
        level = logging.WARNING if bad else logging.INFO
        if not log.isEnabledFor(level):
            return
        log.log(
            level,
            "%s: run %d %s after %s%s%s",
            run.seat.job.name,
            run.claimed.run_id,
            outcome.state.value,
            show_duration(ended - run.started),
            f": {outcome.message}" if outcome.message else "",
            f"; tried again in {show_duration(again - ended)}" if again else "",
            extra=of_end(run.claimed, outcome, ended - run.started),
        )

    def from_its_end(self, seat: Seat, ended: datetime) -> None:
        """With `from_end` the next fire counts from here."""
        if not seat.job.schedule.from_end or seat.entry is None or seat.removed:
            return
        seat.rhythm = replace(seat.state, ended=ended).rhythm(seat.job, seat.rhythm.seed)
        seat.looked = max(seat.looked, ended)
        seat.entry.following(seat.rhythm, seat.looked).reschedule()


def _as_open(run: Run) -> OpenRun:
    process = run.running
    pid, started = (process.pid, process.started) if process else (None, None)
    return OpenRun(run.claimed, State.RUNNING, pid, started)


def _starts(job: Job) -> bool:
    return job.run_at_start and job.active


def _wants_a_place(seat: Seat) -> bool:
    """Whether an older fire waits for a place: newer ones do not go before it."""
    return seat.shut == "max_running" or (seat.shut or "").startswith("pool:")


def _due(entry: Claimed, now: datetime) -> bool:
    return entry.not_before is None or entry.not_before <= now
