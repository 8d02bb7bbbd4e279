"""The files a connection has open, and whether they are still those that bear their names.

SQLite goes on writing into a file that was deleted, and takes a write-ahead log that lies beside
another database for that one's own. So a connection whose files were taken from it is given up.
"""

from __future__ import annotations

import os
import sqlite3
from contextlib import suppress
from pathlib import Path

from msgspec import Struct

from inisched.stores.opening import create_private
from inisched.stores.soundness import Broken, Unusable, check_content, check_version, is_broken

Identity = tuple[int, int]
"""Device and inode: a file, whatever it is called."""

_BESIDE = ("-wal", "-shm")


def identity(path: Path) -> Identity | None:
    """Which file stands there; None where there is none."""
    try:
        found = os.stat(path)
    except OSError:
        return None
    return found.st_dev, found.st_ino


def _beside(path: Path, suffix: str) -> Path:
    return path.with_name(path.name + suffix)


class Standing(Struct, frozen=True):
    """A database and what lies beside it, as they were when it was opened."""

    path: Path
    database: Identity | None
    beside: dict[str, Identity | None]

    @classmethod
    def of(cls, path: Path) -> Standing:
        beside = {suffix: identity(_beside(path, suffix)) for suffix in _BESIDE}
        return cls(path, identity(path), beside)

    @property
    def in_place(self) -> bool:
        """Whether the path still leads to the database that is open."""
        return self.database is not None and identity(self.path) == self.database

    def loss(self) -> str:
        """What has happened to the files, in words; "" while they are as they were."""
        if not self.in_place:
            return _fate(self.path)
        for suffix, was in self.beside.items():
            beside = _beside(self.path, suffix)
            if was is not None and identity(beside) != was:
                return _fate(beside)
        return ""

    def written(self) -> tuple[int, int] | None:
        """Size and time of change of what stands at the path."""
        try:
            found = os.stat(self.path)
        except OSError:
            return None
        return found.st_size, found.st_mtime_ns

    def close(self, connection: sqlite3.Connection) -> None:
        """Close it, so that beside the path there is left what is not its own, and only that.

        SQLite deletes its log by name, unless the database was moved: then it leaves it behind.
        """
        in_place = self.in_place
        spared: list[tuple[Path, Path]] = []
        for suffix, was in self.beside.items():
            beside = _beside(self.path, suffix)
            if identity(beside) not in (None, was):
                spared.append((beside, _beside(beside, ".spared")))
        for name, other in spared:
            os.rename(name, other)
        with suppress(sqlite3.Error):
            connection.close()
        for name, other in spared:
            os.rename(other, name)
        for suffix, was in self.beside.items():
            beside = _beside(self.path, suffix)
            if not in_place and was is not None and identity(beside) == was:
                beside.unlink()


def _fate(path: Path) -> str:
    return f"{path} was {'replaced by another file' if identity(path) else 'deleted'}"


def refuse_strangers(path: Path) -> None:
    """Raises Unusable where a sound database of another program, or of a newer version, stands."""
    if identity(path) is None:
        return
    connection = sqlite3.connect(f"{path.as_uri()}?mode=ro&immutable=1", uri=True)
    try:
        check_version(connection, path)
    except sqlite3.Error:
        pass  # whatever it is, it is no database
    finally:
        connection.close()


def save(connection: sqlite3.Connection, path: Path) -> bool:
    """Write all that the connection knows into a new file; whether that came out sound.

    Raises sqlite3.Error and OSError where it cannot be written now.
    """
    remove(path)
    create_private(path)
    copy = sqlite3.connect(path, isolation_level=None)
    try:
        connection.backup(copy)
        check_version(copy, path)
        check_content(copy, path)
    except (Broken, Unusable):
        sound = False
    except sqlite3.ProgrammingError:  # the connection is closed already
        sound = False
    except sqlite3.Error as error:
        if not is_broken(error):
            raise
        sound = False
    else:
        sound = True
    finally:
        copy.close()
    if not sound:
        remove(path)
    return sound


def remove(path: Path) -> None:
    """Remove a database of our own making."""
    for suffix in ("", "-wal", "-shm", "-journal"):
        _beside(path, suffix).unlink(missing_ok=True)
