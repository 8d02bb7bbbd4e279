"""Peers that are libraries, in the loop their documentation shows.

A script, run by the rows with the peers' Python: `peers.py PEER ARGUMENT ...` prints JSON.
"""

from __future__ import annotations

import configparser
import json
import subprocess
import sys
import time
from collections.abc import Callable
from datetime import UTC, datetime
from functools import partial

import work


def apscheduler(store: str, jobs: int, every: int, seconds: int) -> list[float]:
    """How late APScheduler 3 calls `jobs` functions due together, its store "memory" or "sqlite".

    Lateness is reckoned from the grid's latest point, so it is never shown above the interval.
    """
    from apscheduler.jobstores.memory import MemoryJobStore
    from apscheduler.jobstores.sqlalchemy import SQLAlchemyJobStore
    from apscheduler.schedulers.background import BackgroundScheduler

    kept = MemoryJobStore() if store == "memory" else SQLAlchemyJobStore(url="sqlite:///aps.db")
    defaults = {"coalesce": True, "misfire_grace_time": None, "max_instances": 3}
    scheduler = BackgroundScheduler(
        jobstores={"default": kept}, job_defaults=defaults, timezone="UTC"
    )
    first = datetime.fromtimestamp(int(time.time()) + 3 + jobs // 300, UTC)
    for number in range(jobs):
        scheduler.add_job(work.tick, "interval", seconds=every, start_date=first, id=str(number))
    scheduler.start()
    time.sleep((first - datetime.now(UTC)).total_seconds() + seconds - 0.2)
    scheduler.shutdown()
    return [(moment - first.timestamp()) % every for moment in noted()]


def schedule_loop(seconds: int) -> list[float]:
    """When schedule's documented loop calls a job of 100 ms that is due every second."""
    import schedule

    schedule.every(1).seconds.do(work.nap)
    end = time.monotonic() + seconds
    while time.monotonic() < end:
        schedule.run_pending()
        time.sleep(min(1.0, max(0.0, schedule.idle_seconds() or 0.0)))
    return noted()


def schedule_look(jobs: int, looks: int) -> float:
    """Seconds for one `run_pending` of schedule with so many jobs, none of them due."""
    import schedule

    for _ in range(jobs):
        schedule.every(1).hours.do(print)
    begun = time.perf_counter()
    for _ in range(looks):
        schedule.run_pending()
    return (time.perf_counter() - begun) / looks


def schedule_fed(file: str) -> None:
    """schedule with the jobs of an INI file read by configparser, the first of them run at once."""
    import schedule

    parser = configparser.ConfigParser()
    parser.read(file)
    for name in parser.sections():
        if name == "inisched":
            continue
        section = parser[name]
        number, unit = section["every"].split()
        command = partial(subprocess.run, section["command"], shell=True, check=False)
        job = getattr(schedule.every(int(number)), unit).do(command)
        if section.getboolean("run_at_start", False):
            job.run()
    while True:
        schedule.run_pending()
        time.sleep(1)


def noted() -> list[float]:
    import os

    with open(os.environ["TICKS"]) as ticks:
        return [int(line) / 1e9 for line in ticks]


PEERS: dict[str, Callable[..., object]] = {
    "apscheduler": apscheduler,
    "schedule_loop": schedule_loop,
    "schedule_look": schedule_look,
    "schedule_fed": schedule_fed,
}

if __name__ == "__main__":
    peer, *given = sys.argv[1:]
    result = PEERS[peer](*[int(word) if word.isdigit() else word for word in given])
    print(json.dumps(result))
