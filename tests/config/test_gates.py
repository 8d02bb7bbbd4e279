"""Gates, periods and followers as a file says them."""

from __future__ import annotations

from datetime import timedelta

import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from inisched.config.drawing import draw
from inisched.config.loader import Config
from inisched.model.job import Call, Ending, Gates, Misfire, Overlap, Period
from inisched.model.place import Place

Texts = list[str]


def section(name: str, *lines: str, every: str = "day", action: str = "command = x") -> str:
    return "\n".join([f"[{name}]", action, f"every = {every}", *lines, ""])


def said(config: Config) -> Texts:
    return [one.message for one in config.diagnostics]


# -- what a job says


def test_a_job_that_says_nothing_of_gates_has_none(load_text) -> None:
    [job] = load_text(section("a")).jobs
    assert job.gates == Gates()
    assert (job.report_period, job.then, job.then_on) == (None, (), Ending.SUCCESS)


def test_the_keys_of_gates_reach_the_job(load_text) -> None:
    config = load_text(
        section("b")
        + section(
            "a",
            "should_run = shop.open",
            "ready = shop.stock:there",
            "ready_every = 5m",
            "override_after = 2 days",
            "after = b",
            "after_on = finished",
            "wait_limit = 3h",
            "then = b",
            "then_on = failure",
        )
    )
    a = config.jobs[1]
    assert a.gates == Gates(
        should_run=Call("shop.open", place=Place("jobs.ini", 7, 14), gate=True),
        ready=Call("shop.stock:there", place=Place("jobs.ini", 8, 9), gate=True),
        ready_every=timedelta(minutes=5),
        override_after=timedelta(days=2),
        after=("b",),
        after_on=Ending.FINISHED,
        wait_limit=timedelta(hours=3),
    )
    assert (a.then, a.then_on) == (("b",), Ending.FAILURE)
    assert config.diagnostics == ()


def test_a_gate_is_offered_the_arguments_of_the_callback(load_text) -> None:
    text = section("a", "ready = m.g", "depth = 3", "arg.at = noon", action="call = m.f")
    [job] = load_text(text).jobs
    assert job.gates.ready is not None
    assert isinstance(job.action, Call)
    assert job.gates.ready.arguments == job.action.arguments
    assert [a.name for a in job.gates.ready.arguments] == ["depth", "at"]


def test_a_gate_of_a_command_is_offered_no_arguments(load_text) -> None:
    [job] = load_text("[DEFAULT]\ndepth = 3\n" + section("a", "ready = m.g")).jobs
    assert job.gates.ready is not None
    assert job.gates.ready.arguments == ()


def test_a_gate_behind_a_reference_is_shown_as_the_reference(
    load_text, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("GATE", "shop.open")
    [job] = load_text(section("a", "should_run = ${env:GATE}")).jobs
    assert job.gates.should_run is not None
    assert (job.gates.should_run.target, job.gates.should_run.shown) == ("shop.open", "${env:GATE}")


def test_a_gate_of_the_default_section_is_every_jobs(load_text) -> None:
    config = load_text("[DEFAULT]\nshould_run = m.g\nready_every = 1m\n" + section("a"))
    assert config.jobs[0].gates.should_run is not None
    assert config.diagnostics == ()


def test_a_gate_does_not_forbid_an_inline_callback(load_text) -> None:
    text = section("a", "executor = inline", "should_run = m.g", action="call = m.f")
    assert load_text(text).diagnostics == ()


# -- periods


@pytest.mark.parametrize("word", ["day", "week", "month"])
def test_a_report_runs_for_each_fire_that_was_missed(load_text, word: str) -> None:
    [job] = load_text(section("a", f"report_period = {word}")).jobs
    assert (job.report_period, job.misfire) == (Period(word), Misfire.ALL)


def test_a_report_may_say_otherwise_of_what_was_missed(load_text) -> None:
    [job] = load_text(section("a", "report_period = day", "misfire = skip")).jobs
    assert job.misfire is Misfire.SKIP


def test_the_default_section_may_say_otherwise_of_what_was_missed(load_text) -> None:
    [job] = load_text("[DEFAULT]\nmisfire = skip\n" + section("a", "report_period = day")).jobs
    assert job.misfire is Misfire.SKIP


def test_a_report_may_be_run_on_demand_only(load_text) -> None:
    config = load_text(section("a", "report_period = day", every="never"))
    assert config.diagnostics == ()
    assert config.jobs[0].report_period is Period.DAY


# -- names


def test_a_value_that_equals_one_jobs_name_is_that_name(load_text) -> None:
    config = load_text(
        section("a, b") + section("a") + section("b") + section("c", "after = a, b", "then = b, a")
    )
    c = config.jobs[3]
    assert (c.gates.after, c.then) == (("a, b",), ("b", "a"))


def test_a_job_named_twice_is_followed_once(load_text) -> None:
    config = load_text(section("a") + section("b", "after = a, a", "after_future = a"))
    gates = config.jobs[1].gates
    assert (gates.after, gates.future, gates.upstream) == (("a",), ("a",), ("a",))


names = st.lists(
    st.text("abcdeé =[-", min_size=1, max_size=4).map(str.strip).filter(lambda n: n[:1].isalpha()),
    min_size=1,
    max_size=6,
    unique=True,
)


@given(names, st.data())
@settings(suppress_health_check=[HealthCheck.function_scoped_fixture], deadline=None)
def test_a_list_is_its_names_in_their_order(load_text, known: Texts, data) -> None:
    wanted = data.draw(st.permutations(known))[: data.draw(st.integers(1, len(known)))]
    between = data.draw(st.sampled_from([",", " , ", "\n    ", ",\n  "]))
    text = "".join(map(section, known)) + section("last", "then = " + between.join(wanted))
    config = load_text(text.encode())
    assert config.jobs[-1].then == tuple(wanted)
    assert config.diagnostics == ()


def test_an_unknown_name_breaks_the_job(load_text) -> None:
    config = load_text(section("nightly") + section("b", "after = nigthly"))
    assert [job.name for job in config.jobs] == ["nightly"]


# -- a job that follows itself


def test_a_job_that_follows_itself_queues_its_fires(load_text) -> None:
    config = load_text(section("a", "after_future = a"))
    assert config.jobs[0].overlap is Overlap.QUEUE
    assert config.jobs[0].gates.future == ("a",)
    assert config.diagnostics == ()


def test_an_overlap_that_cannot_be_read_is_said_once(load_text) -> None:
    config = load_text(section("a", "after_future = a", "overlap = queu"))
    assert said(config) == ["'queu' is not known here"]


# -- what will hardly be meant


def test_a_future_dependency_with_its_inverse_earns_no_warning(load_text) -> None:
    config = load_text(section("a", "after = b") + section("b", "after_future = a"))
    assert config.diagnostics == ()


def test_a_future_dependency_without_its_inverse_is_a_warning(load_text) -> None:
    config = load_text(section("a") + section("b", "after_future = a"))
    assert draw(config.diagnostics) == (
        "jobs.ini:7:16: warning: job 'a' does not wait for 'b' in turn\n"
        "    7 | after_future = a\n"
        "      |                ^\n"
        "    hint: name 'b' in 'after' of [a], or 'a' in 'after' here\n"
    )
    assert len(config.jobs) == 2


@pytest.mark.parametrize(
    ("line", "message"),
    [
        ("after = a", "job 'a' is inactive, and this one waits for it"),
        ("then = a", "job 'a' is inactive: it is not started"),
    ],
)
def test_a_job_that_names_an_inactive_one_is_told_so(load_text, line: str, message: str) -> None:
    config = load_text(section("a", "active = no") + section("b", line))
    assert said(config) == [message]


def test_an_inactive_job_may_name_inactive_ones(load_text) -> None:
    config = load_text(section("a", "active = no") + section("b", "after = a", "active = no"))
    assert config.diagnostics == ()


def test_a_job_that_waits_for_a_ring_is_told_that_it_is_broken(load_text) -> None:
    config = load_text(section("a", "after = a") + section("b", "after = a"))
    assert said(config)[1:] == ["job 'a' is broken, and this one waits for it"]


def test_a_name_behind_a_reference_is_pointed_at_as_a_whole(
    load_text, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("UPSTREAM", "x, a")
    config = load_text(
        section("x") + section("a", "active = no") + section("b", "after = ${env:UPSTREAM}")
    )
    [found] = config.diagnostics
    assert (found.place.column, found.length) == (9, len("${env:UPSTREAM}"))


@pytest.mark.parametrize(
    ("line", "needed"),
    [
        ("ready_every = 1m", "'ready'"),
        ("override_after = 1d", "'ready'"),
        ("wait_limit = 1h", "'after', 'after_future' or 'ready'"),
        ("after_on = failure", "'after' or 'after_future'"),
        ("then_on = failure", "'then'"),
    ],
)
def test_a_key_that_means_nothing_alone_is_a_warning(load_text, line: str, needed: str) -> None:
    key = line.partition(" ")[0]
    assert said(load_text(section("a", line))) == [f"'{key}' has no effect without {needed}"]


@pytest.mark.parametrize("line", ["ready_every = 0", "ready_every = 0 s"])
def test_a_pause_of_nothing_is_an_error(load_text, line: str) -> None:
    [found] = load_text(section("a", "ready = m.g", line)).diagnostics
    assert (found.message, found.expected) == (
        f"'{line.partition(' = ')[2]}' is no pause at all",
        "1 s or more",
    )
