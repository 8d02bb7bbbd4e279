"""Questions to a job's own gates, each in a process of its own: is it ready, should it run?"""

from __future__ import annotations

from collections.abc import Callable, Iterator
from datetime import datetime
from typing import Protocol

from msgspec import Struct

from inisched.engine.run import UnderWay
from inisched.engine.seat import Seat
from inisched.executors.running import Task
from inisched.model.job import Call, Gates
from inisched.model.run import Outcome
from inisched.stores.ledger import Claimed

Ask = Callable[[Task, Call], UnderWay | Outcome]
"""The door by which a gate is asked, about the attempt a task would make."""

READY, SHOULD_RUN = "ready", "should_run"


class Question(Struct, frozen=True):
    """A question under way about a waiting fire."""

    seat: Seat
    entry: Claimed
    about: str
    running: UnderWay


class Waiting(Protocol):
    """As much of a waiting fire as its patience depends on."""

    @property
    def taken_at(self) -> datetime: ...
    @property
    def first_fire(self) -> datetime: ...
    @property
    def asked_at(self) -> datetime | None: ...


def limit_of(gates: Gates, entry: Waiting) -> datetime | None:
    """When the fire gives up waiting for those it follows, or for its data; None: never."""
    return None if gates.wait_limit is None else entry.taken_at + gates.wait_limit


def override_of(gates: Gates, entry: Waiting) -> datetime | None:
    """When the fire runs even if its data is not ready; None: never."""
    return None if gates.override_after is None else entry.first_fire + gates.override_after


def is_overdue(gates: Gates, entry: Waiting, now: datetime) -> bool:
    """Whether it is to be asked for the last time."""
    override = override_of(gates, entry)
    return override is not None and now >= override


def next_question(gates: Gates, entry: Waiting) -> datetime | None:
    """When the fire is asked again whether it is ready; None: at once."""
    if entry.asked_at is None:
        return None
    moment = entry.asked_at + gates.ready_every
    override = override_of(gates, entry)
    if override is not None and entry.asked_at < override:
        return min(moment, override)
    return moment


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
