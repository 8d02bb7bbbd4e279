"""Python callbacks per second, each in a process of its own, a row each."""

from __future__ import annotations

import time

from benchmarks import machine
from benchmarks.bench import Bench
from benchmarks.commands import rate
from benchmarks.row import Goal, Line, Row
from benchmarks.site import Site, wait

CALLBACK = "[one]\ncall = app.say\nevery = 1 hour\n"


def callbacks(bench: Bench) -> Row:
    count = bench.much(600, 200)
    size = zygote_size(bench)

    def script(loop: str, *words: object) -> float:
        return float(bench.plain_script("bare.py", loop, *words))

    goals = [Goal("bare", least=0.8), Goal("forkserver", least=6), Goal("python -c", least=15)]
    return Row(
        turns=[
            lambda: {"product": rate(bench, "call = app.say", count)},
            lambda: {"forkserver": script("forkserver", bench.much(200, 60))},
            lambda: {"python -c": script("interpreters", bench.much(60, 20))},
            lambda: {"bare": script("forks", count, round(size))},
        ],
        lines=[
            Line(
                "isolated Python callbacks, a row each",
                "/s",
                peers=["forkserver", "python -c"],
                bare="bare",
                goals=goals,
                more_is_better=True,
            )
        ],
        rounds=bench.several(3),
    )


def zygote_size(bench: Bench) -> float:
    """The resident set, in MB, of the process that callbacks are forked from."""
    site = Site(bench, CALLBACK)
    with site.daemon() as daemon:
        wait(site.database_is_there)
        wait(lambda: machine.children(daemon.pid))
        time.sleep(1.0)
        return max(machine.rss(child) for child in machine.children(daemon.pid))
