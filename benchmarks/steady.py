"""Every second a run of 100 ms: is any lost, and does the phase slide?

Counts and slopes need no quiet machine, so the product, schedule's documented loop and a bare loop
run beside one another in the same minute.
"""

from __future__ import annotations

from statistics import median

from benchmarks.bench import HERE, Bench, surroundings
from benchmarks.row import Goal, Line, Row
from benchmarks.site import Site, noted, soon, wait

JOB = """\
[nap]
call = work.nap
every = 1 second
active_from = {first}
"""


def steady(bench: Bench) -> Row:
    seconds = 600 if bench.long else bench.much(60, 10)

    def turn() -> dict[str, float]:
        folder = bench.folder()
        words = [str(bench.peers), str(HERE / "peers.py"), "schedule_loop", str(seconds)]
        environment = surroundings() | {"TICKS": str(folder / "ticks")}
        first, text = soon(2)
        site = Site(bench, JOB.format(first=text))
        with bench.process(words, folder, env=environment) as peer, site.daemon():
            wait(lambda: len(site.noted()) >= seconds, every=0.5, patience=seconds + 30)
            peer.wait(30)
        theirs = noted(folder / "ticks")
        ours = [moment for moment in site.noted() if moment < first + seconds]
        return {
            "product": float(len(ours)),
            "schedule": float(len([m for m in theirs if m < theirs[0] + seconds])),
            "slope": abs(slope(ours)),
            "schedule's slope": abs(slope(theirs)),
        }

    return Row(
        turns=[turn],
        lines=[
            Line(
                f"every second, 100 ms long: runs in {seconds} s",
                "",
                peers=["schedule"],
                goals=[Goal(least=seconds)],
                more_is_better=True,
            ),
            Line(
                "slope of its phase",
                "µs/run",
                product="slope",
                peers=["schedule's slope"],
                goals=[Goal(most=3000 / seconds)] if seconds >= 60 else [],
            ),
        ],
        rounds=1,
    )


def slope(moments: list[float]) -> float:
    """By how many µs each run begins later in its second than the one before (Theil and Sen)."""
    phases = [moment - moments[0] - number for number, moment in enumerate(moments)]
    far = max(1, len(phases) // 2)
    return 1e6 * median(
        (phases[later] - phases[former]) / (later - former)
        for former in range(len(phases) - far)
        for later in range(former + far, len(phases))
    )
