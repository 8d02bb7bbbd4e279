"""One callback every second, and a thousand due together: how late are they?"""

from __future__ import annotations

import time
from collections.abc import Callable
from functools import partial
from statistics import median

from benchmarks.bench import Bench
from benchmarks.row import Goal, Line, Row
from benchmarks.site import Site, soon, wait

JOB = """\
[tick{number}]
call = work.tick
executor = inline
every = {every} seconds
active_from = {first}
"""


def one_a_second(bench: Bench) -> Row:
    seconds = bench.much(20, 5)
    return Row(
        turns=_turns(bench, "sqlite", "APScheduler, SQLite", jobs=1, every=1, seconds=seconds),
        lines=[
            Line(
                "one inline job a second, p50 lateness",
                "ms",
                peers=["APScheduler, SQLite"],
                bare="bare",
                goals=[Goal("bare", most=1.25), Goal("APScheduler, SQLite", most=0.5)],
            )
        ],
        rounds=bench.several(3),
    )


def burst(bench: Bench) -> Row:
    seconds = bench.much(20, 10)
    return Row(
        turns=_turns(bench, "memory", "APScheduler", jobs=1000, every=5, seconds=seconds),
        lines=[
            Line(
                "1,000 inline jobs due together, p50 lateness",
                "ms",
                peers=["APScheduler"],
                bare="bare",
                goals=[Goal("bare", most=2), Goal("APScheduler", most=0.05)],
            ),
            Line("of them lost", "", product="lost", goals=[Goal(most=0)]),
        ],
        rounds=bench.several(3),
    )


def _turns(
    bench: Bench, store: str, peer: str, *, jobs: int, every: int, seconds: int
) -> list[Callable[[], dict[str, float]]]:
    return [
        partial(_product, bench, jobs, every, seconds),
        lambda: {
            peer: _p50(
                bench.peer_script(
                    "peers.py", "apscheduler", store, jobs, every, seconds, TICKS="ticks"
                )
            )
        },
        lambda: {
            "bare": _p50(
                bench.plain_script("bare.py", "lateness", seconds, jobs, every, TICKS="ticks")
            )
        },
    ]


def _product(bench: Bench, jobs: int, every: int, seconds: int) -> dict[str, float]:
    first, text = soon(2 + jobs / 500)
    site = Site(
        bench,
        "".join(JOB.format(number=number, every=every, first=text) for number in range(jobs)),
        settings=f"max_running = {max(10, jobs)}",
    )
    wanted = jobs * (seconds // every)
    with site.daemon():
        time.sleep(max(0.0, first + seconds - time.time()))  # looking would keep a processor awake
        wait(lambda: len(site.noted()) >= wanted, every=0.2)
        site.wait_until_all_ran(wanted)
    moments = site.noted()[:wanted]
    fires = sorted([first + every * n for n in range(seconds // every)] * jobs)
    late = [moment - fire for moment, fire in zip(moments, fires, strict=True)]
    rows = site.ask("SELECT count(*) FROM run WHERE state = 'success' AND count = 1")[0][0]
    return {"product": _p50(late), "lost": float(wanted - min(wanted, rows))}


def _p50(late: list[float]) -> float:
    return median(late) * 1000
