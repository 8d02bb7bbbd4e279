"""From the start of the process to the first run, with 10, 1,000 and 10,000 jobs in the file."""

from __future__ import annotations

import os
import time
from pathlib import Path

from benchmarks import crons
from benchmarks.bench import HERE, Bench, wait_to_read
from benchmarks.row import Goal, Line, Row, Turn
from benchmarks.site import SETTINGS, Site

JOB = "[job{number}]\ncommand = {command}\nevery = {hours} hours\n"


def startup(bench: Bench) -> Row:
    ten, thousand, many = "10", "1,000", "10,000"
    return Row(
        turns=[
            *(_product(bench, count) for count in (10, 1000, 10_000)),
            *(_cronstable(bench, count) for count in (10, 1000)),
            *(_fed(bench, count) for count in (10, 1000, 10_000)),
        ],
        lines=[
            _line(ten, "cronstable", 1),
            _line(thousand, "cronstable", 0.1),
            _line(many, "schedule", 0.3),
            Line(
                "the same, the daemon started again",
                "ms",
                product="again, 10000",
                peers=["schedule, 10000"],
            ),
        ],
        rounds=bench.several(3),
    )


def _line(count: str, peer: str, most: float) -> Line:
    number = count.replace(",", "")
    name = f"{peer}, {number}"
    return Line(
        f"start to first run, {count} jobs",
        "ms",
        product=f"product, {number}",
        peers=[name],
        goals=[Goal(name, most=most)],
    )


def _jobs(count: int, fifo: Path) -> str:
    """The last job runs at the start: a reader who does not read everything gains nothing."""
    jobs = [
        JOB.format(number=number, command="/bin/true", hours=number % 23 + 1)
        for number in range(count - 1)
    ]
    last = JOB.format(number=count, command=f"echo run > {fifo}", hours=1)
    return "".join([*jobs, last, "run_at_start = yes\n"])


def _fifo(bench: Bench) -> Path:
    fifo = bench.folder() / "first"
    os.mkfifo(fifo)
    return fifo


def _until_first(fifo: Path, begun: float) -> float:
    """Milliseconds since `begun`, once the first run has written into the pipe."""
    descriptor = os.open(fifo, os.O_RDONLY | os.O_NONBLOCK)
    try:
        wait_to_read(descriptor)
    finally:
        os.close(descriptor)
    return (time.perf_counter() - begun) * 1000


def _product(bench: Bench, count: int) -> Turn:
    def turn() -> dict[str, float]:
        fifo = _fifo(bench)
        site = Site(bench, _jobs(count, fifo))
        found = {}
        for name in ("product", "again"):
            begun = time.perf_counter()
            with site.daemon():
                found[f"{name}, {count}"] = _until_first(fifo, begun)
        return found

    return turn


def _cronstable(bench: Bench, count: int) -> Turn:
    def turn() -> dict[str, float]:
        fifo = _fifo(bench)
        jobs = [("/bin/true", f"{number % 60} 0 1 1 *") for number in range(count - 1)]
        first = (f"echo run > {fifo}", "@reboot")
        with crons.running(bench, "cronstable", [*jobs, first]) as (_, begun):
            return {f"cronstable, {count}": _until_first(fifo, begun)}

    return turn


def _fed(bench: Bench, count: int) -> Turn:
    def turn() -> dict[str, float]:
        fifo, folder = _fifo(bench), bench.folder()
        file = folder / "jobs.ini"
        file.write_text(SETTINGS + _jobs(count, fifo))
        words = [str(bench.peers), str(HERE / "peers.py"), "schedule_fed", str(file)]
        begun = time.perf_counter()
        with bench.process(words, folder):
            return {f"schedule, {count}": _until_first(fifo, begun)}

    return turn
