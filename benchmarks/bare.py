"""Bare loops: what this machine and this Python allow, without any scheduler.

A script, run by the rows with the product's Python: `bare.py LOOP ARGUMENT ...` prints JSON. The
loops that keep a row keep it as the product promises to: on the disk before the call, and again
after it.
"""

from __future__ import annotations

import ctypes
import heapq
import json
import os
import sqlite3
import subprocess
import sys
import time
from collections.abc import Callable, Iterable

SCHEMA = """
PRAGMA journal_mode = WAL;
PRAGMA synchronous = FULL;
CREATE TABLE run (
    id INTEGER PRIMARY KEY, job_id INTEGER NOT NULL, fire_at INTEGER NOT NULL,
    attempt INTEGER NOT NULL DEFAULT 1, state TEXT NOT NULL, trigger TEXT NOT NULL,
    started_at INTEGER, ended_at INTEGER, exit_code INTEGER, message TEXT NOT NULL DEFAULT '',
    UNIQUE (job_id, fire_at, attempt)
);
CREATE INDEX run_of_job ON run (job_id);
CREATE INDEX run_open ON run (id) WHERE state = 'running';
"""
CLAIM = """
INSERT INTO run (id, job_id, fire_at, state, trigger, started_at)
VALUES (?, ?, ?, 'running', 'schedule', ?)
"""
FINISH = "UPDATE run SET state = 'success', ended_at = ?, exit_code = 0 WHERE id = ?"
IN_FLIGHT = 4


class Book:
    """A database with rows such as the ledger's."""

    def __init__(self) -> None:
        self.database = sqlite3.connect("rows.db", isolation_level=None)
        self.database.executescript(SCHEMA)
        self.rows = 0

    def claim(self, jobs: range, fire: float) -> range:
        """Rows for these jobs, on the disk when this returns; their numbers."""
        now, ids = round(time.time() * 1000), range(self.rows, self.rows + len(jobs))
        at, self.rows = round(fire * 1000), ids.stop
        self.database.execute("BEGIN IMMEDIATE")
        values = ((number, job, at, now) for number, job in zip(ids, jobs, strict=True))
        self.database.executemany(CLAIM, values)
        self.database.execute("COMMIT")
        return ids

    def finish(self, ids: Iterable[int]) -> None:
        now = round(time.time() * 1000)
        self.database.execute("BEGIN IMMEDIATE")
        self.database.executemany(FINISH, ((now, number) for number in ids))
        self.database.execute("COMMIT")


# Time ------------------------------------------------------------------------------------------


class _Moment(ctypes.Structure):
    _fields_ = (("seconds", ctypes.c_long), ("nanoseconds", ctypes.c_long))


_LIBC = ctypes.CDLL(None, use_errno=True)
_ABSOLUTE, _TIMER_SLACK = 1, 29


def sleep_until(moment: float) -> None:
    whole = int(moment)
    at = _Moment(whole, int((moment - whole) * 1e9))
    _LIBC.clock_nanosleep(time.CLOCK_REALTIME, _ABSOLUTE, ctypes.byref(at), None)


def lateness(seconds: int, jobs: int, every: int) -> list[float]:
    """How late each of `jobs` calls comes that are due together, for so many seconds."""
    from work import tick

    _LIBC.prctl(_TIMER_SLACK, 1, 0, 0, 0)
    book = Book()
    due = float(int(time.time()) + 2)
    end = due + seconds
    fires = []
    while due < end:
        sleep_until(due)
        ids = book.claim(range(jobs), due)
        for _ in ids:
            tick()
        book.finish(ids)
        fires += [due] * jobs
        due += every
    with open(os.environ["TICKS"]) as noted:
        return [int(line) / 1e9 - fire for line, fire in zip(noted, fires, strict=True)]


def heap(jobs: int, looks: int) -> float:
    """Seconds per look at the head of a heap."""
    due = [(time.time() + 3600 + number, number) for number in range(jobs)]
    heapq.heapify(due)
    begun = time.perf_counter()
    for _ in range(looks):
        if due[0][0] <= time.time():
            heapq.heappop(due)
    return (time.perf_counter() - begun) / looks


# Processes -------------------------------------------------------------------------------------


def _rate(count: int, start: Callable[[], int], ended: Callable[[int], None]) -> float:
    """Processes per second, four of them at a time; `start` gives a pid, `ended` reads it out."""
    begun = time.perf_counter()
    under_way = 0
    for _ in range(count):
        if under_way == IN_FLIGHT:
            ended(os.waitpid(-1, 0)[0])
            under_way -= 1
        start()
        under_way += 1
    for _ in range(under_way):
        ended(os.waitpid(-1, 0)[0])
    return count / (time.perf_counter() - begun)


def commands(count: int, rows: int, *words: str) -> float:
    """Commands per second, both streams captured; `rows` 1: with two commits each."""
    processes: dict[int, subprocess.Popen[bytes]] = {}
    ids: dict[int, int] = {}
    book = Book() if rows else None

    def start() -> int:
        number = book.claim(range(len(ids), len(ids) + 1), 0.0)[0] if book else 0
        process = subprocess.Popen(
            words, stdin=subprocess.DEVNULL, stdout=subprocess.PIPE, stderr=subprocess.PIPE
        )
        processes[process.pid], ids[process.pid] = process, number
        return process.pid

    def ended(pid: int) -> None:
        process = processes.pop(pid)
        process.returncode = 0
        for stream in (process.stdout, process.stderr):
            assert stream is not None
            stream.read()
            stream.close()
        if book:
            book.finish([ids[pid]])

    return _rate(count, start, ended)


def forks(count: int, megabytes: int) -> float:
    """Forks per second of a process that has this much memory, each with its output captured."""
    from app import say

    weight = _grown_to(megabytes)
    streams: dict[int, int] = {}

    def start() -> int:
        ours, theirs = os.pipe()
        pid = os.fork()
        if pid == 0:
            os.dup2(theirs, 1)
            say()
            os._exit(0)
        os.close(theirs)
        streams[pid] = ours
        return pid

    def ended(pid: int) -> None:
        ours = streams.pop(pid)
        os.read(ours, 65536)
        os.close(ours)

    rate = _rate(count, start, ended)
    assert len(weight) >= 0
    return rate


def _grown_to(megabytes: float) -> bytearray:
    """What must be held so that the resident set of this process is so large."""
    with open("/proc/self/statm") as statm:
        now = int(statm.read().split()[1]) * os.sysconf("SC_PAGE_SIZE")
    return bytearray(b"\1" * max(0, int(megabytes * 1e6) - now))


def interpreters(count: int) -> float:
    """`python -c` per second for the same callback."""
    return commands(count, 0, sys.executable, "-c", "import app; app.say()")


def forkserver(count: int) -> float:
    """Callbacks per second by multiprocessing's fork server, the module imported beforehand."""
    import multiprocessing
    from multiprocessing.connection import wait

    from app import say

    context = multiprocessing.get_context("forkserver")
    context.set_forkserver_preload(["app"])
    first = context.Process(target=say)
    first.start()
    first.join()
    begun = time.perf_counter()
    alive: dict[object, multiprocessing.context.ForkServerProcess] = {}
    left = count
    while left or alive:
        while left and len(alive) < IN_FLIGHT:
            process = context.Process(target=say)
            process.start()
            alive[process.sentinel] = process
            left -= 1
        for sentinel in wait(list(alive)):  # type: ignore[arg-type]
            alive.pop(sentinel).join()
    return count / (time.perf_counter() - begun)


LOOPS: dict[str, Callable[..., object]] = {
    "lateness": lateness,
    "heap": heap,
    "commands": commands,
    "forks": forks,
    "interpreters": interpreters,
    "forkserver": forkserver,
}

if __name__ == "__main__":
    name, *given = sys.argv[1:]
    numbers = [int(word) if word.isdigit() else word for word in given]
    keep, out = os.dup(1), os.open(os.devnull, os.O_WRONLY)
    os.dup2(out, 1)
    result = LOOPS[name](*numbers)
    os.write(keep, json.dumps(result).encode())
