"""Moments given on the command line."""

from __future__ import annotations

from datetime import UTC, datetime

from inisched.cli.exits import Exit, Trouble
from inisched.model.diagnostic import Unreadable
from inisched.questions.moments import read_time


def now() -> datetime:
    """The present moment, aware UTC."""
    return datetime.now(UTC)


def time_from(text: str | None, zone: str, present: datetime, *, ahead: bool = False) -> datetime:
    """A T of the command line; the present where there is none. A wrong one is misuse."""
    if text is None:
        return present
    try:
        return read_time(text, zone, present, ahead=ahead)
    except Unreadable as error:
        raise Trouble(f"{error.problem}, expected {error.expected}", Exit.MISUSE) from None
