"""Captured commands per second, a row each: everything due at one moment, until all is recorded."""

from __future__ import annotations

from functools import partial

from benchmarks import crons
from benchmarks.bench import Bench
from benchmarks.row import Goal, Line, Row
from benchmarks.site import Site, soon

JOB = """\
[job{number}]
{what}
every = 1 hour
active_from = {first}
"""


PEERS = (*crons.NAMES, crons.KEEPING)


def commands(bench: Bench) -> Row:
    count = bench.much(600, 200)

    def bare(rows: int) -> float:
        return float(
            bench.plain_script("bare.py", "commands", count, rows, "/bin/echo", "captured")
        )

    return Row(
        turns=[
            lambda: {"product": rate(bench, "command = /bin/echo captured", count)},
            *[partial(_peer, bench, name) for name in PEERS],
            lambda: {"bare": bare(0)},
            lambda: {"bare with rows": bare(1)},
        ],
        lines=[
            Line(
                "captured commands, a row each",
                "/s",
                peers=PEERS,
                bare="bare",
                goals=[
                    Goal("bare", least=0.85),
                    Goal("cronstable", least=3),
                    Goal("yacron", least=3),
                ],
                more_is_better=True,
            ),
            Line(
                "the same, where the bare loop keeps rows too",
                "/s",
                bare="bare with rows",
                more_is_better=True,
            ),
        ],
        rounds=bench.several(3),
    )


def _peer(bench: Bench, name: str) -> dict[str, float]:
    return {name: crons.rate(bench, name, bench.much(200, 100))}


def rate(bench: Bench, what: str, count: int) -> float:
    """Runs per second of `count` jobs due at one moment, until the last row is written."""
    first, text = soon(3)
    site = Site(
        bench,
        "".join(JOB.format(number=number, what=what, first=text) for number in range(count)),
    )
    with site.daemon():
        return count / (site.wait_until_all_ran(count) - first)
