"""What the ledger remembers of a job, as a value and as a row."""

from __future__ import annotations

import sqlite3
from collections.abc import Iterable, Mapping
from datetime import datetime, timedelta
from functools import lru_cache
from sys import intern
from typing import Any

from msgspec import Struct

from inisched.model.job import Job
from inisched.stores.moments import from_ms, maybe_moment, to_ms
from inisched.timing.earlier import earlier
from inisched.timing.recurrence import Anchor
from inisched.timing.rhythm import NOTHING_AHEAD, Accounted, Rhythm, rhythm

_MS = timedelta(milliseconds=1)
NO_SHIFT = timedelta(0)
_ANY_NAMES: Mapping[str, str] = {}


class JobState(Struct, frozen=True, kw_only=True, gc=False):
    """What the ledger remembers of a job. `looked` is unmoved; None: never looked at.

    A job rests while it is not in the file, not active, or broken: that stretch has no fires. It
    is stale while its last good definition runs, the one in the file being broken. `shift` is by
    how much the wall clock was set under an elapsed interval, `ahead` what is accounted for beyond
    `looked`, because the clock was set back; `pruned` the stretch its pruned runs lie in. Its
    latest run began at `started`; it last `succeeded` and `failed` then. The period of the run
    `failed_run` must succeed before later ones.
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
    shift: timedelta = NO_SHIFT
    pruned: tuple[datetime, datetime] | None = None
    ahead: Accounted = NOTHING_AHEAD
    started: datetime | None = None
    succeeded: datetime | None = None
    failed: datetime | None = None
    failed_run: int | None = None

    @property
    def before_its_beginning(self) -> bool:
        """Whether the clock was set back to before the first look: until then it began earlier."""
        return (
            self.anchor is not None
            and not self.anchor.inclusive
            and self.looked is not None
            and self.looked < self.anchor.moment
        )

    def rhythm(self, job: Job, seed: str) -> Rhythm:
        """The rhythm of the job, which has been looked at, as it goes on from here."""
        anchor, schedule = self.anchor, job.schedule
        assert anchor is not None
        if self.before_its_beginning and not schedule.elapsed:
            assert self.looked is not None
            anchor = earlier(schedule, anchor, self.looked)
        if schedule.from_end and self.ended is not None:
            anchor = Anchor(max(self.ended - self.shift, anchor.moment))
        ahead = NOTHING_AHEAD if schedule.elapsed else self.ahead
        return rhythm(job.name, schedule, anchor, seed=seed, shift=self.shift, ahead=ahead)


class Beginning(Struct, frozen=True):
    """A rhythm that begins now; fires up to `looked`, inclusive, are not its concern.

    `shift` is that of a rhythm taken up again after another one.
    """

    name: str
    meaning: str
    anchor: Anchor
    looked: datetime
    shift: timedelta = NO_SHIFT

    def goes_on(self, state: JobState | None) -> bool:
        """Whether that is where the rhythm stands already."""
        if state is None:
            return False
        stands = (state.meaning, state.anchor, state.looked)
        return stands == (self.meaning, self.anchor, self.looked)


def read_job_states(
    rows: Iterable[sqlite3.Row],
    fires_ahead: Iterable[sqlite3.Row],
    names: Mapping[str, str] = _ANY_NAMES,
) -> dict[str, JobState]:
    """Rows of `job`, and the fires with a run that lie ahead of them, as values by name.

    Where `names` has a name already, that very text is taken.
    """
    fires: dict[int, list[datetime]] = {}
    for row in fires_ahead:
        fires.setdefault(row["job_id"], []).append(from_ms(row["fire_unmoved"]))
    states = {}
    for row in rows:
        name = names.get(row[1], row[1])
        states[name] = read_job_state(row, fires.get(row[0], ()) if fires else (), name)
    return states


@lru_cache(maxsize=1024)
def _moment(milliseconds: int | None) -> datetime | None:
    """Most jobs of a file were first looked at together: they share their moments."""
    return maybe_moment(milliseconds)


_ms = lru_cache(maxsize=1024)(to_ms)


@lru_cache(maxsize=1024)
def _anchor(began: int | None, counts: int) -> Anchor | None:
    moment = _moment(began)
    return None if moment is None else Anchor(moment, bool(counts))


def read_job_state(
    row: sqlite3.Row, fires_ahead: Iterable[datetime] = (), name: str = ""
) -> JobState:
    """A row of `job` as a value."""
    (
        number, text, meaning, began, counts, seen, ended, era, judged, resting,
        stale, shift, pruned_from, pruned_until, started, succeeded, failed, failed_run,
    ) = row  # fmt: skip
    looked = _moment(seen)
    pruned = None if pruned_until is None else (from_ms(pruned_from), from_ms(pruned_until))
    beyond = pruned if pruned and looked is not None and pruned[1] > looked else None
    fires = frozenset(fires_ahead)
    return JobState(
        id=number,
        name=name or text,
        meaning=intern(meaning),
        anchor=_anchor(began, counts),
        looked=looked,
        ended=_moment(ended),
        era=era,
        judged=judged,
        resting=bool(resting),
        stale=bool(stale),
        shift=shift * _MS if shift else NO_SHIFT,
        pruned=pruned,
        ahead=Accounted(fires, beyond) if fires or beyond else NOTHING_AHEAD,
        started=_moment(started),
        succeeded=_moment(succeeded),
        failed=_moment(failed),
        failed_run=failed_run,
    )


def beginning_values(new: Beginning) -> tuple[object, ...]:
    """As `seat_job` numbers them."""
    anchor, shift = new.anchor, new.shift // _MS if new.shift else 0
    return new.name, new.meaning, _ms(anchor.moment), anchor.inclusive, _ms(new.looked), shift


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
        "shift": job.shift // _MS,
        "pruned_from": to_ms(job.pruned[0]) if job.pruned else None,
        "pruned_until": to_ms(job.pruned[1]) if job.pruned else None,
        "started": to_ms(job.started) if job.started else None,
        "succeeded": to_ms(job.succeeded) if job.succeeded else None,
        "failed": to_ms(job.failed) if job.failed else None,
        "failed_run": job.failed_run,
    }
