"""What the ledger remembers of a job, as a value and as a row."""

from __future__ import annotations

import sqlite3
from dataclasses import dataclass
from datetime import datetime
from typing import Any

from inisched.stores.moments import maybe_moment, to_ms
from inisched.timing.recurrence import Anchor


@dataclass(frozen=True, slots=True, kw_only=True)
class JobState:
    """What the ledger remembers of a job. `looked` is unmoved; None: never looked at.

    A job rests while it is not in the file, not active, or broken: that stretch has no fires. It
    is stale while its last good definition runs, the one in the file being broken.
    """

    id: int
    name: str
    meaning: str
    anchor: Anchor | None
    looked: datetime | None
    ended: datetime | None
    era: int
    judged: str | None
    resting: bool
    stale: bool


@dataclass(frozen=True, slots=True)
class Beginning:
    """A rhythm that begins now; fires up to `looked`, inclusive, are not its concern."""

    name: str
    meaning: str
    anchor: Anchor
    looked: datetime


def read_job_state(row: sqlite3.Row) -> JobState:
    """A row of `job` as a value."""
    anchor = maybe_moment(row["anchor"])
    return JobState(
        id=row["id"],
        name=row["name"],
        meaning=row["meaning"],
        anchor=None if anchor is None else Anchor(anchor, bool(row["anchor_counts"])),
        looked=maybe_moment(row["looked"]),
        ended=maybe_moment(row["ended"]),
        era=row["era"],
        judged=row["judged"],
        resting=bool(row["resting"]),
        stale=bool(row["stale"]),
    )


def job_values(job: JobState) -> dict[str, Any]:
    return {
        "id": job.id,
        "name": job.name,
        "meaning": job.meaning,
        "anchor": to_ms(job.anchor.moment) if job.anchor else None,
        "anchor_counts": job.anchor is not None and job.anchor.inclusive,
        "looked": to_ms(job.looked) if job.looked else None,
        "ended": to_ms(job.ended) if job.ended else None,
        "era": job.era,
        "judged": job.judged,
        "resting": job.resting,
        "stale": job.stale,
    }
