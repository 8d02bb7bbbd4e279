"""A ledger on paper: what an engine decides is kept in memory, of runs that are only predicted."""

from __future__ import annotations

from collections import deque
from collections.abc import Collection, Iterable, Iterator, Mapping, Sequence
from contextlib import AbstractContextManager, nullcontext
from datetime import UTC, datetime

from msgspec import Struct
from msgspec.structs import replace

from inisched.model.run import Fire, Gap, Reason
from inisched.stores.claims import Claimed, Ended, Take
from inisched.stores.job_state import Beginning, JobState
from inisched.stores.ledger import Ledger
from inisched.stores.post import Report
from inisched.stores.switches import Switch, Switches

NOT_YET = datetime.max.replace(tzinfo=UTC)
"""The end of a run of which it is not known."""


class PaperRun(Struct):
    """A predicted run; `waited_for` is the gate it waited at, "" where it did not wait."""

    job: str
    fire_at: datetime
    start_at: datetime
    end_at: datetime = NOT_YET
    waited_for: str = ""


class PaperSkip(Struct):
    """A stretch of fires that would not run, `fire_at` the first of them."""

    job: str
    fire_at: datetime
    reason: Reason
    count: int


class Waiting(Struct):
    """A fire that waits; `gate` is what for, "" while nobody has looked."""

    run_id: int
    fire: Fire
    gate: str = ""


class PaperSwitches(Switches):
    """Nothing is switched: the jobs are as their switches have made them."""

    def __init__(self) -> None:
        """There is no ledger to keep them in."""

    def all(self) -> dict[str, Switch]:
        return {}


class PaperLedger(Ledger):
    """The same door as the real one as far as an engine goes through it, with the same account.

    No file is behind it: what only a daemon asks, of its life and of harm to the file, it does
    not have. Every run comes to its end, so there are no next attempts.
    """

    def __init__(self, jobs: Mapping[str, JobState], identity: str) -> None:
        """`jobs` are those that will be adopted, and where their rhythms stand."""
        self.switches = PaperSwitches()
        self._jobs = dict(jobs)
        self._identity = identity
        self._entered = 0
        self._rows: deque[PaperRun] = deque()
        self._under_way: dict[int, PaperRun] = {}
        self._gaps: dict[str, PaperSkip] = {}
        self.waiting: dict[int, Waiting] = {}
        self.arrivals: list[Waiting] = []
        """What waits and has not been looked at yet."""
        self.skips: list[PaperSkip] = []
        """What is skipped, in the order in which that was decided."""

    @property
    def id(self) -> str:
        return self._identity

    def runs(self) -> Iterator[PaperRun]:
        """The runs since the last call, in the order of their starts, as far as ends are known."""
        while self._rows and self._rows[0].end_at is not NOT_YET:
            yield self._rows.popleft()

    def foresee(self, run_id: int, end_at: datetime) -> None:
        """When the run will end, for sure."""
        self._under_way[run_id].end_at = end_at

    def together(self) -> AbstractContextManager[None]:
        return nullcontext()

    # -- jobs ----------------------------------------------------------------------------------

    def jobs(self) -> dict[str, JobState]:
        return dict(self._jobs)

    def seat(
        self,
        beginnings: Collection[Beginning],
        now: datetime,
        *,
        resting: Mapping[str, str] | None = None,
        stale: Iterable[str] = (),
        back: Iterable[str] = (),
        known: Mapping[str, JobState] | None = None,
        missed: Iterable[tuple[JobState, Gap]] = (),
    ) -> dict[str, JobState]:
        return {new.name: self._jobs[new.name] for new in beginnings}

    def cuts(self) -> dict[tuple[str, datetime], list[tuple[datetime, datetime]]]:
        """No clock is set."""
        return {}

    def beat(self, now: datetime) -> None:
        """Nobody looks for a sign of life."""

    # -- fires ---------------------------------------------------------------------------------

    def claim(
        self, takes: Iterable[Take], now: datetime, *, report: Report | None = None
    ) -> list[tuple[Take, list[Claimed]]]:
        claimed = []
        for take in takes:
            for gap in take.gaps:
                self._enter_gap(gap)
            alone = len(take.start) + len(take.wait) == 1
            entries = [self._start(fire, now) for fire in take.start]
            entries += [self._wait(fire, now, alone=alone) for fire in take.wait]
            claimed.append((take, entries))
        return claimed

    def enter(self, job: JobState, fire: Fire, now: datetime) -> Claimed:
        return self._wait(fire, now, alone=False)

    def _start(self, fire: Fire, now: datetime) -> Claimed:
        self._entered += 1
        self._begin(self._entered, fire, now, "")
        return Claimed(run_id=self._entered, fire=fire, taken_at=now, start=True)

    def _wait(self, fire: Fire, now: datetime, *, alone: bool) -> Claimed:
        self._entered += 1
        entry = Waiting(self._entered, fire)
        self.waiting[entry.run_id] = entry
        self.arrivals.append(entry)
        self._gaps.pop(fire.job, None)
        return Claimed(run_id=entry.run_id, fire=fire, taken_at=now, alone=alone)

    def _begin(self, run_id: int, fire: Fire, now: datetime, gate: str) -> None:
        run = PaperRun(fire.job, fire.moved, now, waited_for=gate)
        self._rows.append(run)
        self._under_way[run_id] = run
        self._gaps.pop(fire.job, None)

    def _enter_gap(self, gap: Gap) -> None:
        """A gap grows until its reason changes or a run of its job is entered or starts."""
        former = self._gaps.get(gap.job)
        if former is not None and former.reason is gap.reason is not Reason.COALESCED:
            former.count += gap.count
            return
        self._gaps[gap.job] = PaperSkip(gap.job, gap.first, gap.reason, gap.count)
        self.skips.append(self._gaps[gap.job])

    # -- runs ----------------------------------------------------------------------------------

    def begin(self, entries: Iterable[Claimed], now: datetime) -> None:
        for claimed in entries:
            entry = self.waiting.pop(claimed.run_id)
            self._begin(claimed.run_id, entry.fire, now, entry.gate)

    def note_processes(self, processes: Mapping[int, tuple[int, int]]) -> None:
        """There are none."""

    def finish_all(self, ends: Sequence[Ended]) -> list[tuple[Claimed | None, list[Claimed]]]:
        found: list[tuple[Claimed | None, list[Claimed]]] = []
        for end in ends:
            self._under_way.pop(end.claimed.run_id).end_at = end.at
            found.append((None, [self._wait(fire, end.at, alone=False) for _, fire in end.then]))
        return found

    def take_place(self, older: Claimed, newer: Claimed) -> Claimed:
        self.skip(older.run_id, Reason.COALESCED, "")
        return replace(newer, taken_at=older.taken_at)

    def skip(
        self,
        run_id: int,
        reason: Reason,
        message: str,
        now: datetime | None = None,
        *,
        report: Report | None = None,
    ) -> None:
        fire = self.waiting.pop(run_id).fire
        self.skips.append(PaperSkip(fire.job, fire.moved, reason, 1))

    def cancel(self, run_id: int, reason: Reason | None, message: str, now: datetime) -> None:
        del self.waiting[run_id]
