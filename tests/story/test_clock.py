"""The clock on the wall is set under a living daemon."""

from __future__ import annotations

import json
import mmap
import shutil
import signal
import struct
import subprocess
from collections.abc import Callable
from pathlib import Path

import pytest

from story.site import Site, stop

CC = shutil.which("cc") or shutil.which("gcc")
HOUR = 3600

JOBS = """\
[inisched]
timezone = UTC
[tick]
command = cut -d' ' -f1 /proc/uptime >> ticks
every = second
[clock]
command = true
every = minute
at = :00, :05, :10, :15, :20, :25, :30, :35, :40, :45, :50, :55
"""


class WallClock:
    """The clock of one daemon, set through a file."""

    def __init__(self, folder: Path) -> None:
        assert CC is not None
        source, self.library = Path(__file__).with_name("clock.c"), folder / "clock.so"
        subprocess.run([CC, "-shared", "-fPIC", "-O1", "-o", self.library, source], check=True)
        self.file = folder / "offset"
        self.file.write_bytes(bytes(mmap.PAGESIZE))
        with self.file.open("r+b") as file:
            self._map = mmap.mmap(file.fileno(), 8)
        self._offset = 0

    @property
    def environment(self) -> dict[str, str]:
        return {"LD_PRELOAD": str(self.library), "CLOCK_OFFSET": str(self.file)}

    def set(self, seconds: int) -> None:
        self._offset += seconds
        self._map[:] = struct.pack("q", self._offset * 10**9)


@pytest.mark.skipif(CC is None, reason="needs a C compiler")
@pytest.mark.skipif(not Path("/proc/uptime").exists(), reason="needs Linux")
def test_a_clock_set_forth_and_back_costs_no_interval_a_run(
    site: Callable[..., Site], tmp_path: Path
) -> None:
    s, clock = site(JOBS), WallClock(tmp_path)

    def ticks() -> list[float]:
        file = s.folder / "ticks"
        return [float(line) for line in file.read_text().split()] if file.exists() else []

    def live() -> None:
        enough = len(ticks()) + 1
        s.wait(lambda: len(ticks()) >= enough)

    with s.daemon(**clock.environment) as daemon:
        live()
        for step, words in (
            (-HOUR, "set back by 1 h"),
            (70 * 8766 * HOUR, "set forward by 25567 d"),
            (-70 * 8766 * HOUR, "set back by 25567 d"),
        ):
            clock.set(step)
            s.wait(lambda words=words: words in s.log)
            live()
        status = json.loads(s.inisched("status", "--json", **clock.environment).stdout)
        stop(daemon, signal.SIGTERM)
    assert (status["up"], status["heartbeat_age_s"] < 40) == (True, True)
    rows = s.rows("tick")
    real = ticks()[-1] - ticks()[0]
    assert abs(sum(row["count"] for row in rows) - 1 - real) < 2
    fires = [row["fire_at"] for row in s.rows("clock") if row["fire_until"] is None]
    assert len(fires) == len(set(fires))
