"""What has been counted since the daemon began: how runs ended, how long and how late they were.

It is on the way of every run, so all of it is plain numbers in lists. It knows nothing of whoever
asks for it.
"""

from __future__ import annotations

from bisect import bisect_left
from collections.abc import Container
from datetime import timedelta

from msgspec import Struct, field

from inisched.model.run import Reason, State, Trigger

TOOK = (0.1, 0.5, 1.0, 5.0, 15.0, 60.0, 300.0, 900.0, 3600.0, 14400.0)
"""Seconds up to which, inclusive, a run counts into each bucket; one more bucket has the rest."""

LATE = (0.001, 0.005, 0.01, 0.05, 0.1, 0.5, 1.0, 5.0, 60.0, 600.0, 3600.0)

_PUNCTUAL = frozenset({Trigger.SCHEDULE, Trigger.CATCHUP})
"""What other triggers bring about is not late."""


class Spread:
    """How often a value fell into each bucket, and the sum of all values; none is below 0."""

    __slots__ = ("bounds", "counts", "total")

    def __init__(self, bounds: tuple[float, ...]) -> None:
        self.bounds = bounds
        self.counts = [0] * (len(bounds) + 1)
        self.total = 0.0

    def add(self, length: timedelta) -> None:
        """A clock that was set back may make a value negative: it counts as 0."""
        seconds = max(0.0, length.total_seconds())
        self.counts[bisect_left(self.bounds, seconds)] += 1
        self.total += seconds


class Sheet(Struct):
    """What was counted of one job."""

    ends: dict[State, int] = field(default_factory=dict)
    skips: dict[Reason, int] = field(default_factory=dict)
    took: Spread = field(default_factory=lambda: Spread(TOOK))
    late: Spread = field(default_factory=lambda: Spread(LATE))


class Tally:
    """The sheets of all jobs."""

    def __init__(self) -> None:
        self._sheets: dict[str, Sheet] = {}

    def of(self, job: str) -> Sheet | None:
        """None where nothing of the job was counted yet."""
        return self._sheets.get(job)

    def ended(
        self,
        job: str,
        state: State,
        trigger: Trigger,
        took: timedelta | None = None,
        late: timedelta | None = None,
    ) -> None:
        """A run has ended; None: nobody saw how long it took, or when it began."""
        sheet = self._sheet(job)
        sheet.ends[state] = sheet.ends.get(state, 0) + 1
        if took is not None:
            sheet.took.add(took)
        if late is not None and trigger in _PUNCTUAL:
            sheet.late.add(late)

    def skipped(self, job: str, reason: Reason, count: int = 1) -> None:
        """So many fires of the job will not run."""
        sheet = self._sheet(job)
        sheet.skips[reason] = sheet.skips.get(reason, 0) + count

    def keep(self, jobs: Container[str]) -> None:
        """Forget all others."""
        for job in [job for job in self._sheets if job not in jobs]:
            del self._sheets[job]

    def _sheet(self, job: str) -> Sheet:
        sheet = self._sheets.get(job)
        if sheet is None:
            sheet = self._sheets[job] = Sheet()
        return sheet
