"""A run under way, and the doors it goes through: executors start it, the nursery ends it."""

from __future__ import annotations

from collections.abc import Callable
from datetime import datetime
from typing import Protocol

from msgspec import Struct

from inisched.engine.seat import Seat
from inisched.executors.running import Task
from inisched.model.run import Outcome, Reason
from inisched.stores.claims import Claimed


class UnderWay(Protocol):
    """A run in a process of its own: pid and start time name that process for good.

    Both are 0 while that is still being made.
    """

    @property
    def pid(self) -> int: ...
    @property
    def started(self) -> int: ...

    def outcome(self) -> Outcome:
        """How it ended, once it has."""


Start = Callable[[Task], UnderWay | Outcome]
"""The executors' door: start an attempt; an Outcome at once where it ran inside the daemon."""

End = Callable[[int], None]
"""The door by which a run is ended before its time: TERM, and KILL after its `kill_after`."""


class Run(Struct):
    """A run under way; `running` is None where it ran inside the daemon.

    `stopped` says who ended it before its time; "" while nobody has.
    """

    seat: Seat
    claimed: Claimed
    running: UnderWay | None
    started: datetime
    stopped: str = ""
    reason: Reason | None = None
