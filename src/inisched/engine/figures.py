"""The daemon in numbers, as it hands them to whoever serves its metrics.

Jobs come a page at a time: to tell of a hundred thousand must not keep any of them waiting.
Moments are seconds since 1970, UTC.
"""

from __future__ import annotations

from datetime import datetime
from itertools import islice
from typing import Any, Protocol

from inisched.engine.engine import Engine
from inisched.engine.seat import Seat
from inisched.engine.tally import Sheet, Spread

PAGE = 500
"""Jobs in one answer: a few milliseconds."""

_NOTHING = Sheet()


class Counted(Protocol):
    """The daemon, as far as its numbers go."""

    engine: Engine
    since: datetime
    """When this life began."""
    heartbeat: datetime
    """When the last sign of life was written."""


def figures(daemon: Counted, first: int) -> dict[str, Any]:
    """The jobs from number `first` on; `next` is the number to go on with, None where all is told.

    What is about no single job comes with the first page.
    """
    engine = daemon.engine
    seats = list(islice(engine.seats.values(), first, first + PAGE))
    following = first + len(seats)
    whole = {} if first else _whole(daemon)
    return whole | {
        "jobs": [_job(engine, seat) for seat in seats],
        "next": following if following < len(engine.seats) else None,
    }


def _whole(daemon: Counted) -> dict[str, Any]:
    """What is about no single job, and the incidents that are open, as pairs of job and kind."""
    engine = daemon.engine
    herald = engine.telling.herald
    incidents = herald.incidents if herald is not None else []
    return {
        "since": daemon.since.timestamp(),
        "heartbeat": daemon.heartbeat.timestamp(),
        "active": sum(seat.job.active for seat in engine.seats.values()),
        "incidents": [(incident.job, incident.kind.value) for incident in incidents],
        "outbox": engine.ledger.post.size(),
        "dropped": engine.ledger.post.dropped(),
    }


def _job(engine: Engine, seat: Seat) -> dict[str, Any]:
    name = seat.job.name
    tally = engine.tally
    sheet = (tally.of(name) if tally is not None else None) or _NOTHING
    return {
        "job": name,
        "ends": {state.value: count for state, count in sheet.ends.items()},
        "skips": {reason.value: count for reason, count in sheet.skips.items()},
        "took": _spread(sheet.took),
        "late": _spread(sheet.late),
        "next": _seconds(seat.entry.due if seat.entry is not None else None),
        "succeeded": _seconds(engine.gates.followed[name].succeeded),
        "running": len(seat.running),
        "waiting": len(seat.line) + len(seat.pending) + (seat.held is not None),
    }


def _spread(spread: Spread) -> dict[str, Any] | None:
    """None where nothing fell into any bucket."""
    return {"counts": spread.counts, "sum": spread.total} if any(spread.counts) else None


def _seconds(moment: datetime | None) -> float | None:
    return None if moment is None else moment.timestamp()
