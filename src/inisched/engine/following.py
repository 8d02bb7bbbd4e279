"""Which jobs a fire still has to wait for: those it follows, by how they last ended."""

from __future__ import annotations

from collections.abc import Iterable, Iterator
from datetime import datetime, timedelta

from msgspec import Struct

from inisched.model.job import Ending, Gates
from inisched.model.run import FAILURES, SUCCESSES, State
from inisched.stores.job_state import JobState


class Ends(Struct):
    """When a job's latest run started, and when one last succeeded and failed; None: never."""

    started: datetime | None = None
    succeeded: datetime | None = None
    failed: datetime | None = None

    def last(self, ending: Ending) -> datetime | None:
        """When a run last ended so."""
        good = self.succeeded if ending.takes(State.SUCCESS) else None
        bad = self.failed if ending.takes(State.FAILURE) else None
        return max((moment for moment in (good, bad) if moment is not None), default=None)

    def note(self, state: State, ended: datetime) -> None:
        """The last attempt at a fire has ended."""
        if state in SUCCESSES:
            self.succeeded = ended
        elif state in FAILURES:
            self.failed = ended

    def move(self, step: timedelta) -> None:
        """The clock was set: all of it is as long ago as it was."""
        self.started = self.started and self.started + step
        self.succeeded = self.succeeded and self.succeeded + step
        self.failed = self.failed and self.failed + step


class Followed:
    """How all the jobs of a file stand with those that follow them."""

    def __init__(self) -> None:
        self._ends: dict[str, Ends] = {}

    def __getitem__(self, name: str) -> Ends:
        ends = self._ends.get(name)
        if ends is None:
            ends = self._ends[name] = Ends()
        return ends

    def know(self, states: Iterable[JobState]) -> None:
        """Take over what the ledger remembers of jobs not known yet."""
        for state in states:
            if state.started or state.succeeded or state.failed:
                ends = Ends(state.started, state.succeeded, state.failed)
                self._ends.setdefault(state.name, ends)

    def move(self, step: timedelta) -> None:
        for ends in self._ends.values():
            ends.move(step)

    def unmet(self, job: str, gates: Gates) -> str | None:
        """The first job it still waits for; None where it waits for none."""
        if not gates.after and not gates.future:
            return None
        return next(self.missing(job, gates), None)

    def missing(self, job: str, gates: Gates) -> Iterator[str]:
        """All jobs it still waits for, in the order of the file.

        Each must have a run that ended after this job's own last run started; a job that never
        ran accepts any, and needs none of a future one.
        """
        started = self[job].started
        for name in gates.upstream:
            if started is None and name in gates.future and name not in gates.after:
                continue
            ended = self[name].last(gates.after_on)
            if ended is None or (started is not None and ended <= started):
                yield name
