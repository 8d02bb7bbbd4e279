"""The one writing connection and its hold on the files: what was done to them, and the cure."""

from __future__ import annotations

import os
import sqlite3
from contextlib import suppress
from pathlib import Path

from inisched.stores.opening import open_writer
from inisched.stores.soundness import Broken, check_content, is_broken, move_aside
from inisched.stores.standing import Standing, identity, refuse_strangers, remove, save

BUSY = 250
"""Milliseconds one attempt waits while another program has the database locked."""

CHECKPOINT = 100
"""Transactions after which the log is written into the database."""

ANEW = "a new one begins with what is at hand"


class Grip:
    """A database that is open; `db` is its connection. Raises Unusable and sqlite3.Error."""

    def __init__(self, path: Path, *, full: bool, ours: bool, brief: bool = False) -> None:
        self.path = Path(os.path.realpath(path))
        self._full = full
        self._damage = ""
        self._copy: Path | None = None
        self._open(ours=ours, brief=brief)

    def _open(self, *, ours: bool, brief: bool = False) -> None:
        self.db = open_writer(self.path, full=self._full, ours=ours, brief=brief)
        self.db.execute(f"PRAGMA busy_timeout = {BUSY}")
        self.db.execute("PRAGMA wal_autocheckpoint = 0")
        self._since_checkpoint = 0
        self._standing = Standing.of(self.path)
        self.note_written()

    def close(self) -> None:
        self._standing.close(self.db)

    # -- what was done to it -------------------------------------------------------------------

    def wrote(self) -> None:
        """A transaction has been committed, into the log.

        Only here is the log written into the database: any other change of that file is not ours.
        """
        self._since_checkpoint += 1
        if self._since_checkpoint >= CHECKPOINT:
            self.write_out()

    def write_out(self) -> None:
        """Write the log into the database, as far as nobody reads in it still."""
        if self.holds():
            self._since_checkpoint = 0
            with suppress(sqlite3.Error):
                self.db.execute("PRAGMA wal_checkpoint(PASSIVE)")
            self.note_written()

    def note_written(self) -> None:
        """What the file is like now is our own doing."""
        self._written = self._standing.written()

    def holds(self) -> bool:
        """Whether the file is as we left it, and sound as far as we know."""
        if not self._damage and self._standing.written() != self._written:
            self._damage = f"{self.path} was written by another program"
        return not self._damage

    def note(self, error: sqlite3.Error) -> None:
        """What went wrong; it may be that the file itself is damaged."""
        if is_broken(error):
            self._damage = f"{self.path} is damaged ({error})"

    @property
    def damaged(self) -> bool:
        """Whether the file is known to be no longer what it was."""
        return bool(self._damage)

    def loss(self) -> str:
        """What was done to the files, in words; "" while all is well."""
        if self._standing.in_place and not self.holds():
            return self._damage
        return self._standing.loss()

    # -- the cure ------------------------------------------------------------------------------

    def mend(self) -> str:
        """Have a database at the path again, the same where that can be; what was done, in words.

        Raises Unusable, OSError and sqlite3.Error, and then it may be tried again.
        """
        if not self._standing.in_place:
            refuse_strangers(self.path)
            return self._put_back("replaced")
        if self._damage:
            return self._look_at_damage()
        self._write_out()
        self.close()
        self._open(ours=True)
        return "it was written out and opened again"

    def _look_at_damage(self) -> str:
        """First save what is in memory still, then see what the disk holds."""
        self._save()
        if self._is_sound():
            if self._copy is not None:
                remove(self._copy)
            self._copy, self._damage = None, ""
            self.note_written()
            return "it is sound and goes on"
        return self._put_back("broken")

    def _is_sound(self) -> bool:
        try:
            self.db.execute("PRAGMA shrink_memory")
            check_content(self.db, self.path)
        except (sqlite3.Error, OSError, Broken):
            return False
        return self.path.stat().st_size > 0

    def _put_back(self, why: str) -> str:
        """Write the database to its path once more; what is there now is moved aside."""
        self._save()
        self.close()
        aside = move_aside(self.path, why) if identity(self.path) else None
        if self._copy is not None:
            os.rename(self._copy, self.path)
        done = "put back as it was" if self._copy is not None else ANEW
        self._copy, self._damage = None, ""
        self._open(ours=True)
        return f"{done}; what was there is now {aside}" if aside else done

    def _save(self) -> None:
        """Into a file of its own everything that is known, unless that is done already."""
        copy = self.path.with_name(f"{self.path.name}.saved")
        if self._copy is None and save(self.db, copy):
            self._copy = copy

    def _write_out(self) -> None:
        """Into the database itself, wherever it is, what is only in its log so far."""
        with suppress(sqlite3.Error):
            self.db.execute("PRAGMA wal_checkpoint(TRUNCATE)")
