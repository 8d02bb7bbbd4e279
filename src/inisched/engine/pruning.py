"""Forgets in the background, in the pauses between fires: no run waits for it."""

from __future__ import annotations

import logging
import math
from datetime import datetime, timedelta

from inisched.engine.clock import Clock
from inisched.model.retention import Retention
from inisched.stores.ledger import Ledger, LedgerDown
from inisched.stores.pieces import Steps
from inisched.stores.pruning import Pruning

log = logging.getLogger("inisched")

FIRST, EVERY = 180.0, 3600.0
"""Seconds from the daemon's start to the first pass, and from one pass to the next."""

RETRY = 60.0
"""Seconds until a pass the ledger could not carry out is begun again."""

QUIET = 0.1
"""Seconds in which nothing may be due for a piece to be done."""

SLICE = 0.005
"""Seconds of looking, without writing, that are one piece."""


class Pruner:
    """Takes a pass through its pieces, one each time it is looked at and nothing is due soon."""

    def __init__(self, ledger: Ledger, clock: Clock) -> None:
        self._ledger = ledger
        self._clock = clock
        self._next = clock.monotonic() + FIRST
        self._pass: Pruning | None = None
        self._steps: Steps | None = None
        self._asked = False
        self._spared: tuple[int, dict[int, int]] = (0, {})
        self.trouble = ""
        """Why the latest pass broke off, or ""."""

    def patience(self, due: datetime | None) -> float:
        """Seconds until the next piece, if something may be done before `due`; else endless."""
        return max(0.0, self._next - self._clock.monotonic()) if self._is_quiet(due) else math.inf

    def _is_quiet(self, due: datetime | None) -> bool:
        return due is None or (due - self._clock.now()).total_seconds() > QUIET

    def ask(self, keep: Retention) -> None:
        """Begin a pass at once, unless one that was asked for is still under way."""
        if self._steps is None or not self._asked:
            self._begin(keep)
            self._asked = True
        self._next = self._clock.monotonic()

    def postpone(self) -> None:
        """The clock was set, perhaps by mistake: whether a row is old is not told by it yet."""
        if not self._asked:
            self._steps, self._next = None, self._clock.monotonic() + EVERY

    @property
    def done(self) -> bool:
        """Whether no pass is under way."""
        return self._steps is None

    @property
    def gone(self) -> tuple[int, int]:
        """How many rows, and the output of how many runs, the latest pass has deleted so far."""
        return (self._pass.rows, self._pass.outputs) if self._pass else (0, 0)

    def look(self, keep: Retention | None, due: datetime | None) -> None:
        """Do a piece, if it is time for one; `due` is the next fire. None: all is to be kept."""
        began = self._clock.monotonic()
        if began < self._next or not self._is_quiet(due):
            return
        if self._steps is None and keep is None:
            self._next = began + EVERY
            return
        try:
            if self._steps is None and keep is not None:
                self._begin(keep)
            more = self._go_on(began + SLICE)
        except LedgerDown as error:
            self._break_off(str(error))
            return
        ended = self._clock.monotonic()
        self._next = ended + (ended - began if more else EVERY)

    def catch_up(self, keep: Retention | None, limit: float) -> None:
        """Do in one go what can be done within so many seconds; for a pass that leaves soon.

        Nothing where the latest whole pass is not `EVERY` ago.
        """
        now, deadline = self._clock.now(), self._clock.monotonic() + limit
        try:
            latest = self._ledger.last_pruned()
            if keep is None or (latest and abs(now - latest) < timedelta(seconds=EVERY)):
                return
            self._begin(keep)
            while self._go_on(deadline) and self._clock.monotonic() < deadline:
                pass
        except LedgerDown as error:
            self._break_off(str(error))

    def _begin(self, keep: Retention) -> None:
        if self._spared[0] != keep.runs:
            self._spared = (keep.runs, {})
        self._pass = self._ledger.pruning(
            keep,
            self._clock.now(),
            stopwatch=self._clock.monotonic,
            spared=self._spared[1],
        )
        self._steps, self._asked, self.trouble = self._pass.steps(), False, ""

    def _go_on(self, until: float) -> bool:
        """Work until something has been written, or time is up; whether there is more to do."""
        assert self._steps is not None
        for wrote in self._steps:
            if wrote or self._clock.monotonic() >= until:
                return True
        self._steps = None
        if any(self.gone):
            log.info("%s", in_words(*self.gone))
        return False

    def _break_off(self, trouble: str) -> None:
        self._steps, self.trouble = None, trouble
        self._next = self._clock.monotonic() + RETRY


def in_words(rows: int, outputs: int) -> str:
    """What has gone, for people."""
    parts = [f"{rows:,} row{'' if rows == 1 else 's'}"] if rows else []
    parts += [f"the output of {outputs:,} run{'' if outputs == 1 else 's'}"] if outputs else []
    return f"pruned {' and '.join(parts)}" if parts else "nothing to prune"
