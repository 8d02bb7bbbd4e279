"""Notices what was done to time since the last look: the clock was set, or nobody looked."""

from __future__ import annotations

from datetime import datetime, timedelta

from inisched.engine.clock import Clock
from inisched.stores.claims import Absence

STEP = timedelta(seconds=0.5)
"""Less is a clock being slewed, which the jobs follow."""

OVERSLEPT = 5.0
"""Seconds beyond the time the loop wanted to sleep that are worth an entry."""

PRECISELY = 0.01
"""Seconds between two readings that count as one moment."""


class ClockWatch:
    """Compares the wall clock with the one that cannot be set and does not stop in a suspend."""

    def __init__(self, clock: Clock) -> None:
        self._clock = clock
        self._wall, self._boot, self._awake = self._read()

    def look(self, patience: float) -> tuple[datetime, list[Absence]]:
        """The moment it is, and what happened since the last look, `patience` seconds or less ago.

        Aware UTC. A wall clock that runs backwards was set, whatever the other one says.
        """
        former, slept_to = self._wall, self._boot
        wall, boot, awake = self._read()
        passed, waking = max(0.0, boot - slept_to), max(0.0, awake - self._awake)
        self._wall, self._boot, self._awake = wall, boot, awake
        found = []
        if passed > patience + OVERSLEPT:
            asleep = passed - waking > passed / 2
            found.append(Absence(former, former + timedelta(seconds=passed), machine=asleep))
        step = wall - former - timedelta(seconds=passed)
        if abs(step) >= STEP:
            found.append(Absence(former, wall, step=_whole_milliseconds(step)))
        return wall, found

    def _read(self) -> tuple[datetime, float, float]:
        """All clocks at one moment, as far as this process is let run between the readings."""
        for _ in range(10):
            before = self._clock.boottime()
            wall, awake, boot = self._clock.now(), self._clock.monotonic(), self._clock.boottime()
            if boot - before < PRECISELY:
                break
        return wall, boot, awake


def _whole_milliseconds(step: timedelta) -> timedelta:
    return timedelta(milliseconds=round(step / timedelta(milliseconds=1)))
