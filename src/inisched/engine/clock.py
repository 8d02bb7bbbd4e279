"""Where the engine reads the time; tests hand in a clock of their own."""

from __future__ import annotations

import time
from datetime import UTC, datetime
from typing import Protocol

_BOOTTIME = getattr(time, "CLOCK_BOOTTIME", time.CLOCK_MONOTONIC)


class Clock(Protocol):
    """A wall clock and one that only runs forward."""

    def now(self) -> datetime:
        """Aware UTC, cut to the millisecond the ledger keeps."""

    def monotonic(self) -> float:
        """Seconds from some beginning, without those the machine slept."""

    def boottime(self) -> float:
        """Seconds from some beginning, those the machine slept too, as far as it counts them."""

    def sleep(self, seconds: float) -> None:
        """Let time pass."""


class SystemClock:
    """The machine's clocks."""

    def now(self) -> datetime:
        moment = datetime.now(UTC)
        return moment.replace(microsecond=moment.microsecond // 1000 * 1000)

    def monotonic(self) -> float:
        return time.monotonic()

    def boottime(self) -> float:
        return time.clock_gettime(_BOOTTIME)

    def sleep(self, seconds: float) -> None:
        time.sleep(seconds)
