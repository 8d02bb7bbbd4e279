"""When a daemon looked and when none did: its lives, and what was done to it meanwhile."""

from __future__ import annotations

import sqlite3
from datetime import datetime, timedelta
from enum import Enum

from msgspec import Struct

from inisched.stores.moments import from_ms, maybe_moment


class Kind(Enum):
    """Why nobody looked."""

    DOWN = "down"
    ASLEEP = "asleep"
    MACHINE = "machine"
    STEP = "step"


class Stretch(Struct, frozen=True):
    """A stretch in which nobody looked. `since` None: no daemon had run before `until`.

    Of a `step` of the clock, from what it showed last to what it showed then.
    """

    kind: Kind
    since: datetime | None
    until: datetime
    step: timedelta = timedelta(0)


def read_down(row: sqlite3.Row) -> Stretch:
    """A row of `down_between` as a value."""
    return Stretch(Kind.DOWN, maybe_moment(row["since"]), from_ms(row["until"]))


def read_absence(row: sqlite3.Row) -> Stretch:
    """A row of `absence` as a value."""
    since, until = from_ms(row["since"]), from_ms(row["until"])
    if row["step"] is not None:
        return Stretch(Kind.STEP, since, until, timedelta(milliseconds=row["step"]))
    return Stretch(Kind.MACHINE if row["machine"] else Kind.ASLEEP, since, until)
