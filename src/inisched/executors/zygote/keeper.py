"""Keeps a zygote for the callbacks of one file: a new one when their code changes or one dies."""

from __future__ import annotations

import logging
import selectors
import sys
import time
from collections.abc import Callable, Iterable, Sequence, Set
from pathlib import Path

from msgspec.structs import replace

from inisched.executors.request import absolute
from inisched.executors.running import Running, Task
from inisched.executors.zygote.door import Zygote
from inisched.executors.zygote.wire import Plan
from inisched.model.job import Call, Command, Executor, Job, Manage, Surroundings

log = logging.getLogger("inisched")

CHECKED_EVERY = 5.0
"""Seconds between two looks at the files behind the modules."""

FIRST_PAUSE, LONGEST_PAUSE = 0.1, 30.0
"""Seconds between the death of a zygote and the next one; doubled each time."""

TIDIED_WITHIN = 1.0
"""Seconds within which a zygote is told of runs that are over, if it is not asked for more."""

LEAVING = 5.0
"""Seconds a zygote may take to leave."""

Noted = Callable[[Set[int]], None]
"""Told which runs have been forked, so that their pid is known."""


def plan_for(
    jobs: Iterable[Job], *, folder: Path, python_path: Sequence[str], preload: Sequence[str] = ()
) -> Plan:
    """What a zygote for these jobs imports."""
    found = {
        call.target: call
        for job in jobs
        if job.active and _is_plain(job)
        for call in (_own_process(job), job.gates.ready, job.gates.should_run)
        if call is not None
    }
    commands = {t: (a.name, a.settings.module) for t, a in found.items() if isinstance(a, Manage)}
    paths = absolute(python_path, folder)
    return Plan(folder, paths, tuple(sorted(found)), tuple(preload), commands)


def _own_process(job: Job) -> Call | Manage | None:
    """What the job calls in a process of its own; None where it calls nothing there."""
    inside = job.executor is not Executor.PROCESS
    return None if inside or isinstance(job.action, Command) else job.action


class ZygoteKeeper:
    """Starts runs by fork where that can be done now, and never waits for it.

    It hangs its zygotes into the selector as the daemon does: `key.data(key.fd)`. `look()` is to
    be called at every turn of the loop, the latest after `patience()` seconds.
    """

    def __init__(
        self,
        selector: selectors.BaseSelector,
        *,
        noted: Noted = lambda run_ids: None,
        monotonic: Callable[[], float] = time.monotonic,
    ) -> None:
        self._selector = selector
        self._noted = noted
        self._monotonic = monotonic
        self._plan: Plan | None = None
        self._refused: dict[str, str] = {}
        self._serving: Zygote | None = None
        self._coming: Zygote | None = None
        self._retired: list[Zygote] = []
        self._leaving: list[tuple[Zygote, float]] = []
        self._told: set[str] = set()
        self._deaths = 0
        self._born = self._checked = monotonic()
        self._again: float | None = None

    @property
    def pid(self) -> int | None:
        """The zygote that serves; None while there is none."""
        return self._serving.pid if self._serving else None

    # -- what for ------------------------------------------------------------------------------

    def adopt(self, plan: Plan) -> None:
        """Carry out the callbacks of this plan from now on. Nothing happens for the same one."""
        if plan == self._plan and not self._stale():
            return
        former, self._plan = self._plan, plan
        keep = former is not None and _fits(former, plan) and not self._stale()
        self._renew(keep=keep)

    def start(self, task: Task) -> Running | None:
        """Have the run forked; None where it needs a fresh interpreter."""
        assert isinstance(task.job.action, Call | Manage)
        self._check()
        zygote = self._serving
        if zygote is None or not zygote.carries(task.job.action.target):
            return None
        if not _is_plain(task.job) or not zygote.plan.folder.is_dir():
            return None
        try:
            return zygote.start(task)
        except OSError as error:
            log.debug("run %d is not forked: %s", task.run_id, error)
            return None

    def _renew(self, *, keep: bool) -> None:
        """Have a new zygote come; the old one serves meanwhile if it may be kept."""
        self._refused, self._deaths, self._again = {}, 0, None
        if self._coming is not None:
            self._retire(self._coming)
            self._coming = None
        if self._serving is not None and not keep:
            self._retire(self._serving)
            self._serving = None
        self._begin()

    def _begin(self) -> None:
        self._again = None
        plan = self._plan
        if plan is None or not plan.targets or sys.platform != "linux":
            return
        try:
            self._coming = Zygote(replace(plan, refused=self._refused))
        except OSError as error:
            self._later(f"cannot be started: {error.strerror or error}")
            return
        self._born = self._checked = self._monotonic()
        self._selector.register(self._coming, selectors.EVENT_READ, self._hear)

    # -- at every turn -------------------------------------------------------------------------

    def look(self) -> None:
        """Do what has come due."""
        for zygote in self._all():
            if zygote.begun:
                begun, zygote.begun = zygote.begun, set()
                self._noted(begun)
            zygote.tidy()
            if zygote.slow:
                zygote.give_up()
            self._follow(zygote)
        now = self._monotonic()
        for zygote, until in self._leaving:
            if now >= until:
                zygote.kill()
        self._leaving = [(zygote, until) for zygote, until in self._leaving if not zygote.gone]
        if self._again is not None and now >= self._again:
            self._begin()
        self._check()

    def patience(self) -> float:
        """Seconds until `look()` must be called even if nothing moves."""
        now = self._monotonic()
        moments = [until for _, until in self._leaving]
        moments += [self._again] if self._again is not None else []
        for zygote in self._all():
            moments += [run.kill_at for run in zygote.runs.values() if run.kill_at is not None]
            moments += [now + TIDIED_WITHIN] if zygote.over else []
        if self._coming is not None:
            moments.append(now + CHECKED_EVERY)
        return max(0.0, min(moments, default=now + 3600) - now)

    def close(self) -> None:
        """Let all zygotes go, and see them out."""
        self._plan, self._again = None, None
        for zygote in self._all():
            self._dismiss(zygote)
        deadline = self._monotonic() + 1
        for zygote, _ in self._leaving:
            while not zygote.gone and self._monotonic() < deadline:
                time.sleep(0.002)
            zygote.kill()
            zygote.process.wait()
        self._serving = self._coming = None
        self._retired, self._leaving = [], []

    @property
    def pids(self) -> set[int]:
        """All its processes, those that are leaving too."""
        return {zygote.pid for zygote in (*self._all(), *(one for one, _ in self._leaving))}

    def _all(self) -> list[Zygote]:
        return [z for z in (self._serving, self._coming, *self._retired) if z is not None]

    def _hear(self, descriptor: int) -> None:
        for zygote in self._all():
            if zygote.fileno() == descriptor:
                zygote.read_ready()
                self._follow(zygote)

    def _follow(self, zygote: Zygote) -> None:
        """Draw the conclusions from what a zygote has said."""
        if zygote.dead:
            self._bury(zygote)
        elif zygote is self._coming and zygote.ready:
            self._coming = None
            if self._serving is not None:
                self._retire(self._serving)
            self._serving = zygote
            self._welcome(zygote)
        elif zygote in self._retired and not zygote.runs:
            self._dismiss(zygote)

    # -- changed code --------------------------------------------------------------------------

    def _check(self) -> None:
        """Look at the files, if it is time to; what is noticed does not run again as it was."""
        if self._serving is None or self._monotonic() - self._checked < CHECKED_EVERY:
            return
        self._checked = self._monotonic()
        if name := self._serving.changed():
            log.info("%s has changed: callbacks are imported again", name)
            self._renew(keep=False)

    def _stale(self) -> bool:
        return self._serving is not None and self._serving.changed() is not None

    # -- coming and going ----------------------------------------------------------------------

    def _welcome(self, zygote: Zygote) -> None:
        log.debug("callbacks are forked from process %d", zygote.pid)
        for name, why in zygote.broken.items():
            if name in zygote.plan.preload:
                self._tell(f"preload: {why}")
            elif why not in self._refused.values():
                log.debug("%s is not forked: %s", name, why)
        if zygote.printed:
            log.info("printed at import: %s", zygote.printed.strip())

    def _retire(self, zygote: Zygote) -> None:
        """Nothing new for this one; it goes when its last run has ended."""
        self._retired.append(zygote)
        if not zygote.runs:
            self._dismiss(zygote)

    def _dismiss(self, zygote: Zygote) -> None:
        self._drop(zygote)
        if not zygote.gone:
            self._leaving.append((zygote, self._monotonic() + LEAVING))

    def _bury(self, zygote: Zygote) -> None:
        """It died. Its runs are looked after until they have ended; another takes its place."""
        if zygote.fileno() >= 0:
            self._selector.unregister(zygote)
            zygote.leave()
        if zygote not in self._retired:
            self._replace(zygote)
            self._retired.append(zygote)
        if not zygote.runs:
            self._retired.remove(zygote)

    def _replace(self, zygote: Zygote) -> None:
        if zygote is self._serving:
            self._serving = None
        else:
            self._coming = None
        if zygote.guilty and zygote.guilty not in self._refused:
            self._refused[zygote.guilty] = zygote.why
            self._tell(f"{zygote.why}: its runs use a fresh interpreter each")
            self._begin()
        else:
            self._later(f"died: {zygote.ending}")

    def _later(self, what: str) -> None:
        now = self._monotonic()
        if now - self._born > LONGEST_PAUSE:
            self._deaths = 0
        pause = min(FIRST_PAUSE * 2**self._deaths, LONGEST_PAUSE)
        self._deaths += 1
        self._again = now + pause
        log.error("the process that carries callbacks out %s; tried again in %g s", what, pause)

    def _drop(self, zygote: Zygote) -> None:
        if zygote.fileno() >= 0:
            self._selector.unregister(zygote)
            zygote.leave()
        if zygote in self._retired:
            self._retired.remove(zygote)

    def _tell(self, text: str) -> None:
        if text not in self._told:
            self._told.add(text)
            log.warning("%s", text)


def _is_plain(job: Job) -> bool:
    """Whether it runs in the daemon's own surroundings.

    Others must stand before the import: a module may read the environment as it is imported.
    """
    return job.around == Surroundings()


def _fits(former: Plan, plan: Plan) -> bool:
    """Whether what was imported for one plan is right for another as far as it goes."""
    return bool(plan.targets) and (
        (former.folder, former.python_path) == (plan.folder, plan.python_path)
    )
