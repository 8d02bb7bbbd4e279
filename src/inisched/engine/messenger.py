"""A process that delivers letters: handed out before it begins, and heard until it ends.

The two ends of a socket are the daemon's and its own. It begins at the word, tells what became
of each letter in a line, and ends once it is told that this is in the ledger. Where the daemon
dies before that, it tells the ledger itself: see `courier`.
"""

from __future__ import annotations

import json
import os
import signal
import socket
import subprocess
import sys
from collections.abc import Sequence
from contextlib import suppress
from pathlib import Path
from typing import IO

from msgspec import Struct

from inisched.config.wire import HELPER
from inisched.executors import tree
from inisched.executors.tree import process_start

BEGIN, KNOWN = b"b", b"k"
"""The words to the process: it may begin; what it told is in the ledger."""

CHUNK = 64 * 1024


class Told(Struct, frozen=True):
    """What became of a letter. `final`: trying again is of no use. It may not have been `tried`."""

    id: int
    ok: bool
    error: str = ""
    final: bool = False
    tried: bool = True


class Messenger:
    """One such process with its letters, for a loop: select on `fileno()`, then `hear()`.

    It has until `deadline` (monotonic seconds).
    """

    def __init__(
        self,
        parcel: bytes,
        letters: Sequence[int],
        database: Path,
        *,
        deadline: float,
        mark: str = "",
    ) -> None:
        """What it starts carries the `mark`. Raises OSError where it cannot be started."""
        self._mark = mark
        self.letters = list(letters)
        self.deadline = deadline
        self.told: list[Told] = []
        """What it has told, in order."""
        self.settled: set[int] = set()
        """The letters of which that is in the ledger."""
        self.finished = False
        """It is heard no more; what became of its letters is known."""
        self._buffer = b""
        from tempfile import TemporaryFile  # slow to import, and most files tell nobody

        self._stderr = TemporaryFile()  # noqa: SIM115 - closed by close()
        self._line, theirs = socket.socketpair()
        try:
            with _packed(parcel) as file, theirs:
                self.process = _start(file, theirs, self._stderr, database, mark)
        except BaseException:
            self._line.close()
            self._stderr.close()
            raise
        self._line.setblocking(False)
        self.pid = self.process.pid
        self.started = process_start(self.pid)

    def fileno(self) -> int:
        return self._line.fileno()

    def begin(self) -> None:
        """The letters are known to be in its hands: it may deliver."""
        self._say(BEGIN)

    def hear(self) -> bool:
        """Take in what it has told; False once it has told everything, or is gone."""
        try:
            data = self._line.recv(CHUNK)
        except BlockingIOError:
            return True
        except OSError:
            data = b""
        *lines, self._buffer = (self._buffer + data).split(b"\n")
        self.told += [Told(**json.loads(line)) for line in lines if line]
        known = {told.id for told in self.told}
        return bool(data) and not known.issuperset(self.letters)

    def known(self) -> None:
        """What it has told is in the ledger."""
        self._say(KNOWN)

    def last_words(self) -> str:
        """The last line of what it complained of, where it ended before its work was done."""
        self._stderr.seek(0)
        lines = self._stderr.read().decode(errors="backslashreplace").split("\n")
        return next((line.strip() for line in reversed(lines) if line.strip()), "")

    def end(self) -> None:
        """End it, and whatever it started, now."""
        with suppress(ProcessLookupError, PermissionError):
            os.killpg(self.pid, signal.SIGKILL)
        tree.send(tree.members(self.pid, self._mark), signal.SIGKILL)

    def close(self) -> None:
        """Let go of it."""
        self._line.close()
        self._stderr.close()

    def _say(self, word: bytes) -> None:
        with suppress(OSError):
            self._line.send(word)


def _packed(parcel: bytes) -> IO[bytes]:
    """The parcel in a file without a name: it holds secrets, and may be larger than a pipe."""
    from tempfile import TemporaryFile

    memory = getattr(os, "memfd_create", None)
    file: IO[bytes]
    file = os.fdopen(memory("inisched"), "w+b") if memory else TemporaryFile()  # noqa: SIM115
    file.write(parcel)
    file.flush()
    file.seek(0)
    return file


def _start(
    parcel: IO[bytes], line: socket.socket, stderr: IO[bytes], database: Path, mark: str
) -> subprocess.Popen[bytes]:
    return subprocess.Popen(
        [
            sys.executable,
            "-P",
            "-m",
            "inisched.engine.courier",
            str(parcel.fileno()),
            str(database),
        ],
        stdin=line.fileno(),
        stdout=subprocess.DEVNULL,
        stderr=stderr,
        pass_fds=(parcel.fileno(),),
        start_new_session=True,
        env=os.environ | {HELPER: "1", tree.MARK: mark},
    )
