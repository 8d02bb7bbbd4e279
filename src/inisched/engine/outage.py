"""A time in which the ledger cannot be written: said at once, every minute, and at its end."""

from __future__ import annotations

import logging
from datetime import datetime, timedelta

from inisched.model.duration import show_duration

log = logging.getLogger("inisched")

EVERY = timedelta(seconds=60)
"""How often an outage that lasts is said again."""


class Outage:
    """True while it lasts."""

    def __init__(self) -> None:
        self._since: datetime | None = None
        self._told: datetime | None = None

    def __bool__(self) -> bool:
        return self._since is not None

    def note(self, error: Exception, now: datetime) -> None:
        """The ledger has failed once more."""
        if self._since is None:
            self._since = now
        if self._told is not None and abs(now - self._told) < EVERY:
            return
        self._told = now
        lasted = now - self._since
        log.error(
            "the ledger cannot be written (%s)%s; nothing starts until it can",
            error,
            f" for {show_duration(lasted)} now" if lasted >= EVERY else "",
        )

    def over(self, now: datetime) -> None:
        """The ledger has been written; a word if that was in doubt."""
        if self._since is not None:
            lasted = show_duration(now - self._since)
            log.warning("the ledger can be written again, after %s", lasted)
            self._since = self._told = None
