"""A ledger in a real file, and short ways to say what it is told."""

from __future__ import annotations

from dataclasses import dataclass
from datetime import UTC, datetime
from pathlib import Path

from inisched.model.run import Fire, Gap, Reason, Trigger
from inisched.stores.claims import Claimed, Take
from inisched.stores.history import History, Row
from inisched.stores.job_state import Beginning, JobState
from inisched.stores.ledger import Ledger
from inisched.timing.recurrence import Anchor

LOOK = datetime(2026, 11, 21, 10, 0, tzinfo=UTC)


def at(clock: str) -> datetime:
    """A moment of 21 November 2026, UTC."""
    return datetime.fromisoformat(f"2026-11-21T{clock}+00:00")


def fire(clock: str, trigger: Trigger = Trigger.SCHEDULE, *, job: str = "sweep") -> Fire:
    return Fire(job=job, at=at(clock), moved=at(clock), trigger=trigger)


def gap(
    first: str, last: str, count: int, reason: Reason = Reason.MISFIRE, *, exact: bool = True
) -> Gap:
    return Gap(job="sweep", first=at(first), last=at(last), count=count, reason=reason, exact=exact)


@dataclass
class Book:
    """A ledger on a file, the file, and the one job in it."""

    path: Path
    ledger: Ledger
    job: JobState

    def claim(
        self,
        *fires: Fire,
        wait: tuple[Fire, ...] = (),
        gaps: tuple[Gap, ...] = (),
        now: datetime = LOOK,
        job: JobState | None = None,
    ) -> list[Claimed]:
        take = Take(job or self.job, now, list(fires), list(wait), gaps)
        ((_, claimed),) = self.ledger.claim([take], now)
        return claimed

    def seat(self, name: str) -> JobState:
        return self.ledger.seat([Beginning(name, "meant", Anchor(LOOK), LOOK)], LOOK)[name]

    def rows(self) -> list[Row]:
        """Everything in the account, oldest row first."""
        history = History(self.path)
        try:
            return history.rows()[::-1]
        finally:
            history.close()

    def told(self, *columns: str) -> list[tuple[object, ...]]:
        return [tuple(row[column] for column in columns) for row in self.rows()]
