"""A job's place in the engine: its rhythm, what of it runs, and what of it waits in line."""

from __future__ import annotations

from collections import deque
from dataclasses import dataclass, field
from datetime import datetime, timedelta

from inisched.model.job import Job, Misfire
from inisched.model.run import Fire, Gap, Reason
from inisched.stores.ledger import Claimed, JobState, Take
from inisched.timing import library
from inisched.timing.due import due
from inisched.timing.recurrence import Anchor, first_look
from inisched.timing.rhythm import Rhythm


@dataclass(slots=True)
class Seat:
    """One job under the engine's care. `line` holds waiting fires, oldest first."""

    job: Job
    state: JobState
    rhythm: Rhythm
    entry: library.Job
    looked: datetime
    running: set[int] = field(default_factory=set)
    line: deque[Claimed] = field(default_factory=deque)
    removed: bool = False

    @property
    def busy(self) -> bool:
        """Whether a new fire meets `overlap`: a run is under way, or a line is being worked off."""
        return bool(self.running) or len(self.line) > 1

    def look(self, now: datetime) -> Take:
        """Take up what has come due since the last look."""
        found = due(self.job, self.rhythm, self.looked, now)
        self.looked = found.upto
        take = Take(self.state, found.upto, gaps=list(found.gaps))
        if self.busy and self.job.misfire is not Misfire.ALL:
            take.gaps = [*found.gaps, *(overlapped(fire) for fire in found.run)]
        else:
            take.wait = list(found.run)
        return take


def overlapped(fire: Fire) -> Gap:
    """A fire that met its own job still running."""
    return Gap(
        job=fire.job,
        first=fire.moved,
        last=fire.moved,
        count=1,
        reason=Reason.OVERLAP,
        message="the run before it was still going",
    )


def begin(job: Job, looked: datetime | None, now: datetime) -> tuple[Anchor, datetime]:
    """Where a rhythm begins now, and up to where its fires are not its concern.

    Only a job never seen before (`looked` is None) has a backlog from an `active_from` in the
    past; a changed schedule never reaches behind what is accounted for.
    """
    anchor, look = first_look(job.schedule, now), now.replace(microsecond=0)
    if looked is not None:
        return anchor, max(look, looked)
    return anchor, anchor.moment - timedelta(milliseconds=1) if anchor.inclusive else look
