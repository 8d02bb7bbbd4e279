"""After a daemon that did not end in order: what it left running is interrupted and ended."""

from __future__ import annotations

import logging
import signal
import time
from datetime import datetime
from zoneinfo import ZoneInfo

from inisched.config.loader import Config
from inisched.engine.clock_watch import STEP
from inisched.engine.facts import of_attempt
from inisched.engine.herald import Herald
from inisched.engine.tally import Tally
from inisched.executors import tree
from inisched.executors.asking import question_mark
from inisched.model.run import Outcome, State
from inisched.stores.claims import Absence, OpenRun
from inisched.stores.ledger import Ledger
from inisched.stores.life import Life

log = logging.getLogger("inisched")

PATIENCE = 2.0
"""Seconds an orphan has between TERM and KILL."""


ROUNDS = 3
"""How often what still lives, or came meanwhile, is killed."""


def recover(
    ledger: Ledger,
    former: Life | None,
    config: Config,
    now: datetime,
    *,
    herald: Herald,
    tally: Tally | None = None,
) -> list[OpenRun]:
    """Close the rows a former daemon left running; return those it left waiting.

    The outcome of an interrupted run is unknown; its processes, recognised by pid and start
    time, are ended, and the herald has it told.
    """
    waiting = []
    jobs = {job.name: job for job in config.jobs}
    rerun = {job.name for job in config.jobs if job.rerun_interrupted}
    zones = {job.name: job.schedule.zone for job in config.jobs}
    open_runs = ledger.open_runs()
    asked = {job.name for job in config.jobs if job.gates.ready or job.gates.should_run}
    ended = end_orphans(
        [run for run in open_runs if run.state is State.RUNNING or run.claimed.fire.job in asked],
        ledger.id,
    )
    for run in open_runs:
        claimed = run.claimed
        if run.state is State.WAITING:
            waiting.append(run)
            continue
        zone = ZoneInfo(zones.get(claimed.fire.job, config.settings.timezone))
        message = _message(former, now, zone, claimed.run_id in ended)
        again = now if claimed.fire.job in rerun and not ledger.was_rerun(claimed) else None
        outcome = Outcome(state=State.INTERRUPTED, message=message)
        job = jobs.get(claimed.fire.job)
        report = herald.interrupted(job, claimed, now) if job is not None else None
        retry, _ = ledger.finish(claimed, outcome, now, again=again, report=report)
        if tally is not None:
            tally.ended(claimed.fire.job, State.INTERRUPTED, claimed.fire.trigger)
        if retry is not None:
            waiting.append(OpenRun(retry, State.WAITING, None, None))
        told = of_attempt(claimed, state=State.INTERRUPTED.value)
        name, text = claimed.fire.job, "%s: run %d interrupted: %s"
        log.warning(text, name, claimed.run_id, message, extra=told)
    return waiting


def set_back(ledger: Ledger, former: Life | None, now: datetime) -> Absence | None:
    """How far the clock was set back while no daemon ran; None where it was not.

    By how much it was set forward nobody can tell: that counts as time the daemon was down.
    """
    moments = [former.heartbeat if former else None, ledger.latest_look()]
    latest = max((moment for moment in moments if moment), default=now)
    return Absence(latest, now, step=now - latest) if latest - now >= STEP else None


def _message(former: Life | None, now: datetime, zone: ZoneInfo, ended: bool) -> str:
    seen = f"last seen {_clock(former.heartbeat, zone)}, " if former else ""
    rest = "; its processes were ended" if ended else ""
    return f"the daemon died during this run ({seen}back {_clock(now, zone)}){rest}"


def _clock(moment: datetime, zone: ZoneInfo) -> str:
    return moment.astimezone(zone).strftime("%H:%M:%S")


def end_orphans(runs: list[OpenRun], ledger: str) -> set[int]:
    """End the processes that still belong to these runs; the ids of the runs that had any.

    They are known by pid and start time, and by the mark of the ledger's id and the run's. What
    they start while they come to their end is looked for again.
    """
    had: set[int] = set()
    for number in (signal.SIGTERM, *[signal.SIGKILL] * ROUNDS):
        census = tree.Census()
        found = {run.claimed.run_id: _processes(run, ledger, census) for run in runs}
        alive = {run_id: processes for run_id, processes in found.items() if processes}
        if not alive:
            break
        had |= alive.keys()
        left = [one for processes in alive.values() for one in processes]
        tree.send(left, number)
        deadline = time.monotonic() + PATIENCE
        while any(map(tree.lives, left)) and time.monotonic() < deadline:
            time.sleep(0.02)
    return had


def _processes(run: OpenRun, ledger: str, census: tree.Census) -> list[tree.Process]:
    mark = f"{ledger}:{run.claimed.run_id}"
    if run.state is State.WAITING:
        return tree.members(0, question_mark(mark), census)
    leader = run.pid or 0
    if leader and not _led(run):
        leader = 0
    return tree.members(leader, mark, census)


def _led(run: OpenRun) -> bool:
    """Whether the pid still is that of the run, or has not been given to anyone else."""
    now = tree.look(run.pid or 0)
    return now is None or now.started == run.pid_started
