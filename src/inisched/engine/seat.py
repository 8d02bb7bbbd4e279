"""A job's place in the engine: its rhythm, what of it runs, and what of it waits."""

from __future__ import annotations

from collections import deque
from collections.abc import Sequence
from datetime import datetime, timedelta
from typing import TYPE_CHECKING, Any

from msgspec.structs import replace

from inisched.model.job import Job, Misfire, Overlap
from inisched.model.run import Fire, Gap, Reason, Trigger
from inisched.stores.claims import Claimed, Stretch, Take
from inisched.stores.job_state import JobState
from inisched.timing import library
from inisched.timing.due import Due, due, gap
from inisched.timing.period import period_of
from inisched.timing.recurrence import Anchor, first_look, this_look
from inisched.timing.rhythm import Rhythm

_MILLISECOND = timedelta(milliseconds=1)

_HOLDERS = {"running": set, "line": deque, "pending": dict, "ready": dict, "cleared": set}


class Seat:
    """One job under the engine's care.

    `line` holds waiting fires, oldest first. `pending` are attempts that wait for their moment:
    retries, which count as running, and later fires a person asked for, which do not. An
    inactive job has no `entry`: only a person makes it run. `held` is what came due during a hold,
    with its row; `failed` the attempt whose period must succeed before later ones. A fire in
    `ready` may start until that moment, one in `cleared` has been asked whether it should run.
    `shut` is what the first in line waits for. It is `patient` where that is known to be one of the
    `max_running` places and nothing else, until something changes in its line.
    """

    __slots__ = (
        "asking",
        "cleared",
        "entry",
        "failed",
        "held",
        "job",
        "line",
        "looked",
        "patient",
        "paused_from",
        "paused_until",
        "pending",
        "ready",
        "removed",
        "rhythm",
        "running",
        "shut",
        "state",
    )
    running: set[int]
    line: deque[Claimed]
    pending: dict[int, Claimed]
    ready: dict[int, datetime]
    cleared: set[int]

    def __init__(
        self,
        job: Job,
        state: JobState,
        rhythm: Rhythm,
        entry: library.Job | None,
        looked: datetime,
    ) -> None:
        self.job, self.state, self.rhythm = job, state, rhythm
        self.entry, self.looked = entry, looked
        self.removed = self.patient = False
        self.paused_from: datetime | None = None
        self.paused_until: datetime | None = None
        self.held: tuple[Claimed, Stretch] | None = None
        self.failed: Claimed | None = None
        self.asking: int | None = None
        self.shut: str | None = None

    if not TYPE_CHECKING:

        def __getattr__(self, name: str) -> Any:
            """What holds fires is made when it is first asked for: most jobs only wait to be due,
            and it would take more memory than all else of them."""
            if name not in _HOLDERS:
                raise AttributeError(name)
            setattr(self, name, _HOLDERS[name]())
            return getattr(self, name)

    def take_over(self, former: Seat) -> None:
        """What runs, waits and is known of the job goes on under its new definition."""
        self.running, self.line, self.pending = former.running, former.line, former.pending
        self.paused_from, self.paused_until = former.paused_from, former.paused_until
        self.held, self.failed = former.held, former.failed
        self.asking, self.ready, self.cleared = former.asking, former.ready, former.cleared

    def note_patience(self) -> None:
        """Whether nothing but a place, nobody's answer and no moment, makes the first one start."""
        job, gates = self.job, self.job.gates
        asks = job.pool or gates.ready or gates.should_run or gates.upstream
        own = self.running or self.pending or self.failed or self.paused_until
        self.patient = self.shut == "max_running" and not (asks or own)

    def forget(self, entry: Claimed) -> None:
        """The fire waits no longer."""
        self.ready.pop(entry.run_id, None)
        self.cleared.discard(entry.run_id)
        self.asking = None if self.asking == entry.run_id else self.asking

    def is_paused(self, now: datetime) -> bool:
        return self.paused_until is not None and now < self.paused_until

    def is_ready(self, entry: Claimed, now: datetime) -> bool:
        """Whether the fire need not wait for its data any more."""
        until = self.ready.get(entry.run_id)
        asked = self.job.gates.ready is None or entry.fire.override
        return asked or (until is not None and now < until)

    @property
    def under_way(self) -> bool:
        """Whether a run of the job goes on, or a retry waits for its moment."""
        return bool(self.running) or any(other.attempt > 1 for other in self.pending.values())

    @property
    def retrying(self) -> bool:
        """Whether a retry waits for its moment, or for a place."""
        if not (self.pending or self.line):
            return False
        return any(entry.attempt > 1 for entry in (*self.pending.values(), *self.line))

    @property
    def busy(self) -> bool:
        """Whether a new fire meets `overlap`: a fire is under way, or a line is worked off."""
        if self.running or self.asking is not None or self.retrying:
            return True
        return len(self.line) > 1 and not self.waits

    @property
    def waits(self) -> bool:
        """Whether the first in line waits at a gate of its own: that is no work."""
        shut = self.shut or ""
        return shut in ("line", "hold", "ready") or shut.startswith("after:")

    @property
    def head(self) -> Claimed:
        """Who is to start next: the first in line, or whom a person sent past one that waits."""
        if self.waits:
            asked_for = (e for e in self.line if e.fire.trigger is Trigger.MANUAL)
            return next(asked_for, self.line[0])
        return self.line[0]

    def beside(self, entry: Claimed) -> bool:
        """Whether the fire may start beside a run of its own job."""
        return self.job.overlap is Overlap.ALLOW and entry.alone

    def look(self, now: datetime, *, held: bool = False) -> Take:
        """Take up what has come due since the last look; during a hold it only piles up."""
        if held:
            return self._pile_up(now)
        before, paused = self._heed_the_pause(now)
        found = due(self.job, self.rhythm, self.looked, now)
        self.looked = found.upto
        run = [dated(self.job, fire) for fire in (*before, *found.run)]
        take = Take(self.state, found.upto, wait=run, gaps=[*paused, *found.gaps])
        self.refuse(take)
        return take

    def _pile_up(self, now: datetime) -> Take:
        upto = self.rhythm.upto(now)
        last, first = self.rhythm.latest(self.looked, upto), self.rhythm.next(self.looked)
        take = Take(self.state, upto, held_row=self.held[0].run_id if self.held else None)
        if last is not None and first is not None:
            take.held = Stretch(
                first=first,
                first_moved=self.rhythm.moved(first),
                last_moved=self.rhythm.moved(last),
                count=self.rhythm.count(self.looked, last)[0],
            )
        self.looked = upto
        return take

    def _heed_the_pause(self, now: datetime) -> tuple[Sequence[Fire], Sequence[Gap]]:
        """The fires that came due before the pause, and the gaps before it and in it."""
        if self.paused_from is None and self.paused_until is None:
            return (), ()
        before = self._before_the_pause(now)
        return before.run, [*before.gaps, *self._pass_over(now)]

    def _before_the_pause(self, now: datetime) -> Due:
        """What came due before a pause that began while no daemon looked."""
        begun = self.paused_from
        if begun is None or begun > now or begun <= self.looked:
            return Due(self.looked)
        found = due(self.job, self.rhythm, self.looked, begun - _MILLISECOND)
        self.looked = max(self.looked, found.upto)
        return found

    def _pass_over(self, now: datetime) -> list[Gap]:
        """The fires that came due while the job was paused."""
        if self.paused_until is None:
            return []
        upto = self.rhythm.upto(min(now, self.paused_until - _MILLISECOND))
        last = self.rhythm.latest(self.looked, upto)
        paused = [gap(self.job.name, self.rhythm, self.looked, last, Reason.PAUSED)] if last else []
        self.looked = max(self.looked, upto)
        return paused

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


def dated(job: Job, fire: Fire) -> Fire:
    """The fire with the period its report is about."""
    if job.report_period is None or fire.period is not None:
        return fire
    period = period_of(job.report_period, fire.at, job.schedule.zone)
    return replace(fire, period=period)


def asked_for(job: Job, rhythm: Rhythm, fire: Fire, failed: Fire | None = None) -> Fire:
    """A fire that is none of the schedule, with its period: the failed one, else that of the
    latest fire by the schedule."""
    if job.report_period is None:
        return fire
    if failed is not None:
        return replace(fire, period=failed.period)
    latest = rhythm.latest(rhythm.anchor.moment - timedelta(days=1), fire.at)
    return replace(fire, period=dated(job, replace(fire, at=latest or fire.at)).period)


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
    anchor, look = first_look(job.schedule, now), this_look(now).moment
    if looked is not None:
        return anchor, max(look, looked)
    return anchor, anchor.moment - timedelta(milliseconds=1) if anchor.inclusive else look
