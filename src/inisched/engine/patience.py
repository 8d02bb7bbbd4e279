"""How long a waiting fire waits at its gates: pure, so that every view can tell of it."""

from __future__ import annotations

from datetime import datetime
from typing import Protocol

from inisched.model.job import Gates


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
