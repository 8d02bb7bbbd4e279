"""Commands: real shells, what they are told, and how their end is read."""

from __future__ import annotations

import os
import signal
import time
from collections.abc import Callable
from datetime import date, datetime, timedelta, timezone
from pathlib import Path

import pytest
from msgspec.structs import replace

from executors.work import await_end, task, until
from inisched.executors.command import exit_message, start_command
from inisched.executors.running import Running, Task
from inisched.executors.starting import Executors
from inisched.model.run import Outcome, State

Run = Callable[..., Outcome]


@pytest.fixture
def run(tmp_path: Path) -> Run:
    """Runs a script, or a whole task, to its end."""

    def run(what: str | Task, **job: object) -> Outcome:
        asked = task(what, **job) if isinstance(what, str) else what
        running = start_command(asked, folder=tmp_path)
        await_end(running)
        return running.outcome()

    return run


# -- how it ended


def test_exit_code_0_is_a_success(run: Run) -> None:
    assert run("echo out; echo err >&2") == Outcome(
        state=State.SUCCESS,
        exit_code=0,
        stdout=b"out\n",
        stderr=b"err\n",
        stdout_total=4,
        stderr_total=4,
    )


def test_any_other_exit_code_is_a_failure(run: Run) -> None:
    assert run("exit 3") == Outcome(state=State.FAILURE, exit_code=3, message="exit code 3")


def test_declared_exit_codes_are_successes(run: Run) -> None:
    found = run("exit 3", success_codes=(0, 3))
    assert (found.state, found.exit_code, found.message) == (State.SUCCESS, 3, "")


def test_where_0_is_not_declared_it_is_a_failure(run: Run) -> None:
    found = run("true", success_codes=(1,))
    assert (found.state, found.message) == (State.FAILURE, "exit code 0")


def test_a_signal_is_named(run: Run) -> None:
    assert run("kill -KILL $$") == Outcome(
        state=State.FAILURE, exit_code=-9, message="killed by SIGKILL"
    )


def test_a_command_nobody_knows_is_a_failure_with_the_shells_words(run: Run) -> None:
    found = run("no-such-command-anywhere")
    assert (found.state, found.exit_code, found.message) == (
        State.FAILURE,
        127,
        "exit code 127",
    )
    assert b"no-such-command-anywhere" in found.stderr


@pytest.mark.parametrize(
    ("code", "message"),
    [
        (0, "exit code 0"),
        (255, "exit code 255"),
        (-15, "killed by SIGTERM"),
        (-99, "killed by signal 99"),
    ],
)
def test_an_end_is_said_in_words(code: int, message: str) -> None:
    assert exit_message(code) == message


def test_several_lines_are_a_script(run: Run) -> None:
    assert run("x=1\nif [ $x = 1 ]; then\n  echo yes\nfi").stdout == b"yes\n"


def test_a_folder_that_is_gone_cannot_start(tmp_path: Path) -> None:
    with pytest.raises(OSError) as caught:
        start_command(task("true"), folder=tmp_path / "gone")
    assert caught.value.strerror == f"the working directory {tmp_path}/gone is not there"


# -- what it is told


def test_it_runs_in_the_folder_of_the_file(run: Run, tmp_path: Path) -> None:
    assert run("pwd -P").stdout.decode() == f"{tmp_path.resolve()}\n"


def told(output: bytes) -> list[str]:
    return sorted(line for line in output.decode().splitlines() if line.startswith("INISCHED_"))


def test_it_learns_of_its_run_by_environment(run: Run, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.delenv("INISCHED_PATH", raising=False)
    berlin = timezone(timedelta(hours=2))
    whole = replace(
        task("env", attempt=2),
        scheduled_for=datetime(2026, 7, 1, 9, 30, tzinfo=berlin),
        period_start=date(2026, 6, 1),
        period_end=date(2026, 6, 30),
        override=True,
    )
    assert told(run(whole).stdout) == [
        "INISCHED_ATTEMPT=2",
        "INISCHED_JOB=sweep",
        "INISCHED_OVERRIDE=1",
        "INISCHED_PERIOD_END=2026-06-30",
        "INISCHED_PERIOD_START=2026-06-01",
        "INISCHED_RUN_ID=17",
        "INISCHED_SCHEDULED_FOR=2026-07-01T07:30:00+00:00",
    ]


def test_what_is_not_so_is_unset_even_inside_another_run(
    run: Run, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.delenv("INISCHED_PATH", raising=False)
    for name in ("JOB", "OVERRIDE", "PERIOD_START", "PERIOD_END"):
        monkeypatch.setenv(f"INISCHED_{name}", "of another run")
    assert told(run("env").stdout) == [
        "INISCHED_ATTEMPT=1",
        "INISCHED_JOB=sweep",
        "INISCHED_RUN_ID=17",
        "INISCHED_SCHEDULED_FOR=2026-07-01T07:30:00+00:00",
    ]


def test_it_has_the_rest_of_the_daemons_environment(
    run: Run, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("GREETING", "hello")
    assert run('echo "$GREETING"').stdout == b"hello\n"


def test_its_input_is_empty(run: Run) -> None:
    assert run("cat; echo end").stdout == b"end\n"


def test_it_leads_a_session_of_its_own(run: Run) -> None:
    assert run('[ "$(cut -d" " -f6 /proc/$$/stat)" = $$ ] && echo own').stdout == b"own\n"


# -- what is kept


def test_of_much_output_head_and_tail_are_kept_and_the_cut_is_said(run: Run) -> None:
    found = run("echo first; head -c 3000000 /dev/zero; echo; echo last", output_limit=1024)
    assert found.stdout.startswith(b"first\n\0")
    assert found.stdout.endswith(b"\0\nlast\n")
    assert "\n[… 3.0 MB cut here …]\n".encode() in found.stdout
    assert (found.stdout_total, found.message) == (3_000_012, "output cut: 3.0 MB, 1 KiB kept")


def test_each_stream_has_its_own_limit(run: Run) -> None:
    found = run("head -c 1000 /dev/zero; head -c 10 /dev/zero >&2", output_limit=100)
    assert (found.stdout_total, found.stderr_total, len(found.stderr)) == (1000, 10, 10)


def test_a_failure_says_its_exit_code_and_not_the_cut(run: Run) -> None:
    assert run("head -c 1000 /dev/zero; exit 3", output_limit=100).message == "exit code 3"


def test_secrets_are_masked_in_both_streams(tmp_path: Path) -> None:
    asked = task("echo key hunter2hunter2; echo hunter2hunter2 >&2", secrets=("hunter2hunter2",))
    running = Executors(tmp_path, ["."]).start(asked)
    assert isinstance(running, Running)
    await_end(running)
    found = running.outcome()
    assert (found.stdout, found.stderr) == (b"key ***\n", b"***\n")


# -- what it leaves behind


def test_a_background_child_that_holds_the_pipes_open_is_not_waited_for(run: Run) -> None:
    began = time.monotonic()
    found = run("echo started; sleep 60 & echo $! ; exit 0")
    line, pid = found.stdout.decode().split()
    os.kill(int(pid), signal.SIGKILL)
    assert (found.state, line) == (State.SUCCESS, "started")
    assert time.monotonic() - began < 30


def test_a_background_child_that_never_stops_talking_does_not_keep_an_outcome(
    tmp_path: Path,
) -> None:
    running = start_command(task("yes & exit 0", output_limit=100), folder=tmp_path)
    await_end(running)
    found = running.outcome()
    os.killpg(running.pid, signal.SIGKILL)
    assert (found.state, running.streams) == (State.SUCCESS, {})


def test_a_signal_reaches_the_whole_group(tmp_path: Path) -> None:
    script = "sleep 60 & echo $!; wait"
    running = start_command(task(script), folder=tmp_path)
    until(lambda: b"\n" in running.stdout.data(), running)
    running.signal(signal.SIGTERM)
    until(lambda: not running.streams, running)  # nobody holds the pipes any more
    await_end(running)
    assert running.outcome().message == "killed by SIGTERM"
