"""What the machine says of itself and of a process; Linux only, as far as /proc is asked."""

from __future__ import annotations

import os
import platform
from pathlib import Path


def busy_ticks() -> tuple[int, int]:
    """Ticks all processors were busy, and all ticks, since the machine began."""
    numbers = [int(word) for word in Path("/proc/stat").read_text().split("\n")[0].split()[1:9]]
    idle = numbers[3] + numbers[4]
    return sum(numbers) - idle, sum(numbers)


def share_busy(since: tuple[int, int]) -> float:
    """How busy all processors were since then, from 0 to 1."""
    now = busy_ticks()
    return (now[0] - since[0]) / max(1, now[1] - since[1])


def pss(pid: int) -> float:
    """Proportional set size of one process in MB (1,000,000 bytes)."""
    return _memory(pid, "Pss:")


def rss(pid: int) -> float:
    return _memory(pid, "Rss:")


def _memory(pid: int, label: str) -> float:
    for line in Path(f"/proc/{pid}/smaps_rollup").read_text().splitlines():
        if line.startswith(label):
            return int(line.split()[1]) * 1024 / 1e6
    return 0.0


def children(pid: int) -> list[int]:
    text = Path(f"/proc/{pid}/task/{pid}/children").read_text()
    return [int(word) for word in text.split()]


def family(pid: int) -> list[int]:
    """The process and all that descends from it."""
    return [pid, *(member for child in children(pid) for member in family(child))]


def wakeups(pid: int) -> int:
    """How often the process has gone to sleep by itself; each time it was woken again."""
    for line in Path(f"/proc/{pid}/status").read_text().splitlines():
        if line.startswith("voluntary_ctxt_switches:"):
            return int(line.split()[1])
    return 0


def description() -> str:
    """The machine in a line, without its name."""
    model = next(
        (
            line.split(":", 1)[1].strip()
            for line in Path("/proc/cpuinfo").read_text().splitlines()
            if line.startswith("model name")
        ),
        platform.machine(),
    )
    memory = os.sysconf("SC_PAGE_SIZE") * os.sysconf("SC_PHYS_PAGES") / 2**30
    return (
        f"{os.cpu_count()} processors ({model}), {memory:.0f} GiB, "
        f"{platform.system()} {platform.release().split('-')[0]}, "
        f"{platform.python_implementation()} {platform.python_version()}"
    )
