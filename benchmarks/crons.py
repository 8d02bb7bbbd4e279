"""Peers that are daemons, cronstable and yacron: their files, and how they are started."""

from __future__ import annotations

import os
import subprocess
import time
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

from benchmarks.bench import Bench, wait_to_read

NAMES = ("cronstable", "yacron")
KEEPING = "cronstable, state"
"""cronstable with its store, in which it keeps the history of runs."""

JOB = """\
  - name: job{number}
    command: {command}
    schedule: "{schedule}"
    captureStdout: true
    captureStderr: true
"""


def written(folder: Path, jobs: list[tuple[str, str]], *, keeps: bool = False) -> Path:
    """A file with these jobs, each a command and a schedule; the same for both daemons."""
    file = folder / "jobs.yaml"
    text = "".join(
        JOB.format(number=number, command=command, schedule=schedule)
        for number, (command, schedule) in enumerate(jobs)
    )
    state = f"state:\n  path: {folder / 'state'}\n" if keeps else ""
    file.write_text(f"{state}jobs:\n{text}")
    return file


@contextmanager
def running(
    bench: Bench, name: str, jobs: list[tuple[str, str]]
) -> Iterator[tuple[subprocess.Popen[bytes], float]]:
    """The daemon with these jobs, which says all it says to its `stdout`; and when it was started.

    The moment is one of the performance counter: the file is written before.
    """
    folder = bench.folder()
    file = written(folder, jobs, keeps=name == KEEPING)
    words = [str(bench.peers.with_name(name.split(",")[0])), "-c", str(file)]
    begun = time.perf_counter()
    with bench.process(words, folder, stdout=subprocess.PIPE, stderr=subprocess.STDOUT) as process:
        yield process, begun


def rate(bench: Bench, name: str, count: int) -> float:
    """Captured commands per second, from the word that the first starts to that the last ended."""
    jobs = [("\n    - /bin/echo\n    - captured", "@reboot")] * count
    with running(bench, name, jobs) as (process, _):
        assert process.stdout is not None
        descriptor, ended, captured, begun, rest = process.stdout.fileno(), 0, 0, 0.0, b""
        while ended < count or captured < count:
            wait_to_read(descriptor)
            piece = os.read(descriptor, 1 << 20)
            if not piece:
                raise RuntimeError(f"{name} has left: {rest.decode(errors='replace')}")
            *lines, rest = (rest + piece).split(b"\n")
            begun = begun or (time.perf_counter() if b"Starting job" in piece else 0.0)
            ended += sum(b" exit code 0;" in line for line in lines)
            captured += sum(line.endswith(b"stdout] captured") for line in lines)
        return count / (time.perf_counter() - begun)
