"""One daemon per database: a lock file beside it, and a name in the kernel that no one deletes."""

from __future__ import annotations

import json
import os
import socket
import sys
import time
from datetime import UTC, datetime
from hashlib import blake2b
from pathlib import Path
from typing import TYPE_CHECKING

from inisched.engine.holder import LASTING, Holder, read_holder
from inisched.executors.tree import process_start
from inisched.stores.opening import create_private
from inisched.stores.standing import Identity, identity

if TYPE_CHECKING:
    from filelock import BaseFileLock

PATIENCE = 10.0
"""Seconds to wait for a command that holds the lock only for a moment."""


class AlreadyRunning(Exception):
    """Another daemon has the database; `holder` is None where it does not say who it is."""

    def __init__(self, holder: Holder | None) -> None:
        self.holder = holder
        who = f"pid {holder.pid} on {holder.host} since {holder.since}" if holder else "by its lock"
        super().__init__(f"already running: {who}")


class InstanceLock:
    """The right to write one database. Keep a reference: it is let go when collected."""

    def __init__(self, database: Path) -> None:
        self._database = Path(os.path.realpath(database))
        self.path = self._database.with_suffix(".lock")
        self._role = ""
        self._file_lock: BaseFileLock | None = None
        self._name: socket.socket | None = None
        self._file: Identity | None = None
        self._folder: Identity | None = None

    def acquire(self, role: str, *, patience: float = PATIENCE) -> None:
        """Take the lock; raises AlreadyRunning where a daemon has it, OSError where it fails."""
        from filelock import Timeout

        self._role = role
        deadline = time.monotonic() + patience
        while True:
            try:
                self._take_name()
                self._take_file()
                return
            except (Timeout, _NameTaken):
                self._let_name_go()
                self._give_up_or_wait(deadline)
            except OSError:
                self._let_name_go()
                raise

    def _take_file(self) -> None:
        """Raises filelock's Timeout where another process holds it."""
        from filelock import FileLock

        create_private(self.path, like=self._database)
        file_lock = FileLock(
            self.path,
            timeout=0,
            mode=0o600,
            fallback_to_soft=False,
            preserve_lock_file=True,
            thread_local=False,
            on_acquired=self._introduce,
        )
        file_lock.acquire()
        former, self._file_lock = self._file_lock, file_lock
        if former is not None:
            former.release(force=True)

    def _introduce(self, descriptor: int) -> None:
        _introduce(descriptor, self._role)
        found = os.fstat(descriptor)
        self._file = found.st_dev, found.st_ino

    # -- what somebody did to it ---------------------------------------------------------------

    def loss(self) -> str:
        """What was done to the lock, in words; "" while it is as it was taken."""
        if self._moved():
            return f"the folder {self._database.parent} was moved or replaced"
        if identity(self.path) == self._file:
            return ""
        return f"the lock file {self.path} was {'replaced' if self.path.exists() else 'deleted'}"

    def _moved(self) -> bool:
        return self._folder is not None and identity(self._database.parent) != self._folder

    def renew(self) -> None:
        """Take again what was lost. Raises OSError, and AlreadyRunning where another was quicker.

        Where that one does not say that it is a daemon, it is worth trying again.
        """
        from filelock import Timeout

        if self._moved():
            self._move()
            return
        try:
            self._take_file()
        except Timeout:
            raise AlreadyRunning(self._rival()) from None

    def _move(self) -> None:
        """Take the lock in the folder that now bears the name, then let the former one go."""
        there = InstanceLock(self._database)
        there.acquire(self._role, patience=0)
        self.release()
        self._file_lock, self._name = there._file_lock, there._name
        self._file, self._folder = there._file, there._folder

    def _give_up_or_wait(self, deadline: float) -> None:
        if (holder := self._rival()) is not None:
            raise AlreadyRunning(holder)
        if time.monotonic() >= deadline:
            raise AlreadyRunning(None)
        time.sleep(0.05)

    def _rival(self) -> Holder | None:
        """The daemon or `--once` pass that holds the lock; a command lets go of it in a moment."""
        holder = read_holder(self.path)
        lasts = holder is not None and holder.role in LASTING and holder.alive
        return holder if lasts else None

    def _take_name(self) -> None:
        """Hold an abstract socket named after the database's folder and file.

        Whoever deletes or replaces the lock file does not let a second daemon in.
        """
        folder = os.stat(self._database.parent)
        self._folder = folder.st_dev, folder.st_ino
        if not sys.platform.startswith("linux"):
            return
        file = blake2b(os.fsencode(self._database.name), digest_size=8).hexdigest()
        self._name = socket.socket(socket.AF_UNIX, socket.SOCK_DGRAM | socket.SOCK_CLOEXEC)
        try:
            self._name.bind(f"\0inisched/{folder.st_dev}/{folder.st_ino}/{file}".encode())
        except OSError:
            raise _NameTaken from None

    def _let_name_go(self) -> None:
        if self._name is not None:
            self._name.close()
            self._name = None

    def release(self) -> None:
        """Let go of both; the lock file stays."""
        if self._file_lock is not None:
            self._file_lock.release(force=True)
        self._let_name_go()


class _NameTaken(Exception):
    """The kernel's name is held: a daemon lives, whatever the lock file says."""


def _introduce(descriptor: int, role: str) -> None:
    """Write who we are into the lock file."""
    holder = {
        "pid": os.getpid(),
        "host": socket.gethostname(),
        "since": datetime.now(UTC).isoformat(timespec="seconds"),
        "role": role,
        "started": process_start(os.getpid()),
    }
    os.ftruncate(descriptor, 0)
    os.pwrite(descriptor, json.dumps(holder).encode(), 0)
