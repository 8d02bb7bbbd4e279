"""The processes of a run, wherever they went: by session, by ancestry, by the mark they carry.

Linux only; elsewhere a run is its process group.
"""

from __future__ import annotations

import os
import signal
import time
from collections.abc import Iterable
from contextlib import suppress
from functools import cached_property

from msgspec import Struct

from inisched.config.wire import HELPER

_SET_CHILD_SUBREAPER = 36
_BOOTTIME = getattr(time, "CLOCK_BOOTTIME", time.CLOCK_MONOTONIC)

_STAT_AT_MOST = 4096

MARK = "INISCHED_MARK"
"""The environment variable that names the run to whoever finds one of its processes."""


class Process(Struct, frozen=True):
    """A living process; `started` (ticks since boot) with the pid names it for good."""

    pid: int
    name: str
    parent: int
    group: int
    session: int
    started: int


def ticks() -> int:
    """What the start time of a process would be that was started now."""
    return int(time.clock_gettime(_BOOTTIME) * os.sysconf("SC_CLK_TCK"))


def processes() -> dict[int, Process]:
    """All living processes by pid; zombies are not."""
    found = {}
    with suppress(OSError):
        for name in os.listdir("/proc"):
            if name.isdigit():
                process = look(int(name))
                if process is not None:
                    found[process.pid] = process
    return found


def look(pid: int) -> Process | None:
    """The process of that pid; None where it is gone, or a zombie."""
    try:
        stat = os.open(f"/proc/{pid}/stat", os.O_RDONLY)
        try:
            head, _, rest = os.read(stat, _STAT_AT_MOST).rpartition(b")")
        finally:
            os.close(stat)
        fields = rest.split()
        if fields[0] in (b"Z", b"X"):
            return None
        name = os.fsdecode(head.partition(b"(")[2])
        parent, group, session = map(int, fields[1:4])
        return Process(pid, name, parent, group, session, int(fields[19]))
    except (OSError, IndexError, ValueError):
        return None


def badge(mark: str) -> str:
    """The mark as a process name, for forked runs: what they fork carries no environment."""
    from hashlib import blake2b

    return f"i:{blake2b(mark.encode(), digest_size=6).hexdigest()}"


def wear_badge(name: str) -> None:
    """Give this process, and all it forks, the name of its run (Linux)."""
    try:
        comm = os.open("/proc/self/comm", os.O_WRONLY)
        os.write(comm, name.encode())
        os.close(comm)
    except OSError:
        pass


def mark_of(pid: int, variable: str = MARK) -> str:
    """The mark a process carries in its environment; "" for none, or one we may not read."""
    try:
        with open(f"/proc/{pid}/environ", "rb") as file:
            environment = file.read()
    except OSError:
        return ""
    for entry in environment.split(b"\0"):
        name, _, value = entry.partition(b"=")
        if name == variable.encode():
            return os.fsdecode(value)
    return ""


class Census:
    """All living processes at a moment, with their marks, for whoever asks about many runs.

    It is taken when it is first asked.
    """

    def __init__(self) -> None:
        self._marks: dict[int, str] = {}

    @cached_property
    def processes(self) -> dict[int, Process]:
        return processes()

    def mark_of(self, pid: int) -> str:
        mark = self._marks.get(pid)
        if mark is None:
            mark = self._marks[pid] = mark_of(pid)
        return mark


def members(leader: int, mark: str, census: Census | None = None) -> list[Process]:
    """The living processes of the run that `leader` leads or led, the leader among them."""
    census = Census() if census is None else census
    alive, name = census.processes, badge(mark) if mark else None
    found = {
        pid
        for pid, process in alive.items()
        if (leader and leader in (pid, process.group, process.session))
        or process.name == name
        or (mark and census.mark_of(pid) == mark)
    }
    grown = True
    while grown:
        children = {pid for pid, process in alive.items() if process.parent in found}
        grown = not children <= found
        found |= children
    return [alive[pid] for pid in sorted(found - {os.getpid()})]


def send(targets: Iterable[Process], number: signal.Signals) -> None:
    """Signal processes, each only if it is still the one that was meant."""
    for target in targets:
        now = look(target.pid)
        if now is not None and now.started == target.started:
            with suppress(ProcessLookupError, PermissionError):
                os.kill(target.pid, number)


def lives(process: Process) -> bool:
    """Whether the very process lives still."""
    now = look(process.pid)
    return now is not None and now.started == process.started


def children() -> set[int]:
    """The pids of our own children, zombies among them; none where the system does not tell."""
    found: set[int] = set()
    with suppress(OSError):
        for task in os.listdir("/proc/self/task"):
            with open(f"/proc/self/task/{task}/children", "rb") as file:
                found.update(map(int, file.read().split()))
    return found


def orphans(known: set[int]) -> list[Process]:
    """Living children of ours that are neither known nor our helpers: runs left them to us."""
    found = [look(pid) for pid in children() - known]
    return [one for one in found if one is not None and not mark_of(one.pid, HELPER)]


def adopt_orphans() -> bool:
    """Let what runs leave behind become our children, so that we find and end it (Linux).

    Whether `children` tells of all of it from now on.
    """
    import ctypes

    with suppress(OSError, AttributeError):
        failed = ctypes.CDLL(None).prctl(_SET_CHILD_SUBREAPER, 1, 0, 0, 0)
        return not failed and os.path.exists(f"/proc/self/task/{os.getpid()}/children")
    return False


def process_start(pid: int) -> int:
    """The kernel's start time of a living process (clock ticks since boot); 0 where it has none.

    With the pid it names a process for good: pids come round again, pairs do not.
    """
    process = look(pid)
    return process.started if process is not None else 0
