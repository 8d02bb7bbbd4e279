"""A job's place in the engine: its rhythm, what of it runs, and what of it waits."""

from __future__ import annotations

from collections import deque
from dataclasses import dataclass, field
from datetime import datetime, timedelta

from inisched.model.job import Job, Misfire, Overlap
from inisched.model.run import Fire, Gap, Reason
from inisched.stores.job_state import JobState
from inisched.stores.ledger import Claimed, Take
from inisched.timing import library
from inisched.timing.due import due
from inisched.timing.recurrence import Anchor, first_look
from inisched.timing.rhythm import Rhythm


@dataclass(slots=True)
class Seat:
    """One job under the engine's care.

    `line` holds waiting fires, oldest first. `pending` are attempts that wait for their moment:
    retries, which count as running, and later fires a person asked for, which do not. An
    inactive job has no `entry`: only a person makes it run.
    """

    job: Job
    state: JobState
    rhythm: Rhythm
    entry: library.Job | None
    looked: datetime
    running: set[int] = field(default_factory=set)
    line: deque[Claimed] = field(default_factory=deque)
    pending: dict[int, Claimed] = field(default_factory=dict)
    removed: bool = False

    @property
    def retrying(self) -> bool:
        """Whether a retry waits for its moment, or for a place."""
        if not (self.pending or self.line):
            return False
        return any(entry.attempt > 1 for entry in (*self.pending.values(), *self.line))

    @property
    def busy(self) -> bool:
        """Whether a new fire meets `overlap`: a fire is under way, or a line is worked off."""
        return bool(self.running) or self.retrying or len(self.line) > 1

    def beside(self, entry: Claimed) -> bool:
        """Whether the fire may start beside a run of its own job."""
        return self.job.overlap is Overlap.ALLOW and entry.alone

    def look(self, now: datetime) -> Take:
        """Take up what has come due since the last look."""
        found = due(self.job, self.rhythm, self.looked, now)
        self.looked = found.upto
        take = Take(self.state, found.upto, wait=list(found.run), gaps=list(found.gaps))
        self.refuse(take)
        return take

    def refuse(self, take: Take) -> None:
        """Turn fires that `overlap` refuses into gaps."""
        job = self.job
        if job.misfire is Misfire.ALL or job.overlap is Overlap.ALLOW or not take.wait:
            return
        if job.overlap is Overlap.QUEUE and not self.line:
            keep = 1 if self.busy else len(take.wait)
        elif job.overlap is Overlap.QUEUE or (job.overlap is Overlap.SKIP and self.busy):
            keep = 0
        else:
            return
        take.gaps = [*take.gaps, *(overlapped(fire) for fire in take.wait[keep:])]
        del take.wait[keep:]


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
