"""What the nursery does at the end of a run, with real processes."""

from __future__ import annotations

import selectors
import signal
import sys
import time
from collections.abc import Callable
from datetime import UTC, datetime
from pathlib import Path

import pytest

from inisched.config.loader import load
from inisched.engine.clock import SystemClock
from inisched.engine.nursery import Departed, Nursery
from inisched.executors import tree
from inisched.executors.running import Running, Task
from inisched.executors.starting import Executors

pytestmark = pytest.mark.skipif(sys.platform != "linux", reason="/proc is Linux's")

Run = Callable[[str], Departed]


class Walks:
    """How often all processes of the machine were looked at."""

    def __init__(self) -> None:
        self.count = 0

    def __call__(self) -> dict[int, tree.Process]:
        self.count += 1
        return look_at_all()


look_at_all = tree.processes


@pytest.fixture
def walks(monkeypatch: pytest.MonkeyPatch) -> Walks:
    walks = Walks()
    monkeypatch.setattr(tree, "processes", walks)
    return walks


def begin(nursery: Nursery, folder: Path, number: int = 1) -> Running:
    """A run of the one job of the folder's file, in the nursery's care."""
    (job,) = load(folder / "jobs.ini", strict_references=True).jobs
    mark = f"test:{folder}:{number}"
    task = Task(run_id=number, job=job, scheduled_for=datetime.now(UTC), mark=mark)
    running = Executors(folder, ["."]).start(task)
    assert isinstance(running, Running)
    nursery.adopt(number, running, job)
    return running


@pytest.fixture
def run(tmp_path: Path) -> Run:
    """Runs a script to its end, under a nursery whose strays come to it."""
    file = tmp_path / "jobs.ini"

    def run(script: str) -> Departed:
        file.write_text(f"[a]\ncommand = {script}\nevery = hour\nkill_after = 1 second\n")
        selector = selectors.DefaultSelector()
        nursery = Nursery(selector, SystemClock())
        nursery.adopts = tree.adopt_orphans()
        running = begin(nursery, tmp_path)
        deadline = time.monotonic() + 30
        while not (found := list(nursery.departed())):
            assert time.monotonic() < deadline
            for key, _ in selector.select(0.05):
                key.data(key.fd)
        running.outcome()
        return found[0]

    return run


def test_after_a_run_that_left_nothing_the_machine_is_not_searched(run: Run, walks: Walks) -> None:
    assert (run("/bin/echo hello").left, walks.count) == (0, 0)


@pytest.mark.parametrize(
    "script",
    [
        "sleep 1000 > /dev/null 2>&1 &",
        "setsid sleep 1000 > /dev/null 2>&1 & sleep 0.2",
        "nohup setsid sh -c 'sleep 1000 & exit 0' > /dev/null 2>&1; true",
        "env -i setsid sh -c 'sleep 1000 & exit 0' > /dev/null 2>&1; true",
    ],
)
def test_what_a_run_left_is_found_however_it_went(run: Run, walks: Walks, script: str) -> None:
    assert run(script).left == 1
    assert walks.count > 0


def test_runs_that_are_ended_together_are_found_in_one_look_at_the_machine(
    tmp_path: Path, walks: Walks
) -> None:
    file = tmp_path / "jobs.ini"
    file.write_text("[a]\ncommand = setsid sleep 1000; true\nevery = hour\n")
    nursery = Nursery(selectors.DefaultSelector(), SystemClock())
    runs = {number: begin(nursery, tmp_path, number) for number in (1, 2, 3)}
    deadline = time.monotonic() + 30
    while not all(len(running.members()) == 2 for running in runs.values()):
        assert time.monotonic() < deadline
    walks.count = 0
    nursery.end_all(runs)
    assert walks.count == 1
    gone: set[int] = set()
    while gone != {1, 2, 3}:
        assert time.monotonic() < deadline
        gone |= {departed.run_id for departed in nursery.departed()}
    assert [running.outcome().exit_code for running in runs.values()] == [-15] * 3


STORM = """\
trap "" TERM
for n in $(seq 300); do
    setsid sh -c 'trap "" TERM; for i in 1 2 3 4 5 6; do setsid sleep 300 & sleep 0.02; done; wait' &
done
wait
"""


def test_what_is_born_while_a_tree_is_killed_is_killed_too(tmp_path: Path) -> None:
    (tmp_path / "storm.sh").write_text(STORM)
    (tmp_path / "jobs.ini").write_text("[a]\ncommand = sh storm.sh\nevery = hour\n")
    nursery = Nursery(selectors.DefaultSelector(), SystemClock())
    running = begin(nursery, tmp_path)
    deadline = time.monotonic() + 60
    while len(running.members()) < 60:
        assert time.monotonic() < deadline
    nursery.end(1, 0.05)
    while not list(nursery.departed()):
        assert time.monotonic() < deadline
    running.outcome()
    left = tree.members(0, f"test:{tmp_path}:1")
    tree.send(left, signal.SIGKILL)
    assert left == []


@pytest.mark.parametrize("first", ["", 'trap "" TERM'], ids=["heeds TERM", "deaf"])
def test_a_process_without_any_sign_of_its_run_does_not_outlive_its_timeout(
    tmp_path: Path, first: str
) -> None:
    (tmp_path / "away.sh").write_text(f"{first}\nsleep 1000\n")
    (tmp_path / "run.sh").write_text(
        "sh -c 'env -i setsid sh away.sh & echo $! > pid'\nsleep 1000\n"
    )
    (tmp_path / "jobs.ini").write_text(
        "[a]\ncommand = sh run.sh\nevery = hour\ntimeout = 1 second\nkill_after = 1 second\n"
    )
    nursery = Nursery(selectors.DefaultSelector(), SystemClock())
    nursery.adopts = tree.adopt_orphans()
    running = begin(nursery, tmp_path)
    deadline = time.monotonic() + 60
    while nursery.busy:
        assert time.monotonic() < deadline
        assert len(list(nursery.departed())) < 2
    running.outcome()
    session = int((tmp_path / "pid").read_text())
    left = [one for one in tree.processes().values() if one.session == session]
    tree.send(left, signal.SIGKILL)
    assert left == []
