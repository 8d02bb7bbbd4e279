"""10 million rows of 1,000 jobs beside 10,000 rows: what questions and claims cost then."""

from __future__ import annotations

import shutil
import sqlite3
import subprocess
import time
from contextlib import closing

from benchmarks.bench import Bench, say, surroundings
from benchmarks.row import Goal, Line, Row, Turn
from benchmarks.site import Site, wait

JOB = "[job{number}]\ncommand = /bin/true\nevery = 10 minutes\n"
JOBS = 1000
MANY, FEW = 10_000_000, 10_000
BYTES_PER_ROW = 400
"""Room to have before so many rows are made: table, indexes, and the log while they are made."""

INDEXES = (
    "SELECT name, sql FROM sqlite_master WHERE tbl_name = 'run' AND type = 'index' AND sql <> ''"
)
FILL = """
WITH RECURSIVE number(n) AS (VALUES(0) UNION ALL SELECT n + 1 FROM number WHERE n + 1 < :rows)
INSERT INTO run (job_id, fire_at, fire_unmoved, state, trigger, started_at, ended_at, took,
                 taken_at, exit_code, message)
SELECT 1 + n % :jobs, :first + n / :jobs * 600000, :first + n / :jobs * 600000,
       iif(n % 97, 'success', 'failure'), 'schedule',
       :first + n / :jobs * 600000, :first + n / :jobs * 600000 + 1500, 1500,
       :first + n / :jobs * 600000, iif(n % 97, 0, 3), iif(n % 97, '', 'exit code 3')
  FROM number
"""


def large(bench: Bench) -> Row:
    rows = 1_000_000 if bench.quick else MANY
    need, free = rows * BYTES_PER_ROW, shutil.disk_usage(bench.root).free
    if free < need:
        note = f"{rows:,} rows need {need / 1e9:.0f} GB, and {free / 1e9:.1f} GB are free: left out"
        return Row(turns=[], lines=[], rounds=0, notes=[note])
    sites = {"many": _filled(bench, rows), "few": _filled(bench, FEW), "none": _filled(bench, 0)}
    questions = {
        "history": ["history"],
        "history of a job": ["history", "job7"],
        "list": ["list"],
        "why": ["why", "job7"],
    }
    return Row(
        turns=[
            *(
                _timed(f"{name}, {size}", sites[size].words(*words))
                for name, words in questions.items()
                for size in ("many", "few")
            ),
            *(_claims(bench, f"claim, {size}", sites[size]) for size in ("many", "none")),
        ],
        lines=[
            *(
                Line(
                    f"{name}, {rows:,} rows",
                    "ms",
                    product=f"{name}, many",
                    bare=f"{name}, few",
                    goals=[Goal(f"{name}, few", most=3)],
                )
                for name in questions
            ),
            Line(
                f"a claim, {rows:,} rows",
                "ms",
                product="claim, many",
                bare="claim, none",
                goals=[Goal("claim, none", most=2)],
            ),
        ],
        rounds=bench.several(5),
    )


def _filled(bench: Bench, rows: int) -> Site:
    """A site whose daemon has seen 1,000 jobs once, with so many rows from the weeks before."""
    site = Site(bench, "".join(JOB.format(number=number) for number in range(JOBS)))
    with site.daemon():
        wait(site.database_is_there)
    begun = time.monotonic()
    first = round(time.time()) * 1000 - (rows // JOBS + 1) * 600_000
    with closing(sqlite3.connect(site.database, isolation_level=None)) as database:
        _fill(database, rows, first)
    say(f"  {rows:,} rows were made in {time.monotonic() - begun:.0f} s")
    return site


def _fill(database: sqlite3.Connection, rows: int, first: int) -> None:
    """Make the rows, the first due at `first` (ms); the indexes are made once they stand."""
    indexes = database.execute(INDEXES).fetchall()
    database.execute("PRAGMA synchronous = OFF")
    database.execute("PRAGMA cache_size = -500000")
    for name, _ in indexes:
        database.execute(f"DROP INDEX {name}")
    if rows:
        database.execute(FILL, {"rows": rows, "jobs": JOBS, "first": first})
    for _, made in indexes:
        database.execute(made)
    database.execute("PRAGMA wal_checkpoint(TRUNCATE)")


def _timed(name: str, words: list[str]) -> Turn:
    def turn() -> dict[str, float]:
        begun = time.perf_counter()
        subprocess.run(
            words, env=surroundings(), stdin=subprocess.DEVNULL, capture_output=True, check=True
        )
        return {name: (time.perf_counter() - begun) * 1000}

    return turn


def _claims(bench: Bench, name: str, site: Site) -> Turn:
    return lambda: {name: bench.plain_script("inside.py", "claims", site.database, 500)}
