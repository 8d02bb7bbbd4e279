"""An instant by which something must be done, whoever is at the other end of a connection."""

from __future__ import annotations

import socket
import threading
import time
from collections.abc import Iterator
from contextlib import contextmanager, suppress


class Deadline:
    """So many seconds from now, by a clock nobody sets."""

    def __init__(self, seconds: float) -> None:
        self.seconds = seconds
        self._end = time.monotonic() + seconds

    @property
    def left(self) -> float:
        """Seconds that are left; never quite none, as 0 would mean something else to a socket."""
        return max(self._end - time.monotonic(), 0.001)

    @property
    def shown(self) -> str:
        """How long that is, as told: "5 s"."""
        return f"{round(self.seconds, 1):g} s"

    @property
    def passed(self) -> bool:
        return time.monotonic() >= self._end

    @contextmanager
    def cutting(self, connection: socket.socket) -> Iterator[None]:
        """Cut the connection at the deadline: a limit per read would not stop one that drips."""
        cut = threading.Timer(self.left, _cut, [connection])
        cut.daemon = True
        cut.start()
        try:
            yield
        finally:
            cut.cancel()


def _cut(connection: socket.socket) -> None:
    with suppress(OSError):
        # Not the method of an SSL socket, which forgets its state under the reader's hands.
        socket.socket.shutdown(connection, socket.SHUT_RDWR)
