"""Keeps the zygote alive: signals meant for the daemon or a whole group do not end it."""

from __future__ import annotations

import os
import signal
from types import FrameType
from typing import Any

SHIELDED = (signal.SIGTERM, signal.SIGINT, signal.SIGHUP, signal.SIGUSR1)


class Shield:
    """Shielded signals do nothing here. A child that `drop`s it is as if it had never been.

    While modules are imported they have handlers, which no program that is started meanwhile
    inherits; afterwards they wait for ever, and what is sent to a child at once waits with it.
    """

    def __init__(self) -> None:
        self._mask = signal.pthread_sigmask(signal.SIG_BLOCK, ())
        self._pipe: tuple[int, ...] = ()
        self._former: dict[signal.Signals, Any] = {}
        self._children: Any = None
        self.take_up()

    def take_up(self) -> None:
        """Let handlers be the shield."""
        for number in SHIELDED:
            self._former[number] = signal.signal(number, _ignore)
        signal.pthread_sigmask(signal.SIG_SETMASK, self._mask)

    def close_up(self) -> int:
        """Let waiting be the shield; a descriptor that can be read when a child has ended."""
        signal.pthread_sigmask(signal.SIG_BLOCK, SHIELDED)
        for number, handler in self._former.items():
            signal.signal(number, handler)
        self._pipe = os.pipe()
        for descriptor in self._pipe:
            os.set_blocking(descriptor, False)
        signal.set_wakeup_fd(self._pipe[1], warn_on_full_buffer=False)
        self._children = signal.signal(signal.SIGCHLD, _ignore)
        return self._pipe[0]

    def drop(self) -> None:
        """Give up the shield, in a child, and let come what has waited."""
        signal.set_wakeup_fd(-1)
        signal.signal(signal.SIGCHLD, self._children)
        for descriptor in self._pipe:
            os.close(descriptor)
        signal.pthread_sigmask(signal.SIG_SETMASK, self._mask)


def _ignore(number: int, frame: FrameType | None) -> None:
    pass
