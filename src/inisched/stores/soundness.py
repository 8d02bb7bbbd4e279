"""Whether a database is sound, whether it is ours, and how one that is broken is moved aside."""

from __future__ import annotations

import os
import re
import sqlite3
import time
from datetime import UTC, datetime
from functools import cache
from pathlib import Path

from inisched.stores.queries import VERSION as VERSION
from inisched.stores.queries import schema

APPLICATION_ID = 0x696E6973

MAGIC = b"SQLite format 3\0"
BESIDE = ("-wal", "-shm", "-journal")
"""What SQLite keeps next to a database."""

HUGE = 256 * 1024 * 1024
"""Bytes above which only the newest rows of a database are looked at before it is used."""

LOOKING = 5.0
"""Seconds the look at a smaller one may take; what is unread by then is taken to be sound."""

_STEPS = 10_000


class Unusable(Exception):
    """The database cannot be used; the text says why and what to do."""


class NotNow(Unusable):
    """It cannot be used at the moment: another program has it locked, or the disk is full."""


class Broken(Exception):
    """A file that cannot be the database it ought to be; the text says what is wrong with it."""


def is_broken(error: sqlite3.Error) -> bool:
    """Whether SQLite says that the file itself is damaged."""
    return _code(error) in (sqlite3.SQLITE_CORRUPT, sqlite3.SQLITE_NOTADB)


def passes(error: sqlite3.Error) -> bool:
    """Whether what SQLite complains of may be over in a moment."""
    return _code(error) in (
        sqlite3.SQLITE_BUSY,
        sqlite3.SQLITE_LOCKED,
        sqlite3.SQLITE_PROTOCOL,
        sqlite3.SQLITE_FULL,
        sqlite3.SQLITE_IOERR,
        sqlite3.SQLITE_NOMEM,
    )


def cannot_open(error: sqlite3.Error) -> bool:
    """Whether a file is missing or closed to us, or what SQLite needs beside it."""
    return _code(error) == sqlite3.SQLITE_CANTOPEN


def _code(error: sqlite3.Error) -> int:
    return getattr(error, "sqlite_errorcode", 0) & 0xFF


def check_header(path: Path) -> None:
    """Raises Broken where a file that is not empty does not begin as a SQLite database does."""
    begins = _header(path)[: len(MAGIC)]
    if begins and begins != MAGIC:
        raise Broken("file is not a database")


def is_marked_ours(path: Path) -> bool:
    """Whether our mark stands in the file's header, whatever follows."""
    header = _header(path)
    return header.startswith(MAGIC) and int.from_bytes(header[68:72], "big") == APPLICATION_ID


def _header(path: Path) -> bytes:
    with open(path, "rb") as file:
        return file.read(100)


def check_version(connection: sqlite3.Connection, path: Path) -> int:
    """The version of its schema, 0 for an empty file; raises Unusable for one that is not ours."""
    version = int(connection.execute("PRAGMA user_version").fetchone()[0])
    ours = connection.execute("PRAGMA application_id").fetchone()[0] == APPLICATION_ID
    tables = connection.execute("SELECT count(*) FROM sqlite_master").fetchone()[0]
    if not ours and tables:
        raise Unusable(f"{path} is a database of another program; set [inisched] database")
    if version > VERSION:
        raise Unusable(
            f"the database {path} has version {version}, this program knows up to {VERSION}; "
            "use the newer inisched that made it"
        )
    return version


def check_content(
    connection: sqlite3.Connection, path: Path, *, brief: bool = False, version: int = VERSION
) -> None:
    """Raises Broken where a database of ours lacks something or is damaged; sqlite3.Error.

    A `brief` look is at the newest rows only.
    """
    there = {row[0] for row in connection.execute("SELECT name FROM sqlite_master")}
    missing = sorted(_tables(version) - there)
    if missing:
        raise Broken(f"no such table: {missing[0]}")
    if connection.execute("SELECT 1 FROM meta WHERE key = 'id'").fetchone() is None:
        raise Broken("it has lost its identity")
    if brief or path.stat().st_size > HUGE:
        _glance(connection)
    else:
        _check_pages(connection)


@cache
def _tables(version: int) -> set[str]:
    text = schema(upto=version)
    return set(re.findall(r"^CREATE (?:TABLE|VIEW) (\w+)", text, flags=re.MULTILINE))


def _glance(connection: sqlite3.Connection) -> None:
    connection.execute("SELECT * FROM job").fetchall()
    connection.execute("SELECT * FROM run ORDER BY id DESC LIMIT 1000").fetchall()
    connection.execute("SELECT * FROM run WHERE state IN ('waiting', 'running')").fetchall()


def _check_pages(connection: sqlite3.Connection) -> None:
    deadline = time.monotonic() + LOOKING
    connection.set_progress_handler(lambda: time.monotonic() > deadline, _STEPS)
    try:
        found = str(connection.execute("PRAGMA quick_check(1)").fetchone()[0])
    except sqlite3.OperationalError as error:
        if _code(error) != sqlite3.SQLITE_INTERRUPT:
            raise
        return
    finally:
        connection.set_progress_handler(None, 0)
    if found != "ok":
        raise Broken(" ".join(found.split()))


def move_aside(path: Path, why: str) -> Path:
    """Give the file, and what SQLite keeps beside it, a name that says why and when; the name."""
    aside = path.with_name(f"{path.name}.{why}-{datetime.now(UTC):%Y%m%dT%H%M%S}")
    number = 1
    while aside.exists():
        number += 1
        aside = aside.with_name(f"{aside.name.partition('+')[0]}+{number}")
    os.rename(path, aside)
    for suffix in BESIDE:
        beside = path.with_name(path.name + suffix)
        if beside.exists():
            os.rename(beside, aside.with_name(aside.name + suffix))
    return aside


def check_regular(path: Path) -> None:
    """Raises Unusable for a pipe, a device or a folder, which SQLite might wait on for ever."""
    if path.exists() and not path.is_file():
        raise Unusable(f"{path} is no regular file; set [inisched] database")


def reason_of(error: Exception) -> str:
    """What the system or SQLite says of it."""
    if isinstance(error, OSError):
        return error.strerror or str(error)
    return str(error)
