"""Keeps the zygote alive: signals meant for the daemon or a whole group do not end it."""

from __future__ import annotations

import os
import signal
from collections.abc import Iterator
from contextlib import contextmanager
from types import FrameType
from typing import Any

SHIELDED = (signal.SIGTERM, signal.SIGINT, signal.SIGHUP, signal.SIGUSR1)


class Shield:
    """Shielded signals do nothing here. A child that `drop`s it is as if it had never been."""

    def __init__(self) -> None:
        self._mask = signal.pthread_sigmask(signal.SIG_BLOCK, ())
        self._former: dict[signal.Signals, Any] = {}
        self._pipe: tuple[int, ...] = ()
        for number in SHIELDED:
            self._former[number] = signal.signal(number, _ignore)

    def watch_children(self) -> int:
        """A descriptor that can be read when a child has ended."""
        self._pipe = os.pipe()
        for descriptor in self._pipe:
            os.set_blocking(descriptor, False)
        signal.set_wakeup_fd(self._pipe[1], warn_on_full_buffer=False)
        self._former[signal.SIGCHLD] = signal.signal(signal.SIGCHLD, _ignore)
        return self._pipe[0]

    @contextmanager
    def held(self) -> Iterator[None]:
        """Signals wait meanwhile: what is sent to a child at once meets it without its shield."""
        signal.pthread_sigmask(signal.SIG_BLOCK, self._former)
        try:
            yield
        finally:
            signal.pthread_sigmask(signal.SIG_SETMASK, self._mask)

    def drop(self) -> None:
        """Give up the shield, in a child, and let come what has waited."""
        signal.set_wakeup_fd(-1)
        for number, handler in self._former.items():
            signal.signal(number, handler)
        for descriptor in self._pipe:
            os.close(descriptor)
        signal.pthread_sigmask(signal.SIG_SETMASK, self._mask)


def _ignore(number: int, frame: FrameType | None) -> None:
    pass
