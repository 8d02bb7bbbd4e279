"""Questions to a job's own gates, each in a process of its own: is it ready, should it run?"""

from __future__ import annotations

from collections.abc import Callable, Iterator
from datetime import datetime

from msgspec import Struct

from inisched.engine.patience import limit_of, next_question
from inisched.engine.run import UnderWay
from inisched.engine.seat import Seat
from inisched.executors.running import Task
from inisched.model.job import Call
from inisched.model.run import Outcome
from inisched.stores.claims import Claimed

Ask = Callable[[Task, Call], UnderWay | Outcome]
"""The door by which a gate is asked, about the attempt a task would make."""

READY, SHOULD_RUN = "ready", "should_run"


class Question(Struct, frozen=True):
    """A question under way about a waiting fire."""

    seat: Seat
    entry: Claimed
    about: str
    running: UnderWay


def moments(seat: Seat) -> Iterator[datetime | None]:
    """When the first in line, which waits at one of its gates, is to be looked at again."""
    if seat.shut is None or not seat.line:
        return
    entry, gates = seat.line[0], seat.job.gates
    if seat.shut == READY:
        yield limit_of(gates, entry)
        yield next_question(gates, entry)
    elif seat.shut.startswith("after:"):
        yield limit_of(gates, entry)
    elif seat.shut == "hold":
        yield seat.paused_until
