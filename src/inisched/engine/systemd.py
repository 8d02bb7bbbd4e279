"""What systemd is told: READY, RELOADING, STOPPING, STATUS, and the watchdog's sign of life."""

from __future__ import annotations

import math
import os
import socket
import time
from collections.abc import MutableMapping
from contextlib import suppress

OURS = ("NOTIFY_SOCKET", "WATCHDOG_PID", "WATCHDOG_USEC")


class Systemd:
    """The manager's notification socket; silent where there is none.

    Its variables leave the environment: what the daemon starts must not speak in its name.
    """

    def __init__(self, environment: MutableMapping[str, str]) -> None:
        address, pid, allowed = (environment.pop(name, "") for name in OURS)
        self._address = "\0" + address[1:] if address.startswith("@") else address
        mine = pid in ("", str(os.getpid()))
        self._interval = int(allowed) / 2e6 if mine and allowed.isdecimal() else None
        self._alive_until = 0.0
        self._status = ""

    def ready(self) -> None:
        """The file is in force, for the first time or again."""
        self._tell(READY=1)

    def reloading(self) -> None:
        """The file is being read again; `ready` follows."""
        self._tell(RELOADING=1, MONOTONIC_USEC=time.monotonic_ns() // 1000)

    def stopping(self) -> None:
        self._tell(STOPPING=1)

    def status(self, text: str) -> None:
        """One line for `systemctl status`; said only where it has changed."""
        if text != self._status:
            self._status = text
            self._tell(STATUS=text)

    def beat(self, now: float) -> None:
        """The watchdog's sign of life, if it is time for one; `now` is monotonic.

        To be called from the loop alone, so that a loop that hangs is noticed.
        """
        if self._interval is not None and now >= self._alive_until:
            self._alive_until = now + self._interval
            self._tell(WATCHDOG=1)

    def patience(self, now: float) -> float:
        """Seconds until the next sign of life."""
        return math.inf if self._interval is None else max(0.0, self._alive_until - now)

    def _tell(self, **facts: object) -> None:
        """Trouble with it is nobody's: a daemon does not stop because its manager is deaf."""
        if not self._address:
            return
        text = "\n".join(f"{name}={value}" for name, value in facts.items())
        with suppress(OSError), socket.socket(socket.AF_UNIX, socket.SOCK_DGRAM) as line:
            line.setblocking(False)
            line.sendto(text.encode(), self._address)
