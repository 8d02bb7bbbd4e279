"""Signals as readable events: the handlers do nothing, a pipe wakes the loop."""

from __future__ import annotations

import os
import selectors
import signal
from types import FrameType, TracebackType

HEEDED = (signal.SIGTERM, signal.SIGINT, signal.SIGHUP, signal.SIGUSR1, signal.SIGCHLD)


class Signals:
    """While entered, the heeded signals only wake the selector and are kept for `taken`."""

    def __init__(self, selector: selectors.BaseSelector) -> None:
        self._selector = selector
        self._former: dict[int, object] = {}
        self._taken: list[int] = []

    def __enter__(self) -> Signals:
        self._reader, self._writer = os.pipe()
        for descriptor in (self._reader, self._writer):
            os.set_blocking(descriptor, False)
        self._former_wakeup = signal.set_wakeup_fd(self._writer, warn_on_full_buffer=False)
        for number in HEEDED:
            self._former[number] = signal.signal(number, _ignore)
        self._former[signal.SIGPIPE] = signal.signal(signal.SIGPIPE, signal.SIG_IGN)
        self._selector.register(self._reader, selectors.EVENT_READ, self._read)
        return self

    def __exit__(
        self,
        kind: type[BaseException] | None,
        error: BaseException | None,
        trace: TracebackType | None,
    ) -> None:
        self._selector.unregister(self._reader)
        signal.set_wakeup_fd(self._former_wakeup)
        for number, handler in self._former.items():
            signal.signal(number, handler)  # type: ignore[arg-type]
        os.close(self._reader)
        os.close(self._writer)

    def taken(self) -> list[int]:
        """The signals that have come since the last call, in order."""
        taken, self._taken = self._taken, []
        return taken

    def _read(self, descriptor: int) -> None:
        try:
            self._taken += os.read(descriptor, 512)
        except BlockingIOError:
            pass


def _ignore(number: int, frame: FrameType | None) -> None:
    """The wake-up pipe has said it all."""
