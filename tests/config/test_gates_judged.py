"""Gates held against what they are offered, and judged beside the callbacks of a file."""

from __future__ import annotations

import inspect
from collections.abc import Callable
from datetime import UTC, datetime
from pathlib import Path
from textwrap import dedent
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

import inisched
from inisched.config.drawing import draw
from inisched.config.judge import judge
from inisched.config.judged import Judged, judging, recall, remembered, requests, with_judgements
from inisched.config.judgement import Judgement
from inisched.config.keys import JOB
from inisched.config.loader import Config, load
from inisched.config.signature import bind_gate
from inisched.model.current import CurrentRun
from inisched.model.job import Argument
from inisched.model.place import Place

RUN = CurrentRun(id=17, job="report", scheduled_for=datetime(2026, 7, 1, tzinfo=UTC))


def offered(**values: str) -> list[Argument]:
    return [Argument(n, text, text, n, Place("x.ini", 3, 8)) for n, text in values.items()]


def passed(gate: Callable[..., object], **values: str) -> dict[str, object]:
    bound = bind_gate(gate, offered(**values), zone="UTC")
    assert bound.problems == ()
    return bound.keywords(RUN)


# -- what a gate is handed


def test_a_gate_is_handed_what_it_names() -> None:
    def gate(depth: int, job: str) -> bool: ...

    assert passed(gate, depth="3", mode="fast") == {"depth": 3, "job": "report"}


def test_a_gate_that_names_nothing_is_handed_nothing() -> None:
    assert passed(lambda: True, depth="3") == {}


def test_a_gate_with_keywords_is_handed_what_the_section_says() -> None:
    assert passed(lambda **rest: True, depth="3") == {"depth": 3}


def test_the_section_wins_over_what_the_run_tells() -> None:
    assert passed(lambda job: True, job="other") == {"job": "other"}


def test_a_gate_python_knows_no_signature_of_is_handed_nothing() -> None:
    class Gate:
        __signature__ = "none"

        def __call__(self) -> bool: ...

    assert passed(Gate(), depth="3") == {}


parameters = st.lists(
    st.tuples(
        st.sampled_from([*"abcd", "job", "attempt", "scheduled_for"]),
        st.booleans(),
        st.sampled_from([inspect.Parameter.POSITIONAL_OR_KEYWORD, inspect.Parameter.KEYWORD_ONLY]),
    ),
    unique_by=lambda parameter: parameter[0],
)


@given(parameters, st.sets(st.sampled_from("abcd")), st.booleans())
def test_a_gate_can_be_called_where_nothing_is_wrong_and_nowhere_else(
    wanted: list[tuple[str, bool, Any]], given: set[str], takes_all: bool
) -> None:
    wanted.sort(key=lambda parameter: (parameter[2], parameter[1]))
    words = [f"{name}=0" if default else name for name, default, _ in wanted]
    first = next((i for i, w in enumerate(wanted) if w[2] is inspect.Parameter.KEYWORD_ONLY), None)
    if first is not None:
        words.insert(first, "*")
    if takes_all:
        words.append("**rest")
    gate = eval(f"lambda {', '.join(words)}: True")
    bound = bind_gate(gate, offered(**dict.fromkeys(given, "1")), zone="UTC")
    try:
        gate(**bound.keywords(RUN))
    except TypeError:
        assert not bound.ok
    else:
        assert bound.ok


# -- a file with gates


@pytest.fixture
def site(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Callable[..., Config]:
    """Writes `jobs.ini` and modules beside it, and loads the file."""
    monkeypatch.setenv("PYTHONPATH", str(Path(inisched.__file__).parent.parent))
    monkeypatch.chdir(tmp_path)

    def write(text: str, **modules: str) -> Config:
        Path("jobs.ini").write_text(dedent(text))
        for name, code in modules.items():
            Path(f"{name}.py").write_text(dedent(code))
        return load("jobs.ini", strict_references=True)

    return write


def judged(config: Config, **options: float) -> Judged:
    asked = requests(config)
    folder = config.real_path.parent
    found = judge(asked, folder=folder, key_names=JOB.words, **options)  # type: ignore[arg-type]
    return with_judgements(config, asked, found)


def told(config: Config, **options: float) -> str:
    return draw(judged(config, **options).config.diagnostics)


GOOD = """\
    [a]
    call = m.f
    every = day
    ready = m.ready
    should_run = m.open
    depth = 3
    [b]
    command = true
    every = day
    data_available = m.open
    """

MODULE = """\
    def f(depth: int):
        "Fetch."
    def ready(scheduled_for, depth: int): return True
    async def open(job="", **rest): return True
    """


def test_good_gates_are_told_of_in_no_word(site) -> None:
    found = judged(site(GOOD, m=MODULE))
    assert found.config.diagnostics == ()
    assert [(s.name, s.description) for s in found.config.sections] == [("a", "Fetch."), ("b", "")]
    assert {name: passed for name, passed in found.passed.items() if passed} == {"a": {"depth": 3}}


def test_a_job_without_callback_or_gates_is_not_judged(site) -> None:
    assert requests(site("[a]\ncommand = true\nevery = day\n")) == []


def test_what_is_wrong_with_a_gate_is_said_at_its_own_line(site) -> None:
    config = site(
        """\
        [a]
        call = m.f
        every = day
        depth = 3
        ready = m.raedy
        should_run = nowhere.open
        [b]
        command = true
        every = day
        data_available = m.number
        should_run = m.all
        [c]
        call = m.f
        every = day
        depth = 3
        ready = m.misspelt
        should_run = m.alone
        [d]
        command = true
        every = day
        ready = m.needs
        should_run = m.Shop.open
        """,
        m="""\
        def f(depth: int): ...
        def ready(): ...
        number = 3
        def all(): yield True
        def misspelt(dpeth): ...
        def alone(x, /): ...
        def needs(depth): ...
        class Shop:
            def open(self): ...
        """,
    )
    offers = "scheduled_for, period_start, period_end, override, attempt, run_id, job"
    assert told(config) == dedent(f"""\
        jobs.ini:5:11: error: module 'm' has no 'raedy'
            5 | ready = m.raedy
              |           ^^^^^
            hint: did you mean 'ready'?
        jobs.ini:6:14: error: module 'nowhere' not found
            6 | should_run = nowhere.open
              |              ^^^^^^^
        jobs.ini:10:18: error: 'data_available' is not a function but of type int
           10 | data_available = m.number
              |                  ^^^^^^^^
        jobs.ini:11:14: error: 'should_run' is a generator function: calling it runs nothing
           11 | should_run = m.all
              |              ^^^^^
            expected a function that returns
            hint: let a function run through the generator and name that one
        jobs.ini:16:9: error: 'ready' needs an argument 'dpeth', which nobody gives
           16 | ready = m.misspelt
              |         ^^^^^^^^^^
            expected only some of depth, {offers}
            hint: did you mean 'depth'?
        jobs.ini:17:14: error: 'should_run' takes 'x' by position only, and a section passes names
           17 | should_run = m.alone
              |              ^^^^^^^
            hint: let a function of your own call it
        jobs.ini:21:9: error: 'ready' needs an argument 'depth', which nobody gives
           21 | ready = m.needs
              |         ^^^^^^^
            expected only some of {offers}
        jobs.ini:22:14: error: 'should_run' needs an argument 'self', which nobody gives
           22 | should_run = m.Shop.open
              |              ^^^^^^^^^^^
            expected only some of {offers}
            hint: a method needs an object: make it static
        """)
    assert judged(config).config.jobs == ()


def test_a_problem_carries_the_key_of_its_gate_as_written(site) -> None:
    text = "[a]\ncommand = true\nevery = day\nData_Available = m.f\n"
    [found] = judged(site(text)).config.diagnostics
    assert (found.key, found.job) == ("Data_Available", "a")


def test_a_gate_of_the_default_section_that_is_wrong_is_said_once(site) -> None:
    config = site("""\
        [DEFAULT]
        should_run = m.f
        every = day
        [a]
        command = true
        [b]
        command = true
        """)
    assert told(config) == (
        "jobs.ini:2:14: error: module 'm' not found\n"
        "    2 | should_run = m.f\n"
        "      |              ^\n"
    )
    assert judged(config).config.jobs == ()


def test_a_value_that_only_the_gate_cannot_take_is_said_at_the_value(site) -> None:
    config = site(
        "[a]\ncall = m.f\nevery = day\ndepth = deep\nready = m.g\n",
        m="def f(depth): ...\ndef g(depth: int): ...\n",
    )
    assert told(config) == (
        "jobs.ini:4:9: error: 'deep' is not a whole number\n"
        "    4 | depth = deep\n"
        "      |         ^^^^\n"
        "    expected int for 'depth' of 'ready'\n"
    )


def test_a_value_that_neither_can_take_is_said_once(site) -> None:
    config = site(
        "[a]\ncall = m.f\nevery = day\ndepth = deep\nready = m.f\nshould_run = m.f\n",
        m="def f(depth: int): ...\n",
    )
    assert [d.expected for d in judged(config).config.diagnostics] == ["int for 'depth'"]


def test_a_gate_behind_a_reference_is_not_quoted(site, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("GATE", "hidden.place")
    config = site("[a]\ncommand = true\nevery = day\nready = ${env:GATE}\n")
    assert told(config) == (
        "jobs.ini:4:9: error: what '${env:GATE}' stands for names a module that is not found\n"
        "    4 | ready = ${env:GATE}\n"
        "      |         ^^^^^^^^^^^\n"
        "    expected a dotted path such as pkg.mod.func or pkg.mod:func\n"
    )


def test_a_gate_whose_import_ends_the_process_breaks_its_own_job_only(site) -> None:
    config = site(
        "[a]\ncall = m.f\nevery = day\nready = bad.g\n[b]\ncall = m.f\nevery = day\nready = m.f\n",
        m="def f(): ...\n",
        bad="import os\nos._exit(3)\n",
    )
    found = judged(config).config
    assert [job.name for job in found.jobs] == ["b"]
    assert [d.message for d in found.diagnostics] == [
        "importing 'bad' ended the process: exit code 3"
    ]


def test_a_gate_whose_import_hangs_is_said_with_its_line(site) -> None:
    config = site(
        "[a]\ncall = m.f\nevery = day\nready = slow.g\n",
        m="def f(): ...\n",
        slow="import time\ntime.sleep(60)\n",
    )
    [found] = judged(config, time_limit=0.5).config.diagnostics
    assert (found.place.line, found.message) == (4, "importing 'slow' took longer than 0.5 s")


def test_a_gate_whose_examination_hangs_is_named(site) -> None:
    config = site(
        "[a]\ncall = slow.f\nevery = day\nready = slow.g\n",
        slow="""\
        import time
        def f(): ...
        class Slow:
            def __call__(self): ...
            @property
            def __signature__(self): time.sleep(60)
        g = Slow()
        """,
    )
    [found] = judged(config, time_limit=0.5).config.diagnostics
    assert (found.place.line, found.message) == (4, "examining 'ready' took longer than 0.5 s")


def test_a_judgement_that_was_given_up_says_so_of_callback_and_gate(site) -> None:
    config = site(GOOD, m=MODULE)
    asked = requests(config)
    process = judging(config, asked, time_limit=5)
    process.kill()
    assert {job: [p.message for p in j.problems] for job, j in process.results.items()} == {
        "a": [
            "the callback was not checked: not judged within 5 s",
            "'should_run' was not checked: not judged within 5 s",
            "'ready' was not checked: not judged within 5 s",
        ],
        "b": ["'data_available' was not checked: not judged within 5 s"],
    }


def test_an_argument_only_the_gate_names_is_no_suspected_slip(site) -> None:
    config = site(
        "[a]\ncall = m.f\nevery = day\ngrcae = 5\nready = m.g\n",
        m="def f(**rest): ...\ndef g(grcae): ...\n",
    )
    assert [d.code for d in config.diagnostics] == ["resembles-key"]
    assert judged(config).config.diagnostics == ()


def test_gates_of_a_management_command_are_judged_before_django_is_set_up(
    site, tmp_path: Path
) -> None:
    from executors.project import make_project

    make_project(tmp_path)
    config = site(
        """\
        [inisched]
        django_settings = shop.settings
        [a]
        manage = send_report --to ops
        every = day
        ready = m.g
        [b]
        manage = send_report --to ops
        every = day
        ready = m.g
        """,
        m="import os\nif 'DJANGO_SETTINGS_MODULE' in os.environ: 1 / 0\ndef g(): ...\n",
    )
    assert told(config) == ""


# -- what the ledger remembers


def known(config: Config) -> dict[str, str]:
    """What the ledger would keep of the file's judgements."""
    asked = requests(config)
    found = judge(asked, folder=config.real_path.parent, key_names=JOB.words)
    return {r.job: remembered(r, found[r.job], config) for r in asked}


def recalled(config: Config, kept: dict[str, str]) -> dict[str, Judgement | None]:
    return {r.job: recall(r, kept.get(r.job), config) for r in requests(config)}


def test_the_problems_of_a_gate_are_remembered_at_its_line(site) -> None:
    config = site("[a]\ncommand = true\nevery = day\nready = m.f\n")
    [judgement] = recalled(config, known(config)).values()
    assert judgement is not None
    found = with_judgements(config, requests(config), {"a": judgement}).config
    assert [(d.place, d.message, d.key) for d in found.diagnostics] == [
        (Place("jobs.ini", 4, 9), "module 'm' not found", "ready")
    ]
    assert found.jobs == ()


@pytest.mark.parametrize(
    ("old", "new"),
    [
        ("ready = m.ready", "ready = m.f"),
        ("ready = m.ready\n", ""),
        ("ready = m.ready", "should_run = m.ready"),
        ("ready = m.ready", "data_available = m.ready"),
        ("depth = 3", "depth = 4"),
    ],
)
def test_another_gate_is_judged_anew(site, old: str, new: str) -> None:
    text = "[a]\ncall = m.f\nevery = day\ndepth = 3\nready = m.ready\n"
    kept = known(site(text, m=MODULE))
    assert recalled(site(text.replace(old, new)), kept) == {"a": None}


def test_a_gate_that_stays_is_not_judged_anew(site) -> None:
    kept = known(site(GOOD, m=MODULE))
    again = recalled(site("# later\n" + dedent(GOOD)), kept)
    assert None not in again.values()
