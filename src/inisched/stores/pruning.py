"""One pass over the account, piece by piece, that forgets what is old enough or one too many.

A job is never without its newest row, and the newest that was started, that ended by itself and
that ended well: rhythm, gaps and `after` go by them; nor without the run whose period failed. An
open fire keeps all its attempts, and a fire that lies ahead (the clock was set back) the row that
says it has run.
"""

from __future__ import annotations

import sqlite3
from collections.abc import Callable, Generator, Iterator
from datetime import datetime, timedelta
from functools import partial

from inisched.model.retention import Retention
from inisched.stores.moments import to_ms
from inisched.stores.pieces import Access, Pieces, Rows, Steps

LOOKED_AT, COUNTED = 1_000, 20_000
"""Rows, and entries of an index, one piece looks at."""

_LAST = 2**63 - 1
_FIRST = {"id": 0, "fire_at": -_LAST, "era": 0, "attempt": 0}
"""Before every row, by whichever columns they are ordered."""

_MILLISECOND = timedelta(milliseconds=1)


class Pruning:
    """A pass; what one may do at a time is left to `Pieces`."""

    def __init__(
        self,
        access: Access,
        keep: Retention,
        now: datetime,
        *,
        stopwatch: Callable[[], float],
        spared: dict[int, int] | None = None,
    ) -> None:
        """`spared` is remembered from pass to pass while `keep.runs` stays: see `_beyond`."""
        self._access = access
        self._run = access.run
        self._pieces = Pieces(access, stopwatch)
        self._keep = keep.runs
        self._now = to_ms(now)
        self._rows_before = self._now - keep.history // _MILLISECOND
        self._output_before = self._now - keep.output // _MILLISECOND
        self._spared = {} if spared is None else spared

    @property
    def rows(self) -> int:
        """How many rows of runs and gaps have gone so far."""
        return self._pieces.deleted["run"]

    @property
    def outputs(self) -> int:
        """Of how many runs the output alone has gone so far."""
        return self._pieces.deleted["output"]

    def steps(self) -> Steps:
        """The whole pass. What raises LedgerDown ends it; another one may begin later."""
        self._newest = self._run("newest_id")[0]["id"] or 0
        job = 0
        while jobs := self._run("jobs_after", id=job, n=LOOKED_AT):
            for row in jobs:
                job = row["id"]
                yield from self._forget_rows(job, row["failed_run"])
        yield from self._forget_outputs()
        for query, what in _OTHERS.items():
            while rows := self._run(query, before=self._rows_before, n=self._pieces.size):
                yield from self._pieces.delete(what, rows)
        yield from self._pieces.give_back()
        with self._access.together():
            self._run("note_pruned", now=str(self._now))
        yield True

    # -- rows ----------------------------------------------------------------------------------

    def _forget_rows(self, job: int, failed_run: int | None) -> Steps:
        last = yield from self._beyond(job)
        stretch = {"job_id": job, "last": last, "before": self._rows_before}
        if last or self._run("rows_before", n=1, **stretch, **_FIRST):
            kept = yield from self._keepsakes(job)
            kept |= {failed_run} if failed_run is not None else set()
            for query in ("rows_beyond", "rows_before"):
                yield from self._sweep(query, stretch, kept)
        yield False

    def _beyond(self, job: int) -> Generator[bool, None, int]:
        """The last row that lies beyond the newest that are kept; 0 where there is none.

        `spared` tells up to which newest row of all a job cannot have too many.
        """
        if self._newest <= self._spared.get(job, 0):
            return 0
        left, lowest = self._keep + 1, _LAST
        while left:
            piece = min(left, COUNTED)
            found = self._run("row_down", job_id=job, id=lowest, n=piece)
            if not found:
                left -= self._run("number_down", job_id=job, id=lowest)[0]["number"]
                self._spared[job] = self._newest + left - 1
                return 0
            left, lowest = left - piece, found[0]["id"]
            yield False
        return lowest

    def _keepsakes(self, job: int) -> Generator[bool, None, frozenset[int]]:
        """The newest run that was started, that ended by itself, and that ended well."""
        kept: dict[str, int] = {}
        lowest, n = _LAST, 4
        while len(kept) < 3 and (rows := self._run("rows_down", job_id=job, id=lowest, n=n)):
            for row in rows:
                for merit in _merits(row):
                    kept.setdefault(merit, row["id"])
            lowest, n = rows[-1]["id"], min(4 * n, LOOKED_AT)
            yield False
        return frozenset(kept.values())

    def _sweep(self, query: str, stretch: dict[str, int], kept: frozenset[int]) -> Steps:
        job, place = stretch["job_id"], _FIRST
        while found := self._run(query, n=self._pieces.size, **stretch, **place):
            rows = self._pieces.first(found)
            doomed = self._doomed(rows, job, kept)
            if doomed:
                yield from self._pieces.delete("run", doomed, partial(self._widen, doomed, job))
            place = {column: rows[-1][column] for column in _FIRST}
            yield False

    def _doomed(self, rows: Rows, job: int, kept: frozenset[int]) -> Rows:
        now = self._run("job_now", job_id=job)[0]
        open_fires = {(row["fire_at"], row["era"]) for row in self._run("open_fires", job_id=job)}
        return [
            row
            for row in rows
            if row["old"] and row["id"] != now["newest"] and row["id"] not in kept
            if (row["fire_at"], row["era"]) not in open_fires
            if not (_is_of_rhythm(row) and row["fire_at"] > (now["looked"] or 0))
        ]

    def _widen(self, doomed: Rows, job: int) -> None:
        """Their fires count as done, should the clock ever be set back behind them."""
        fires = [row["fire_unmoved"] for row in doomed if _is_of_rhythm(row)]
        if fires:
            self._run("widen_pruned", job_id=job, first=min(fires), last=max(fires))

    # -- output --------------------------------------------------------------------------------

    def _forget_outputs(self) -> Steps:
        """In the order runs were taken up, until one that was so late that its end is not old.

        One taken up later than now proves nothing: the clock was wrong then.
        """
        place = 0
        while found := self._run("outputs_after", id=place, n=self._pieces.size):
            rows = self._pieces.first(found)
            old = [row for row in rows if (row["ended_at"] or _LAST) < self._output_before]
            if old:
                yield from self._pieces.delete("output", old)
            if any(self._output_before <= (row["taken_at"] or 0) <= self._now for row in rows):
                return
            place = rows[-1]["id"]
            yield False


_OTHERS = {
    "lives_before": "life",
    "absences_before": "absence",
    "rests_before": "rest",
    "incidents_before": "incident",
}


def _is_of_rhythm(row: sqlite3.Row) -> bool:
    """Whether the row says that a fixed time has had its run."""
    first = row["era"] == 0 and row["attempt"] == 1 and row["fire_until"] is None
    return first and row["trigger"] in ("schedule", "catchup")


def _merits(row: sqlite3.Row) -> Iterator[str]:
    if row["started_at"] is not None:
        yield "started"
    if row["state"] in ("success", "warning"):
        yield "succeeded"
    if row["state"] in ("success", "warning", "failure", "timeout"):
        yield "finished"
