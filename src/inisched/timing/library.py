"""Our children of the `schedule` library: its words and its loop, our arithmetic.

The INI becomes `scheduler.every(5).minutes.at(":30").do(look, "report")`, and the daemon's loop
is `scheduler.run_pending()`. The library keeps naive local times, asks its own clock and scans
all jobs at each turn; here due moments are aware UTC in a heap, and the recurrence is the one
everything else asks. This is the only room that imports the library.
"""

from __future__ import annotations

import heapq
from collections.abc import Callable, Hashable
from datetime import UTC, datetime, timedelta
from functools import partial
from typing import Any, cast

import schedule

from inisched.model.schedule import Every, Schedule, Unit
from inisched.timing.recurrence import Anchor
from inisched.timing.rhythm import Rhythm, rhythm
from inisched.timing.shown import WEEKDAYS, show_time

_CRON: set[Hashable] = {"cron"}
_EVERY: set[Hashable] = {"every"}
"""Tags, of which the library would make a set for each job."""

_PLURAL = {unit: f"{unit.value}s" for unit in Unit}
"""The library's words for units."""


class Job(schedule.Job):
    """A job of the library that follows a rhythm of ours. `due` is aware UTC, None: never."""

    def __init__(self, interval: int, scheduler: Scheduler, *, number: int) -> None:
        """`number` orders jobs that are due together."""
        super().__init__(interval, scheduler)
        self.number = number
        self.look: Callable[..., Any] | None = None
        self.args: tuple[Any, ...] = ()
        self.rhythm: Rhythm | None = None
        self.since: datetime | None = None
        self.due: datetime | None = None
        self.ran: datetime | None = None
        self.turn = 0
        self.cancelled = False

    @property
    def last_run(self) -> datetime | None:
        """As the library shows it; so is `next_run`. Made when it is asked for."""
        return _naive(self.ran) if self.ran else None

    @last_run.setter
    def last_run(self, moment: datetime | None) -> None:
        """The library sets it to None at the beginning, and never again."""

    @property
    def next_run(self) -> datetime | None:
        return _naive(self.due) if self.due else None

    @next_run.setter
    def next_run(self, moment: datetime | None) -> None:
        """As `last_run`."""

    @property
    def job_func(self) -> partial[Any] | None:
        """What is called, as the library shows it; made when it is asked for."""
        return partial(self.look, *self.args) if self.look else None

    @job_func.setter
    def job_func(self, function: partial[Any] | None) -> None:
        """As `last_run`."""

    def clock(self) -> datetime:
        return cast(Scheduler, self.scheduler).now()

    def following(self, rhythm: Rhythm, since: datetime) -> Job:
        """Follow that rhythm; fires up to and including `since` are done with."""
        self.rhythm, self.since = rhythm, since
        return self

    def do(self, job_func: Callable[..., Any], *args: Any, **kwargs: Any) -> Job:
        """As the library's, without the name and the words of the function beside it."""
        self.look, self.args = partial(job_func, **kwargs) if kwargs else job_func, args
        self._schedule_next_run()
        cast(Scheduler, self.scheduler).jobs.append(self)
        return self

    def run(self) -> Any:
        """Say "look again" and move on past now, whatever the call did."""
        try:
            return self.look(*self.args) if self.look else None
        finally:
            now = self.clock()
            self.ran = now
            self.since = self.rhythm.upto(now) if self.rhythm else now
            self._schedule_next_run()

    def reschedule(self) -> None:
        """Find the due moment anew, after the rhythm or `since` has changed."""
        self._schedule_next_run()

    @property
    def should_run(self) -> bool:
        return self.due is not None and self.due <= self.clock()

    def _schedule_next_run(self) -> None:
        if self.rhythm is None:
            self._follow_the_words()
        assert self.rhythm is not None and self.since is not None
        fire = self.rhythm.next(self.since)
        self.due = None if fire is None else self.rhythm.moved(fire)
        cast(Scheduler, self.scheduler).push(self)

    def _follow_the_words(self) -> None:
        """A job registered with words alone begins now; days are those of UTC."""
        unit = Unit(str(self.unit).removesuffix("s"))
        every = Every(unit, self.interval, self.latest)
        if self.start_day:
            every = Every(weekdays=(WEEKDAYS.index(self.start_day),))
        at = self.at_time
        times = () if at is None else (at.hour * 3600 + at.minute * 60 + at.second,)
        now = self.clock()
        words = Schedule(zone="UTC", text="", every=every, at=times)
        self.following(rhythm("", words, Anchor(now)), now)


class Scheduler(schedule.Scheduler):
    """The library's scheduler over a heap, with a clock that is handed in."""

    def __init__(self, now: Callable[[], datetime]) -> None:
        super().__init__()
        self.now = now
        self._heap: list[tuple[datetime, int, int, Job]] = []
        self._made = 0

    def every(self, interval: int = 1) -> Job:
        self._made += 1
        return Job(interval, self, number=self._made)

    def push(self, job: Job) -> None:
        """Enter the job's due moment; what was entered for it before no longer counts."""
        job.turn += 1
        if job.due is not None and not job.cancelled:
            heapq.heappush(self._heap, (job.due, job.number, job.turn, job))

    def run_pending(self) -> None:
        """Run every job that is due, earliest first, then in the order of registration."""
        now = self.now()
        while (job := self._earliest()) and job.due is not None and job.due <= now:
            self._run_job(job)

    def cancel_job(self, job: schedule.Job) -> None:
        if isinstance(job, Job):
            job.turn += 1
            job.cancelled = True
        super().cancel_job(job)

    def clear(self, tag: Hashable | None = None) -> None:
        for job in self.get_jobs(tag):
            self.cancel_job(job)

    @property
    def due(self) -> datetime | None:
        """The earliest due moment; None where no job is ever due again."""
        job = self._earliest()
        return job.due if job else None

    def get_next_run(self, tag: Hashable | None = None) -> datetime | None:
        moments = [job.due for job in self.get_jobs(tag) if isinstance(job, Job) and job.due]
        return _naive(min(moments)) if moments else None

    next_run = property(get_next_run)

    @property
    def idle_seconds(self) -> float | None:
        due = self.due
        return None if due is None else (due - self.now()).total_seconds()

    def _earliest(self) -> Job | None:
        while self._heap:
            _, _, turn, job = self._heap[0]
            if turn == job.turn:
                return job
            heapq.heappop(self._heap)
        return None


def register(
    scheduler: Scheduler, rhythm: Rhythm, since: datetime, look: Callable[[str], None]
) -> Job:
    """Register a job in the library's words, to call `look` with its name whenever it is due."""
    entry = scheduler.every(rhythm.schedule.every.interval if rhythm.schedule.every else 1)
    _say(entry, rhythm.schedule)
    entry.following(rhythm, since).do(look, rhythm.job)
    return entry


def _say(entry: Job, words: Schedule) -> None:
    """The library's words for the schedule, as far as it has them."""
    every = words.every
    entry.tags = _CRON if every is None else _EVERY
    if every is None or every.never:
        return
    entry.unit = _PLURAL[every.unit] if every.unit else "weeks"
    if len(every.weekdays) == 1:
        getattr(entry, WEEKDAYS[every.weekdays[0]])
    if every.latest is not None:
        entry.to(every.latest)
    if words.at and (entry.start_day or entry.unit in ("days", "hours", "minutes")):
        entry.at(show_time(words.at[0], every.unit))


class HooksMoved(Exception):
    """The installed `schedule` no longer works the way this program builds on."""


def check_hooks() -> None:
    """Register two jobs on a clock of our own and see that the library still calls our hooks.

    Raises HooksMoved where it does not.
    """
    now = datetime(2026, 11, 21, 10, 15, tzinfo=UTC)
    scheduler = Scheduler(lambda: now)
    seen: list[str] = []
    try:
        scheduler.every(2).hours.do(seen.append, "elapsed")
        scheduler.every().monday.at("10:30").do(seen.append, "monday")
        expected = [now + timedelta(hours=2), datetime(2026, 11, 23, 10, 30, tzinfo=UTC)]
        found = [job.due for job in scheduler.jobs if isinstance(job, Job)]
        now = expected[0]
        scheduler.run_pending()
    except Exception as error:
        raise HooksMoved(_hooks_moved()) from error
    if found != expected or seen != ["elapsed"]:
        raise HooksMoved(_hooks_moved())


def _hooks_moved() -> str:
    from importlib import metadata  # slow to import, and wanted only here

    version = metadata.version("schedule")
    return (
        f"the installed package 'schedule' ({version}) works differently from the one this "
        "program was built on; install a version from 1.2.2 up to, not including, 2"
    )


def _naive(moment: datetime) -> datetime:
    """The library shows naive local times; ours stay aware everywhere else."""
    return moment.astimezone().replace(tzinfo=None)
