"""Callbacks judged in a process of their own. The modules here misbehave on purpose."""

from __future__ import annotations

import os
import selectors
import textwrap
import time
from collections.abc import Callable, Mapping
from pathlib import Path

import pytest

import inisched
from inisched.config.judge import JudgeProcess, judge
from inisched.config.judgement import Judgement, Request, diagnostics
from inisched.model.diagnostic import Diagnostic
from inisched.model.job import Argument, Call
from inisched.model.place import Place

Write = Callable[[str, str], None]


@pytest.fixture(autouse=True)
def _inisched_is_found(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("PYTHONPATH", str(Path(inisched.__file__).parent.parent))


@pytest.fixture
def folder(tmp_path: Path) -> Path:
    """The folder of the INI file."""
    path = tmp_path / "site" / "conf"
    path.mkdir(parents=True)
    return path


@pytest.fixture
def write(folder: Path) -> Write:
    """Writes a module beside the INI file."""

    def write(name: str, text: str) -> None:
        path = folder / name
        path.parent.mkdir(parents=True, exist_ok=True)
        path.write_text(textwrap.dedent(text))

    return write


def request(job: str, target: str, **arguments: str) -> Request:
    given = tuple(
        Argument(name, text, text, name, Place("x.ini", 5, 10), key_place=Place("x.ini", 5, 1))
        for name, text in arguments.items()
    )
    return Request(job, Call(target, given, Place("x.ini", 2, 8)), "Europe/Berlin")


def judged(folder: Path, *targets: str, **options: float) -> dict[str, Judgement]:
    """Judgements by target."""
    return judge([request(t, t) for t in targets], folder=folder, **options)  # type: ignore[arg-type]


def message(judgement: Judgement) -> str:
    (problem,) = judgement.problems
    return problem.message


def hint(judgement: Judgement) -> str:
    (problem,) = judgement.problems
    return problem.hint


# -- good callbacks


def test_a_good_callback_is_told_of(folder: Path, write: Write) -> None:
    write("jobs.py", '''
        def backup(depth: int, scheduled_for, api_key=""):
            """Copy everything.

            Slowly."""
    ''')  # fmt: skip
    given = request("backup", "jobs.backup", depth="3", api_key="hunter2")
    assert judge([given], folder=folder) == {
        "backup": Judgement(
            passed={"depth": 3, "api_key": "***"},
            injected=("scheduled_for",),
            doc="Copy everything.",
            named=("depth", "scheduled_for", "api_key"),
        )
    }


@pytest.mark.parametrize(
    "target",
    [
        "pkg.mod.func",
        "pkg.mod:func",
        "pkg.mod.Class.method",
        "pkg.mod:Class.method",
        "pkg.other",
        "os.path.exists",
    ],
)
def test_a_path_with_dots_or_a_colon_is_found(folder: Path, write: Write, target: str) -> None:
    write("pkg/__init__.py", "from pkg.other import other\n")
    write("pkg/other.py", "def other(): ...\n")
    write("pkg/mod.py", """
        def func(): ...
        class Class:
            @staticmethod
            def method(): ...
    """)  # fmt: skip
    codes = [p.code for p in judged(folder, target)[target].problems]
    assert codes in ([], ["missing-argument"] if target.startswith("os.") else [])


def test_python_path_is_taken_from_the_folder_of_the_file(folder: Path) -> None:
    (folder.parent / "jobs.py").write_text("def f(): ...\n")
    result = judge([request("a", "jobs.f")], folder=folder, python_path=[".."])
    assert result == {"a": Judgement()}


def test_the_folder_of_the_shell_is_not_searched(
    folder: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    (tmp_path / "jobs.py").write_text("def f(): ...\n")
    monkeypatch.chdir(tmp_path)
    assert message(judged(folder, "jobs.f")["jobs.f"]) == "module 'jobs' not found"


def test_nothing_is_written_beside_the_modules(folder: Path, write: Write) -> None:
    write("jobs.py", "def f(): ...\n")
    judged(folder, "jobs.f")
    assert os.listdir(folder) == ["jobs.py"]


def test_values_never_stand_on_a_command_line(folder: Path, write: Write) -> None:
    write("jobs.py", """
        from pathlib import Path
        lines = [p.read_bytes() for p in Path("/proc").glob("[0-9]*/cmdline")]
        def f(secret, seen=Path("seen").write_text(str(any(b"hunter2" in l for l in lines)))): ...
    """)  # fmt: skip
    judge([request("a", "jobs.f", secret="hunter2")], folder=folder)
    assert (folder / "seen").read_text() == "False"


# -- what cannot be found


def test_a_missing_module_is_told_from_a_missing_name(folder: Path, write: Write) -> None:
    write("jobs.py", "def backup(): ...\n")
    found = judged(folder, "jbos.backup", "jobs.bakup")
    assert message(found["jbos.backup"]) == "module 'jbos' not found"
    assert hint(found["jbos.backup"]) == "did you mean 'jobs'?"
    assert message(found["jobs.bakup"]) == "module 'jobs' has no 'bakup'"
    assert hint(found["jobs.bakup"]) == "did you mean 'backup'?"


def test_a_missing_module_of_a_package_is_named_whole(folder: Path, write: Write) -> None:
    write("pkg/__init__.py", "")
    write("pkg/mod.py", "def f(): ...\n")
    found = judged(folder, "pkg.mdo.f", "pkg.mdo:f")
    assert message(found["pkg.mdo.f"]) == "module 'pkg.mdo' not found"
    assert message(found["pkg.mdo:f"]) == "module 'pkg.mdo' not found"
    assert hint(found["pkg.mdo.f"]) == "did you mean 'mod'?"


def test_a_missing_attribute_of_a_class_is_said_of_the_class(folder: Path, write: Write) -> None:
    write("jobs.py", "class Work:\n    def go(): ...\n")
    assert message(judged(folder, "jobs.Work.gone")["jobs.Work.gone"]) == (
        "class 'jobs.Work' has no 'gone'"
    )


@pytest.mark.parametrize(
    ("place", "hinted"),
    [
        ("../jobs.py", "found in `..`: add `python_path = ..`"),
        ("../jobs/__init__.py", "found in `..`: add `python_path = ..`"),
        ("src/jobs.py", "found in `src`: add `python_path = src`"),
        ("../src/jobs.py", "found in `../src`: add `python_path = ../src`"),
        ("app/jobs.py", "found in `app`: add `python_path = app`"),
    ],
)
def test_a_module_found_elsewhere_is_hinted_at(
    folder: Path, write: Write, place: str, hinted: str
) -> None:
    write(place, "def f(): ...\n")
    assert hint(judged(folder, "jobs.f")["jobs.f"]) == hinted


def test_a_module_that_needs_one_found_elsewhere_gets_the_same_hint(
    folder: Path, write: Write
) -> None:
    write("jobs.py", "import app.models\ndef f(): ...\n")
    write("../app/models.py", "")
    assert hint(judged(folder, "jobs.f")["jobs.f"]) == (
        "found in `..`: add `python_path = ..`; raised at jobs.py:1"
    )


@pytest.mark.parametrize(
    "target", ["backup", "jobs..f", "jobs.f()", ":f", "jobs:", "a b.c", "/x.f"]
)
def test_what_is_no_path_is_said_to_be_none(folder: Path, target: str) -> None:
    (problem,) = judged(folder, target)[target].problems
    assert problem.code == "bad-path"
    assert problem.message == f"'{target}' does not name a function in a module"


@pytest.mark.parametrize("target", ["pkg:mod.f", "pkg.mod.f", "pkg:mod.deep.f"])
def test_a_module_of_a_package_is_imported_where_its_path_names_it(
    folder: Path, write: Write, target: str
) -> None:
    write("pkg/__init__.py", "")
    write("pkg/mod/__init__.py", "def f(): ...\n")
    write("pkg/mod/deep.py", "def f(): ...\n")
    assert judged(folder, target) == {target: Judgement()}
    assert judged(folder, "pkg.mod.f", target)[target].ok


def test_a_missing_function_is_missing_whatever_other_jobs_import(
    folder: Path, write: Write
) -> None:
    write("pkg/__init__.py", "")
    write("pkg/mod.py", "def f(): ...\n")
    alone = judged(folder, "pkg.mod", "pkg:mod.g")
    beside = judged(folder, "pkg.mod.f", "pkg.mod", "pkg:mod.g")
    assert alone == {t: beside[t] for t in alone}
    assert message(alone["pkg.mod"]) == "the callback is not a function but of type module"


# -- what a reference stands for


@pytest.mark.parametrize(
    ("target", "told"),
    [
        ("hidden", "does not name a function in a module"),
        ("hidden.away.f", "names a module that is not found"),
        ("jobs.hidden", "names what its module does not have"),
        ("bad.hidden", "cannot be imported"),
    ],
)
def test_a_target_behind_a_reference_is_not_shown(
    folder: Path, write: Write, target: str, told: str
) -> None:
    write("jobs.py", "def f(n): ...\ndef hiden(): ...\n")
    write("bad.py", "raise ValueError('hidden')\n")
    call = Call(target, place=Place("x.ini", 2, 8), shown="${env:JOB}")
    asked = [Request("a", call, "UTC")]
    [found] = diagnostics(asked, judge(asked, folder=folder))
    assert found.message == f"what '${{env:JOB}}' stands for {told}"
    assert found.expected == "a dotted path such as pkg.mod.func or pkg.mod:func"
    assert (found.place, found.length, found.hint) == (Place("x.ini", 2, 8), 10, "")


def test_what_is_wrong_with_the_arguments_of_a_hidden_target_is_told(
    folder: Path, write: Write
) -> None:
    write("jobs.py", "def f(n): ...\n")
    asked = [Request("a", Call("jobs.f", place=Place("x.ini", 2, 8), shown="${env:JOB}"), "UTC")]
    [found] = diagnostics(asked, judge(asked, folder=folder))
    assert (found.message, found.length) == ("the callback needs an argument 'n'", 10)


# -- imports that go wrong


def test_an_import_that_raises_is_reported_with_its_line(folder: Path, write: Write) -> None:
    write("jobs.py", "import json\n\njson.loads('{')\n")
    found = judged(folder, "jobs.f")["jobs.f"]
    assert message(found) == (
        "importing 'jobs' failed: JSONDecodeError: Expecting property name enclosed in "
        "double quotes: line 1 column 2 (char 1)"
    )
    assert hint(found) == "raised at jobs.py:3"


def test_a_module_missing_inside_a_module_is_not_blamed_on_the_file(
    folder: Path, write: Write
) -> None:
    write("jobs.py", "import nowhere_to_be_found\n")
    found = judged(folder, "jobs.f")["jobs.f"]
    assert message(found) == (
        "importing 'jobs' failed: ModuleNotFoundError: No module named 'nowhere_to_be_found'"
    )
    assert hint(found) == "raised at jobs.py:1"


def test_a_syntax_error_is_reported_with_its_line(folder: Path, write: Write) -> None:
    write("jobs.py", "x = 1\ndef f(:\n")
    assert hint(judged(folder, "jobs.f")["jobs.f"]) == "raised at jobs.py:2"


@pytest.mark.parametrize(
    ("statement", "told"),
    [
        ("import sys; sys.exit(3)", "failed: SystemExit: 3"),
        ("raise KeyboardInterrupt", "failed: KeyboardInterrupt"),
        ("import os; os._exit(3)", "ended the process: exit code 3"),
        ("import os; os.abort()", "ended the process: killed by SIGABRT"),
    ],
)
def test_an_import_that_ends_the_process_costs_only_its_own_jobs(
    folder: Path, write: Write, statement: str, told: str
) -> None:
    write("bad.py", statement)
    write("good.py", "def f(): ...\ndef g(): ...\n")
    found = judged(folder, "good.f", "bad.f", "bad:f", "good.g")
    assert found["good.f"].ok
    assert found["good.g"].ok
    assert message(found["bad.f"]) == f"importing 'bad' {told}"
    assert message(found["bad:f"]) == f"importing 'bad' {told}"


def test_an_import_that_hangs_costs_only_its_own_jobs(folder: Path, write: Write) -> None:
    write("bad.py", "import threading\nthreading.Event().wait()\n")
    write("good.py", "def f(): ...\ndef g(): ...\n")
    found = judged(folder, "good.f", "bad.f", "bad:f", "good.g", time_limit=0.5)
    assert found["good.f"].ok
    assert found["good.g"].ok
    assert message(found["bad.f"]) == "importing 'bad' took longer than 0.5 s"
    assert message(found["bad:f"]) == "importing 'bad' took longer than 0.5 s"


def test_a_bad_module_inside_a_package_leaves_its_siblings_good(folder: Path, write: Write) -> None:
    write("pkg/__init__.py", "")
    write("pkg/bad.py", "import os; os._exit(3)")
    write("pkg/good.py", "def f(): ...\n")
    found = judged(folder, "pkg.bad.f", "pkg.good.f")
    assert found["pkg.good.f"].ok
    assert message(found["pkg.bad.f"]) == "importing 'pkg.bad' ended the process: exit code 3"


def test_a_death_an_earlier_module_brought_about_is_not_blamed_on_a_later_one(
    folder: Path, write: Write
) -> None:
    write("first.py", "import builtins\nbuiltins.doomed = True\ndef f(): ...\n")
    write("second.py", """
        import builtins, os
        if getattr(builtins, "doomed", False):
            os._exit(3)
        def f(): ...
    """)  # fmt: skip
    found = judged(folder, "first.f", "second.f")
    assert found["first.f"].ok
    assert found["second.f"].ok


@pytest.mark.parametrize(
    "statement",
    [
        "print('{\"job\": \"x\"}'); import sys; sys.stderr.write('noise')",
        "import os; os.write(1, b'noise'); os.close(1); os.close(2)",
        "input_was_empty = not __import__('sys').stdin.read()",
        "import os; os.chdir('/')",
        "import sys; sys.path.clear()",
        "import threading, time; threading.Thread(target=time.sleep, args=(60,)).start()",
        "import atexit, time; atexit.register(time.sleep, 60)",
        "import signal; signal.signal(signal.SIGTERM, signal.SIG_IGN)",
    ],
)
def test_what_an_import_does_beside_the_point_does_no_harm(
    folder: Path, write: Write, statement: str
) -> None:
    write("odd.py", statement + "\ndef f(): ...\n")
    write("good.py", "def f(): ...\n")
    start = time.monotonic()
    assert judged(folder, "odd.f", "good.f") == {"odd.f": Judgement(), "good.f": Judgement()}
    assert time.monotonic() - start < 30


@pytest.mark.parametrize(
    "fork",
    [
        "import os; os.fork()",
        "import os; os.fork(); os.fork()",
        "import ctypes; ctypes.CDLL(None).fork()",
        "import os\nif os.fork() == 0: __import__('time').sleep(60)",
    ],
)
def test_a_fork_at_import_costs_no_other_job(folder: Path, write: Write, fork: str) -> None:
    write("forks.py", f"{fork}\ndef f(): ...\n")
    write("ends.py", "import os; os._exit(0)\n")
    write("good.py", "from pathlib import Path\nopen('seen', 'a').write('x')\ndef f(): ...\n")
    found = judged(folder, "forks.f", "good.f", "ends.f", "good:f")
    assert found["forks.f"] == found["good.f"] == found["good:f"] == Judgement()
    assert message(found["ends.f"]) == "importing 'ends' ended the process: exit code 0"


def test_what_an_import_started_does_not_outlive_the_judgement(folder: Path, write: Write) -> None:
    write("odd.py", """
        import subprocess
        from pathlib import Path
        child = subprocess.Popen(["sleep", "600"])
        Path("pid").write_text(str(child.pid))
        def f(): ...
    """)  # fmt: skip
    assert judged(folder, "odd.f")["odd.f"].ok
    until = time.monotonic() + 10
    while _lives(int((folder / "pid").read_text())):
        assert time.monotonic() < until
        time.sleep(0.01)


def _lives(pid: int) -> bool:
    try:
        state = Path(f"/proc/{pid}/stat").read_text().rpartition(")")[2].split()[0]
    except FileNotFoundError:
        return False
    return state != "Z"


def test_a_signature_that_raises_is_a_problem_of_its_job(folder: Path, write: Write) -> None:
    write("odd.py", """
        class Odd:
            def __call__(self): ...
            @property
            def __signature__(self): raise RuntimeError("no")
        f = Odd()
    """)  # fmt: skip
    assert message(judged(folder, "odd.f")["odd.f"]) == (
        "the callback cannot be examined: RuntimeError: no"
    )


# -- in a loop


def test_a_judgement_can_be_waited_for_in_a_loop(folder: Path, write: Write) -> None:
    write("jobs.py", "def f(): ...\n")
    process = JudgeProcess([request("a", "jobs.f")], folder=folder)
    with selectors.DefaultSelector() as selector:
        selector.register(process, selectors.EVENT_READ)
        while not process.done:
            assert selector.select(30)
            process.read_ready()
    assert process.results == {"a": Judgement()}


def test_a_judgement_given_up_reports_every_job(folder: Path, write: Write) -> None:
    write("jobs.py", "import threading\nthreading.Event().wait()\n")
    process = JudgeProcess([request("a", "jobs.f")], folder=folder)
    process.kill()
    assert process.done
    assert message(process.results["a"]) == "the callback was not checked: not judged within 30 s"


def test_nothing_to_judge_starts_nothing(folder: Path) -> None:
    assert judge([], folder=folder / "nowhere") == {}


def test_no_descriptor_is_left_open(folder: Path, write: Write) -> None:
    write("jobs.py", "def f(): ...\n")
    before = len(os.listdir("/proc/self/fd"))
    judged(folder, "jobs.f")
    assert len(os.listdir("/proc/self/fd")) == before


# -- places


@pytest.fixture
def places(folder: Path, write: Write) -> Mapping[str, Diagnostic]:
    """Diagnostics of one section by their code."""
    write("jobs.py", "def f(n: list[int], timeout=3, *, must): ...\n")
    call = Call(
        "jobs.f",
        (
            Argument("n", "1, two", "1, two", "n", Place("x.ini", 5, 5)),
            Argument("bad", "x", "x", "bad", Place("x.ini", 6, 7), key_place=Place("x.ini", 6, 1)),
        ),
        Place("x.ini", 2, 8),
    )
    requests = [
        Request("a", call, "UTC", keys_set={"timeout": Place("x.ini", 7, 1)}),
        Request("b", Call("jobs.g", place=Place("x.ini", 12, 8)), "UTC"),
    ]
    return {d.code: d for d in diagnostics(requests, judge(requests, folder=folder))}


def test_a_value_is_pointed_at_where_it_goes_wrong(places: Mapping[str, Diagnostic]) -> None:
    found = places["cannot-convert"]
    assert (found.place, found.length) == (Place("x.ini", 5, 8), 3)
    assert (found.job, found.key) == ("a", "n")


def test_an_argument_nobody_takes_is_pointed_at_by_its_key(
    places: Mapping[str, Diagnostic],
) -> None:
    found = places["unknown-argument"]
    assert (found.place, found.length) == (Place("x.ini", 6, 1), 3)


def test_a_key_that_hides_a_parameter_is_pointed_at(places: Mapping[str, Diagnostic]) -> None:
    found = places["shadowed-parameter"]
    assert (found.place, found.length) == (Place("x.ini", 7, 1), 7)


def test_a_missing_argument_is_said_at_the_call(places: Mapping[str, Diagnostic]) -> None:
    found = places["missing-argument"]
    assert (found.place, found.length) == (Place("x.ini", 2, 8), 6)


def test_the_part_of_a_path_that_is_missing_is_pointed_at(
    places: Mapping[str, Diagnostic],
) -> None:
    found = places["no-such-attribute"]
    assert (found.place, found.length) == (Place("x.ini", 12, 13), 1)


def test_a_problem_of_the_defaults_is_said_once(folder: Path, write: Write) -> None:
    write("jobs.py", "def f(n: int): ...\n")
    given = Argument("n", "x", "x", "n", Place("x.ini", 2, 5), from_default=True)
    requests = [
        Request(job, Call("jobs.f", (given,), Place("x.ini", line, 8)), "UTC")
        for job, line in (("a", 5), ("b", 8))
    ]
    judgements = judge(requests, folder=folder)
    assert [d.message for d in diagnostics(requests, judgements)] == ["'x' is not a whole number"]
    assert [j.ok for j in judgements.values()] == [False, False]
