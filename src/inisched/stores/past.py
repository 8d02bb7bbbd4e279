"""One job's rows as `why` asks for them: by the fire, not by the run. Never writes."""

from __future__ import annotations

import sqlite3
from collections.abc import Callable
from datetime import datetime, timedelta
from typing import Any

from msgspec import Struct

from inisched.stores.moments import from_ms, maybe_moment, to_ms

MOST = 200
"""Rows that one question looks at; more are not worth telling."""

Ask = Callable[[str, dict[str, Any]], list[sqlite3.Row]]
"""A statement by its name, and its values."""


class Entry(Struct, frozen=True, kw_only=True):
    """One row: an attempt at a fire, or a gap (`fire_until`). Moments are aware UTC.

    `unmoved` is the fire before jitter, `took` how long the run lasted. `misfires` counts those
    a catch-up stands for.
    """

    id: int
    fire_at: datetime
    fire_until: datetime | None
    unmoved: datetime
    count: int
    era: int
    attempt: int
    state: str
    reason: str | None
    trigger: str
    taken_at: datetime | None
    not_before: datetime | None
    started_at: datetime | None
    ended_at: datetime | None
    took: timedelta | None
    exit_code: int | None
    message: str
    misfires: int
    period: tuple[str, str] | None
    override: bool

    @property
    def is_gap(self) -> bool:
        return self.fire_until is not None

    @property
    def signs(self) -> list[datetime]:
        """When a daemon did something for it. What a person had entered may be another's doing."""
        moments = (self.taken_at, self.started_at, self.ended_at)
        return [one for one in moments if one is not None and self.trigger != "manual"]


class Rest(Struct, frozen=True):
    """A stretch without fires: those after `since`, up to and including `until`, did not come
    due. None: it lasts. The reason is removed, inactive or broken."""

    reason: str
    since: datetime
    until: datetime | None

    def covers(self, fire: datetime) -> bool:
        return self.since < fire and (self.until is None or fire <= self.until)


class Past(Struct, frozen=True):
    """What the ledger holds of one job."""

    job: str
    ask: Ask

    def between(self, since: datetime, until: datetime) -> list[Entry]:
        """Rows whose fire, of gaps the first, lies in [since, until); by fire, era, attempt."""
        return self._entries("fires_between", since=to_ms(since), until=to_ms(until), limit=MOST)

    def gaps(self, since: datetime, until: datetime) -> list[Entry]:
        """Gaps that share a moment with [since, until), by their last fire."""
        return self._entries("gaps_between", since=to_ms(since), until=to_ms(until), limit=MOST)

    def newest(self, until: datetime) -> list[Entry]:
        """Rows whose fire is not after the moment, the latest fire first."""
        return self._entries("newest_fires", until=to_ms(until), limit=MOST)

    def before(self, moment: datetime) -> datetime | None:
        """The last fire with a row before the moment, of those the schedule brought."""
        ends = self._entries("gap_before", moment=to_ms(moment))
        found = [entry.fire_until for entry in ends if entry.fire_until is not None]
        found += [entry.fire_at for entry in self._entries("fire_before", moment=to_ms(moment))]
        return max(found, default=None)

    def after(self, moment: datetime) -> datetime | None:
        """The first fire with a row at or after the moment, of those the schedule brought."""
        found = self._entries("fire_after", moment=to_ms(moment))
        return found[0].fire_at if found else None

    def rests(self) -> list[Rest]:
        """Stretches without fires, in order."""
        return [
            Rest(row["reason"], from_ms(row["since"]), maybe_moment(row["until"]))
            for row in self.ask("rests_of_job", {"job": self.job})
        ]

    def _entries(self, query: str, **values: Any) -> list[Entry]:
        return [read_entry(row) for row in self.ask(query, {"job": self.job} | values)]


def read_entry(row: sqlite3.Row) -> Entry:
    """A row of `run` as a value."""
    periods = row["period_start"], row["period_end"]
    return Entry(
        id=row["id"],
        fire_at=from_ms(row["fire_at"]),
        fire_until=maybe_moment(row["fire_until"]),
        unmoved=from_ms(row["fire_unmoved"]),
        count=row["count"],
        era=row["era"],
        attempt=row["attempt"],
        state=row["state"],
        reason=row["reason"],
        trigger=row["trigger"],
        taken_at=maybe_moment(row["taken_at"]),
        not_before=maybe_moment(row["not_before"]),
        started_at=maybe_moment(row["started_at"]),
        ended_at=maybe_moment(row["ended_at"]),
        took=_took(row),
        exit_code=row["exit_code"],
        message=row["message"],
        misfires=row["misfires"],
        period=periods if periods[1] else None,
        override=bool(row["override"]),
    )


def _took(row: sqlite3.Row) -> timedelta | None:
    if row["took"] is not None:
        return timedelta(milliseconds=row["took"])
    if row["started_at"] is None or row["ended_at"] is None:
        return None
    return timedelta(milliseconds=max(0, row["ended_at"] - row["started_at"]))
