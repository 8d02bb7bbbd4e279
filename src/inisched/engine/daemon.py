"""The daemon: one thread around a selector, from the lock to the last row."""

from __future__ import annotations

import logging
import os
import selectors
import signal
import socket
from collections.abc import Callable, Collection, Mapping, Set
from contextlib import suppress
from datetime import datetime, timedelta
from typing import TYPE_CHECKING

from msgspec import Struct

from inisched.config.judged import judging, remembered, requests, with_judgements
from inisched.config.loader import Config
from inisched.engine import changes, memory, switching
from inisched.engine.answers import Answers, Reading
from inisched.engine.audience import Setting
from inisched.engine.change import Change
from inisched.engine.clock import Clock, SystemClock
from inisched.engine.clock_watch import ClockWatch
from inisched.engine.control import Control, socket_of
from inisched.engine.engine import Engine
from inisched.engine.exporter import Exporter
from inisched.engine.facts import facts
from inisched.engine.guard import INTERVAL, Guard
from inisched.engine.herald import Herald
from inisched.engine.lock import AlreadyRunning, InstanceLock
from inisched.engine.nursery import Nursery
from inisched.engine.outage import Outage
from inisched.engine.postman import Postman
from inisched.engine.pruning import Pruner
from inisched.engine.recovery import recover, set_back
from inisched.engine.run import UnderWay
from inisched.engine.signals import Signals
from inisched.engine.systemd import Systemd
from inisched.engine.tally import Tally
from inisched.engine.watch import Watch
from inisched.executors.asking import question
from inisched.executors.running import Running, Task
from inisched.executors.starting import Executors
from inisched.executors.tree import adopt_orphans
from inisched.executors.zygote.keeper import ZygoteKeeper, plan_for
from inisched.executors.zygote.wire import Plan
from inisched.model.diagnostic import Level
from inisched.model.duration import show_duration
from inisched.model.job import Call, Job
from inisched.model.run import Outcome
from inisched.stores.claims import Absence
from inisched.stores.ledger import Ledger, LedgerDown
from inisched.stores.soundness import NotNow

if TYPE_CHECKING:
    from inisched.config.judge import JudgeProcess
    from inisched.config.judgement import Judgement

log = logging.getLogger("inisched")

LONGEST_SLEEP = 30.0
"""Seconds after which the clock is looked at in any case, and the heartbeat written: at the last
look at the files before that, so as not to wake for it."""

IMPORT_LIMIT = 10.0
"""Seconds one import of a callback's module may take while it is judged."""

MOST_TOLD = 100
"""Problems of one file the log tells in full."""

HURRIED_KILL_AFTER = 2.0
"""Seconds between TERM and KILL once a second signal has come."""

PARTING = 1.0
"""Seconds a single pass has at its end to prune."""

PARTING_POST = 5.0
"""Seconds letters have at the daemon's end; what is under way then ends by itself."""

SLACK = 0.006
"""The share by which a sleep in the selector may be too long: 0.1 %, where niced 0.5 %."""

PRECISE = 0.002
"""The last seconds before a fire are slept precisely: selectors round up to a millisecond."""


class Limits(Struct, frozen=True):
    """When the daemon leaves by itself. `lasts` None: never."""

    once: bool = False
    lasts: timedelta | None = None


class Daemon:
    """One life of the daemon on one file, already read; `load` reads it again."""

    def __init__(
        self,
        config: Config,
        *,
        load: Callable[[], Config],
        limits: Limits = Limits(),
        clock: Clock | None = None,
        metrics: str = "",
    ) -> None:
        """`metrics` names the module that serves the daemon's numbers; "": nobody does."""
        self.config = config
        self.database = config.database
        self.load = load
        self.limits = limits
        self.clock = clock or SystemClock()
        self.selector = selectors.DefaultSelector()
        self.nursery = Nursery(self.selector, self.clock, kin=self._kin)
        self.signals = Signals(self.selector)
        self.keeper = ZygoteKeeper(self.selector, noted=self._note)
        self.watch = Watch(config.path, self.clock.monotonic())
        self.control = Control(self.database, self.selector, Answers(self))
        self.exporter = Exporter(self.selector, metrics, socket_of(self.database))
        self.systemd = Systemd(os.environ)
        self.reading: Reading | None = None
        self._executors = _executors(config, self.keeper)
        self._active = 0
        self._judge: JudgeProcess | None = None
        self._settled = False
        self._draining: float | None = None
        self._runs_gone: float | None = None
        self._hurried = False
        self._last_words = ""
        self._unsettled: Mapping[str, Judgement] | None = None
        self._displaced: AlreadyRunning | None = None
        self._thrown: list[Change] = []
        self._beaten = self.clock.monotonic()

    # -- a whole life --------------------------------------------------------------------------

    def run(self) -> int:
        """Live until a signal or a limit ends it; the exit code.

        Raises AlreadyRunning, Unusable and OSError before anything has happened.
        """
        self.lock = InstanceLock(self.database)
        self.lock.acquire("once" if self.limits.once else "daemon")
        try:
            self._patiently(self._open)
            try:
                return self._live()
            finally:
                self.ledger.close()
        finally:
            self.lock.release()

    def _open(self) -> None:
        settings = self.config.settings
        self.ledger = Ledger(
            self.database, full=settings.durability == "full", ours=settings.database is None
        )

    def _patiently(self, step: Callable[[], None]) -> None:
        """Take a step towards life; while the ledger cannot be written, again every second."""
        outage = Outage()
        while True:
            try:
                step()
                outage.over(self.clock.now())
                return
            except (NotNow, LedgerDown) as error:
                if self.limits.once:
                    raise
                outage.note(error, self.clock.now())
            self.clock.sleep(1.0)

    def _live(self) -> int:
        settings = self.config.settings
        self.herald = Herald(self.ledger.post)
        self.engine = Engine(
            self.ledger,
            self._start,
            max_running=settings.max_running,
            end=self.nursery.end,
            ask=self._ask,
            herald=self.herald,
        )
        self.postman = Postman(
            self.engine, self.selector, self.clock, lambda: self.config, self.herald
        )
        self._count()
        self.guard = Guard(self.engine, self.lock, self.clock.monotonic())
        self.pruner = Pruner(self.ledger, self.clock)
        self.nursery.adopts = adopt_orphans()
        self._patiently(self._recover)
        with self.signals, self.control:
            self._begin()
            while not self._over():
                self._turn()
            self._finish()
        if self._displaced is not None:
            raise self._displaced
        return 1 if self.limits.once and self.engine.failed else 0

    def _recover(self) -> None:
        self.clock_watch = ClockWatch(self.clock)
        now = self.clock.now()
        former = self.ledger.last_life()
        back = set_back(self.ledger, former, now)
        self.herald.heed(self._setting(self.config))
        self.herald.recall()
        tally = self.engine.tally
        self._waiting = recover(
            self.ledger, former, self.config, now, herald=self.herald, tally=tally
        )
        self._up_since = now
        if former is not None:
            self.engine.telling.away = former.ended or former.heartbeat, now
        self.ledger.open_life(os.getpid(), socket.gethostname(), now)
        self.since = self.heartbeat = now
        if back is not None:
            self.engine.set_clock(back, now)

    def _setting(self, config: Config) -> Setting:
        """Who hears of things by the file; a notifier that is broken now stays as it was."""
        former = self.herald.setting.notifiers
        return Setting(
            notifiers={name: one or former.get(name) for name, one in config.notifiers.items()},
            sentry=config.settings.sentry_dsn is not None,
            path=os.path.abspath(config.path),
            host=socket.gethostname(),
            changed=lambda job, worked, took: changes.changed(
                self.ledger, self.config, job, worked, took, started=self._up_since
            ),
        )

    def _begin(self) -> None:
        self._born = self.clock.monotonic()
        self._consider(self.config)

    # -- the file ------------------------------------------------------------------------------

    def _consider(self, config: Config) -> None:
        """Have the file's callbacks judged in a process of their own; meanwhile life goes on."""
        self._give_up_judging()
        self._unsettled = None
        asked = requests(config)
        self._considered = (config, asked)
        if not asked:
            self._settle({})
            return
        self._judge = judging(config, asked, time_limit=IMPORT_LIMIT)
        self.selector.register(self._judge, selectors.EVENT_READ, self._hear_the_judge)

    def _hear_the_judge(self, descriptor: int) -> None:
        assert self._judge is not None
        self.selector.unregister(descriptor)
        self._judge.read_ready()
        if self._judge.done:
            found, self._judge = self._judge.results, None
            self._settle(found)
        else:
            self.selector.register(self._judge, selectors.EVENT_READ, self._hear_the_judge)

    def _hurry_the_judge(self) -> None:
        if self._judge is not None and self.clock.monotonic() > self._judge.deadline:
            judge = self._judge
            self._give_up_judging()
            self._settle(judge.results)

    def _give_up_judging(self) -> None:
        if self._judge is not None:
            self.selector.unregister(self._judge)
            self._judge.kill()
            self._judge = None

    def _settle(self, found: Mapping[str, Judgement], *, again: bool = False) -> None:
        """Take the file over as judged: tell what is wrong with it, and adopt its jobs.

        If the ledger cannot be written now, that is done `again` once it can.
        """
        problem, self._unsettled = "", None
        config, asked = self._considered
        judged = with_judgements(config, asked, found).config
        first, self.config = not self._settled, judged
        self._executors = _executors(judged, self.keeper)
        self._settled = True
        stale = self._stale(judged)
        jobs = [*judged.jobs, *stale]
        if not again:
            tell(judged, stale=[job.name for job in stale])
        now = self.clock.now()
        self.engine.gates.max_running = judged.settings.max_running
        self.engine.gates.pools = judged.pools
        self.herald.heed(self._setting(judged))
        self.postman.mended()
        try:
            kept = [job.name for job in stale]
            broken = [section.name for section in judged.broken]
            self.engine.adopt(jobs, now, stale=kept, broken=broken)
            if first:
                self._thrown = switching.begin(self.engine, now)
            self.ledger.judged({r.job: remembered(r, found[r.job], config) for r in asked})
        except LedgerDown as error:
            if first and self.limits.once:
                raise
            self._unsettled, self.engine.now = found, now
            self.engine.put_off(error)
            if first:
                self._settled = False
                return
            problem = f"the ledger cannot be written ({error}): the jobs stay as they were"
            log.error("%s", problem)
        self._count()
        if first:
            self.engine.resume(self._waiting)
        self._count_jobs()
        self.exporter.serve(None if self.limits.once else judged.settings.metrics)
        if first:
            self._say_hello()
            self._heed_switches(now)
        if self.limits.once:
            self.engine.try_failed_periods()
        self.engine.look(now, at_start=first and not self.limits.once)
        self._note_edition(now)
        if self.limits.once:
            self._close()
        self._have_read(Reading(judged, problem))
        memory.give_back()

    def _note_edition(self, now: datetime) -> None:
        try:
            changes.note_edition(self.ledger, self.config, now)
        except LedgerDown as error:
            self.engine.put_off(error)

    def _count(self) -> None:
        """Count what is to be told in metrics, if anything is."""
        if self.config.settings.metrics is None or self.limits.once:
            self.engine.tally = None
            return
        tally = self.engine.tally = self.engine.tally or Tally()
        if self._settled:
            tally.keep(self.engine.seats)

    def _count_jobs(self) -> None:
        """Have ready what the active jobs need."""
        jobs = [seat.job for seat in self.engine.seats.values()]
        self._active = sum(job.active for job in jobs)
        if not self.limits.once:
            self.keeper.adopt(_plan(self.config, jobs))

    def switched(self, change: Change, now: datetime) -> None:
        """Go by a change that is in the ledger; if that cannot be now, once it can."""
        self._thrown.append(change)
        self._heed_switches(now)

    def _heed_switches(self, now: datetime) -> None:
        while self._thrown:
            try:
                switching.take_effect(self.engine, self._thrown[0], now)
            except LedgerDown as error:
                self.engine.put_off(error)
                return
            self._thrown.pop(0)
            self._count_jobs()

    def _close(self) -> None:
        """A single pass has looked: what comes due while it lasts is for the next one."""
        if self.engine.outage:
            raise LedgerDown("nothing of what is due could be entered")
        self.engine.closed = True

    def _have_read(self, reading: Reading) -> None:
        self.reading = reading
        self.systemd.ready()

    def _start(self, task: Task) -> UnderWay | Outcome:
        started = self._executors.start(task)
        if isinstance(started, Running):
            self.nursery.adopt(task.run_id, started, task.job)
        return started

    def _ask(self, task: Task, call: Call) -> UnderWay | Outcome:
        """Ask a gate; the nursery knows the question by the run's id with a minus."""
        asked = question(task, call)
        started = self._executors.start(asked)
        if isinstance(started, Running):
            self.nursery.adopt(-task.run_id, started, asked.job)
        return started

    def _kin(self) -> set[int]:
        """Our helpers' pids: whoever started them waits for them."""
        judge = {self._judge.pid} if self._judge is not None else set()
        return self.keeper.pids | self.postman.pids | self.exporter.pids | judge

    def _note(self, run_ids: Set[int]) -> None:
        """The processes are known that carry these runs out, a moment after their start."""
        self.engine.note_processes(run_ids, self.clock.now())

    def _stale(self, config: Config) -> list[Job]:
        """The last good definitions of sections that are broken now."""
        written = [self.engine.written.get(section.name) for section in config.broken]
        return [job for job in written if job is not None]

    @property
    def _watches(self) -> bool:
        return self.config.settings.reload == "auto" and not self.limits.once

    def _patrol(self) -> None:
        """Look at the file and at what the daemon stands on, both at once."""
        now = self.clock.monotonic()
        self._keep_guard(now, anyway=self._watches and not self.watch.patience(now))
        if self._watches and self.watch.changed(now):
            self.read_again()

    @property
    def hindrance(self) -> str:
        """Why nothing can be started: "starting", "stopping", or "" where it can."""
        if self._draining is not None:
            return "stopping"
        return "" if self._settled else "starting"

    def read_again(self) -> None:
        """Begin to read the file; `reading` tells how it came out."""
        log.info("reading %s again", self.config.path)
        self.reading = None
        self.systemd.reloading()
        self.watch = Watch(self.config.path, self.clock.monotonic())
        config = self.load()
        if config.fatal or config.settings_broken:
            tell(config)
            problem = f"{self.config.path} stays as it was"
            log.error("%s", problem)
            self._have_read(Reading(config, problem))
            return
        if config.database != self.database:
            log.warning("the ledger stays %s until the daemon is started again", self.database)
        self._consider(config)

    def _say_hello(self) -> None:
        log.info(
            "inisched runs %s: %s; ledger %s; pid %d",
            self.config.path,
            _jobs(self._active) if self._active else "no job to run, idle",
            self.database,
            os.getpid(),
        )

    def _finish(self) -> None:
        self._give_up_judging()
        self.keeper.close()
        self.exporter.close()
        if not self.engine.record(self.clock.now()):
            log.error("ends that could not be recorded are lost: these runs will be interrupted")
        if self.limits.once and self._draining is None:
            self.pruner.catch_up(self.config.settings.retention, PARTING)
        with suppress(LedgerDown):
            self.ledger.close_life(self.clock.now())
        log.info("inisched stops%s", f": {self._last_words}" if self._last_words else "")

    # -- one turn ------------------------------------------------------------------------------

    def _turn(self) -> None:
        patience = self._patience()
        ready = self.selector.select(patience)
        self._mind_the_clock(patience)
        for key, _ in ready:
            key.data(key.fd)
        self._hurry_the_judge()
        self._heed_signals()
        self._patrol()
        self.keeper.look()
        self.exporter.look()
        self._sleep_precisely()
        now = self._mind_the_clock(0.0)
        for departed in self.nursery.departed():
            if departed.run_id < 0:
                self.engine.waiting.answered(departed)
                continue
            ago = timedelta(milliseconds=round(departed.ago * 1000))
            self.engine.note_end(departed, now - ago)
        if self._draining is None:
            self.engine.look(now)
        else:
            self.engine.record(now)
        self._settle_at_last()
        self.postman.look()
        self._beat()
        self._tell_systemd()
        if self._may_prune:
            self.pruner.look(self.config.settings.retention, self.engine.due)

    def _mind_the_clock(self, patience: float) -> datetime:
        """What was done to time since the last look, at most `patience` seconds ago; the moment."""
        now, happened = self.clock_watch.look(patience)
        for absence in happened:
            if absence.step is None:
                self._was_away(absence)
            else:
                self.engine.set_clock(absence, now)
                self.pruner.postpone()
                self._beaten -= LONGEST_SLEEP
        return now

    def _was_away(self, absence: Absence) -> None:
        lasted = show_duration(absence.until - absence.since)
        self.engine.telling.away = absence.since, absence.until
        who = "the machine slept" if absence.machine else "this process was not let run"
        log.warning("%s for %s", who, lasted)
        try:
            self.ledger.was_away(absence)
        except LedgerDown as error:
            self.engine.put_off(error)

    def _keep_guard(self, monotonic: float, *, anyway: bool) -> None:
        """Make good what was done to our files; give way to a daemon that has taken over."""
        if self._displaced is not None:
            return
        try:
            self.guard.look(monotonic, self.clock.now(), anyway=anyway)
        except AlreadyRunning as error:
            self._displaced = error
            log.error("another daemon has taken over: %s", error)
            self._drain("another daemon has taken over")

    def _settle_at_last(self) -> None:
        if self._unsettled is not None and self._draining is None and not self.engine.outage:
            self._settle(self._unsettled, again=True)
        if self._thrown and self._draining is None and not self.engine.outage:
            self._heed_switches(self.clock.now())

    @property
    def _may_prune(self) -> bool:
        return self._settled and self._draining is None and not self.engine.outage

    def _patience(self) -> float:
        """Seconds the selector may sleep."""
        until = [LONGEST_SLEEP, self.nursery.patience(), self.keeper.patience()]
        until.append(self.exporter.patience())
        until.append(self.guard.patience(self.clock.monotonic()))
        until.append(self.postman.patience())
        until.append(self.systemd.patience(self.clock.monotonic()))
        if self._may_prune:
            until.append(self.pruner.patience(self.engine.due))
        if self._watches:
            until.append(self.watch.patience(self.clock.monotonic()))
        if self._draining is None and self.engine.due is not None:
            until.append(self.clock.until(self.engine.due) * (1 - SLACK) - PRECISE)
        if self.engine.note_by is not None:
            until.append(self.clock.until(self.engine.note_by))
        if self._draining is not None:
            until.append(self._draining - self.clock.monotonic() if self.nursery.busy else 0.1)
        else:
            until.append(self._left())
        return max(0.0, min(until))

    def _tell_systemd(self) -> None:
        self.systemd.status(f"{_jobs(self._active)}, {len(self.engine.runs)} running")
        self.systemd.beat(self.clock.monotonic())

    def _left(self) -> float:
        """Seconds until `--for` is over."""
        if self.limits.lasts is None:
            return LONGEST_SLEEP
        return self._born + self.limits.lasts.total_seconds() - self.clock.monotonic()

    def _sleep_precisely(self) -> None:
        due = self.engine.due
        if due is None or self._draining is not None:
            return
        left = self.clock.until(due)
        if 0 < left <= PRECISE:
            self.clock.sleep(left)

    def _beat(self) -> None:
        if self.clock.monotonic() - self._beaten < LONGEST_SLEEP - INTERVAL:
            return
        self._beaten = self.clock.monotonic()
        try:
            self.ledger.beat(self.clock.now())
            self.heartbeat = self.clock.now()
        except LedgerDown as error:
            self.engine.put_off(error)

    # -- coming to an end ----------------------------------------------------------------------

    def _over(self) -> bool:
        if self._draining is None and self._left() <= 0:
            self._drain("its time is up")
        if self._draining is not None:
            return self._drained()
        idle = self._settled and self.engine.idle and not self.nursery.busy and self.postman.idle
        return self.limits.once and idle

    def _heed_signals(self) -> None:
        for number in self.signals.taken():
            if number in (signal.SIGTERM, signal.SIGINT):
                self._stop(signal.Signals(number).name)
            elif number == signal.SIGHUP and self.config.settings.reload == "never":
                log.info("SIGHUP: the file is not read again, for reload = never")
            elif number == signal.SIGHUP:
                self.read_again()
            elif number == signal.SIGUSR1:
                log.info("%s", self.engine.state())

    def _stop(self, name: str) -> None:
        if self._draining is None:
            self._drain(name)
            return
        self._hurried = True
        log.info("%s again: not waiting any longer", name)
        self._draining = self.clock.monotonic()
        self._end_runs(HURRIED_KILL_AFTER)

    def _drain(self, why: str) -> None:
        """Start nothing more; give what runs its time."""
        self._last_words = why
        self.systemd.stopping()
        patience = self.config.settings.drain.total_seconds()
        self._draining = self.clock.monotonic() + patience
        self.engine.waiting.ask_no_more()
        if self.engine.runs:
            log.info("%s: waiting up to %g s for %d run(s)", why, patience, len(self.engine.runs))

    def _drained(self) -> bool:
        assert self._draining is not None
        if not self.nursery.busy:
            return self.postman.idle or self._is_late_for_post
        if self.clock.monotonic() >= self._draining:
            self._end_runs(None)
            self._draining = self.clock.monotonic() + LONGEST_SLEEP
        return False

    @property
    def _is_late_for_post(self) -> bool:
        """Whether letters have had their time since the last run was gone."""
        now = self.clock.monotonic()
        self._runs_gone = self._runs_gone or now
        return self._hurried or now >= self._runs_gone + PARTING_POST

    def _end_runs(self, kill_after: float | None) -> None:
        for run in self.engine.runs.values():
            run.stopped = run.stopped or "stopped by the daemon's end"
        self.nursery.end_all(self.engine.runs, kill_after)
        if kill_after is not None:
            self.nursery.hurry(kill_after)


def _executors(config: Config, keeper: ZygoteKeeper) -> Executors:
    return Executors(config.real_path.parent, _python_path(config), keeper)


def _plan(config: Config, jobs: list[Job]) -> Plan:
    """What is imported once for all runs of callbacks."""
    return plan_for(
        jobs,
        folder=config.real_path.parent,
        python_path=_python_path(config),
        preload=config.settings.preload,
    )


def _jobs(number: int) -> str:
    return f"{number} job{'' if number == 1 else 's'}"


def _python_path(config: Config) -> list[str]:
    return [str(path) for path in config.settings.python_path]


def tell(config: Config, *, stale: Collection[str] = ()) -> None:
    """Log what is wrong with the file, a line each; jobs in `stale` run on as they were."""
    levels = {Level.ERROR: logging.ERROR, Level.WARNING: logging.WARNING}
    for found in config.diagnostics[:MOST_TOLD]:
        file, line, column = found.place
        parts = [f"{file}:{line}:{column}: {found.message}"]
        parts += [f"expected {found.expected}"] if found.expected else []
        parts += [found.hint] if found.hint else []
        level = levels.get(found.level, logging.INFO)
        log.log(level, "%s", "; ".join(parts), extra=facts(job=found.job))
    more = len(config.diagnostics) - MOST_TOLD
    if more > 0:
        log.error("%s: and %d more; see inisched validate", config.path, more)
    for section in config.broken:
        fate = "it runs on as it was" if section.name in stale else "not run"
        log.error("%s: broken, %s", section.name, fate, extra=facts(job=section.name))
