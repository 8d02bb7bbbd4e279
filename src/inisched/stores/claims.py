"""What is entered in the ledger, and what comes back of it."""

from __future__ import annotations

from collections.abc import Sequence
from datetime import datetime, timedelta
from typing import NamedTuple

from msgspec import Struct, field
from msgspec.structs import replace

from inisched.model.run import Fire, Gap, Outcome, State, Trigger
from inisched.stores.job_state import JobState
from inisched.stores.post import Report


class Take(Struct):
    """What one look took up of one job: fires that start now or wait, and gaps.

    `held` is what came due during a hold, to be added to the waiting row `held_row`, if there is
    one.
    """

    job: JobState
    upto: datetime
    start: list[Fire] = field(default_factory=list)
    wait: list[Fire] = field(default_factory=list)
    gaps: Sequence[Gap] = ()
    held: Stretch | None = None
    held_row: int | None = None


class Stretch(Struct, frozen=True, kw_only=True):
    """Fires of a job that stand together: from `first` to `last`, both inclusive.

    `first` is unmoved, the others are as people see them.
    """

    first: datetime
    first_moved: datetime
    last_moved: datetime
    count: int

    def cut(self, row: GapRow) -> Stretch:
        """As far as its row reaches now."""
        return replace(self, last_moved=row.last, count=row.count)


class Claimed(Struct, frozen=True, kw_only=True):
    """An attempt at a fire that has its row. `start`: the row already says running.

    `taken_at` is when it was taken up; `not_before`, where it waits for a moment of its own.
    `alone`: no other fire of its job was taken up in the same look. `first_at` is the fire whose
    place it took, where it waits in place of older ones; it was `asked` so often whether it is
    ready, last at `asked_at`.
    """

    run_id: int
    fire: Fire
    taken_at: datetime
    start: bool = False
    attempt: int = 1
    not_before: datetime | None = None
    alone: bool = False
    first_at: datetime | None = None
    asked: int = 0
    asked_at: datetime | None = None

    @property
    def first_fire(self) -> datetime:
        """The moment of the first fire that waited here."""
        return self.first_at or self.fire.moved

    @property
    def scheduled(self) -> bool:
        """Whether it is the first attempt at a fire of the job's own rhythm."""
        return self.attempt == 1 and self.fire.trigger in (Trigger.SCHEDULE, Trigger.CATCHUP)

    def after(self, step: timedelta) -> Claimed:
        """The same attempt once the clock has been set by that much: its waiting goes on."""
        later = None if self.not_before is None else self.not_before + step
        asked_at = None if self.asked_at is None else self.asked_at + step
        return replace(self, taken_at=self.taken_at + step, not_before=later, asked_at=asked_at)


class OpenRun(Struct, frozen=True):
    """A row a former daemon left waiting or running, and the process that carried it.

    `held` where the row stands for what came due during a hold.
    """

    claimed: Claimed
    state: State
    pid: int | None
    pid_started: int | None
    held: Stretch | None = None

    def after(self, step: timedelta) -> OpenRun:
        """The same row once the clock has been set by that much."""
        return replace(self, claimed=self.claimed.after(step))


class Held(Struct, frozen=True):
    """What a living daemon has in hand: its jobs, and its fires with the moment they started."""

    jobs: Sequence[JobState]
    runs: Sequence[tuple[OpenRun, datetime | None]]


class GapRow(Struct, frozen=True):
    """A gap as its row tells it, without its reason; `ran`: unmoved fires within it that ran.

    Where it was cut before the first look, it has lost its fires in `lost`, unmoved: after the
    first moment, up to the second, inclusive.
    """

    id: int
    job: str
    first: datetime
    last: datetime
    count: int
    ran: frozenset[datetime] = frozenset()
    lost: tuple[datetime, datetime] | None = None


class Absence(Struct, frozen=True):
    """A stretch in which a living daemon did not look.

    It slept, or the whole `machine` did; or the clock was set by `step`, from `since` to `until`.
    """

    since: datetime
    until: datetime
    step: timedelta | None = None
    machine: bool = False


class Ended(NamedTuple):
    """How an attempt ended at a moment, how long it took, and what is entered with that.

    One that waited for others inside the daemon says when it really `began`. With `again` the next
    attempt is entered too, to wait for that moment; else the fires of the jobs that come `then`.
    `line` says whose line of periods stops at which run now, or goes on (None). The `report` of
    its end is written with it.
    """

    claimed: Claimed
    outcome: Outcome
    at: datetime
    took: timedelta | None = None
    began: datetime | None = None
    again: datetime | None = None
    then: Sequence[tuple[JobState, Fire]] = ()
    line: tuple[JobState, int | None] | None = None
    report: Report | None = None
