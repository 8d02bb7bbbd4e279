"""A reader's view of a database that others write, close, open and put back meanwhile."""

from __future__ import annotations

import os
import sqlite3
import time
from pathlib import Path
from typing import Any

from inisched.stores.opening import open_reader, unreadable
from inisched.stores.soundness import NotNow

PATIENCE = 1.0
"""Seconds after which what hinders a reader is no moment between two writes any more."""

PAUSE = 0.02

Look = tuple[int, int, int, int, bool] | None
"""Device, inode, size, time of change, and whether a write-ahead log lies beside it."""


class Reading:
    """What the database tells, or nothing where there is none yet. Raises Unusable."""

    def __init__(self, path: Path) -> None:
        self.path = Path(os.path.realpath(path))
        self._db: sqlite3.Connection | None = None
        self._look: Look = None
        self._open(time.monotonic() + PATIENCE)

    def close(self) -> None:
        if self._db is not None:
            self._db.close()
            self._db = None

    def all(self, query: str, values: dict[str, Any] | None = None) -> list[sqlite3.Row]:
        """Every row of the answer."""
        deadline = time.monotonic() + PATIENCE
        while True:
            if self._moved_on():
                self._open(deadline)
            if self._db is None:
                return []
            try:
                rows = self._db.execute(query, values or {}).fetchall()
            except sqlite3.Error as error:
                if not self._moved_on() or time.monotonic() > deadline:
                    raise unreadable(self.path, error) from None
            else:
                if not self._moved_on() or time.monotonic() > deadline:
                    return rows

    def _open(self, deadline: float) -> None:
        while True:
            self.close()
            self._look = _look(self.path)
            try:
                self._db = open_reader(self.path)
                return
            except NotNow:
                if time.monotonic() > deadline:
                    raise
            time.sleep(PAUSE)

    def _moved_on(self) -> bool:
        """Whether another look is needed: the file is another one, or is written to after all.

        While a write-ahead log lies beside it SQLite sees to it that readers are not disturbed.
        """
        now = _look(self.path)
        if now is None or self._look is None:
            return now != self._look
        if now[-1] and self._look[-1]:
            return now[:2] != self._look[:2]
        return now != self._look


def _look(path: Path) -> Look:
    try:
        found = os.stat(path)
    except OSError:
        return None
    log = os.path.exists(f"{path}-wal")
    return found.st_dev, found.st_ino, found.st_size, found.st_mtime_ns, log
