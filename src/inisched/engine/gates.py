"""What stands between a waiting fire and its start: its own job's runs, its pool, the places."""

from __future__ import annotations

from collections import Counter
from collections.abc import Collection, Mapping

from inisched.engine.run import Run
from inisched.engine.seat import Seat
from inisched.model.job import Overlap, Pool
from inisched.stores.ledger import Claimed


class Gates:
    """The places of one file: `max_running` in all, and those of each pool."""

    def __init__(self, max_running: int, pools: Mapping[str, Pool]) -> None:
        self.max_running = max_running
        self.pools = pools
        self._all = 0
        self._taken: Counter[str | None] = Counter()

    def count(self, runs: Collection[Run]) -> None:
        """Begin a round: the places these runs hold are taken."""
        self._all = len(runs)
        self._taken.clear()
        if self.pools:
            self._taken.update(run.seat.job.pool for run in runs)

    def take(self, seat: Seat) -> None:
        """A place is promised to a fire of the seat."""
        self._all += 1
        self._taken[seat.job.pool] += 1

    def shut(self, seat: Seat, entry: Claimed) -> str | None:
        """What the fire waits for: "overlap", "line", "pool:NAME", "max_running"; None: nothing."""
        under_way = seat.running or any(other.attempt > 1 for other in seat.pending.values())
        if entry.attempt == 1 and under_way and not seat.beside(entry):
            return "overlap" if seat.line[0] is entry else "line"
        return self.full(seat)

    def full(self, seat: Seat, *, freed: int = 0) -> str | None:
        """The gate that has no place left, if the seat gave back `freed` of its own."""
        pool = self.pools.get(seat.job.pool or "")
        if pool is not None and self._taken[seat.job.pool] - freed >= pool.max:
            return f"pool:{seat.job.pool}"
        if self._all - freed >= self.max_running:
            return "max_running"
        return None

    def replaces(self, seat: Seat) -> bool:
        """Whether the seat's waiting fire may end the run before it: all other gates are open."""
        return seat.job.overlap is Overlap.REPLACE and not self.full(seat, freed=len(seat.running))
