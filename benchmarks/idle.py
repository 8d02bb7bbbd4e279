"""100,000 idle jobs: what a look costs, how often the daemon wakes, how much memory a job takes."""

from __future__ import annotations

import time

from benchmarks import machine
from benchmarks.bench import Bench, say
from benchmarks.row import Goal, Line, Row
from benchmarks.site import Site, wait

JOB = "[job{number}]\ncommand = /bin/true\nevery = {hours} hours\n"
MANY = 100_000
MINUTE = 60


def looks(bench: Bench) -> Row:
    jobs = bench.much(MANY, MANY // 10)
    return Row(
        turns=[
            lambda: {"product": 1e6 * bench.plain_script("inside.py", "looking", jobs, 20_000)},
            lambda: {
                "schedule": 1e6 * bench.peer_script("peers.py", "schedule_look", jobs, 20),
            },
            lambda: {"bare": 1e6 * bench.plain_script("bare.py", "heap", jobs, 20_000)},
        ],
        lines=[
            Line(
                f"one look with {jobs:,} idle jobs",
                "µs",
                peers=["schedule"],
                bare="bare",
                goals=[Goal(most=5)],
            )
        ],
        rounds=bench.several(3),
    )


def idle(bench: Bench) -> Row:
    """A minute has 14 looks at clock and file; each of its 2 heartbeats may wait for the disk."""
    jobs, seconds = bench.much(MANY, MANY // 10), bench.much(MINUTE, 15)
    few = _Daemon(bench, 100)
    many = _Daemon(bench, jobs)

    def turn() -> dict[str, float]:
        small, _ = few.measured(5)
        large, woken = many.measured(seconds)
        return {
            "memory": (large - small) * 1e6 / (jobs - 100),
            "wake-ups": woken * MINUTE / seconds,
        }

    return Row(
        turns=[turn],
        lines=[
            Line(
                f"idle wake-ups a minute, {jobs:,} jobs",
                "",
                product="wake-ups",
                goals=[Goal(most=18)],
            ),
            Line(
                f"memory per job at {jobs:,}",
                "bytes",
                product="memory",
                goals=[Goal(most=2000)],
            ),
        ],
        rounds=1,
    )


class _Daemon:
    def __init__(self, bench: Bench, jobs: int) -> None:
        text = "".join(JOB.format(number=n, hours=n % 23 + 1) for n in range(jobs))
        self.site = Site(bench, text)
        self.jobs = jobs

    def measured(self, seconds: int) -> tuple[float, int]:
        """Memory in MB, and how often the daemon woke in so many seconds."""
        with self.site.daemon() as daemon:
            begun = time.monotonic()
            wait(self.site.database_is_there, every=0.2)
            count = "SELECT count(*) FROM job"
            wait(lambda: self.site.ask(count)[0][0] == self.jobs, every=0.2)
            say(f"  {self.jobs:,} jobs are seated after {time.monotonic() - begun:.1f} s")
            time.sleep(5 + self.jobs / 20_000)
            before = machine.wakeups(daemon.pid)
            time.sleep(seconds)
            return machine.pss(daemon.pid), machine.wakeups(daemon.pid) - before
