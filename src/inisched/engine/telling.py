"""Has people told of what becomes of jobs, each time in the transaction that enters it."""

from __future__ import annotations

from collections.abc import Collection, Iterable, Mapping
from datetime import datetime, timedelta
from typing import Protocol

from inisched.engine.gates import Gates
from inisched.engine.herald import Herald
from inisched.engine.lateness import Lateness
from inisched.engine.run import Run
from inisched.engine.seat import Seat
from inisched.model.run import Outcome, Reason
from inisched.stores.claims import Claimed, Take
from inisched.stores.ledger import Ledger, LedgerDown
from inisched.stores.post import Report


class Host(Protocol):
    """The engine, as far as telling goes."""

    ledger: Ledger
    gates: Gates
    seats: dict[str, Seat]
    runs: dict[int, Run]

    def put_off(self, error: LedgerDown) -> None:
        """The ledger cannot be written."""


class Telling:
    """What the engine has told; without a `herald` nothing is, as where runs are only predicted."""

    def __init__(self, engine: Host, herald: Herald | None) -> None:
        self._engine = engine
        self.herald = herald
        self._lateness = Lateness(
            lambda name: engine.gates.followed[name].started,
            lambda name: engine.ledger.post.rested_until(name),
        )
        self._broken: Collection[str] | None = None
        """The jobs of the file that are broken; None before a file was adopted."""
        self.away: tuple[datetime, datetime] | None = None
        """When nobody looked last, as far as is known."""

    @property
    def due(self) -> Iterable[datetime | None]:
        """When somebody must be told something even if nothing happens."""
        return (self.herald.due, self._lateness.due) if self.herald is not None else ()

    def adopted(self, seats: Mapping[str, Seat], broken: Collection[str]) -> None:
        """The jobs of the file are these now, and those that are broken."""
        self._broken = broken
        if self.herald is not None:
            self.herald.adopted(name for name, seat in seats.items() if not seat.job.active)

    def recall(self) -> None:
        """Somebody else has written of incidents. Raises LedgerDown."""
        if self.herald is not None:
            self.herald.recall()

    def move(self, step: timedelta) -> None:
        """The clock was set."""
        self._lateness.move(step)
        if self.herald is not None:
            self.herald.move(step)

    # -- lateness ------------------------------------------------------------------------------

    def expect(self, seat: Seat, since: datetime | None = None) -> None:
        """Watch whether the job's runs start in time, unless it is known to be late.

        Its rhythm began at `since`, where that is not what the ledger says.
        """
        if self.herald is None:
            return
        self._lateness.watch(seat, since)
        if seat.job.notices.expect_within and self.herald.is_late(seat.job.name):
            self._lateness.forget(seat.job.name)

    def forget(self, seat: Seat) -> None:
        """The job is gone, or off."""
        self._lateness.forget(seat.job.name)

    # -- what happens --------------------------------------------------------------------------

    def look(self, now: datetime) -> None:
        """Tell of what did not happen in time, and remind.

        Raises LedgerDown, and may then be asked again.
        """
        if self.herald is None:
            return
        report, runs = Report(now), self._engine.runs
        late = self._lateness.look(now)
        for seat, fire in late:
            self.herald.late(report, seat, fire, self._why_late(seat, fire))
        overdue = self.herald.overdue(report, runs)
        if self._broken is not None:
            self.herald.remind(report, self._engine.seats, self._broken)
        try:
            self._engine.ledger.post.enter(report)
        except LedgerDown:
            for seat, _ in late:
                self._lateness.watch(seat)
            raise
        self.herald.accept(report)
        self.herald.forget(overdue)
        if self._broken is not None:
            self.herald.swept()

    def of_gaps(self, takes: Iterable[Take], now: datetime) -> Report | None:
        """What is told of the gaps that are about to be entered."""
        if self.herald is None:
            return None
        report: Report | None = None
        for take in takes:
            for gap in take.gaps:
                job = self._engine.seats[take.job.name].job
                report = report or Report(now)
                facts = {"fire_at": gap.first, "fire_until": gap.last, "count": gap.count}
                self.herald.skipped(report, job, gap.reason, gap.message, **facts)
        return report or None

    def of_skip(self, entry: Claimed, reason: Reason, message: str, now: datetime) -> Report | None:
        """What is told of a waiting fire that will not run."""
        seat = self._engine.seats.get(entry.fire.job)
        if self.herald is None or seat is None:
            return None
        report = Report(now)
        facts = {"run": entry.run_id, "fire_at": entry.fire.moved}
        self.herald.skipped(report, seat.job, reason, message, **facts)
        return report or None

    def of_starts(self, begun: Iterable[tuple[Seat, Claimed]], now: datetime) -> None:
        """Tell of runs whose rows are committed and which are about to start."""
        report = self.herald.started(begun, now) if self.herald is not None else None
        if report is not None:
            try:
                self._engine.ledger.post.enter(report)
            except LedgerDown as error:
                self._engine.put_off(error)

    def of_end(self, run: Run, outcome: Outcome, ended: datetime) -> Report | None:
        """What is told of the end of the last attempt at a fire."""
        if self.herald is None:
            return None
        worked = self._engine.gates.followed[run.seat.job.name].succeeded
        late = self._lateness.is_overdue(run.seat, ended)
        return self.herald.ended(run, outcome, ended, worked=worked, late=late)

    def told(self, report: Report | None, run: Run | None = None) -> None:
        """A report has been written, of a run's end where there is one."""
        if self.herald is None:
            return
        if run is not None:
            self.herald.forget([run.claimed.run_id])
        if report is None:
            return
        was_late = run is not None and self.herald.is_late(run.seat.job.name)
        self.herald.accept(report)
        if run is not None and was_late and not run.seat.removed:
            self.expect(run.seat)

    def _why_late(self, seat: Seat, fire: datetime) -> str:
        """What is known of why no run has started since a fire."""
        if self._engine.gates.held:
            return "all is held"
        if seat.running:
            return f"run {max(seat.running)} is still going"
        if seat.line:
            return f"its fire waits for {seat.shut or 'a place'}"
        if self.away is not None and self.away[0] <= fire <= self.away[1]:
            return "nobody looked: the daemon was down, or the machine slept"
        return ""
