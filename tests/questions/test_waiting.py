"""What `list` and `status` say of fires that wait, with the daemon up and down."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from datetime import timedelta

from inisched.engine import switching
from inisched.engine.answers import waiting as told_by
from inisched.model.run import Outcome, State
from inisched.questions.brief import in_brief
from inisched.questions.health import health
from inisched.questions.judgements import as_remembered
from inisched.questions.overview import JobLine, overview
from inisched.questions.sentences import Speaker
from inisched.questions.waiting import waiting
from inisched.stores.history import History
from inisched.stores.switches import Mark
from questions.watched import Watched, at

Make = Callable[[str], Watched]

TEN = "[a]\ncommand = true\nevery = 10 minutes\n"
UP = "[up]\ncommand = true\nevery = never\n"
OTHER = "[other]\ncommand = true\nevery = never\n"
READY = TEN + "ready = data.are_in\nready_every = 2 minutes\n"
REPORT = "[a]\ncommand = true\nevery = day\nat = 10:10\nreport_period = day\n"
FAILED = Outcome(state=State.FAILURE, exit_code=3)


def waits(w: Watched, told: Mapping[int, str] | None = None) -> list[tuple[str, str]]:
    """Gate and remark of each row that waits; without `told` by the rows alone."""
    history = History(w.config.database)
    try:
        asked = (lambda: told) if told is not None else None
        found = waiting(history.open_rows(), w.config, history, w.now, told=asked)
        return [(one.gate, in_brief(one, Speaker("UTC", w.now))) for one in found]
    finally:
        history.close()


def agreed(w: Watched) -> list[tuple[str, str]]:
    """The same, where the engine says of each row what the row tells too."""
    by_rows = waits(w)
    assert sorted(gate for _, gate in told_by(w.engine)) == sorted(gate for gate, _ in by_rows)
    return by_rows


def line(w: Watched, job: str = "a") -> JobLine:
    history = History(w.config.database)
    try:
        judged, _ = as_remembered(w.config, history)
        lines = overview(judged, history, w.now, alive=w.alive, told=dict)
        return next(one for one in lines if one.section.name == job)
    finally:
        history.close()


# -- what is waited for -------------------------------------------------------------------------


def test_a_fire_waits_for_the_job_it_follows(world: Make) -> None:
    w = world(UP + TEN + "after = up\n")
    w.go(minutes=11)
    assert agreed(w) == [("after:up", "after up")]


def test_all_jobs_it_still_has_to_follow_are_told(world: Make) -> None:
    w = world(UP + OTHER + TEN + "after = other, up\n")
    w.go(minutes=11)
    assert agreed(w) == [("after:other", "after other and up")]


def test_a_job_that_has_run_is_told_no_more(world: Make) -> None:
    w = world(UP + OTHER + TEN + "after = other, up\n")
    w.go(minutes=11)
    w.engine.trigger("other", w.now, timedelta(0))
    w.end("other")
    assert agreed(w) == [("after:up", "after up")]


def test_of_an_inactive_job_it_is_said(world: Make) -> None:
    w = world(UP + "active = no\n" + TEN + "after = up\n")
    w.go(minutes=11)
    assert agreed(w) == [("after:up", "after up, which is inactive")]


def test_of_a_disabled_job_it_is_said(world: Make) -> None:
    w = world(UP + TEN + "after = up\n")
    w.ledger.switches.disable("up", Mark("ann", w.now))
    w.engine.adopt_again(w.now)
    w.go(minutes=11)
    assert agreed(w) == [("after:up", "after up, which is disabled")]


def test_of_a_broken_job_it_is_said(world: Make) -> None:
    w = world("[up]\nevery = day\n" + TEN + "after = up\n")
    w.go(minutes=11)
    assert agreed(w) == [("after:up", "after up, which is broken")]


def test_a_job_that_runs_on_as_it_was_is_not_called_broken(world: Make) -> None:
    w = world(UP + TEN + "after = up\n")
    w.go(minutes=11)
    w.write("[up]\nevery = dya\ncommand = true\n" + TEN + "after = up\n")
    jobs = [seat.job for seat in w.engine.seats.values()]
    w.engine.adopt(jobs, w.now, stale=["up"])
    assert waits(w) == [("after:up", "after up")]


def test_data_not_asked_for_yet_is_told(world: Make) -> None:
    w = world(READY)
    w.ledger.claim([w.engine.seats["a"].look(at("10:10"))], at("10:10"))
    assert waits(w) == [("ready", "ready")]


def test_how_often_it_was_asked_is_told_and_when_next(world: Make) -> None:
    w = world(READY)
    w.to("10:10:00")
    w.answer("a", False)
    assert agreed(w) == [("ready", "ready; asked once, again 10:12")]
    for clock in ("10:12:00", "10:14:00"):
        w.to(clock)
        w.answer("a", False)
    assert agreed(w) == [("ready", "ready; asked 3 times, again 10:16")]


def test_a_question_that_is_overdue_has_no_moment(world: Make) -> None:
    w = world(READY)
    w.to("10:10:00")
    w.answer("a", False)
    w.kill()
    w.go(minutes=5)
    assert waits(w) == [("ready", "ready; asked once")]


def test_the_last_question_comes_with_the_override(world: Make) -> None:
    w = world(READY + "override_after = 1 minute\n")
    w.to("10:10:00")
    w.answer("a", False)
    assert agreed(w) == [("ready", "ready; asked once, again 10:11")]


def test_a_retry_waits_for_its_moment(world: Make) -> None:
    w = world(TEN + "retries = 1\nretry_delay = 2 m\n")
    w.outcome = FAILED
    w.to("10:10:05")
    w.end("a")
    assert agreed(w) == [("retry", "retry at 10:12:05")]


def test_what_comes_due_during_a_hold_is_counted(world: Make) -> None:
    w = world(TEN)
    switching.hold(w.engine, w.now)
    w.go(minutes=31)
    assert agreed(w) == [("hold", "hold; 3 fires")]


def test_a_period_that_stands_still_names_the_run_that_failed(world: Make) -> None:
    w = world(REPORT)
    w.outcome = FAILED
    w.go(days=1, minutes=5)
    w.end("a")
    w.go(minutes=10)
    w.end("a")
    assert ("line", "line; the period 2026-11-19 failed in run 3") in agreed(w)


def test_places_and_runs_are_told(world: Make) -> None:
    pool = "pool = db\n"
    jobs = TEN + pool + TEN.replace("[a]", "[b]") + pool + "[c]" + TEN[3:] + "[d]" + TEN[3:]
    w = world(jobs + "[pool:db]\n")
    w.go(minutes=11)
    assert agreed(w) == [("pool:db", "pool db"), ("max_running", "max_running")]


def test_the_daemon_knows_best(world: Make) -> None:
    w = world(READY)
    w.to("10:11:00")
    assert waits(w, {1: "max_running"}) == [("max_running", "max_running")]


def test_a_fire_asked_for_later_does_not_wait_yet(world: Make) -> None:
    w = world(UP)
    w.engine.trigger("up", w.now, timedelta(minutes=5))
    assert agreed(w) == []
    w.kill()
    w.go(minutes=6)
    assert [gate for gate, _ in waits(w)] == ["max_running"]


# -- list and status ----------------------------------------------------------------------------


def test_a_waiting_job_shows_the_fire_that_waits(world: Make) -> None:
    w = world(UP + TEN + "after = up\n")
    w.go(minutes=15)
    found = line(w)
    assert (found.state, found.waiting_for, found.waiting_fire) == (
        "waiting",
        "after:up",
        at("10:10"),
    )
    assert found.next_fire == at("10:20")


def test_a_waiting_job_waits_also_while_no_daemon_is_up(world: Make) -> None:
    w = world(UP + TEN + "after = up\n")
    w.go(minutes=15)
    w.kill()
    assert (line(w).state, line(w).waiting_for) == ("waiting", "after:up")


def test_what_ran_when_the_daemon_died_is_not_said_to_run(world: Make) -> None:
    w = world(TEN)
    w.go(minutes=15)
    w.kill()
    assert line(w).state == "idle"


def test_a_job_that_runs_while_another_fire_waits_shows_its_next(world: Make) -> None:
    w = world(TEN + "overlap = queue\n")
    w.go(minutes=25)
    found = line(w)
    assert (found.state, found.waiting_for, found.waiting_fire) == ("running", "overlap", None)


def test_status_tells_what_waits_while_no_daemon_is_up(world: Make) -> None:
    w = world(UP + TEN + "after = up\n")
    w.go(minutes=15)
    w.kill()
    history = History(w.config.database)
    found = health(w.config, history, w.now, dict, lambda: False)
    history.close()
    assert (found.up, [one.gate for one in found.waiting]) == (False, ["after:up"])
