"""One run in a process of its own. Each callback here is a module written for its test."""

from __future__ import annotations

import os
import signal
import subprocess
import sys
import textwrap
from collections.abc import Callable
from datetime import UTC, date, datetime
from pathlib import Path

import pytest

import inisched
from inisched.executors.request import Request
from inisched.executors.returned import LIMIT, outcome
from inisched.model.current import CurrentRun
from inisched.model.job import Argument, Call
from inisched.model.place import Place
from inisched.model.run import Outcome, Reason, State

RUN = CurrentRun(
    id=17,
    job="report",
    scheduled_for=datetime(2026, 7, 1, 7, 30, tzinfo=UTC),
    attempt=2,
    period_start=date(2026, 6, 1),
    period_end=date(2026, 6, 30),
    override=True,
)

Run = Callable[..., Outcome]


@pytest.fixture
def run(tmp_path: Path) -> Run:
    """Writes jobs.py and runs one callback of it as the daemon would."""

    def run(text: str, *, target: str = "jobs.f", **arguments: str) -> Outcome:
        (tmp_path / "jobs.py").write_text(textwrap.dedent(text))
        given = tuple(Argument(n, t, t, n, Place("x.ini", 1, 1)) for n, t in arguments.items())
        return carried_out(Call(target, given), tmp_path)

    return run


def carried_out(call: Call, folder: Path) -> Outcome:
    result, result_fd = os.pipe()
    request = Request(call, RUN, "Europe/Berlin", folder, result_fd=result_fd)
    with subprocess.Popen(
        [sys.executable, "-P", "-m", "inisched.executors.child"],
        stdin=subprocess.PIPE,
        stdout=subprocess.PIPE,
        stderr=subprocess.PIPE,
        pass_fds=(result_fd,),
        cwd=folder,
        env=os.environ | {"PYTHONPATH": str(Path(inisched.__file__).parent.parent)},
    ) as process:
        os.close(result_fd)
        assert process.stdin is not None
        process.stdin.write(request.encode())
        process.stdin.close()
        process.stdin = None
        with open(result, "rb") as stream:
            told = stream.read()
        stdout, stderr = process.communicate(timeout=60)
    assert len(told) <= LIMIT
    return outcome(told, process.returncode, stdout=stdout, stderr=stderr)


def ending(found: Outcome) -> tuple[State, int | None, str]:
    return found.state, found.exit_code, found.message


# -- what it returns


@pytest.mark.parametrize(
    ("value", "state", "message", "output"),
    [
        ("None", State.SUCCESS, "", ""),
        ("True", State.SUCCESS, "", ""),
        ("False", State.FAILURE, "returned False", ""),
        ("'some text'", State.SUCCESS, "", "some text"),
        ("[1, 2]", State.SUCCESS, "", "[1, 2]"),
        ("0", State.SUCCESS, "", "0"),
        ("STATUS.WARNING", State.WARNING, "", ""),
        ("Result(STATUS.SUCCESS, 'sent', 'all of it')", State.SUCCESS, "sent", "all of it"),
        ("Result(STATUS.WARNING, message='half')", State.WARNING, "half", ""),
        ("Result(STATUS.FAILURE, message='none')", State.FAILURE, "none", ""),
        ("Result('success')", State.SUCCESS, "", ""),
        ("Result(STATUS.SUCCESS, None, 5)", State.SUCCESS, "", "5"),
        (
            "Result('great')",
            State.FAILURE,
            "returned a Result whose status is 'great', not STATUS.SUCCESS, STATUS.WARNING, "
            "STATUS.FAILURE, STATUS.SKIPPED",
            "",
        ),
        ("(x for x in 'ab')", State.FAILURE, "returned a generator: nothing of it was run", ""),
        ("Unprintable()", State.SUCCESS, "", "<unprintable Unprintable>"),
        ("'\\ud800'", State.SUCCESS, "", "\\ud800"),
    ],
)
def test_what_a_callback_returns_is_its_result(
    run: Run, value: str, state: State, message: str, output: str
) -> None:
    found = run(f"""
        from inisched import STATUS, Result
        class Unprintable:
            def __repr__(self): raise ValueError
        def f(): return {value}
    """)
    assert (found.state, found.message, found.output) == (state, message, output)
    assert found.exit_code == (1 if state is State.FAILURE else 0)


def test_a_result_may_say_that_the_run_was_skipped(run: Run) -> None:
    found = run("""
        from inisched import STATUS, Result
        def f(): return Result(STATUS.SKIPPED, "nothing to do")
    """)
    assert ending(found) == (State.SKIPPED, 0, "nothing to do")
    assert found.reason is Reason.SKIP


def test_an_async_callback_is_run_to_its_end(run: Run) -> None:
    found = run("""
        import asyncio
        async def f():
            await asyncio.sleep(0)
            return "done"
    """)
    assert (found.state, found.output) == (State.SUCCESS, "done")


def test_a_huge_text_is_cut_to_fit(run: Run) -> None:
    found = run("def f(): return 'é' * 3_000_000 + 'the end'")
    assert found.state is State.SUCCESS
    assert found.output.startswith("ééé")
    assert " characters cut …" in found.output
    assert found.output.endswith("the end")


# -- what it raises


def test_an_exception_is_a_failure_with_its_traceback(run: Run, tmp_path: Path) -> None:
    found = run("""\
        def f():
            g()
        def g():
            raise ValueError("text")
    """)
    assert ending(found) == (State.FAILURE, 1, "ValueError: text")
    assert found.stderr.decode() == textwrap.dedent(f"""\
        Traceback (most recent call last):
          File "{tmp_path}/jobs.py", line 2, in f
            g()
          File "{tmp_path}/jobs.py", line 4, in g
            raise ValueError("text")
        ValueError: text
    """)


def test_the_traceback_of_an_async_callback_shows_its_own_frames_only(
    run: Run, tmp_path: Path
) -> None:
    found = run("""\
        async def f():
            raise ValueError("text")
    """)
    assert found.stderr.decode() == textwrap.dedent(f"""\
        Traceback (most recent call last):
          File "{tmp_path}/jobs.py", line 2, in f
            raise ValueError("text")
        ValueError: text
    """)


@pytest.mark.parametrize(
    ("statement", "message"),
    [
        ("raise KeyboardInterrupt", "KeyboardInterrupt"),
        ("raise GeneratorExit", "GeneratorExit"),
        ("raise ValueError('two\\nlines')", "ValueError: two"),
        ("raise Mute", "<unprintable Mute>"),
    ],
)
def test_whatever_is_raised_is_a_failure(run: Run, statement: str, message: str) -> None:
    found = run(f"""
        class Mute(Exception):
            def __str__(self): raise ValueError
        def f(): {statement}
    """)
    assert ending(found) == (State.FAILURE, 1, message)


def test_skip_is_a_skip_and_leaves_no_traceback(run: Run) -> None:
    found = run("""
        from inisched import Skip
        def f(): raise Skip("not today")
    """)
    assert ending(found) == (State.SKIPPED, 0, "not today")
    assert (found.reason, found.stderr) == (Reason.SKIP, b"")


@pytest.mark.parametrize(
    ("code", "state", "exit_code", "message"),
    [
        ("", State.SUCCESS, 0, ""),
        ("0", State.SUCCESS, 0, ""),
        ("3", State.FAILURE, 3, "exit code 3"),
        ("-1", State.FAILURE, 255, "exit code 255"),
        ("'no paper'", State.FAILURE, 1, "exit code 1"),
    ],
)
def test_sys_exit_gives_the_exit_code(
    run: Run, code: str, state: State, exit_code: int, message: str
) -> None:
    found = run(f"import sys\ndef f(): sys.exit({code})")
    assert ending(found) == (state, exit_code, message)


def test_the_text_of_sys_exit_goes_to_stderr(run: Run) -> None:
    assert run("import sys\ndef f(): sys.exit('no paper')").stderr == b"no paper\n"


# -- how the process ends


@pytest.mark.parametrize(
    ("statement", "code", "message"),
    [
        ("os._exit(3)", 3, "the process ended with exit code 3 before the callback had returned"),
        ("os._exit(0)", 0, "the process ended with exit code 0 before the callback had returned"),
        ("ctypes.string_at(0)", -signal.SIGSEGV, "killed by SIGSEGV"),
        ("os.kill(os.getpid(), signal.SIGKILL)", -signal.SIGKILL, "killed by SIGKILL"),
    ],
)
def test_a_process_that_dies_under_its_callback_is_a_failure(
    run: Run, statement: str, code: int, message: str
) -> None:
    found = run(f"import ctypes, os, signal\ndef f(): {statement}")
    assert ending(found) == (State.FAILURE, code, message)


def test_a_process_that_dies_after_its_callback_is_a_failure(run: Run) -> None:
    found = run("import atexit, os\ndef f(): atexit.register(os._exit, 9); return 'kept'")
    assert ending(found) == (
        State.FAILURE,
        9,
        "the process ended with exit code 9 after the callback had returned",
    )
    assert found.output == "kept"


def test_exit_handlers_and_threads_come_to_their_end(run: Run) -> None:
    found = run("""
        import atexit, threading
        def f():
            over = threading.Event()
            def late():
                over.wait()
                print("thread")
            threading.Thread(target=late).start()
            atexit.register(print, "handler")
            threading._register_atexit(over.set)
    """)
    assert found.state is State.SUCCESS
    assert found.stdout == b"thread\nhandler\n"


def test_a_process_the_callback_forked_hands_over_nothing(run: Run) -> None:
    found = run("""
        import os
        def f():
            child = os.fork()
            if child == 0:
                return "child"
            os.waitpid(child, 0)
            return "parent"
    """)
    assert (found.state, found.output) == (State.SUCCESS, "parent")


def test_a_result_that_cannot_be_handed_over_is_a_failure_that_says_so(run: Run) -> None:
    found = run("import os\ndef f(): os.closerange(3, 4096)")
    assert found.state is State.FAILURE
    assert found.stderr == (b"inisched: the result could not be handed over: Bad file descriptor\n")


# -- what a callback finds


def test_a_callback_gets_its_arguments_converted(run: Run) -> None:
    found = run("def f(n: int, name): return repr((n, name))", n="5", name="x")
    assert found.output == "(5, 'x')"


def test_an_argument_may_have_bytes_of_no_character(run: Run) -> None:
    """As a variable of the environment may."""
    assert run("def f(name): return ascii(name)", name="a\udcff").output == r"'a\udcff'"


def test_a_callback_is_handed_the_moment_in_the_zone_of_the_job(run: Run) -> None:
    found = run("def f(scheduled_for): return scheduled_for.isoformat()")
    assert found.output == "2026-07-01T09:30:00+02:00"


def test_a_callback_can_ask_for_the_current_run(run: Run) -> None:
    found = run("""
        from inisched import current_run
        at_import = current_run()
        def f():
            r = current_run()
            return repr((at_import is r, r.id, r.job, r.attempt, str(r.scheduled_for),
                         str(r.period_start), str(r.period_end), r.override))
    """)
    assert found.output == (
        "(True, 17, 'report', 2, '2026-07-01 09:30:00+02:00', '2026-06-01', '2026-06-30', True)"
    )


def test_standard_input_is_empty(run: Run) -> None:
    assert run("import sys\ndef f(): return repr(sys.stdin.read())").output == "''"


def test_the_output_is_that_of_the_callback_and_of_the_import(run: Run) -> None:
    found = run("""
        import os, sys
        print("import")
        def f():
            print("callback")
            os.write(1, b"raw\\xff\\n")
            sys.stderr.write("error\\n")
    """)
    assert found.stdout == b"import\ncallback\nraw\xff\n"
    assert found.stderr == b"error\n"


@pytest.mark.parametrize("locale", ["C", "POSIX", "en_US.ISO-8859-1"])
def test_any_character_can_be_printed_in_any_locale(
    run: Run, monkeypatch: pytest.MonkeyPatch, locale: str
) -> None:
    monkeypatch.setenv("LC_ALL", locale)
    monkeypatch.setenv("PYTHONIOENCODING", "ascii")
    found = run("def f(): print('→ \\ud800')")
    assert found.state is State.SUCCESS
    assert found.stdout == "→ \\ud800\n".encode()


def test_a_line_printed_before_a_crash_is_kept(run: Run) -> None:
    assert run("import os\ndef f(): print('last words'); os.abort()").stdout == b"last words\n"


def test_the_request_is_nowhere_a_callback_would_print_it(run: Run) -> None:
    found = run(
        """
        import os, sys
        def f(password):
            return repr((sys.argv, "hunter2" in str(os.environ)))
        """,
        password="hunter2",
    )
    assert found.output == "(['jobs.f'], False)"


@pytest.mark.parametrize("statement", ["sys.stdout.close()", "sys.stderr = None", "del sys.stdout"])
def test_a_callback_may_close_its_streams(run: Run, statement: str) -> None:
    found = run(f"import sys\ndef f():\n    {statement}\n    return 'kept'")
    assert (found.state, found.output) == (State.SUCCESS, "kept")


# -- what cannot be called


def test_a_callback_that_cannot_be_found_is_a_failure(run: Run) -> None:
    found = run("def f(): ...", target="jobs.g")
    assert ending(found) == (State.FAILURE, 1, "module 'jobs' has no 'g'")
    assert found.stderr == b"error: module 'jobs' has no 'g'\n"


def test_arguments_that_do_not_fit_are_a_failure(run: Run) -> None:
    found = run("def f(n: int): ...", n="abc")
    assert ending(found) == (State.FAILURE, 1, "'abc' is not a whole number")
    assert found.stderr == b"error: 'abc' is not a whole number\n    expected int for 'n'\n"


def test_an_import_that_raises_is_a_failure_whose_traceback_ends_stderr(
    run: Run, tmp_path: Path
) -> None:
    found = run("import json\njson.loads('')\n")
    assert found.message == (
        "importing 'jobs' failed: JSONDecodeError: Expecting value: line 1 column 1 (char 0)"
    )
    lines = found.stderr.decode().splitlines()
    assert lines[3] == f'  File "{tmp_path}/jobs.py", line 2, in <module>'
    assert lines[-1] == "json.decoder.JSONDecodeError: Expecting value: line 1 column 1 (char 0)"
