"""Opening the database: for the one who writes, and for those who only read."""

from __future__ import annotations

import contextlib
import errno
import os
import sqlite3
from collections.abc import Iterator
from hashlib import blake2b
from pathlib import Path
from urllib.parse import quote

from inisched.stores.queries import schema

APPLICATION_ID = 0x696E6973
VERSION = 1


class Unusable(Exception):
    """The database cannot be used; the text says why and what to do."""


def create_private(path: Path, *, like: Path | None = None) -> None:
    """Make an empty file only its owner can read, where there is none.

    What root creates belongs to the owner of the file `like`, else of the folder.
    """
    try:
        descriptor = os.open(path, os.O_CREAT | os.O_EXCL | os.O_RDWR | os.O_CLOEXEC, 0o600)
    except FileExistsError:
        return
    try:
        os.fchmod(descriptor, 0o600)
        if os.geteuid() == 0:
            model = os.stat(like if like is not None and like.exists() else path.parent)
            os.fchown(descriptor, model.st_uid, model.st_gid)
    finally:
        os.close(descriptor)


def open_writer(path: Path, *, full: bool) -> sqlite3.Connection:
    """The daemon's connection; makes the database where there is none.

    With `full` each commit is on the disk before it returns. Raises Unusable.
    """
    try:
        _check_regular(path)
        create_private(path)
        connection = sqlite3.connect(path, isolation_level=None, timeout=5)
    except (OSError, sqlite3.Error) as error:
        raise Unusable(f"the database {path} cannot be opened: {_reason(error)}") from None
    try:
        _prepare(connection, path, full=full)
    except sqlite3.Error as error:
        connection.close()
        raise Unusable(f"the database {path} cannot be used: {_reason(error)}") from None
    except Unusable:
        connection.close()
        raise
    return connection


def _prepare(connection: sqlite3.Connection, path: Path, *, full: bool) -> None:
    connection.row_factory = sqlite3.Row
    version = check_version(connection, path)  # first: what is not ours stays as it is
    connection.execute("PRAGMA auto_vacuum = INCREMENTAL")
    connection.execute("PRAGMA journal_mode = WAL")
    connection.execute(f"PRAGMA synchronous = {'FULL' if full else 'NORMAL'}")
    connection.execute("PRAGMA foreign_keys = ON")
    connection.execute("PRAGMA journal_size_limit = 67108864")
    if version == 0:
        with transaction(connection):
            for statement in _statements(schema()):
                connection.execute(statement)
            connection.execute(f"PRAGMA application_id = {APPLICATION_ID}")
            connection.execute(f"PRAGMA user_version = {VERSION}")
            connection.execute(
                "INSERT INTO meta (key, value) VALUES ('id', ?)", (database_id(path),)
            )


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


def database_id(path: Path) -> str:
    """The identity a database gets when it is made: it decides jitter and stays if it moves."""
    return blake2b(os.fsencode(os.path.realpath(path)), digest_size=8).hexdigest()


def _statements(script: str) -> Iterator[str]:
    statement = ""
    for line in script.splitlines(keepends=True):
        statement += line
        if sqlite3.complete_statement(statement):
            yield statement
            statement = ""


def open_reader(path: Path) -> sqlite3.Connection | None:
    """A connection that cannot write; None where there is no database yet. Raises Unusable.

    A database that was closed cleanly (no `-wal` beside it) is opened as immutable, so that
    not even SQLite's own files appear.
    """
    try:
        if not path.exists():
            return None
        _check_regular(path)
        if path.is_dir():
            raise IsADirectoryError(errno.EISDIR, os.strerror(errno.EISDIR))
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


def _check_regular(path: Path) -> None:
    """Raises Unusable for a pipe, a device or a folder, which SQLite might wait on for ever."""
    if path.exists() and not path.is_file():
        raise Unusable(f"{path} is no regular file; set [inisched] database")


def _reading(path: Path) -> str:
    still = not path.with_name(path.name + "-wal").exists()
    name = quote(os.fsencode(os.path.abspath(path)))
    return f"file://{name}?mode=ro{'&immutable=1' if still else ''}"


def unreadable(path: Path, error: Exception) -> Unusable:
    return Unusable(f"the database {path} cannot be read: {_reason(error)}")


@contextlib.contextmanager
def transaction(connection: sqlite3.Connection) -> Iterator[None]:
    """All or nothing; takes the write lock at once."""
    connection.execute("BEGIN IMMEDIATE")
    try:
        yield
        connection.execute("COMMIT")
    except BaseException:
        if connection.in_transaction:
            connection.execute("ROLLBACK")
        raise


def _reason(error: Exception) -> str:
    if isinstance(error, OSError):
        return error.strerror or str(error)
    return str(error)
