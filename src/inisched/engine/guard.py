"""Watches over the files a daemon stands on, its lock and its account, lest they be taken away."""

from __future__ import annotations

import logging
from datetime import datetime

from inisched.engine.engine import Engine
from inisched.engine.lock import AlreadyRunning, InstanceLock
from inisched.stores.ledger import LedgerDown

log = logging.getLogger("inisched")

INTERVAL = 4.0
"""Seconds between two looks."""

RETRY = 1.0
"""Seconds until a loss that could not be made good is gone about again."""


class Guard:
    """Compares now and then what is open with what bears its name, and puts right what differs."""

    def __init__(self, engine: Engine, lock: InstanceLock, now: float) -> None:
        """`now` is monotonic."""
        self._engine = engine
        self._lock = lock
        self._next = now + INTERVAL
        self._last = now
        self._told = ""

    def patience(self, now: float) -> float:
        """Seconds until the next look."""
        return max(0.0, self._due - now)

    @property
    def _due(self) -> float:
        damaged = self._engine.ledger.damaged
        return min(self._next, self._last + RETRY) if damaged else self._next

    def look(self, monotonic: float, now: datetime, *, anyway: bool = False) -> None:
        """Look, if it is time or `anyway`, for somebody is awake and looks at other files.

        Raises AlreadyRunning where another daemon has taken over.
        """
        if monotonic < self._due and not anyway:
            return
        self._last, self._next = monotonic, monotonic + INTERVAL
        if not (self._look_at_lock() and self._look_at_ledger(now)):
            self._next = monotonic + RETRY

    def _look_at_lock(self) -> bool:
        """Whether the lock is held as it should be; another's account must not be touched."""
        loss = self._lock.loss()
        if not loss:
            return True
        try:
            self._lock.renew()
        except AlreadyRunning as error:
            if error.holder is not None:
                raise
            self._tell(f"{loss}: taken for a moment by another program")
            return False
        except OSError as error:
            self._tell(f"{loss}: it cannot be taken again: {error.strerror or error}")
            return False
        self._told = ""
        log.error("%s: taken again", loss)
        return True

    def _tell(self, text: str) -> None:
        if text != self._told:
            self._told = text
            log.error("%s", text)

    def _look_at_ledger(self, now: datetime) -> bool:
        ledger = self._engine.ledger
        loss = ledger.loss()
        if not loss:
            return True
        try:
            done = ledger.mend(self._engine.held)
        except LedgerDown as error:
            self._engine.now = now
            self._engine.put_off(error)
            return False
        log.error("%s: %s", loss, done)
        return True
