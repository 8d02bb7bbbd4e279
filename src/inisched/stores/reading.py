"""A reader's view of a database that others write, close, open and put back meanwhile."""

from __future__ import annotations

import os
import sqlite3
import time
from pathlib import Path
from typing import Any
from urllib.parse import quote

from inisched.stores.soundness import (
    NotNow,
    Unusable,
    cannot_open,
    check_regular,
    check_version,
    passes,
    reason_of,
)

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


def open_reader(path: Path) -> sqlite3.Connection | None:
    """A connection that cannot write; None where there is no database yet. Raises Unusable.

    A database that was closed cleanly (no `-wal` beside it) is opened as immutable, so that
    not even SQLite's own files appear.
    """
    path = Path(os.path.realpath(path))
    try:
        if not path.exists():
            return None
        check_regular(path)
        connection = sqlite3.connect(_reading(path), uri=True, isolation_level=None, timeout=5)
    except (OSError, sqlite3.Error) as error:
        raise unreadable(path, error) from None
    try:
        connection.row_factory = sqlite3.Row
        connection.execute("PRAGMA query_only = ON")
        version = check_version(connection, path)
    except sqlite3.Error as error:
        connection.close()
        raise unreadable(path, error) from None
    except Unusable:
        connection.close()
        raise
    if version == 0:
        connection.close()
        return None
    return connection


def _reading(path: Path) -> str:
    still = not path.with_name(path.name + "-wal").exists()
    name = quote(os.fsencode(os.path.abspath(path)))
    return f"file://{name}?mode=ro{'&immutable=1' if still else ''}"


def unreadable(path: Path, error: Exception) -> Unusable:
    """What to raise: NotNow where its writer may only just be opening or closing it."""
    passing = isinstance(error, sqlite3.Error) and (passes(error) or cannot_open(error))
    return (NotNow if passing else Unusable)(
        f"the database {path} cannot be read: {reason_of(error)}"
    )
