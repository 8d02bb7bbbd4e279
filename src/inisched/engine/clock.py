"""Where the engine reads the time; tests hand in a clock of their own."""

from __future__ import annotations

import functools
import sys
import time
from collections.abc import Callable
from datetime import UTC, datetime
from typing import Protocol

_SET_TIMER_SLACK = 29

AWAKE = 0.0002
"""The last seconds of a sleep, which are waited for awake."""

_BOOTTIME = getattr(time, "CLOCK_BOOTTIME", time.CLOCK_MONOTONIC)


class Clock(Protocol):
    """A wall clock and one that only runs forward."""

    def now(self) -> datetime:
        """Aware UTC, cut to the millisecond the ledger keeps."""

    def until(self, moment: datetime) -> float:
        """Seconds until the moment, nothing cut; negative once it has passed."""

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

    def until(self, moment: datetime) -> float:
        return (moment - datetime.now(UTC)).total_seconds()

    def monotonic(self) -> float:
        return time.monotonic()

    def boottime(self) -> float:
        return time.clock_gettime(_BOOTTIME)

    def sleep(self, seconds: float) -> None:
        """As exactly as the machine can: the last moment awake, for waking up takes time too.

        Less slack only meanwhile, for whatever is started inherits it.
        """
        end, set_slack = time.monotonic() + seconds, _timer_slack()
        set_slack(1)
        time.sleep(max(0.0, seconds - AWAKE))
        set_slack(0)
        while time.monotonic() < end:
            pass


@functools.cache
def _timer_slack() -> Callable[[int], object]:
    """Sets by how many nanoseconds the kernel may delay our timers; 0: as usual."""
    try:
        import ctypes

        prctl = ctypes.CDLL(None).prctl if sys.platform == "linux" else None
    except (OSError, AttributeError):
        prctl = None
    return lambda slack: prctl and prctl(_SET_TIMER_SLACK, slack, 0, 0, 0)
