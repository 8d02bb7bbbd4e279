"""After a daemon that did not end in order: what it left running is interrupted and ended."""

from __future__ import annotations

import logging
import os
import signal
import time
from contextlib import suppress
from datetime import datetime
from zoneinfo import ZoneInfo

from inisched.config.loader import Config
from inisched.executors.running import process_start
from inisched.model.run import Outcome, State
from inisched.stores.ledger import Claimed, Ledger, Life, OpenRun

log = logging.getLogger("inisched")

PATIENCE = 2.0
"""Seconds an orphan has between TERM and KILL."""


def recover(ledger: Ledger, former: Life | None, config: Config, now: datetime) -> list[Claimed]:
    """Close the rows a former daemon left running; return those it left waiting.

    The outcome of an interrupted run is unknown; its processes, recognised by pid and start
    time, are ended.
    """
    waiting = []
    zones = {job.name: job.schedule.zone for job in config.jobs}
    open_runs = ledger.open_runs()
    ended = end_orphans([run for run in open_runs if run.state is State.RUNNING])
    for run in open_runs:
        claimed = run.claimed
        if run.state is State.WAITING:
            waiting.append(claimed)
            continue
        zone = ZoneInfo(zones.get(claimed.fire.job, config.settings.timezone))
        message = _message(former, now, zone, claimed.run_id in ended)
        ledger.finish(claimed, Outcome(state=State.INTERRUPTED, message=message), now)
        log.warning("%s: run %d interrupted: %s", claimed.fire.job, claimed.run_id, message)
    return waiting


def _message(former: Life | None, now: datetime, zone: ZoneInfo, ended: bool) -> str:
    seen = f"last seen {_clock(former.heartbeat, zone)}, " if former else ""
    rest = "; its processes were ended" if ended else ""
    return f"the daemon died during this run ({seen}back {_clock(now, zone)}){rest}"


def _clock(moment: datetime, zone: ZoneInfo) -> str:
    return moment.astimezone(zone).strftime("%H:%M:%S")


def end_orphans(runs: list[OpenRun]) -> set[int]:
    """End the process groups that still belong to these runs; the ids of the runs that had one."""
    alive = {run.claimed.run_id: run for run in runs if _is_alive(run)}
    for number in (signal.SIGTERM, signal.SIGKILL):
        left = [run for run in alive.values() if _is_alive(run)]
        for run in left:
            with suppress(ProcessLookupError, PermissionError):
                os.killpg(run.pid or 0, number)
        deadline = time.monotonic() + PATIENCE
        while any(map(_is_alive, left)) and time.monotonic() < deadline:
            time.sleep(0.02)
    return set(alive)


def _is_alive(run: OpenRun) -> bool:
    return bool(run.pid and run.pid_started and process_start(run.pid) == run.pid_started)
