"""Gates asked with real processes, in a fresh interpreter and forked. Many misbehave on purpose."""

from __future__ import annotations

import os
import selectors
import sys
import textwrap
import time
from collections.abc import Callable, Iterator
from datetime import date, timedelta
from pathlib import Path

import pytest
from hypothesis import given
from hypothesis import strategies as st
from msgspec.structs import replace

import inisched
from executors.work import task
from inisched.engine.clock import SystemClock
from inisched.engine.endings import concluded
from inisched.engine.nursery import Nursery
from inisched.executors import asking, tree
from inisched.executors.asking import Answer, answer, question
from inisched.executors.returned import answered
from inisched.executors.running import Task
from inisched.executors.starting import Executors
from inisched.executors.zygote.forking import ForkedRunning
from inisched.executors.zygote.keeper import ZygoteKeeper, plan_for
from inisched.model.job import (
    Action,
    Argument,
    Call,
    Command,
    DjangoSettings,
    Executor,
    Gates,
    Manage,
    Retry,
    Surroundings,
)
from inisched.model.place import Place
from inisched.model.run import Outcome, State

PATIENCE = 20.0
"""Seconds after which what is waited for will not come."""

GATE = Call("m.gate", gate=True)


@pytest.fixture(autouse=True)
def _inisched_is_found(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("PYTHONPATH", str(Path(inisched.__file__).parent.parent))


class Asker:
    """Asks as the daemon does: in its loop, with its nursery."""

    def __init__(self, folder: Path, *, forked: bool) -> None:
        self.folder, self.forked = folder, forked
        self.selector = selectors.DefaultSelector()
        self.keeper = ZygoteKeeper(self.selector) if forked else None
        self.nursery = Nursery(
            self.selector, SystemClock(), kin=lambda: self.keeper.pids if self.keeper else set()
        )
        self.outcome = Outcome(state=State.WAITING)

    def write(self, text: str) -> None:
        (self.folder / "m.py").write_text(textwrap.dedent(text))

    def __call__(self, text: str, *, asked: Task | None = None, gate: Call = GATE) -> Answer:
        """Write the module `m` and ask the gate in it."""
        self.write(text)
        asked = asked or task("true")
        asked = replace(asked, mark=f"test-{os.getpid()}:{self.folder.name}")
        return self.put(question(asked, gate))

    def put(self, asked: Task) -> Answer:
        if self.keeper is not None:
            job = replace(asked.job, gates=Gates(ready=asked.job.action))  # type: ignore[arg-type]
            self.keeper.adopt(plan_for([job], folder=self.folder, python_path=["."]))
            self.until(lambda: self.keeper is not None and self.keeper.pid is not None)
        running = Executors(self.folder, ["."], self.keeper).start(asked)
        assert not isinstance(running, Outcome)
        assert isinstance(running, ForkedRunning) == self.forked
        self.nursery.adopt(17, running, asked.job)
        ended = []
        self.until(lambda: ended.extend(self.nursery.departed()) or ended)
        [departed] = ended
        self.outcome = concluded(running.outcome(), departed, asked.job)
        return answer(self.outcome)

    def until(self, met: Callable[[], object]) -> None:
        deadline = time.monotonic() + PATIENCE
        while not met():
            assert time.monotonic() < deadline, "it did not come to pass"
            for key, _ in self.selector.select(min(self.nursery.patience(), 0.02)):
                key.data(key.fd)
            if self.keeper is not None:
                self.keeper.look()

    def close(self) -> None:
        if self.keeper is not None:
            self.keeper.close()
        self.selector.close()


@pytest.fixture(params=["fresh", "forked"])
def ask(request: pytest.FixtureRequest, tmp_path: Path) -> Iterator[Asker]:
    if request.param == "forked" and sys.platform != "linux":
        pytest.skip("there is a zygote on Linux only")
    asker = Asker(tmp_path, forked=request.param == "forked")
    yield asker
    asker.close()


# -- what a gate says

ANSWERS = {
    "True": True,
    "False": False,
    "1": True,
    "0": False,
    "''": False,
    "'no'": True,
    "[]": False,
    "[0]": True,
    "float('nan')": True,
    "object()": True,
}


def test_the_truth_of_what_a_gate_returns_is_its_answer(ask: Asker) -> None:
    found = {
        text: ask(f"def gate(): return {text}", gate=GATE).yes
        for text in (ANSWERS if not ask.forked else ("True", "[]"))
    }
    assert found == {text: ANSWERS[text] for text in found}


@given(st.one_of(st.booleans(), st.integers(), st.text(), st.lists(st.none()), st.floats()))
def test_what_python_takes_for_true_is_a_yes(value: object) -> None:
    assert answered(value).output == ("yes" if value else "no")


HEAD = """\
import asyncio, atexit, os, signal, sys, threading, time
from inisched import Skip


class Odd:
    def __bool__(self):
        raise ValueError("neither")
"""

SILENT = {
    "return None": "returned None",
    "pass": "returned None",
    "raise ValueError('x')": "ValueError: x",
    "raise ValueError": "ValueError",
    "return Odd()": "ValueError: neither",
    "return (yield)": "the gate is a generator function: calling it runs nothing",
    "return (n for n in [])": "returned a generator: nothing of it was run",
    "raise Skip('not today')": "Skip: not today",
    "raise KeyboardInterrupt": "KeyboardInterrupt",
    "raise SystemExit": "exit code 0",
    "sys.exit(3)": "exit code 3",
    "sys.exit('out of paper')": "exit code 1",
    "os._exit(0)": "the process ended with exit code 0 before the gate had returned",
    "os._exit(3)": "the process ended with exit code 3 before the gate had returned",
    "os.kill(os.getpid(), signal.SIGKILL)": "killed by SIGKILL",
    "os.abort()": "killed by SIGABRT",
    "atexit.register(os._exit, 4); return True": (
        "the process ended with exit code 4 after the gate had returned"
    ),
}


@pytest.mark.parametrize(("body", "words"), SILENT.items(), ids=SILENT)
def test_a_gate_without_an_answer_is_told_of(ask: Asker, body: str, words: str) -> None:
    found = ask(f"{HEAD}\n\ndef gate():\n    {body}\n")
    assert (found.yes, found.words) == (None, words)


def test_an_async_gate_is_awaited(ask: Asker) -> None:
    assert ask(
        "import asyncio\nasync def gate():\n    await asyncio.sleep(0)\n    return []\n"
    ) == (Answer(False))


def test_an_async_gate_that_raises_has_no_answer(ask: Asker) -> None:
    assert ask("async def gate(): raise OSError('no shop')").words == "OSError: no shop"


def test_a_gate_that_cannot_be_found_has_no_answer(tmp_path: Path) -> None:
    asker = Asker(tmp_path, forked=False)
    assert asker("").words == "module 'm' has no 'gate'"
    asker.close()


def test_a_gate_that_needs_what_nobody_gives_has_no_answer(ask: Asker) -> None:
    assert ask("def gate(depth): return True").words == (
        "the gate needs an argument 'depth', which nobody gives"
    )


# -- what a gate prints


def test_what_a_gate_prints_is_kept_and_no_answer(ask: Asker) -> None:
    found = ask("""\
        import sys
        def gate():
            print("yes")
            print("on stderr", file=sys.stderr)
            return False
        """)
    assert found == Answer(False, "", "yes\non stderr")


def test_a_gate_that_raises_shows_where(ask: Asker) -> None:
    found = ask("def gate():\n    print('before')\n    return 1 / 0\n")
    assert found.words == "ZeroDivisionError: division by zero"
    assert found.printed.startswith("before\nTraceback")
    assert found.printed.endswith("ZeroDivisionError: division by zero")


def test_much_output_does_not_hide_the_answer(ask: Asker) -> None:
    found = ask("def gate():\n    print('x' * 1_000_000)\n    return True\n")
    assert found.yes is True
    assert len(found.printed) < 2 * asking.OUTPUT_LIMIT


def test_garbage_on_all_descriptors_is_never_a_yes(ask: Asker) -> None:
    found = ask("""\
        import os
        def gate():
            for fd in range(3, 2000):
                for garbage in (b"yes", b'{"status": "success"}', bytes(range(256))):
                    try:
                        os.write(fd, garbage)
                    except OSError:
                        pass
            return False
        """)
    assert found.yes is not True


def test_a_gate_that_closes_everything_is_understood(ask: Asker) -> None:
    code = "import os\ndef gate():\n    os.closerange(0, 512)\n    return False\n"
    assert ask(code) == Answer(False)


def test_secrets_in_the_words_of_a_gate_are_hidden(ask: Asker) -> None:
    asked = task("true", secrets=("hunter2hunter2",))
    code = "def gate():\n    print('hunter2hunter2')\n    raise ValueError('hunter2hunter2')\n"
    found = ask(code, asked=asked)
    assert found.words == "ValueError: ***"
    assert "hunter2" not in found.printed


# -- what a gate does to its process


@pytest.fixture
def short(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(asking, "TIME_LIMIT", timedelta(seconds=1))
    monkeypatch.setattr(asking, "KILL_AFTER", timedelta(seconds=1))


@pytest.mark.usefixtures("short")
def test_a_gate_that_hangs_has_no_answer(ask: Asker) -> None:
    found = ask("import time\ndef gate(): time.sleep(60)\n")
    assert (found.yes, found.words) == (None, "timed out after 1 s")


@pytest.mark.usefixtures("short")
def test_a_gate_that_answers_and_does_not_end_has_no_answer(ask: Asker) -> None:
    found = ask("""\
        import threading, time
        def gate():
            threading.Thread(target=time.sleep, args=[60]).start()
            return True
        """)
    assert (found.yes, found.words) == (None, "timed out after 1 s")


@pytest.mark.usefixtures("short")
def test_the_whole_tree_of_a_gate_is_gone_after_its_time(ask: Asker) -> None:
    ask("""\
        import os, signal, subprocess, time
        def gate():
            signal.signal(signal.SIGTERM, signal.SIG_IGN)
            subprocess.Popen(["sleep", "60"], start_new_session=True)
            if os.fork() == 0:
                os.setsid()
            time.sleep(60)
        """)
    assert _left(ask) == []


def test_what_a_gate_leaves_behind_is_ended(ask: Asker) -> None:
    found = ask("""\
        import subprocess
        def gate():
            subprocess.Popen(["sleep", "60"], start_new_session=True)
            return True
        """)
    assert found.yes is True
    ask.until(lambda: not (list(ask.nursery.departed()) or _left(ask)))


def test_a_child_that_holds_the_pipes_does_not_hold_the_answer_up(ask: Asker) -> None:
    began = time.monotonic()
    found = ask("""\
        import os, time
        def gate():
            if os.fork() == 0:
                time.sleep(60)
            return False
        """)
    assert found.yes is False
    assert time.monotonic() - began < 15


def test_a_child_that_returns_too_does_not_answer(ask: Asker) -> None:
    code = "import os\ndef gate():\n    pid = os.fork()\n    pid and os.wait()\n    return pid\n"
    assert ask(code).yes is True


def _left(asker: Asker) -> list[tree.Process]:
    """The living processes of the question, save a zygote it was forked from."""
    mark = asking.question_mark(f"test-{os.getpid()}:{asker.folder.name}")
    return tree.members(0, mark)


# -- what a gate is told


def test_a_gate_is_handed_what_it_names_of_section_and_run(ask: Asker) -> None:
    gate = replace(GATE, arguments=(Argument("depth", "3", "3", "depth", Place("x.ini", 1, 1)),))
    asked = replace(
        task("true", attempt=2),
        period_start=date(2026, 6, 1),
        period_end=date(2026, 6, 30),
        override=True,
    )
    found = ask(
        """\
        def gate(depth, job, attempt, run_id, period_start, period_end, override, scheduled_for):
            print(depth, job, attempt, run_id, period_start, period_end, override, scheduled_for)
            return True
        """,
        asked=asked,
        gate=gate,
    )
    assert found.printed == ("3 sweep 2 17 2026-06-01 2026-06-30 True 2026-07-01 09:30:00+02:00")


def test_a_gate_may_ask_for_the_current_run(ask: Asker) -> None:
    code = "import inisched\ndef gate(): return inisched.current_run().job == 'sweep'\n"
    assert ask(code) == Answer(True)


def test_a_gate_has_the_surroundings_of_its_job(tmp_path: Path) -> None:
    (tmp_path / "work").mkdir()
    around = Surroundings(cwd="work", env=(("SHOP", "open"),))
    asker = Asker(tmp_path, forked=False)
    code = "import os\ndef gate(): return print(os.environ['SHOP'], os.getcwd()) or True\n"
    found = asker(code, asked=task("true", around=around))
    assert found == Answer(True, "", f"open {tmp_path / 'work'}")
    asker.close()


ACTIONS: dict[str, Action] = {
    "a command": Command("exit 1"),
    "a callback": Call("m.f"),
    "a management command": Manage(("migrate",), DjangoSettings("none.settings")),
}


@pytest.mark.parametrize("action", ACTIONS.values(), ids=ACTIONS)
def test_a_gate_of_any_job_is_asked_in_a_process_of_its_own(ask: Asker, action: Action) -> None:
    executor = Executor.INLINE if isinstance(action, Call) else Executor.PROCESS
    found = ask(
        f"import os\ndef gate(): return os.getpid() != {os.getpid()}\n",
        asked=task(action, executor=executor),
    )
    assert found == Answer(True)


def test_a_question_has_its_own_time_and_mark_and_no_second_attempt() -> None:
    asked = replace(
        task(
            "true",
            timeout=timedelta(hours=2),
            kill_after=timedelta(minutes=1),
            retry=Retry(3),
            rerun_interrupted=True,
            linger=True,
            success_codes=(3,),
            then=("b",),
            gates=Gates(should_run=GATE),
        ),
        mark="ledger:17",
    )
    assert question(asked, GATE) == replace(
        task(
            GATE, timeout=timedelta(seconds=30), kill_after=timedelta(seconds=2), output_limit=4096
        ),
        mark="ledger:17:gate",
    )


def test_a_question_of_an_unmarked_task_has_no_mark() -> None:
    assert question(task("true"), GATE).mark == ""


@pytest.mark.parametrize(
    ("outcome", "words"),
    [
        (Outcome(state=State.SUCCESS), "gave no answer"),
        (Outcome(state=State.SUCCESS, output="Yes"), "gave no answer"),
        (Outcome(state=State.TIMEOUT, message="timed out", output="yes"), "timed out"),
        (Outcome(state=State.INTERRUPTED, message="it died", output="no"), "it died"),
        (Outcome(state=State.STOPPED, output="yes"), "gave no answer"),
    ],
)
def test_only_a_process_that_ended_well_has_answered(outcome: Outcome, words: str) -> None:
    assert answer(outcome) == Answer(None, words)


# -- what is imported beforehand


def planned(**job: object) -> tuple[str, ...]:
    gates = Gates(ready=Call("m.ready", gate=True), should_run=Call("m.open", gate=True))
    made = task("true", gates=gates, **job).job
    return plan_for([made], folder=Path("/"), python_path=["."]).targets


def test_the_gates_of_a_command_are_imported_once() -> None:
    assert planned() == ("m.open", "m.ready")


def test_the_gates_of_an_inline_callback_are_imported_and_not_the_callback() -> None:
    made = task(Call("m.f"), executor=Executor.INLINE, gates=Gates(ready=GATE)).job
    assert plan_for([made], folder=Path("/"), python_path=["."]).targets == ("m.gate",)


def test_the_gates_of_an_inactive_job_are_not_imported() -> None:
    assert planned(active=False) == ()


def test_the_gates_of_a_job_with_surroundings_of_its_own_are_not_imported() -> None:
    assert planned(around=Surroundings(umask=0o22)) == ()
