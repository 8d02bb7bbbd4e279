"""Commands: what they get, and what they can do wrong."""

from __future__ import annotations

import json
import os
import time
from pathlib import Path

from inisched.model.notifier import Pipe
from notifiers.samples import delivered, event, letter, message, other

OK = (1, True, "", False)


def failed(text: str) -> list[tuple[int, bool, str, bool]]:
    return [(1, False, text, False)]


def test_a_command_gets_what_a_webhook_gets(tmp_path: Path) -> None:
    assert delivered(Pipe("cat > got"), folder=str(tmp_path)) == [OK]
    got = json.loads((tmp_path / "got").read_text())
    assert got == message().as_json()
    assert got["job"] == event().job


def test_a_command_finds_kind_and_job_in_its_environment(tmp_path: Path) -> None:
    delivered(Pipe('echo "$INISCHED_EVENT $INISCHED_JOB" > got'), folder=str(tmp_path))
    assert (tmp_path / "got").read_text() == "failure flaky\n"


def test_a_digest_about_several_jobs_names_none(tmp_path: Path) -> None:
    pipe = Pipe('echo "$INISCHED_EVENT [$INISCHED_JOB]" > got')
    delivered(pipe, letter(1), letter(2, job="b"), digest=True, folder=str(tmp_path))
    assert (tmp_path / "got").read_text() == "digest []\n"


def test_a_script_has_several_lines(tmp_path: Path) -> None:
    delivered(Pipe("echo 1 > got\necho 2 >> got"), folder=str(tmp_path))
    assert (tmp_path / "got").read_text() == "1\n2\n"


def test_the_last_line_of_the_complaints_is_told() -> None:
    script = "echo one >&2; echo 'curl: no route' >&2; echo >&2; exit 7"
    assert delivered(Pipe(script)) == failed("the command ended with exit code 7: curl: no route")


def test_a_command_without_complaints_is_told_by_its_exit_code() -> None:
    assert delivered(Pipe("exit 7")) == failed("the command ended with exit code 7")


def test_a_killed_command_is_told() -> None:
    assert delivered(Pipe("kill -9 $$")) == failed("the command was killed by SIGKILL")


def test_a_missing_folder_is_told() -> None:
    told = delivered(Pipe("true"), folder="/there/is/none")
    assert told == failed("the command cannot be started: No such file or directory")


def test_a_failure_does_not_stop_the_next(tmp_path: Path) -> None:
    pipe = Pipe("test -e there || { touch there; exit 1; }")
    told = delivered(pipe, letter(1), other(2), folder=str(tmp_path))
    text = "the command ended with exit code 1"
    assert told == [(1, False, text, False), (2, True, "", False)]


def test_a_command_need_not_read_its_input() -> None:
    assert delivered(Pipe("true"), letter(stdout="x" * 1_000_000)) == [OK]


def test_a_command_may_close_its_input() -> None:
    assert delivered(Pipe("exec <&-; true"), letter(stdout="x" * 1_000_000)) == [OK]


def test_a_command_that_complains_endlessly_costs_no_memory() -> None:
    script = "head -c 30000000 /dev/zero >&2; echo >&2; echo last >&2; exit 1"
    assert delivered(Pipe(script)) == failed("the command ended with exit code 1: last")


def test_what_a_command_leaves_behind_is_not_waited_for() -> None:
    begun = time.monotonic()
    assert delivered(Pipe("sleep 5 & true")) == [OK]
    assert time.monotonic() - begun < 4


def test_a_command_that_takes_too_long_is_killed_with_its_children(tmp_path: Path) -> None:
    pipe = Pipe("sleep 30 & echo $! > child; wait")
    told = delivered(pipe, folder=str(tmp_path), limit=0.4)
    assert told == failed("the command did not end within 0.4 s")
    child = int((tmp_path / "child").read_text())
    deadline = time.monotonic() + 5
    while is_alive(child):
        assert time.monotonic() < deadline
        time.sleep(0.01)


def is_alive(pid: int) -> bool:
    """Whether it runs; one nobody has waited for yet does not."""
    try:
        os.kill(pid, 0)
        return Path(f"/proc/{pid}/stat").read_text().rpartition(")")[2].split()[0] != "Z"
    except (ProcessLookupError, FileNotFoundError):
        return False
