"""Memory of an idle daemon with 100 jobs: the share of it that is the daemon's own (PSS)."""

from __future__ import annotations

import subprocess
import time

from benchmarks import crons, machine
from benchmarks.bench import Bench
from benchmarks.row import Goal, Line, Row
from benchmarks.site import Site, wait

JOB = "[job{number}]\n{what}\nevery = 1 hour\n"
BARE = """\
import sqlite3, time
database = sqlite3.connect("rows.db")
database.execute("PRAGMA journal_mode = WAL")
database.execute("CREATE TABLE run (id INTEGER PRIMARY KEY)")
time.sleep(3600)
"""
SETTLED = 3.0
"""Seconds after which nothing is on its way any more."""


def memory(bench: Bench) -> Row:
    return Row(
        turns=[
            lambda: {"alone": _product(bench, "command = /bin/true")},
            lambda: {"with zygote": _product(bench, "call = app.say")},
            lambda: {"bare": _bare(bench)},
            lambda: {"cronstable": _cronstable(bench)},
        ],
        lines=[
            Line(
                "memory, idle, 100 commands: the daemon",
                "MB",
                product="alone",
                peers=["cronstable"],
                bare="bare",
                goals=[Goal("bare", most=1.35), Goal("cronstable", most=0.45)],
            ),
            Line(
                "memory, idle, 100 callbacks: daemon and zygote",
                "MB",
                product="with zygote",
                peers=["cronstable"],
                bare="bare",
                goals=[Goal("cronstable", most=0.8)],
            ),
        ],
        rounds=bench.several(3),
    )


def _of_all(process: subprocess.Popen[bytes]) -> float:
    time.sleep(SETTLED)
    return sum(machine.pss(pid) for pid in machine.family(process.pid))


def _product(bench: Bench, what: str) -> float:
    jobs = "".join(JOB.format(number=number, what=what) for number in range(100))
    site = Site(bench, jobs)
    with site.daemon() as daemon:
        wait(site.database_is_there)
        return _of_all(daemon)


def _bare(bench: Bench) -> float:
    words = [str(bench.plain), "-c", BARE]
    with bench.process(words, bench.folder()) as process:
        return _of_all(process)


def _cronstable(bench: Bench) -> float:
    with crons.running(bench, "cronstable", [("/bin/true", "0 0 1 1 *")] * 100) as (process, _):
        return _of_all(process)
