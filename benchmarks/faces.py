"""What a person waits for: help, and the list of the jobs."""

from __future__ import annotations

import os
import subprocess
import time
from collections.abc import Sequence

from benchmarks.bench import Bench, surroundings
from benchmarks.row import Goal, Line, Row, Turn
from benchmarks.site import Site, wait

JOB = "[job{number}]\ncall = app.say\nevery = {hours} hours\n"
LIBRARIES = "python -c 'import click, sqlite3'"


def faces(bench: Bench) -> Row:
    site = _judged(bench)
    inisched, cronstable = bench.plain.with_name("inisched"), bench.peers.with_name("cronstable")
    return Row(
        turns=[
            _timed("help", [inisched, "--help"]),
            _timed("cronstable --help", [cronstable, "--help"]),
            _timed("list", site.words("list")),
            _timed(LIBRARIES, [bench.plain, "-c", "import click, sqlite3"]),
        ],
        lines=[
            Line(
                "inisched --help",
                "ms",
                product="help",
                peers=["cronstable --help"],
                goals=[Goal("cronstable --help", most=0.9)],
            ),
            Line(
                "inisched list, 100 judged jobs",
                "ms",
                product="list",
                bare=LIBRARIES,
                goals=[Goal(LIBRARIES, most=2)],
            ),
        ],
        rounds=bench.much(15, 5),
    )


def _judged(bench: Bench) -> Site:
    """A file of 100 callbacks that a daemon has looked at."""
    site = Site(bench, "".join(JOB.format(number=n, hours=n % 23 + 1) for n in range(100)))
    with site.daemon():
        wait(site.database_is_there)
        wait(lambda: site.ask("SELECT count(*) FROM job WHERE judged IS NOT NULL")[0][0] == 100)
    return site


def _timed(name: str, words: Sequence[str | os.PathLike[str]]) -> Turn:
    def turn() -> dict[str, float]:
        begun = time.perf_counter()
        subprocess.run(
            words, env=surroundings(), stdin=subprocess.DEVNULL, capture_output=True, check=True
        )
        return {name: (time.perf_counter() - begun) * 1000}

    return turn
