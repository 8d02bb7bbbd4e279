"""Keeps the zygote alive: signals meant for the daemon or a whole group do not end it.

What every fork does is done with `_signal`: `signal` makes enums of all that comes back from it.
"""

from __future__ import annotations

import os
import signal
from _signal import pthread_sigmask, set_wakeup_fd  # type: ignore[import-not-found]
from _signal import signal as set_handler
from types import FrameType
from typing import Any

SHIELDED = (signal.SIGTERM, signal.SIGINT, signal.SIGHUP, signal.SIGUSR1)


class Shield:
    """Shielded signals do nothing here. A child that `drop`s it is as if it had never been.

    While modules are imported they have handlers, which no program that is started meanwhile
    inherits; afterwards they wait for ever, and what is sent to a child at once waits with it.
    """

    def __init__(self) -> None:
        self._mask = pthread_sigmask(signal.SIG_BLOCK, ())
        self._pipe: tuple[int, ...] = ()
        self._former: dict[signal.Signals, Any] = {}
        self._children: Any = None
        self.take_up()

    def take_up(self) -> None:
        """Let handlers be the shield."""
        for number in SHIELDED:
            self._former[number] = signal.signal(number, _ignore)
        pthread_sigmask(signal.SIG_SETMASK, self._mask)

    def close_up(self) -> int:
        """Let waiting be the shield; a descriptor that can be read when a child has ended."""
        pthread_sigmask(signal.SIG_BLOCK, SHIELDED)
        for number, handler in self._former.items():
            signal.signal(number, handler)
        self._pipe = os.pipe()
        for descriptor in self._pipe:
            os.set_blocking(descriptor, False)
        set_wakeup_fd(self._pipe[1], warn_on_full_buffer=False)
        self._children = set_handler(signal.SIGCHLD, _ignore)
        return self._pipe[0]

    def drop(self) -> None:
        """Give up the shield, in a child, and let come what has waited."""
        set_wakeup_fd(-1)
        set_handler(signal.SIGCHLD, self._children)
        for descriptor in self._pipe:
            os.close(descriptor)
        pthread_sigmask(signal.SIG_SETMASK, self._mask)


def _ignore(number: int, frame: FrameType | None) -> None:
    pass
