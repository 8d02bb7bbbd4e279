"""A run under way: its pipes, its process, its end."""

from __future__ import annotations

import os
import select
import signal
import subprocess
import sys
from pathlib import Path

import pytest

from executors.work import SCHEDULED, await_end, task, until
from inisched.executors.callback import start_call
from inisched.executors.command import start_command
from inisched.executors.running import Running, Task, process_start
from inisched.executors.starting import Executors
from inisched.model.job import Call, Executor
from inisched.model.run import Fire, Outcome, State


def open_descriptors() -> set[str]:
    return set(os.listdir("/proc/self/fd"))


# -- a process has a name for good


def test_a_process_is_named_by_pid_and_start(tmp_path: Path) -> None:
    running = start_command(task("sleep 60"), folder=tmp_path)
    assert running.started == process_start(running.pid) > 0
    running.signal(signal.SIGKILL)
    await_end(running)
    running.outcome()


def test_the_start_is_that_of_the_kernel() -> None:
    fields = Path("/proc/self/stat").read_text().rpartition(")")[2].split()
    assert process_start(os.getpid()) == int(fields[19])


def test_a_process_may_have_any_name(tmp_path: Path) -> None:
    odd = tmp_path / ") R 1 2 (x"
    odd.symlink_to("/bin/sleep")
    with subprocess.Popen([odd, "60"]) as process:
        assert abs(process_start(process.pid) - process_start(os.getpid())) < 10**9
        assert process_start(process.pid) >= process_start(os.getpid())
        process.kill()


def test_a_process_that_ended_but_was_not_collected_has_no_start() -> None:
    with subprocess.Popen(["true"], stdout=subprocess.PIPE) as process:
        os.waitid(os.P_PID, process.pid, os.WEXITED | os.WNOWAIT)
        assert process_start(process.pid) == 0


def test_a_pid_nobody_has_has_no_start() -> None:
    assert process_start(2**22 + 1) == 0


# -- streams


def test_reading_takes_what_there_is_and_does_not_wait(tmp_path: Path) -> None:
    running = start_command(task("echo now; sleep 60"), folder=tmp_path)
    until(lambda: running.stdout.data() == b"now\n", running)
    assert all(running.read(descriptor) for descriptor in list(running.streams))
    running.signal(signal.SIGKILL)
    await_end(running)
    running.outcome()


def test_a_stream_at_its_end_is_closed_and_gone(tmp_path: Path) -> None:
    running = start_command(task("exec >&-; sleep 60"), folder=tmp_path)
    stdout, stderr = list(running.streams)
    select.select([stdout], [], [], 20)
    assert running.read(stdout) is False
    assert list(running.streams) == [stderr]
    running.signal(signal.SIGKILL)
    await_end(running)
    running.outcome()


def test_what_came_after_the_last_look_is_in_the_outcome(tmp_path: Path) -> None:
    running = start_command(task("echo late"), folder=tmp_path)
    running.process.wait(timeout=20)
    assert running.outcome().stdout == b"late\n"


def test_an_outcome_leaves_no_descriptor_open(tmp_path: Path) -> None:
    (tmp_path / "running_jobs.py").write_text("def f(): return 'done'")
    before = open_descriptors()
    for running in (
        start_command(task("sleep 60 & echo $!"), folder=tmp_path),
        start_call(task(Call("running_jobs.f")), folder=tmp_path, python_path=["."]),
    ):
        await_end(running)
        running.outcome()
        running.signal(signal.SIGKILL)
    assert open_descriptors() == before


def test_a_process_that_could_not_be_made_leaves_no_descriptor_open(tmp_path: Path) -> None:
    before = open_descriptors()
    with pytest.raises(OSError):
        start_call(task(Call("jobs.f")), folder=tmp_path / "gone", python_path=["."])
    with pytest.raises(OSError):
        start_command(task("true"), folder=tmp_path / "gone")
    assert open_descriptors() == before


def test_a_signal_to_a_run_that_is_over_is_no_error(tmp_path: Path) -> None:
    running = start_command(task("true"), folder=tmp_path)
    await_end(running)
    running.outcome()
    running.signal(signal.SIGTERM)


def test_a_run_under_way_has_no_exit_code(tmp_path: Path) -> None:
    running = start_command(task("sleep 60"), folder=tmp_path)
    assert running.exit_code() is None
    running.signal(signal.SIGKILL)
    await_end(running)
    assert running.exit_code() == -9
    running.outcome()


# -- tasks and executors


def test_a_task_is_told_the_moment_people_see() -> None:
    job = task("true").job
    moved = SCHEDULED.replace(minute=31)
    made = Task.of(5, job, Fire(job="sweep", at=SCHEDULED, moved=moved))
    assert made == Task(run_id=5, job=job, scheduled_for=moved)


@pytest.fixture
def executors(tmp_path: Path) -> Executors:
    (tmp_path / "sweep_jobs.py").write_text(
        "import os, inisched\n"
        "def f():\n"
        "    run = inisched.current_run()\n"
        "    print('token hunter2hunter2')\n"
        "    result = f'{run.job} {run.id} {run.scheduled_for} in {os.getcwd()}: hunter2hunter2'\n"
        "    return inisched.Result(inisched.STATUS.WARNING, 'said hunter2hunter2', result)\n"
        "def pid(): return str(os.getpid())\n"
    )
    return Executors(tmp_path, ["."])


def test_a_callback_runs_in_the_files_folder_and_its_secrets_stay_hidden(
    executors: Executors, tmp_path: Path
) -> None:
    running = executors.start(task(Call("sweep_jobs.f"), secrets=("hunter2hunter2",)))
    assert isinstance(running, Running)
    await_end(running)
    assert running.outcome() == Outcome(
        state=State.WARNING,
        exit_code=0,
        message="said ***",
        output=f"sweep 17 2026-07-01 09:30:00+02:00 in {tmp_path}: ***",
        stdout=b"token ***\n",
        stdout_total=21,
    )


def test_an_inline_callback_has_its_outcome_at_once(
    executors: Executors, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(sys, "path", list(sys.path))
    asked = task(Call("sweep_jobs.f"), executor=Executor.INLINE, secrets=("hunter2hunter2",))
    found = executors.start(asked)
    assert isinstance(found, Outcome)
    assert (found.state, found.message, found.stdout) == (
        State.WARNING,
        "said ***",
        b"token ***\n",
    )


def test_a_callback_has_a_process_of_its_own(executors: Executors) -> None:
    running = executors.start(task(Call("sweep_jobs.pid")))
    assert isinstance(running, Running)
    await_end(running)
    assert running.outcome().output == str(running.pid) != str(os.getpid())


def test_a_callbacks_cut_is_said_where_it_gave_no_message(tmp_path: Path) -> None:
    (tmp_path / "loud_jobs.py").write_text("def f(): print('x' * 5000)")
    asked = task(Call("loud_jobs.f"), output_limit=1024)
    running = start_call(asked, folder=tmp_path, python_path=["."])
    await_end(running)
    found = running.outcome()
    assert (found.state, found.message) == (State.SUCCESS, "output cut: 5.0 kB, 1 KiB kept")
    assert found.stdout_total == 5001
