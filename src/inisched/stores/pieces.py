"""How much one piece of a pass over the account may delete, so that nothing else waits for it."""

from __future__ import annotations

import sqlite3
from collections import Counter
from collections.abc import Callable, Generator, Sequence
from contextlib import AbstractContextManager
from typing import Any, Protocol

from msgspec import Struct

LEAST, MOST = 16, 500
"""Rows one piece deletes: it begins with few, and grows while it is quick."""

SHORT, LONG = 0.005, 0.015
"""Seconds within which a piece is quick, and beyond which the next one is smaller."""

HEAVY = 1024 * 1024
"""Bytes of output one piece deletes; it deletes one row in any case."""

DIRTY = 300
"""Rows, and pages of output, after which the log is written into the database."""

SLACK = 256
"""Pages that may lie free; so may a quarter of the file."""

GIVEN_BACK = 64
"""Free pages one piece gives back."""

_PAGE = 4096

Rows = Sequence[sqlite3.Row]
Steps = Generator[bool, None, None]
"""Each `next` does one piece of work, and tells whether it wrote."""


class Run(Protocol):
    """Has a query of `queries.sql` answered. Raises LedgerDown."""

    def __call__(self, query: str, **values: Any) -> list[sqlite3.Row]: ...


class Access(Struct, frozen=True):
    """What a pass may do: ask, do several things as one, and have the log written out."""

    run: Run
    together: Callable[[], AbstractContextManager[None]]
    write_out: Callable[[], None]


class Pieces:
    """`size` is how many rows the next piece may delete, `deleted` how many of each sort have gone.

    Rows have `id`, and `bytes` of output.
    """

    def __init__(self, access: Access, stopwatch: Callable[[], float]) -> None:
        self._access = access
        self._stopwatch = stopwatch
        self._dirty = 0
        self.size = LEAST
        self.deleted: Counter[str] = Counter()

    def first(self, rows: Rows) -> Rows:
        """Those at the beginning with no more output than one piece may delete."""
        size = 0
        for number, row in enumerate(rows):
            size += row["bytes"] or 0
            if size > HEAVY and number:
                return rows[:number]
        return rows

    def delete(self, what: str, rows: Rows, also: Callable[[], object] = lambda: None) -> Steps:
        """Delete rows and do what belongs to that, as one; many pieces on, write the log too."""
        began = self._stopwatch()
        with self._access.together():
            for row in rows:
                self._access.run(f"delete_{what}", id=row["id"])
            also()
        self._adapt(self._stopwatch() - began)
        self.deleted[what] += len(rows)
        yield True
        yield from self._write_out(sum(1 + (row["bytes"] or 0) // _PAGE for row in rows))

    def give_back(self) -> Steps:
        """Make the file smaller where much of it lies free."""
        free, pages = self._access.run("free_pages")[0]
        while free > max(SLACK, pages // 4):
            with self._access.together():
                for _ in range(GIVEN_BACK):
                    self._access.run("give_a_page_back")
            yield True
            yield from self._write_out(2 * GIVEN_BACK)
            before = free
            free, pages = self._access.run("free_pages")[0]
            if free >= before:
                return

    def _adapt(self, took: float) -> None:
        if took > LONG:
            self.size = max(LEAST, self.size // 2)
        elif took < SHORT:
            self.size = min(MOST, self.size * 2)

    def _write_out(self, dirtied: int) -> Steps:
        self._dirty += dirtied
        if self._dirty > DIRTY:
            self._dirty = 0
            self._access.write_out()
            yield True
