"""The lives of daemons, as the ledger has them."""

from __future__ import annotations

import sqlite3
from datetime import datetime

from msgspec import Struct

from inisched.stores.moments import from_ms, maybe_moment


class Life(Struct, frozen=True):
    """One life of a daemon, as its row tells it. `ended` is None until it closes in order."""

    pid: int
    host: str
    started: datetime
    heartbeat: datetime
    ended: datetime | None


def read_life(row: sqlite3.Row | None) -> Life | None:
    """A row of `daemon` as a value."""
    if row is None:
        return None
    return Life(
        row["pid"],
        row["host"],
        from_ms(row["started"]),
        from_ms(row["heartbeat"]),
        maybe_moment(row["ended"]),
    )
