"""Opening the database for the one who writes."""

from __future__ import annotations

import contextlib
import logging
import os
import sqlite3
from collections.abc import Iterator
from hashlib import blake2b
from pathlib import Path

from inisched.stores.queries import schema
from inisched.stores.soundness import (
    APPLICATION_ID as APPLICATION_ID,
)
from inisched.stores.soundness import (
    VERSION,
    Broken,
    NotNow,
    check_content,
    check_header,
    check_regular,
    check_version,
    is_broken,
    is_marked_ours,
    move_aside,
    passes,
    reason_of,
)
from inisched.stores.soundness import (
    Unusable as Unusable,
)

log = logging.getLogger("inisched")


def create_private(path: Path, *, like: Path | None = None) -> None:
    """Make an empty file only its owner can read, where there is none; `like` as below."""
    try:
        descriptor = os.open(path, os.O_CREAT | os.O_EXCL | os.O_RDWR | os.O_CLOEXEC, 0o600)
    except FileExistsError:
        return
    try:
        os.fchmod(descriptor, 0o600)
        if (owner := belongs_to(path, like=like)) is not None:
            os.fchown(descriptor, *owner)
    finally:
        os.close(descriptor)


def belongs_to(path: Path, *, like: Path | None = None) -> tuple[int, int] | None:
    """Whom a new file must be given to: user and group; None where it is its maker's anyway.

    What root creates belongs to the owner of the file `like`, else of the folder.
    """
    if os.geteuid() != 0:
        return None
    model = os.stat(like if like is not None and like.exists() else path.parent)
    return model.st_uid, model.st_gid


def open_writer(
    path: Path, *, full: bool, ours: bool = False, brief: bool = False
) -> sqlite3.Connection:
    """The daemon's connection; makes the database where there is none. `brief`: look at little.

    With `full` each commit is on the disk before it returns. A broken database is moved aside
    and a new one begins, where it bears our mark or the file's name is `ours`: nobody chose it.
    Raises Unusable, and of that NotNow where waiting may help.
    """
    try:
        return _open_sound(path, full=full, brief=brief)
    except Broken as broken:
        if not (ours or is_marked_ours(path)):
            raise Unusable(f"the database {path} cannot be used: {broken}") from None
        _begin_anew(path, str(broken))
    try:
        return _open_sound(path, full=full, brief=brief)
    except Broken as broken:
        raise Unusable(f"the database {path} cannot be made: {broken}") from None


def _begin_anew(path: Path, reason: str) -> None:
    try:
        aside = move_aside(path, "broken")
    except OSError as error:
        text = f"the database {path} is broken ({reason}) and cannot be moved: {reason_of(error)}"
        raise Unusable(text) from None
    log.error(
        "the database %s is broken (%s): it is now %s, and a new one begins, "
        "in which every job has its first look again",
        path,
        reason,
        aside,
    )


def _open_sound(path: Path, *, full: bool, brief: bool) -> sqlite3.Connection:
    """Raises Broken, Unusable."""
    try:
        check_regular(path)
        create_private(path)
        check_header(path)
        connection = sqlite3.connect(path, isolation_level=None, timeout=5)
    except (OSError, sqlite3.Error) as error:
        raise Unusable(f"the database {path} cannot be opened: {reason_of(error)}") from None
    try:
        _prepare(connection, path, full=full, brief=brief)
    except sqlite3.Error as error:
        connection.close()
        if is_broken(error):
            raise Broken(str(error)) from None
        kind = NotNow if passes(error) else Unusable
        raise kind(f"the database {path} cannot be used: {reason_of(error)}") from None
    except (Broken, Unusable):
        connection.close()
        raise
    return connection


def _prepare(connection: sqlite3.Connection, path: Path, *, full: bool, brief: bool) -> None:
    connection.row_factory = sqlite3.Row
    version = check_version(connection, path)  # first: what is not ours stays as it is
    if version:
        check_content(connection, path, brief=brief, version=version)
    else:
        connection.execute("PRAGMA journal_mode = MEMORY")  # nothing is there yet to be rolled back
    connection.execute("PRAGMA auto_vacuum = INCREMENTAL")
    connection.execute("PRAGMA journal_mode = WAL")
    connection.execute(f"PRAGMA synchronous = {'FULL' if full else 'NORMAL'}")
    connection.execute("PRAGMA foreign_keys = ON")
    connection.execute("PRAGMA journal_size_limit = 67108864")
    with transaction(connection):  # even with nothing to make: it tells whether we may write
        if version < VERSION:
            _bring_up(connection, path, version)


def _bring_up(connection: sqlite3.Connection, path: Path, version: int) -> None:
    """Make an empty database ours, or bring an older one to this version; nothing of it is lost."""
    for statement in _statements(schema(since=version)):
        connection.execute(statement)
    connection.execute(f"PRAGMA user_version = {VERSION}")
    if version == 0:
        connection.execute(f"PRAGMA application_id = {APPLICATION_ID}")
        connection.execute("INSERT INTO meta (key, value) VALUES ('id', ?)", (database_id(path),))


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
