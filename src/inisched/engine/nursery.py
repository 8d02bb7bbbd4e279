"""Watches over runs: takes their output, their time, their end, and what they leave behind."""

from __future__ import annotations

import logging
import os
import selectors
import signal
from collections import deque
from collections.abc import Callable, Iterable, Iterator
from contextlib import suppress
from functools import partial

from msgspec import Struct

from inisched.engine.clock import Clock
from inisched.executors import tree
from inisched.executors.running import Running
from inisched.model.job import Job

log = logging.getLogger("inisched")

LINGER = 0.5
"""Seconds output is still taken after a process ended, while someone keeps its pipes open."""

LATE = (0.1, 0.5, 1.5)
"""Seconds between looks for what a run left that was not ours yet at its end."""

RELENTLESS = 2.0
"""Seconds for which what is born while a tree is killed is killed as well."""

GLANCE = 0.02
"""Seconds between two looks at a tree that is coming to its end."""


class Departed(Struct, frozen=True):
    """A run that has ended, so many seconds ago.

    `left`: how many processes it left behind, which are being ended.
    """

    run_id: int
    ago: float
    timed_out: bool
    left: int


class _Child(Struct):
    running: Running
    job: Job
    deadline: float | None
    exited: float | None = None
    kill_at: float | None = None
    killed: bool = False
    timed_out: bool = False
    left: int = 0


class _Strays(Struct):
    """What a run left behind: told to end, killed when its time is up."""

    processes: list[tree.Process]
    mark: str
    kill_at: float


class _Gone(Struct):
    """A run that has ended."""

    mark: str
    kill_after: float
    ended: float


class Nursery:
    """The runs of one daemon, watched through its selector."""

    def __init__(
        self,
        selector: selectors.BaseSelector,
        clock: Clock,
        *,
        kin: Callable[[], set[int]] = set,
    ) -> None:
        """`kin` tells the pids of children that are none of ours."""
        self._kin = kin
        self.adopts = False
        """Whether what outlives its run is known to become our child."""
        self._selector = selector
        self._clock = clock
        self._children: dict[int, _Child] = {}
        self._strays: list[_Strays] = []
        self._spared: set[tuple[int, int]] = set()
        """What runs with `linger` left behind on purpose: pid and start time."""
        self._gone: deque[_Gone] = deque()
        """Runs that have just ended: what they left may only now come to us."""
        self._late_at = 0.0

    def adopt(self, run_id: int, running: Running, job: Job) -> None:
        """Watch a run that has just started."""
        timeout = job.timeout.total_seconds() if job.timeout is not None else None
        deadline = None if timeout is None else self._clock.monotonic() + timeout
        self._children[run_id] = _Child(running, job, deadline)
        for descriptor in running.streams:
            self._selector.register(descriptor, selectors.EVENT_READ, partial(self._read, running))

    def end(self, run_id: int, kill_after: float | None = None) -> None:
        """TERM to the whole tree now, KILL after so many seconds (the job's `kill_after`).

        Asked again it is never later than before.
        """
        self.end_all([run_id], kill_after)

    def end_all(self, runs: Iterable[int], kill_after: float | None = None) -> None:
        """The same with each of these runs."""
        census = tree.Census()
        for run_id in runs:
            self._end(self._children[run_id], kill_after, census)

    def _end(self, child: _Child, kill_after: float | None, census: tree.Census) -> None:
        after = child.job.kill_after.total_seconds()
        kill_at = self._clock.monotonic() + (after if kill_after is None else kill_after)
        if child.kill_at is None:
            child.running.signal_tree(signal.SIGTERM, census)
        child.kill_at = kill_at if child.kill_at is None else min(child.kill_at, kill_at)

    def hurry(self, kill_after: float) -> None:
        """Strays have so many seconds more, and no longer."""
        kill_at = self._clock.monotonic() + kill_after
        for strays in self._strays:
            strays.kill_at = min(strays.kill_at, kill_at)

    @property
    def busy(self) -> bool:
        """Whether anything is under way: a run, a question to a gate, a stray that is to end."""
        return bool(self._children or self._strays)

    def departed(self) -> Iterator[Departed]:
        """The runs that have ended since the last call, their pipes closed or given up."""
        now, census = self._clock.monotonic(), tree.Census()
        for child in self._children.values():
            self._keep_time(child, now, census)
        ended = {n: c for n, c in self._children.items() if c.running.exit_code() is not None}
        fresh = [child for child in ended.values() if child.exited is None]
        strangers = self._strangers() if fresh else []
        for child in fresh:
            child.exited = now
            child.left = self._take_strays(child, strangers, now)
        for run_id, child in ended.items():
            if self._is_over(child, now, census):
                self._end_unmarked(child, now)
                del self._children[run_id]
                for descriptor in child.running.streams:
                    self._selector.unregister(descriptor)
                assert child.exited is not None
                ago = 0.0 if child.kill_at is not None else now - child.exited
                yield Departed(run_id, ago, child.timed_out, child.left)
        self._take_latecomers(now)
        self._end_strays(now)
        self._reap_strangers()

    def _keep_time(self, child: _Child, now: float, census: tree.Census) -> None:
        if child.deadline is not None and now >= child.deadline and child.exited is None:
            child.timed_out, child.deadline = True, None
            self._end(child, None, census)
        if child.kill_at is not None and now >= child.kill_at and not child.killed:
            child.killed = True
            child.running.signal_tree(signal.SIGKILL, census)

    def _is_over(self, child: _Child, now: float, census: tree.Census) -> bool:
        """A run that was told to end lasts until its tree is gone; any other as long as itself."""
        assert child.exited is not None
        if child.kill_at is not None and child.running.members(census):
            if not child.killed:
                return False
            child.running.signal_tree(signal.SIGKILL, census)
            if now < child.kill_at + RELENTLESS:
                return False
        return not child.running.streams or now >= child.exited + LINGER

    def _take_strays(self, child: _Child, strangers: list[tree.Process], now: float) -> int:
        """End what a run that has just ended left behind; how many processes that are."""
        if child.job.linger:
            self._spared |= {(one.pid, one.started) for one in strangers}
            return 0
        if child.kill_at is not None:
            return 0
        kill_after = child.job.kill_after.total_seconds()
        if self.adopts and child.running.mark:
            soon = now + LATE[0]
            self._late_at = min(self._late_at, soon) if self._gone else soon
            self._gone.append(_Gone(child.running.mark, kill_after, now))
        if self.adopts and all(one.started < child.running.since for one in strangers):
            return 0  # the eldest of what it left would have come to us
        left = [*child.running.members(), *self._unclaimed(child)]
        if left:
            self._end_stray(left, child.running.mark, now + kill_after)
        return len(left)

    def _end_unmarked(self, child: _Child, now: float) -> None:
        """What has no sign of a run that was told to end is found only once its tree is gone."""
        if child.kill_at is None or child.job.linger:
            return
        left = self._unclaimed(child)
        if left:
            kill_after = 0.0 if child.killed else child.job.kill_after.total_seconds()
            self._end_stray(left, child.running.mark, now + kill_after)

    def _end_stray(self, left: list[tree.Process], mark: str, kill_at: float) -> None:
        tree.send(left, signal.SIGTERM)
        self._strays.append(_Strays(left, mark, kill_at))

    def _take_latecomers(self, now: float) -> None:
        """End what came to us only after its run had been looked after: a child's child."""
        if not self._gone or now < self._late_at:
            return
        strangers = self._strangers()
        if strangers:
            marks = {gone.mark: gone for gone in self._gone}
            badges = {tree.badge(gone.mark): gone for gone in self._gone}
            for one in strangers:
                gone = badges.get(one.name) or marks.get(tree.mark_of(one.pid))
                if gone is not None:
                    log.warning("a process a run had left behind came late, and is ended")
                    self._end_stray([one], gone.mark, now + gone.kill_after)
        age = now - self._gone[-1].ended
        self._late_at = now + next((pause for pause in LATE if age < pause), LATE[-1])
        while self._gone and now >= self._gone[0].ended + sum(LATE):
            self._gone.popleft()

    def _strangers(self) -> list[tree.Process]:
        """The living among our children that are not known: runs left them to us."""
        found = map(tree.look, tree.children() - self._known())
        return [one for one in found if one is not None]

    def _known(self) -> set[int]:
        """Our children that are no strangers: helpers, runs, and strays that are being ended."""
        runs = {one.running.pid for one in self._children.values()}
        return self._kin() | runs | {one.pid for some in self._strays for one in some.processes}

    def _unclaimed(self, child: _Child) -> list[tree.Process]:
        """Orphans without any sign of their run, which only this one can have left to us, and what
        they have started in turn."""
        runs = [one.running for one in self._children.values()]
        strays = {one.pid for strays in self._strays for one in strays.processes}
        orphans = tree.orphans(strays | {run.pid for run in runs})
        if not orphans:
            return []
        census = tree.Census()
        claimed = {one.pid for run in runs for one in run.members(census)}
        others = [run.since for run in runs if run is not child.running]
        left = [
            orphan
            for orphan in orphans
            if orphan.pid not in claimed
            and (orphan.pid, orphan.started) not in self._spared
            and tree.mark_of(orphan.pid) in ("", child.running.mark)
            and orphan.started >= child.running.since
            and not any(since <= orphan.started for since in others)
        ]
        kin = {one.pid: one for orphan in left for one in tree.members(orphan.pid, "", census)}
        return list(kin.values())

    def _end_strays(self, now: float) -> None:
        census = tree.Census()
        for strays in list(self._strays):
            if now >= strays.kill_at:
                found = tree.members(0, strays.mark, census) if strays.mark else []
                tree.send([*strays.processes, *found], signal.SIGKILL)
                self._strays.remove(strays)
            elif not any(tree.lives(one) for one in strays.processes):
                self._strays.remove(strays)

    def _reap_strangers(self) -> None:
        """Collect ended processes that came to us from runs, as their subreaper or as PID 1."""
        if not _is_bereaved():
            return
        known = {child.running.pid for child in self._children.values()} | self._kin()
        for pid in tree.children() - known:
            if tree.look(pid) is None:
                with suppress(ChildProcessError):
                    os.waitpid(pid, os.WNOHANG)

    def patience(self) -> float:
        """Seconds until something here must be looked at even if nothing moves."""
        now = self._clock.monotonic()
        moments = [min(strays.kill_at, now + 5 * GLANCE) for strays in self._strays]
        moments += [self._late_at] if self._gone else []
        for child in self._children.values():
            if child.deadline is not None:
                moments.append(child.deadline)
            if child.kill_at is not None:
                glance = now + GLANCE if child.exited is not None else child.kill_at
                moments.append(min(glance, child.kill_at) if not child.killed else glance)
            if child.exited is not None:
                moments.append(child.exited + LINGER)
        return max(0.0, min(moments, default=now + 3600) - now)

    def _read(self, running: Running, descriptor: int) -> None:
        if not running.read(descriptor):
            self._selector.unregister(descriptor)


def _is_bereaved() -> bool:
    """Whether any child of this process has ended that nobody has waited for yet."""
    try:
        return os.waitid(os.P_ALL, 0, os.WEXITED | os.WNOHANG | os.WNOWAIT) is not None
    except ChildProcessError:
        return False
