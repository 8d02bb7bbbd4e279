"""Fires that wait at a gate of their own: for those they follow, for their data, for an answer."""

from __future__ import annotations

import logging
from datetime import datetime
from typing import Protocol

from msgspec.structs import replace

from inisched.engine.asking import READY, SHOULD_RUN, Ask, Question
from inisched.engine.endings import concluded
from inisched.engine.facts import of_attempt
from inisched.engine.gates import Gates
from inisched.engine.nursery import Departed
from inisched.engine.patience import is_overdue, limit_of, next_question, override_of
from inisched.engine.run import End
from inisched.engine.seat import Seat
from inisched.executors.asking import answer
from inisched.executors.running import Task
from inisched.model.duration import show_duration
from inisched.model.job import Ending, Misfire, Overlap
from inisched.model.run import Outcome, Reason, State, Trigger
from inisched.stores.claims import Claimed
from inisched.stores.ledger import Ledger, LedgerDown

log = logging.getLogger("inisched")

_VERBS = {Ending.SUCCESS: "succeed", Ending.FAILURE: "fail", Ending.FINISHED: "run"}


class Host(Protocol):
    """The engine, as far as waiting goes."""

    now: datetime
    ledger: Ledger
    gates: Gates
    seats: dict[str, Seat]
    end: End

    def passes(self, seat: Seat, entry: Claimed) -> bool:
        """Whether the first in line may start now."""

    def take_place(self, seat: Seat, older: Claimed, newer: Claimed) -> Claimed:
        """The newer fire waits in place of the older one."""

    def skip(self, entry: Claimed, reason: Reason, message: str, count: int = 1) -> None:
        """A fire that gives way."""

    def give_up(self, entry: Claimed, reason: Reason, message: str) -> None:
        """A fire has waited in vain."""

    def note_waiter(self, seat: Seat) -> None:
        """What waits of the seat has changed."""

    def from_its_end(self, seat: Seat, ended: datetime) -> None:
        """With `from_end` the next fire counts from here."""

    def task(self, seat: Seat, entry: Claimed) -> Task:
        """The attempt as an executor needs it."""

    def put_off(self, error: LedgerDown) -> None:
        """The ledger cannot be written."""


class Waiting:
    """The engine's hand on what waits so, and on the questions under way, by run."""

    def __init__(self, engine: Host, door: Ask | None) -> None:
        """Without a door nobody can be asked."""
        self._engine = engine
        self._door = door
        self.questions: dict[int, Question] = {}

    def wait(self, seat: Seat, shut: str) -> bool:
        """Let the first in line wait for those it follows or its data, as long as it may."""
        self._close_up(seat)
        entry = seat.line[0]
        if self._gave_up(seat, entry, shut):
            return False
        if shut == READY and entry.run_id not in self.questions:
            moment = next_question(seat.job.gates, entry)
            if moment is None or self._engine.now >= moment:
                self._ask(seat, entry, READY)
                entry = seat.line[0]
                return seat.is_ready(entry, self._engine.now) and self._engine.passes(seat, entry)
        return False

    def _close_up(self, seat: Seat) -> None:
        """Of a line whose head must wait one fire stays: the newest, or with `queue` the first."""
        if seat.job.misfire is Misfire.ALL:
            return
        rest = [entry for entry in seat.line if entry.scheduled][1:]
        for entry in rest:
            seat.line.remove(entry)
            if seat.job.overlap is Overlap.QUEUE:
                self._engine.skip(entry, Reason.OVERLAP, "the fire before it was still waiting")
                continue
            position = next(n for n, other in enumerate(seat.line) if other.scheduled)
            seat.line[position] = self._engine.take_place(seat, seat.line[position], entry)

    def _gave_up(self, seat: Seat, entry: Claimed, shut: str) -> bool:
        """Whether the fire has waited as long as it may, and is skipped."""
        limit = limit_of(seat.job.gates, entry)
        override = override_of(seat.job.gates, entry)
        if limit is None or self._engine.now < limit:
            return False
        if shut == READY and override is not None and override <= limit:
            return False
        assert seat.job.gates.wait_limit is not None
        lasted = show_duration(seat.job.gates.wait_limit)
        if shut == READY:
            reason, message = Reason.NOT_READY, f"its data was not ready within {lasted}"
        else:
            name, verb = shut.removeprefix("after:"), _VERBS[seat.job.gates.after_on]
            reason, message = Reason.DEPENDENCY, f"{name} did not {verb} within {lasted}"
        self.give_up(seat, entry, reason, message)
        return True

    def give_up(self, seat: Seat, entry: Claimed, reason: Reason, message: str) -> None:
        """A waiting fire does not run; with `from_end` the next one counts from here."""
        self._engine.give_up(entry, reason, message)
        seat.line.remove(entry)
        self.forget(seat, entry)
        self._engine.note_waiter(seat)
        self._engine.from_its_end(seat, self._engine.now)

    def forget(self, seat: Seat, entry: Claimed) -> None:
        seat.forget(entry)
        if entry.run_id in self.questions:
            self._engine.end(-entry.run_id)

    def should_run(self, seat: Seat, entry: Claimed) -> bool:
        """Whether the fire has been asked for the last time, or need not be."""
        asks = entry.attempt == 1 and entry.fire.trigger is not Trigger.MANUAL
        if not asks or seat.job.gates.should_run is None or entry.run_id in seat.cleared:
            return True
        self._ask(seat, entry, SHOULD_RUN)
        if seat.asking is not None:
            self._engine.gates.take(seat)
        return entry.run_id in seat.cleared

    def _ask(self, seat: Seat, entry: Claimed, about: str) -> None:
        gates = seat.job.gates
        call = gates.ready if about == READY else gates.should_run
        assert call is not None and self._door is not None
        if about == READY:
            entry = replace(entry, asked=entry.asked + 1, asked_at=self._engine.now)
            self._engine.ledger.note_question(entry)
            seat.line[0] = entry
        else:
            seat.asking = entry.run_id
        try:
            found = self._door(self._engine.task(seat, entry), call)
        except OSError as error:
            message = f"could not be asked: {error.strerror or error}"
            found = Outcome(state=State.FAILURE, message=message)
        if isinstance(found, Outcome):
            self._hear(seat, entry, about, found)
        else:
            self.questions[entry.run_id] = Question(seat, entry, about, found)

    def ask_no_more(self) -> None:
        """The daemon leaves: nobody waits for the answers under way."""
        for run_id in self.questions:
            self._engine.end(-run_id)
        self.questions.clear()

    def answered(self, departed: Departed) -> None:
        """A question has its answer; `departed` has the run's id with a minus."""
        question = self.questions.pop(-departed.run_id, None)
        if question is None:
            return
        outcome = concluded(question.running.outcome(), departed, question.seat.job)
        seat = self._engine.seats.get(question.seat.job.name, question.seat)
        try:
            self._hear(seat, question.entry, question.about, outcome)
        except LedgerDown as error:
            self._engine.put_off(error)

    def _hear(self, seat: Seat, entry: Claimed, about: str, outcome: Outcome) -> None:
        found = answer(outcome)
        name, run_id = seat.job.name, entry.run_id
        entry = next((other for other in seat.line if other.run_id == run_id), entry)
        if found.yes is None:
            taken = "not ready" if about == READY else "a yes"
            text = "%s: %s has no answer: %s; taken for %s"
            log.warning(text, name, about, found.words, taken, extra=of_attempt(entry))
        if entry not in seat.line:
            return
        if about == SHOULD_RUN:
            seat.asking = None
            if found.yes is not False:
                seat.cleared.add(run_id)
            else:
                self.give_up(seat, entry, Reason.SHOULD_RUN, "should_run says no")
        elif found.yes:
            seat.ready[run_id] = self._engine.now + seat.job.gates.ready_every
        elif is_overdue(seat.job.gates, entry, self._engine.now):
            override = replace(entry, fire=replace(entry.fire, override=True))
            seat.line[seat.line.index(entry)] = override
        if about == READY and found.yes is None:
            self._engine.ledger.note_silence(run_id, found.words)
