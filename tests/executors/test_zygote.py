"""Runs forked from a zygote, with real processes. Each callback is a module written for its test."""

from __future__ import annotations

import logging
import marshal
import os
import selectors
import signal
import socket
import subprocess
import sys
import textwrap
import time
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from pathlib import Path

import pytest
from msgspec.structs import replace

from executors.work import task
from inisched.executors.running import Running, process_start
from inisched.executors.starting import Executors
from inisched.executors.zygote import door, files, wire
from inisched.executors.zygote import keeper as keeping
from inisched.executors.zygote.forking import DIED, ForkedRunning
from inisched.executors.zygote.keeper import ZygoteKeeper, plan_for
from inisched.executors.zygote.wire import Plan
from inisched.model.job import Argument, Call, Command, Executor, Surroundings
from inisched.model.place import Place
from inisched.model.run import Outcome, Reason, State

pytestmark = pytest.mark.skipif(sys.platform != "linux", reason="there is a zygote on Linux only")

PATIENCE = 30.0
"""Seconds after which what is waited for will not come."""


class Nest:
    """A keeper in a loop of its own, with a clock that can be put forward."""

    def __init__(self, folder: Path) -> None:
        self.folder = folder
        self.ahead = 0.0
        self.noted: set[int] = set()
        self.selector = selectors.DefaultSelector()
        self.keeper = ZygoteKeeper(
            self.selector, noted=self.noted.update, monotonic=lambda: time.monotonic() + self.ahead
        )

    def write(self, **modules: str) -> None:
        for name, text in modules.items():
            (self.folder / f"{name}.py").write_text(textwrap.dedent(text))

    def plan(self, *targets: str, preload: tuple[str, ...] = ()) -> Plan:
        return Plan(self.folder, (str(self.folder),), targets, preload)

    def serve(self, *targets: str, preload: tuple[str, ...] = ()) -> None:
        """Adopt the callbacks, and wait until one of them can be forked."""
        self.keeper.adopt(self.plan(*targets, preload=preload))
        self.until(lambda: self.keeper.pid is not None)

    def until(self, met: Callable[[], object]) -> None:
        deadline = time.monotonic() + PATIENCE
        while not met():
            assert time.monotonic() < deadline, "it did not come to pass"
            self.turn()

    def turn(self) -> None:
        for key, _ in self.selector.select(min(self.keeper.patience(), 0.02)):
            key.data(key.fd)
        self.keeper.look()

    def start(self, target: str, *, run_id: int = 17, **arguments: str) -> Running | None:
        given = tuple(Argument(n, t, t, n, Place("x.ini", 1, 1)) for n, t in arguments.items())
        return self.keeper.start(task(Call(target, given), run_id=run_id))

    def begin(self, target: str, *, run_id: int = 17, **arguments: str) -> ForkedRunning:
        running = self.start(target, run_id=run_id, **arguments)
        assert isinstance(running, ForkedRunning), "not forked"
        return running

    def end(self, running: Running) -> Outcome:
        def over() -> bool:
            for descriptor in list(running.streams):
                running.read(descriptor)
            return running.exit_code() is not None

        self.until(over)
        return running.outcome()

    def run(self, target: str, **arguments: str) -> Outcome:
        return self.end(self.begin(target, **arguments))

    def said(self, running: Running, text: bytes) -> None:
        """Wait until the run has printed this, and its pid is known."""

        def printed() -> object:
            running.read(next(iter(running.streams)))
            return running.pid and text in running.stdout.data()

        self.until(printed)


@contextmanager
def nest_in(folder: Path) -> Iterator[Nest]:
    nest = Nest(folder)
    try:
        yield nest
    finally:
        nest.keeper.close()
        assert not nest.selector.get_map()
        nest.selector.close()


@pytest.fixture
def nest(tmp_path: Path) -> Iterator[Nest]:
    with nest_in(tmp_path) as nest:
        yield nest


def ending(found: Outcome) -> tuple[State, int | None, str]:
    return found.state, found.exit_code, found.message


def is_alive(pid: int) -> bool:
    return process_start(pid) != 0


# -- one zygote for all that a run can come to

KINDS = """
import asyncio, atexit, ctypes, os, random, signal, sys, threading, time
from inisched import STATUS, Result, Skip, current_run

def nothing(): pass
def text(): return "some text"
def false(): return False
def result(): return Result(STATUS.WARNING, "half", "all of it")
def skip(): raise Skip("not today")
def error(): raise ValueError("text")
def leave(): sys.exit(3)
def interrupt(): raise KeyboardInterrupt
async def later():
    await asyncio.sleep(0)
    return "done"
def crash(): ctypes.string_at(0)
def vanish(): os._exit(4)
def abort():
    print("last words")
    os.abort()
def kill(): os.kill(os.getpid(), signal.SIGKILL)
def numbers(n: int, name): return repr((n, name))
def who():
    r = current_run()
    return repr((r.id, r.job, str(r.scheduled_for)))
def speak():
    print("→ callback")
    os.write(1, b"raw\\xff\\n")
    sys.stderr.write("error\\n")
def stdin(): return repr(sys.stdin.read())
def argv(): return repr(sys.argv)
def session(): return repr((os.getpid() == os.getsid(0), os.getpid() == os.getpgid(0)))
def signals():
    return repr([signal.getsignal(n) for n in (15, 1, 10, 17)] + [
        signal.getsignal(2) is signal.default_int_handler, signal.pthread_sigmask(0, ())])
def descriptors():
    with os.scandir("/proc/self/fd") as found:
        return repr(sorted(os.readlink(one).partition(":")[0] for one in found if one.name > "2"))
def no_files():
    import resource
    resource.setrlimit(resource.RLIMIT_FSIZE, (0, 0))
    return "it wrote none"
def threads():
    over = threading.Event()
    def late():
        over.wait()
        print("thread")
    threading.Thread(target=late).start()
    atexit.register(print, "handler")
    threading._register_atexit(over.set)
def last_minute():
    atexit.register(os._exit, 9)
    return "kept"
def fork():
    child = os.fork()
    if child == 0:
        return "child"
    os.waitpid(child, 0)
    return "parent"
def open_file():
    global kept
    kept = open("kept.txt", "w")
    kept.write("written")
def close_stdout():
    sys.stdout.close()
    return "kept"
def dice(): return repr(random.random())
def long(text): return str(len(text))
def flood(): sys.stdout.write("x" * 3_000_000)
"""


@pytest.fixture(scope="module")
def kinds(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Nest]:
    with nest_in(tmp_path_factory.mktemp("kinds")) as nest:
        nest.write(kinds=KINDS)
        names = [line[4:].partition("(")[0] for line in KINDS.splitlines() if line[:4] == "def "]
        nest.serve("kinds.later", *(f"kinds.{name}" for name in names))
        yield nest


@pytest.mark.parametrize(
    ("name", "state", "exit_code", "message", "output"),
    [
        ("nothing", State.SUCCESS, 0, "", ""),
        ("text", State.SUCCESS, 0, "", "some text"),
        ("false", State.FAILURE, 1, "returned False", ""),
        ("result", State.WARNING, 0, "half", "all of it"),
        ("skip", State.SKIPPED, 0, "not today", ""),
        ("error", State.FAILURE, 1, "ValueError: text", ""),
        ("leave", State.FAILURE, 3, "exit code 3", ""),
        ("interrupt", State.FAILURE, 1, "KeyboardInterrupt", ""),
        ("later", State.SUCCESS, 0, "", "done"),
        ("crash", State.FAILURE, -signal.SIGSEGV, "killed by SIGSEGV", ""),
        ("kill", State.FAILURE, -signal.SIGKILL, "killed by SIGKILL", ""),
        (
            "vanish",
            State.FAILURE,
            4,
            "the process ended with exit code 4 before the callback had returned",
            "",
        ),
        (
            "last_minute",
            State.FAILURE,
            9,
            "the process ended with exit code 9 after the callback had returned",
            "kept",
        ),
        ("fork", State.SUCCESS, 0, "", "parent"),
        ("close_stdout", State.SUCCESS, 0, "", "kept"),
        ("who", State.SUCCESS, 0, "", "(17, 'sweep', '2026-07-01 09:30:00+02:00')"),
        ("stdin", State.SUCCESS, 0, "", "''"),
        ("argv", State.SUCCESS, 0, "", "['kinds.argv']"),
        ("session", State.SUCCESS, 0, "", "(True, True)"),
    ],
)
def test_a_forked_run_ends_like_one_in_a_fresh_interpreter(
    kinds: Nest, name: str, state: State, exit_code: int, message: str, output: str
) -> None:
    found = kinds.run(f"kinds.{name}")
    assert (*ending(found), found.output) == (state, exit_code, message, output)
    assert found.reason is (Reason.SKIP if state is State.SKIPPED else None)


def test_the_traceback_shows_the_callback_only(kinds: Nest) -> None:
    lines = kinds.run("kinds.error").stderr.decode().splitlines()
    assert lines[0] == "Traceback (most recent call last):"
    assert lines[1].startswith(f'  File "{kinds.folder}/kinds.py", line ')
    assert lines[-1] == "ValueError: text"
    assert [line for line in lines if "File" in line] == [lines[1]]


def test_arguments_are_converted(kinds: Nest) -> None:
    assert kinds.run("kinds.numbers", n="5", name="x").output == "(5, 'x')"


def test_a_request_may_be_longer_than_any_buffer(kinds: Nest) -> None:
    assert kinds.run("kinds.long", text="x" * 5_000_000).output == "5000000"


def test_an_argument_with_bytes_of_no_character_has_a_fresh_interpreter(kinds: Nest) -> None:
    assert kinds.start("kinds.long", text="\udcff") is None
    assert kinds.run("kinds.long", text="x").output == "1"


def test_output_is_kept_apart(kinds: Nest) -> None:
    found = kinds.run("kinds.speak")
    assert found.stdout == "→ callback\n".encode() + b"raw\xff\n"
    assert found.stderr == b"error\n"


def test_of_much_output_head_and_tail_are_kept(kinds: Nest) -> None:
    found = kinds.run("kinds.flood")
    assert ending(found) == (State.SUCCESS, 0, "output cut: 3 MB, 64 KiB kept")
    assert found.stdout_total == 3_000_000


def test_what_was_said_before_a_crash_is_kept(kinds: Nest) -> None:
    found = kinds.run("kinds.abort")
    assert (found.message, found.stdout) == ("killed by SIGABRT", b"last words\n")


def test_threads_and_exit_handlers_come_to_their_end(kinds: Nest) -> None:
    found = kinds.run("kinds.threads")
    assert (found.state, found.stdout) == (State.SUCCESS, b"thread\nhandler\n")


def test_files_left_open_are_flushed(kinds: Nest) -> None:
    kinds.run("kinds.open_file")
    assert (kinds.folder / "kept.txt").read_text() == "written"


def test_signals_are_as_in_a_fresh_interpreter(kinds: Nest) -> None:
    default = repr(signal.SIG_DFL)
    expected = f"[{', '.join([default] * 4)}, True, set()]"
    assert kinds.run("kinds.signals").output == expected


def test_a_run_has_no_descriptors_of_the_daemon_or_of_the_zygote(kinds: Nest) -> None:
    """One pipe for the result, and the folder that is being listed."""
    folder = "/proc/%d/fd"
    running = kinds.begin("kinds.descriptors")
    found = kinds.end(running).output
    assert found == repr([folder % running.pid, "pipe"])


def test_a_result_arrives_from_a_run_that_may_not_write_files(kinds: Nest) -> None:
    ended = kinds.end(kinds.begin("kinds.no_files"))
    assert (ended.state, ended.output) == (State.SUCCESS, "it wrote none")


def test_every_run_draws_its_own_random_numbers(kinds: Nest) -> None:
    assert len({kinds.run("kinds.dice").output for _ in range(3)}) == 3


def test_fifty_runs_may_be_in_flight(kinds: Nest) -> None:
    running = [kinds.begin("kinds.numbers", run_id=n, n=str(n), name="x") for n in range(50)]
    assert [kinds.end(run).output for run in running] == [f"({n}, 'x')" for n in range(50)]


def test_a_run_is_named_by_pid_and_start(nest: Nest) -> None:
    """At once, or told a moment later."""
    nest.write(jobs="import time\ndef f(): time.sleep(60)")
    nest.serve("jobs.f")
    running = nest.begin("jobs.f", run_id=5)
    nest.until(lambda: running.pid)
    assert running.started == process_start(running.pid) > 0
    running.signal(signal.SIGKILL)
    assert ending(nest.end(running)) == (State.FAILURE, -9, "killed by SIGKILL")


def test_a_start_does_not_wait_for_the_pid_which_is_told_once_it_is_there(nest: Nest) -> None:
    nest.write(jobs="def f(): input()")
    nest.serve("jobs.f")
    running = nest.begin("jobs.f", run_id=5)
    assert running.pid == 0
    nest.until(lambda: nest.noted)
    assert nest.noted == {5}
    assert running.started == process_start(running.pid) > 0
    nest.end(running)


def test_the_pid_of_a_gate_is_not_told_as_its_runs(nest: Nest) -> None:
    nest.write(jobs="def g(): return True")
    nest.serve("jobs.g")
    running = nest.keeper.start(task(Call("jobs.g", gate=True), run_id=5))
    assert running is not None
    nest.until(lambda: running.pid)
    nest.turn()
    assert nest.noted == set()
    assert nest.end(running).output == "yes"


def test_several_starts_are_under_way_at_once(nest: Nest) -> None:
    nest.write(jobs="def f(): input()")
    nest.serve("jobs.f")
    runs = [nest.begin("jobs.f", run_id=number) for number in range(5)]
    assert [run.pid for run in runs] == [0] * 5
    nest.until(lambda: len(nest.noted) == 5)
    assert len({run.pid for run in runs} - {0}) == 5
    for run in runs:
        nest.end(run)


def test_a_run_is_ended_though_it_is_still_being_forked(nest: Nest) -> None:
    nest.write(jobs="import time\ndef f(): time.sleep(60)")
    nest.serve("jobs.f")
    running = nest.begin("jobs.f")
    running.signal_tree(signal.SIGTERM)
    assert ending(nest.end(running)) == (State.FAILURE, -15, "killed by SIGTERM")


# -- what one run does to its process, the next does not see


def test_nothing_leaks_into_the_next_run(nest: Nest) -> None:
    nest.write(
        jobs="""
        import os, sys, locale, time
        seen = []
        def state():
            mask = os.umask(0)
            os.umask(mask)
            return repr((os.getcwd(), mask, os.environ.get("LEFT"), "/left" in sys.path, seen,
                         os.environ.get("TZ"), os.nice(0)))
        def spoil():
            os.chdir("/")
            os.umask(0o077)
            os.environ["LEFT"] = "1"
            os.environ["TZ"] = "Asia/Tokyo"
            sys.path.append("/left")
            seen.append(1)
            os.nice(3)
        """
    )
    nest.serve("jobs.state", "jobs.spoil")
    before = nest.run("jobs.state").output
    assert nest.run("jobs.spoil").state is State.SUCCESS
    assert nest.run("jobs.state").output == before


def test_what_a_later_import_put_in_place_of_a_callback_is_called(nest: Nest) -> None:
    nest.write(
        first="def f(): return 'old'",
        second="import first\nfirst.f = lambda: 'new'\ndef f(): pass",
    )
    nest.serve("first.f", "second.f")
    assert nest.run("first.f").output == "new"


def test_a_callback_without_arguments_is_handed_what_it_names(nest: Nest) -> None:
    nest.write(jobs="def f(run_id, attempt=9, *, job): return repr((run_id, attempt, job))")
    nest.serve("jobs.f")
    assert nest.run("jobs.f").output == "(17, 1, 'sweep')"


def test_a_program_started_at_import_heeds_its_signals(nest: Nest) -> None:
    nest.write(
        jobs="""
        import subprocess
        found = subprocess.check_output(["grep", "-E", "^Sig(Blk|Ign)", "/proc/self/status"])
        def f(): return found.decode().split()[1]
    """
    )
    nest.serve("jobs.f")
    assert nest.run("jobs.f").output == "0" * 16


def test_numpy_is_seeded_anew(nest: Nest) -> None:
    (nest.folder / "numpy").mkdir()
    (nest.folder / "numpy" / "__init__.py").touch()
    (nest.folder / "numpy" / "random.py").write_text(
        "state = 0\ndef seed():\n    import os\n    global state\n    state = os.getpid()\n"
    )
    nest.write(jobs="import numpy.random, os\ndef f(): return numpy.random.state == os.getpid()")
    nest.serve("jobs.f")
    assert nest.run("jobs.f").state is State.SUCCESS


def test_what_was_made_at_import_outlives_the_runs(nest: Nest) -> None:
    nest.write(
        jobs="""
        import os, tempfile
        folder = tempfile.TemporaryDirectory(dir=".")
        def f(): return os.path.isdir(folder.name)
        """
    )
    nest.serve("jobs.f")
    assert [nest.run("jobs.f").state for _ in range(2)] == [State.SUCCESS] * 2
    nest.keeper.close()
    assert [path.name for path in nest.folder.glob("tmp*")] == []


def test_what_is_printed_at_import_is_logged_once(
    nest: Nest, caplog: pytest.LogCaptureFixture
) -> None:
    caplog.set_level(logging.INFO, "inisched")
    nest.write(jobs="print('hello', end='')\ndef f(): pass")
    nest.serve("jobs.f")
    assert caplog.messages == ["printed at import: hello"]
    assert nest.run("jobs.f").stdout == b""


def test_a_file_opened_at_import_can_be_written_by_every_run(nest: Nest) -> None:
    nest.write(
        jobs="log = open('log.txt', 'a')\nlog.write('open\\n')\ndef f(): log.write('run\\n')"
    )
    nest.serve("jobs.f")
    for _ in range(2):
        nest.run("jobs.f")
    assert (nest.folder / "log.txt").read_text() == "open\nrun\nrun\n"


# -- processes


def test_a_signal_reaches_the_whole_group(nest: Nest) -> None:
    nest.write(
        jobs="""
        import subprocess
        def f():
            child = subprocess.Popen(["sleep", "60"])
            print(child.pid, flush=True)
            child.wait()
        """
    )
    nest.serve("jobs.f")
    running = nest.begin("jobs.f")
    nest.said(running, b"\n")
    grandchild = int(running.stdout.data())
    running.signal(signal.SIGTERM)
    assert nest.end(running).message == "killed by SIGTERM"
    nest.until(lambda: not is_alive(grandchild))


def test_a_signal_sent_at_once_is_not_lost(nest: Nest) -> None:
    nest.write(jobs="import time\ndef f(): time.sleep(60)")
    nest.serve("jobs.f")
    for _ in range(10):
        running = nest.begin("jobs.f")
        running.signal(signal.SIGTERM)
        assert nest.end(running).message == "killed by SIGTERM"


def test_a_group_can_be_signalled_after_its_leader_has_ended(nest: Nest) -> None:
    nest.write(
        jobs="""
        import subprocess
        def f(): print(subprocess.Popen(["sleep", "60"]).pid)
        """
    )
    nest.serve("jobs.f")
    running = nest.begin("jobs.f")
    nest.until(lambda: running.exit_code() is not None)
    nest.said(running, b"\n")
    grandchild = int(running.stdout.data())
    assert is_alive(grandchild)
    running.signal(signal.SIGKILL)
    nest.until(lambda: not is_alive(grandchild))
    assert running.outcome().state is State.SUCCESS


def test_a_run_that_is_over_is_collected(nest: Nest) -> None:
    nest.write(jobs="def f(): pass")
    nest.serve("jobs.f")
    running = nest.begin("jobs.f")
    nest.end(running)
    nest.until(lambda: not Path(f"/proc/{running.pid}").exists())


def test_a_zygote_is_told_within_a_second_of_what_is_over(nest: Nest) -> None:
    nest.write(jobs="def f(): pass")
    nest.serve("jobs.f")
    assert nest.keeper.patience() > 1
    nest.run("jobs.f")
    assert 0 < nest.keeper.patience() <= 1
    nest.keeper.look()
    assert nest.keeper.patience() > 1


def test_any_number_of_runs_may_be_over_at_once(nest: Nest) -> None:
    nest.write(jobs="def f(): pass")
    nest.serve("jobs.f")
    pid = nest.keeper.pid
    running = nest.begin("jobs.f")
    nest.end(running)
    zygote = running._parent
    assert isinstance(zygote, door.Zygote)
    zygote.over += range(100_000, 120_000)
    nest.run("jobs.f")
    assert not Path(f"/proc/{running.pid}").exists()
    nest.keeper.look()
    assert (nest.keeper.pid, zygote.over) == (pid, [])


def test_answers_come_whole_however_many_there_are() -> None:
    ours, theirs = socket.socketpair(socket.AF_UNIX, socket.SOCK_SEQPACKET)
    with ours, theirs:
        answers: list[wire.Message] = [["ended", number, -9] for number in range(2000)]
        wire.answer(theirs, answers)
        theirs.close()
        found: list[wire.Message] = []
        while packet := wire.receive(ours)[0]:
            found += marshal.loads(packet)
        assert found == answers


def test_a_zygote_does_not_heed_the_signals_of_a_group(nest: Nest) -> None:
    nest.write(jobs="def f(): pass")
    nest.serve("jobs.f")
    pid = nest.keeper.pid
    assert pid
    for number in (signal.SIGTERM, signal.SIGINT, signal.SIGHUP, signal.SIGUSR1):
        os.kill(pid, number)
    assert nest.run("jobs.f").state is State.SUCCESS
    assert nest.keeper.pid == pid


def test_no_descriptor_stays_open_here(nest: Nest) -> None:
    before = set(os.listdir("/proc/self/fd"))
    nest.write(jobs="def f(): pass")
    nest.serve("jobs.f")
    nest.run("jobs.f")
    nest.keeper.close()
    assert set(os.listdir("/proc/self/fd")) == before


# -- what cannot be imported, or not be forked


def test_a_failing_import_breaks_its_own_job_only(nest: Nest) -> None:
    nest.write(good="def f(): pass", bad="raise ValueError", gone="import sys; sys.exit(1)")
    nest.serve("bad.f", "good.f", "gone.f", "nowhere.f")
    assert nest.start("bad.f") is nest.start("gone.f") is nest.start("nowhere.f") is None
    assert nest.run("good.f").state is State.SUCCESS


@pytest.mark.parametrize(
    ("statement", "why"),
    [
        (
            "import threading; threading.Thread(target=threading.Event().wait, daemon=True).start()",
            "importing 'bad' started threads (2 run)",
        ),
        ("import os; os.chdir('/')", "importing 'bad' changed the working directory"),
        ("import os; os.umask(0o077)", "importing 'bad' changed the umask"),
        (
            "import signal; signal.signal(signal.SIGTERM, print)",
            "importing 'bad' installed a handler for SIGTERM",
        ),
        ("import os; os._exit(3)", "importing 'bad' ended the process: exit code 3"),
        (
            "import ctypes; ctypes.string_at(0)",
            "importing 'bad' ended the process: killed by SIGSEGV",
        ),
    ],
)
def test_a_module_that_cannot_be_forked_has_fresh_interpreters(
    nest: Nest, caplog: pytest.LogCaptureFixture, statement: str, why: str
) -> None:
    nest.write(bad=f"{statement}\ndef f(): pass", good="def f(): pass")
    nest.serve("bad.f", "good.f")
    assert caplog.messages == [f"{why}: its runs use a fresh interpreter each"]
    assert nest.start("bad.f") is None
    assert nest.run("good.f").state is State.SUCCESS


def test_threads_that_end_with_the_import_do_no_harm(nest: Nest) -> None:
    nest.write(
        jobs="import threading, time\n"
        "threading.Thread(target=time.sleep, args=(0.03,)).start()\ndef f(): pass"
    )
    nest.serve("jobs.f")
    assert nest.run("jobs.f").state is State.SUCCESS


def test_an_import_that_hangs_is_given_up(
    nest: Nest, monkeypatch: pytest.MonkeyPatch, caplog: pytest.LogCaptureFixture
) -> None:
    monkeypatch.setattr(door, "IMPORT_LIMIT", 0.5)
    nest.write(bad="import time; time.sleep(60)", good="def f(): pass")
    nest.serve("bad.f", "good.f")
    assert caplog.messages == [
        "importing 'bad' took longer than 0.5 s: its runs use a fresh interpreter each"
    ]
    assert nest.run("good.f").state is State.SUCCESS


def test_preloaded_modules_are_there_before_any_run(nest: Nest) -> None:
    nest.write(heavy="", jobs="import sys\nearly = 'heavy' in sys.modules\ndef f(): return early")
    nest.serve("jobs.f", preload=("heavy",))
    assert nest.run("jobs.f").state is State.SUCCESS


def test_a_preload_that_fails_is_said_and_does_no_harm(
    nest: Nest, caplog: pytest.LogCaptureFixture
) -> None:
    nest.write(jobs="def f(): pass")
    nest.serve("jobs.f", preload=("nowhere",))
    assert caplog.messages == [
        "preload: importing 'nowhere' failed: ModuleNotFoundError: No module named 'nowhere'"
    ]
    assert nest.run("jobs.f").state is State.SUCCESS


# -- before there is one, and after


def test_nobody_waits_for_a_zygote(nest: Nest) -> None:
    nest.write(jobs="import os\ndef f(): return os.getppid()")
    executors = Executors(nest.folder, ["."], nest.keeper)
    nest.keeper.adopt(nest.plan("jobs.f"))
    early = executors.start(task(Call("jobs.f")))
    nest.until(lambda: nest.keeper.pid)
    later = executors.start(task(Call("jobs.f")))
    assert isinstance(early, Running)
    assert isinstance(later, ForkedRunning)
    assert nest.end(early).output == str(os.getpid())
    assert nest.end(later).output == str(nest.keeper.pid)


def test_secrets_are_masked_in_forked_runs_too(nest: Nest) -> None:
    nest.write(jobs="def f(): print('hunter2'); return 'hunter2'")
    nest.serve("jobs.f")
    started = Executors(nest.folder, ["."], nest.keeper).start(
        task(Call("jobs.f"), secrets=("hunter2",))
    )
    assert isinstance(started, ForkedRunning)
    found = nest.end(started)
    assert (found.stdout, found.output) == (b"***\n", "***")


def test_only_callbacks_in_processes_of_their_own_are_planned(tmp_path: Path) -> None:
    jobs = [
        task(Call("b.f")).job,
        task(Call("a.f")).job,
        task(Call("a.f")).job,
        task(Call("c.f"), executor=Executor.INLINE).job,
        task(Call("d.f"), active=False).job,
        task(Command("true")).job,
    ]
    plan = plan_for(jobs, folder=tmp_path, python_path=["."], preload=["x"])
    assert plan == Plan(tmp_path, (str(tmp_path),), ("a.f", "b.f"), ("x",))


def test_a_job_with_surroundings_of_its_own_has_a_fresh_interpreter(nest: Nest) -> None:
    """A module may read the environment when it is imported."""
    nest.write(jobs="def f(): pass")
    nest.serve("jobs.f")
    own = task(Call("jobs.f"), around=Surroundings(env=(("A", "1"),)))
    assert nest.keeper.start(own) is None
    assert plan_for([own.job], folder=nest.folder, python_path=["."]).targets == ()


def test_without_callbacks_there_is_no_zygote(nest: Nest) -> None:
    nest.keeper.adopt(nest.plan())
    assert (nest.keeper.pid, dict(nest.selector.get_map())) == (None, {})


def test_the_death_of_a_zygote_interrupts_its_runs(
    nest: Nest, caplog: pytest.LogCaptureFixture
) -> None:
    nest.write(jobs="import time\ndef f(): print('on', flush=True); time.sleep(60)")
    nest.serve("jobs.f")
    running = nest.begin("jobs.f")
    nest.said(running, b"on")
    dead = nest.keeper.pid
    assert dead
    os.kill(dead, signal.SIGKILL)
    found = nest.end(running)
    assert ending(found) == (State.INTERRUPTED, None, DIED)
    assert found.stdout == b"on\n"
    assert not is_alive(running.pid)
    assert caplog.messages == [
        "the process that carries callbacks out died: killed by SIGKILL; tried again in 0.1 s"
    ]
    nest.until(lambda: nest.keeper.pid not in (None, dead))
    running = nest.begin("jobs.f")
    running.signal(signal.SIGTERM)
    assert nest.end(running).message == "killed by SIGTERM"


def test_a_run_that_ignores_the_death_of_its_zygote_is_killed(
    nest: Nest, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr("inisched.executors.zygote.forking.ORPHAN_PATIENCE", 0.1)
    nest.write(
        jobs="""
        import signal, time
        def f():
            signal.signal(signal.SIGTERM, signal.SIG_IGN)
            print("on", flush=True)
            time.sleep(60)
        """
    )
    nest.serve("jobs.f")
    running = nest.begin("jobs.f")
    nest.said(running, b"on")
    assert nest.keeper.pid
    os.kill(nest.keeper.pid, signal.SIGKILL)
    assert nest.end(running).state is State.INTERRUPTED
    assert not is_alive(running.pid)


def test_a_zygote_that_keeps_dying_is_started_ever_less_often(
    nest: Nest, monkeypatch: pytest.MonkeyPatch, caplog: pytest.LogCaptureFixture
) -> None:
    monkeypatch.setattr(door, "_COMMAND", (sys.executable, "-c", "raise SystemExit('no room')"))
    nest.keeper.adopt(nest.plan("jobs.f"))
    for count in range(1, 4):
        nest.until(lambda count=count: len(caplog.messages) == count)  # type: ignore[misc]
        nest.ahead += 1
    assert caplog.messages == [
        "the process that carries callbacks out died: exit code 1: no room; "
        f"tried again in {pause} s"
        for pause in ("0.1", "0.2", "0.4")
    ]
    assert keeping.LONGEST_PAUSE == 30


def test_a_zygote_that_cannot_be_started_is_no_reason_to_stop(
    nest: Nest, monkeypatch: pytest.MonkeyPatch, caplog: pytest.LogCaptureFixture
) -> None:
    monkeypatch.setattr(door, "_COMMAND", ("/nowhere/python",))
    nest.keeper.adopt(nest.plan("jobs.f"))
    assert nest.start("jobs.f") is None
    assert caplog.messages == [
        "the process that carries callbacks out cannot be started: No such file or directory; "
        "tried again in 0.1 s"
    ]


def test_a_zygote_that_does_not_answer_is_given_up(
    nest: Nest, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(door, "ANSWER_LIMIT", 0.05)
    nest.write(jobs="def f(): pass")
    nest.serve("jobs.f")
    assert nest.keeper.pid
    os.kill(nest.keeper.pid, signal.SIGSTOP)
    assert nest.end(nest.begin("jobs.f")).state is State.INTERRUPTED


# -- changed code


def test_a_changed_module_is_imported_by_a_new_zygote(nest: Nest) -> None:
    nest.write(jobs="import part\ndef f(): return part.text", part="text = 'old'")
    nest.serve("jobs.f")
    assert nest.run("jobs.f").output == "old"
    old = nest.keeper.pid
    nest.write(part="text = 'new!'")
    nest.ahead += keeping.CHECKED_EVERY
    assert nest.start("jobs.f") is None, "what is known to be old does not run again"
    nest.until(lambda: nest.keeper.pid not in (None, old))
    assert nest.run("jobs.f").output == "new!"


def test_the_old_zygote_leaves_when_its_last_run_has_ended(nest: Nest) -> None:
    nest.write(jobs="import time\ndef f(): time.sleep(60)")
    nest.serve("jobs.f")
    running, old = nest.begin("jobs.f"), nest.keeper.pid
    assert old
    nest.write(jobs="def f(): pass")
    nest.ahead += keeping.CHECKED_EVERY
    nest.until(lambda: nest.keeper.pid not in (None, old))
    assert nest.run("jobs.f").state is State.SUCCESS
    assert is_alive(old)
    assert running.exit_code() is None
    running.signal(signal.SIGTERM)
    assert ending(nest.end(running)) == (State.FAILURE, -15, "killed by SIGTERM")
    nest.until(lambda: not is_alive(old))


def test_a_module_that_is_mended_is_forked_again(nest: Nest) -> None:
    nest.write(bad="import worse\ndef f(): pass", worse="(", slow="import os; os.umask(0o077)")
    nest.write(good="def f(): pass")
    nest.serve("bad.f", "good.f", "slow.f")
    assert nest.start("bad.f") is nest.start("slow.f") is None
    nest.write(worse="")
    nest.ahead += keeping.CHECKED_EVERY
    nest.until(lambda: nest.start("good.f") is None)
    nest.until(lambda: nest.keeper.pid)
    assert nest.run("bad.f").state is State.SUCCESS
    nest.write(slow="def f(): pass")
    nest.ahead += keeping.CHECKED_EVERY
    nest.until(lambda: nest.start("good.f") is None)
    nest.until(lambda: nest.keeper.pid)
    assert nest.run("slow.f").state is State.SUCCESS


def test_the_same_plan_keeps_its_zygote(nest: Nest) -> None:
    nest.write(jobs="def f(): pass")
    nest.serve("jobs.f")
    pid = nest.keeper.pid
    time.sleep(files._COARSE / 1e9)
    nest.keeper.adopt(nest.plan("jobs.f"))
    assert nest.keeper.pid == pid


def test_a_new_plan_takes_over_when_its_zygote_is_ready(nest: Nest) -> None:
    nest.write(jobs="def f(): pass\ndef g(): pass")
    nest.serve("jobs.f")
    old = nest.keeper.pid
    nest.keeper.adopt(nest.plan("jobs.f", "jobs.g"))
    assert nest.start("jobs.g") is None
    assert nest.run("jobs.f").state is State.SUCCESS
    nest.until(lambda: nest.keeper.pid != old)
    assert nest.run("jobs.g").state is State.SUCCESS


def test_a_file_that_changed_during_the_import_counts_as_changed(tmp_path: Path) -> None:
    file = tmp_path / "zygote_sample.py"
    file.write_text("")
    now = time.time_ns()
    seen = files.imported_files([str(tmp_path)], now - 10**9, [str(file)])
    assert files.changed(seen) == str(file)
    seen = files.imported_files([str(tmp_path)], now + 10**9, [str(file)])
    assert files.changed(seen) is None


@pytest.mark.parametrize("change", ["text", "touch", "replace", "delete"])
def test_any_change_of_a_file_is_seen(tmp_path: Path, change: str) -> None:
    file = tmp_path / "zygote_sample.py"
    file.write_text("x")
    seen = files.imported_files([str(tmp_path)], time.time_ns() + 10**9, [str(file)])
    if change == "text":
        file.write_text("xy")
    elif change == "touch":
        os.utime(file, (1, 1))
    elif change == "replace":
        status = file.stat()
        (tmp_path / "new").write_text("y")
        os.utime(tmp_path / "new", ns=(status.st_atime_ns, status.st_mtime_ns))
        (tmp_path / "new").replace(file)
    else:
        file.unlink()
    assert files.changed(seen) == str(file)


@pytest.mark.parametrize("folder", ["/x", "/x\udcff"])
def test_a_plan_travels_whole(folder: str) -> None:
    plan = replace(Plan(Path(folder), (folder, "/y"), ("a.f",), ("b",)), refused={"a": "why"})
    plan = replace(plan, commands={"manage check of site": ("check", "site")})
    assert wire.Plan.decode(plan.encode()) == plan


# -- the death of the daemon

_DAEMON = """
import sys, time
sys.path.insert(0, {tests!r})
from pathlib import Path
from executors.test_zygote import Nest
nest = Nest(Path({folder!r}))
nest.serve("jobs.f")
running = nest.begin("jobs.f")
nest.said(running, b"\\n")
print(nest.keeper.pid, running.pid, running.stdout.data().decode(), flush=True)
time.sleep(60)
"""


def test_nothing_outlives_a_daemon_that_was_killed(tmp_path: Path) -> None:
    (tmp_path / "jobs.py").write_text(
        "import subprocess\n"
        "def f():\n"
        "    child = subprocess.Popen(['sleep', '60'])\n"
        "    print(child.pid, flush=True)\n"
        "    child.wait()\n"
    )
    program = _DAEMON.format(tests=str(Path(__file__).parent.parent), folder=str(tmp_path))
    with subprocess.Popen([sys.executable, "-c", program], stdout=subprocess.PIPE) as daemon:
        assert daemon.stdout
        pids = [int(word) for word in daemon.stdout.readline().split()]
        assert len(pids) == 3
        assert all(map(is_alive, pids))
        daemon.kill()
    deadline = time.monotonic() + PATIENCE
    while any(map(is_alive, pids)):
        assert time.monotonic() < deadline
        time.sleep(0.005)
