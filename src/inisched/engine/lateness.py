"""Fires after which no run starts in the time it is expected in."""

from __future__ import annotations

import heapq
from collections.abc import Callable
from datetime import datetime, timedelta

from inisched.engine.seat import Seat

_MILLISECOND = timedelta(milliseconds=1)

Started = Callable[[str], datetime | None]
"""When the latest run of a job started, of any trigger; None: never."""


class Lateness:
    """Watches the seats whose job has `expect_within`.

    What is awaited is the first fire after the latest start; a start that comes meanwhile is only
    noticed at the deadline it moves, so that starting costs nothing here.
    """

    def __init__(self, started: Started, rested: Callable[[str], datetime | None]) -> None:
        """`rested` tells when a job last began to have fires again."""
        self._started = started
        self._rested = rested
        self._deadlines: list[tuple[datetime, str]] = []
        self._watched: dict[str, Seat] = {}
        self._since: dict[str, datetime] = {}
        """Up to when fires are of no concern, of every job with `expect_within`."""

    @property
    def due(self) -> datetime | None:
        """When to look next."""
        return self._deadlines[0][0] if self._deadlines else None

    def watch(self, seat: Seat, since: datetime | None = None) -> None:
        """Await the next fire of a seat, or of the one in its place; of an inactive one no more.

        Fires up to `since`, inclusive, are none of its concern: there were none, or it was told.
        """
        name, expected = seat.job.name, seat.job.notices.expect_within
        former = self._since.pop(name, None)
        if expected is None or seat.entry is None:
            self._watched.pop(name, None)
            return
        anchor = seat.rhythm.anchor.moment + seat.rhythm.shift
        begun = anchor - _MILLISECOND if seat.rhythm.anchor.inclusive else anchor
        known = (begun, self._rested(name), since, former)
        self._since[name] = max(moment for moment in known if moment is not None)
        self._watched[name] = seat
        if (awaited := self._awaited(seat)) is not None:
            heapq.heappush(self._deadlines, (awaited[1], name))

    def is_overdue(self, seat: Seat, now: datetime) -> bool:
        """Whether a fire since the latest start is late by now, told or not."""
        awaited = self._awaited(seat)
        return awaited is not None and awaited[1] <= now

    def forget(self, name: str) -> None:
        """A job is gone, or is known to be late."""
        self._watched.pop(name, None)

    def move(self, step: timedelta) -> None:
        """The clock was set."""
        self._since = {name: since + step for name, since in self._since.items()}

    def look(self, now: datetime) -> list[tuple[Seat, datetime]]:
        """The seats that are late by now, each with its fire, as people see it; told only once."""
        late = []
        while self._deadlines and self._deadlines[0][0] <= now:
            name = heapq.heappop(self._deadlines)[1]
            seat = self._watched.get(name)
            awaited = self._awaited(seat) if seat is not None else None
            if seat is None or awaited is None:
                continue
            fire, deadline = awaited
            if deadline > now:
                heapq.heappush(self._deadlines, (deadline, name))
                continue
            late.append((self._watched.pop(name), fire))
        return late

    def _awaited(self, seat: Seat) -> tuple[datetime, datetime] | None:
        """The fire that is awaited, and until when; None where none is."""
        since, expected = self._since.get(seat.job.name), seat.job.notices.expect_within
        if since is None or expected is None:
            return None
        started = self._started(seat.job.name)
        fire = seat.rhythm.next(max(since, started) if started else since)
        if fire is not None and _is_paused(seat, fire):
            assert seat.paused_until is not None
            fire = seat.rhythm.next(seat.paused_until - _MILLISECOND)
        if fire is None:
            return None
        moved = seat.rhythm.moved(fire)
        return moved, moved + expected


def _is_paused(seat: Seat, fire: datetime) -> bool:
    if seat.paused_from is None or seat.paused_until is None:
        return False
    return seat.paused_from <= fire < seat.paused_until
