"""A folder with an INI file, the installed program run on it, and what its ledger says then."""

from __future__ import annotations

import shutil
import sqlite3
import subprocess
import time
from collections.abc import Callable, Iterator
from contextlib import closing, contextmanager
from datetime import UTC, datetime
from pathlib import Path
from typing import TypeVar

from benchmarks.bench import HERE, PATIENCE, Bench, surroundings

T = TypeVar("T")

SETTINGS = """\
[inisched]
timezone = UTC
log_level = warning
"""


class Site:
    def __init__(self, bench: Bench, jobs: str, *, settings: str = "") -> None:
        self.bench = bench
        self.folder = bench.folder()
        self.ini = self.folder / "jobs.ini"
        self.database = self.folder / "jobs.db"
        self.ticks = self.folder / "ticks"
        for module in (HERE / "work").glob("*.py"):
            shutil.copyfile(module, self.folder / module.name)
        self.ini.write_text(SETTINGS + settings + "\n" + jobs)

    def words(self, *words: str) -> list[str]:
        program = [str(self.bench.plain.with_name("inisched"))]
        if self.bench.profile is not None:
            profile = ["-m", "cProfile", "-o", str(self.bench.profile)]
            program = [str(self.bench.plain), *profile, "-m", "inisched"]
        return [*program, *words, "-P", str(self.ini)]

    def inisched(self, *words: str) -> None:
        """Run a command on the file to its end; what it prints is of no interest."""
        subprocess.run(
            self.words(*words),
            cwd=self.folder,
            env=surroundings(),
            stdin=subprocess.DEVNULL,
            stdout=subprocess.DEVNULL,
            check=True,
        )

    @contextmanager
    def daemon(self) -> Iterator[subprocess.Popen[bytes]]:
        environment = surroundings() | {"TICKS": str(self.ticks)}
        with self.bench.process(self.words("run"), self.folder, env=environment) as process:
            yield process
        log = (self.folder / "log.txt").read_text()
        if "ERROR" in log or "Traceback" in log:
            raise RuntimeError(f"the daemon has complained:\n{log}")

    # -- what is to be seen --------------------------------------------------------------------

    def ask(self, query: str, *values: object) -> list[tuple[int, ...]]:
        uri = f"file:{self.database}?mode=ro"
        with closing(sqlite3.connect(uri, uri=True, timeout=5)) as database:
            return database.execute(query, values).fetchall()

    def wait_until_all_ran(self, count: int) -> float:
        """The moment at which `count` runs have ended, and nothing waits or runs."""
        return wait(self.database_is_there) and wait(lambda: self._finished(count), every=0.005)

    def database_is_there(self) -> bool:
        try:
            return bool(self.ask("SELECT count(*) FROM job")[0][0])
        except sqlite3.Error:
            return False

    def _finished(self, count: int) -> float:
        """The present moment, or 0.0 while something is still to come."""
        now = time.time()
        query = "SELECT count(*) FROM run WHERE state = 'success'"
        if self.ask("SELECT 1 FROM run WHERE state IN ('waiting', 'running') LIMIT 1"):
            return 0.0
        return now if self.ask(query)[0][0] >= count else 0.0

    def noted(self) -> list[float]:
        """When the callbacks were called, in seconds since 1970."""
        return noted(self.ticks)


def noted(ticks: Path) -> list[float]:
    return [int(line) / 1e9 for line in ticks.read_text().split()] if ticks.exists() else []


def wait(happens: Callable[[], T], *, every: float = 0.02, patience: float = PATIENCE) -> T:
    """What `happens` returns, once that is true."""
    deadline = time.monotonic() + patience
    while not (found := happens()):
        if time.monotonic() > deadline:
            raise TimeoutError("what was waited for did not come to pass")
        time.sleep(every)
    return found


def soon(seconds: float) -> tuple[float, str]:
    """A whole second at least so far ahead: as a number, and as a file says it."""
    moment = int(time.time() + seconds) + 1
    return float(moment), datetime.fromtimestamp(moment, UTC).strftime("%Y-%m-%d %H:%M:%S")
