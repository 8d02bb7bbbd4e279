"""What stands between a waiting fire and its start, in the order in which it is passed.

A hold or pause, its own job's runs, those it follows, its data, its pool, the places.
`should_run` comes last, and is a question: see `asking`.
"""

from __future__ import annotations

from collections import Counter
from collections.abc import Collection, Mapping
from datetime import UTC, datetime

from inisched.engine.following import Followed
from inisched.engine.seat import Seat
from inisched.model.job import Overlap, Pool
from inisched.model.run import Trigger
from inisched.stores.claims import Claimed


class Gates:
    """The gates of one file: `max_running` places in all, and those of each pool.

    `held`: nothing starts. `now` is the moment of the round.
    """

    def __init__(self, max_running: int, pools: Mapping[str, Pool]) -> None:
        self.max_running = max_running
        self.pools = pools
        self.held = False
        self.followed = Followed()
        self._all = 0
        self._taken: Counter[str | None] = Counter()
        self._now = datetime.min.replace(tzinfo=UTC)

    def count(self, seats: Collection[Seat], now: datetime) -> None:
        """Begin a round: the runs of these seats hold a place each."""
        self._now = now
        self._all = len(seats)
        self._taken.clear()
        if self.pools:
            self._taken.update(seat.job.pool for seat in seats)

    @property
    def crowded(self) -> bool:
        """Whether all places are taken, and whoever waits for one waits for that alone."""
        return self._all >= self.max_running and not self.held

    @property
    def free(self) -> int:
        """How many places there are still; none during a hold."""
        return 0 if self.held else max(0, self.max_running - self._all)

    def take(self, seat: Seat) -> None:
        """A place is promised to a fire of the seat."""
        self._all += 1
        self._taken[seat.job.pool] += 1

    def shut(self, seat: Seat, entry: Claimed) -> str | None:
        """What the fire waits for: "hold", "overlap", "line", "after:NAME", "ready", "pool:NAME",
        "max_running"; None: nothing."""
        if self.held or (entry.attempt == 1 and self._paused(seat, entry)):
            return "hold"
        if entry.attempt == 1 and seat.under_way and not seat.beside(entry):
            return "overlap" if seat.line and seat.line[0] is entry else "line"
        return self.waits(seat, entry) or self.full(seat)

    def waits(self, seat: Seat, entry: Claimed) -> str | None:
        """What of its own the fire waits for: an older period, a job it follows, its data."""
        if entry.attempt > 1:
            return None
        if seat.failed is not None and entry.scheduled:
            return "line"
        if entry.fire.trigger is Trigger.MANUAL:
            return None
        unmet = self.followed.unmet(seat.job.name, seat.job.gates)
        if unmet is not None:
            return f"after:{unmet}"
        return None if seat.is_ready(entry, self._now) else "ready"

    def full(self, seat: Seat, *, freed: int = 0) -> str | None:
        """The gate that has no place left, if the seat gave back `freed` of its own."""
        pool = self.pools.get(seat.job.pool or "")
        if pool is not None and self._taken[seat.job.pool] - freed >= pool.max:
            return f"pool:{seat.job.pool}"
        if self._all - freed >= self.max_running:
            return "max_running"
        return None

    def replaces(self, seat: Seat, entry: Claimed) -> bool:
        """Whether the waiting fire may end the run before it: all other gates are open."""
        if seat.job.overlap is not Overlap.REPLACE or self.waits(seat, entry):
            return False
        return not self.full(seat, freed=len(seat.running))

    def _paused(self, seat: Seat, entry: Claimed) -> bool:
        return seat.is_paused(self._now) and entry.fire.trigger is not Trigger.MANUAL
