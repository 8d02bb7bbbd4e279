"""Callbacks called inside the daemon."""

from __future__ import annotations

import sys
import textwrap
from collections.abc import Callable, Iterator
from datetime import UTC, datetime
from pathlib import Path

import pytest

from inisched.current import current_run
from inisched.executors.inline import call_inline
from inisched.executors.request import Request
from inisched.model.current import CurrentRun
from inisched.model.job import Call
from inisched.model.run import Outcome, State

Run = Callable[[str], Outcome]


@pytest.fixture
def run(tmp_path: Path) -> Iterator[Run]:
    before = list(sys.path)

    def run(text: str) -> Outcome:
        (tmp_path / "inline_jobs.py").write_text(textwrap.dedent(text))
        now = datetime(2026, 7, 1, 7, 30, tzinfo=UTC)
        who = CurrentRun(id=1, job="tiny", scheduled_for=now)
        return call_inline(Request(Call("inline_jobs.f"), who, "UTC", tmp_path))

    yield run
    sys.path[:] = before
    sys.modules.pop("inline_jobs", None)


def test_what_it_prints_and_returns_is_kept(run: Run) -> None:
    found = run("""
        import sys
        def f():
            print("out →")
            sys.stderr.write("err")
            return "text"
    """)
    assert found == Outcome(
        state=State.SUCCESS,
        exit_code=0,
        output="text",
        stdout="out →\n".encode(),
        stderr=b"err",
        stdout_total=8,
        stderr_total=3,
    )


@pytest.mark.parametrize("error", ["ValueError", "KeyboardInterrupt", "GeneratorExit"])
def test_what_it_raises_does_not_reach_the_daemon(run: Run, error: str) -> None:
    found = run(f"def f(): raise {error}")
    assert (found.state, found.message) == (State.FAILURE, error)


def test_sys_exit_does_not_end_the_daemon(run: Run) -> None:
    found = run("import sys\ndef f(): sys.exit(3)")
    assert (found.state, found.exit_code) == (State.FAILURE, 3)


@pytest.mark.parametrize("statement", ["sys.stdout.close()", "sys.stdout.detach()"])
def test_it_may_spoil_its_stdout(run: Run, statement: str) -> None:
    found = run(f"import sys\ndef f():\n    print('kept')\n    {statement}")
    assert (found.state, found.stdout) == (State.SUCCESS, b"kept\n")


def test_the_current_run_is_over_when_it_is_over(run: Run) -> None:
    found = run("from inisched import current_run\ndef f(): return current_run().job")
    assert (found.output, current_run()) == ("tiny", None)


def test_a_function_that_took_the_place_of_another_is_passed_what_it_wants(run: Run) -> None:
    text = """
        def f():
            global f
            f = lambda attempt: f"attempt {attempt}"
            return "first"
    """
    assert [run(text).output, run(text).output] == ["first", "attempt 1"]
