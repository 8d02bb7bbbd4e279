"""`why` of fires that wait at a gate, were turned away there, or came after another job."""

from __future__ import annotations

from collections.abc import Callable
from datetime import timedelta

from inisched.engine import switching
from inisched.model.run import Outcome, State
from questions.watched import Watched

Make = Callable[[str], Watched]

TEN = "[a]\ncommand = true\nevery = 10 minutes\n"
UP = "[up]\ncommand = true\nevery = never\n"
OTHER = "[other]\ncommand = true\nevery = never\n"
READY = TEN + "ready = reports.sales_are_in\nready_every = 2 minutes\n"
REPORT = "[a]\ncommand = true\nevery = day\nat = 10:10\nreport_period = day\n"
FAILED = Outcome(state=State.FAILURE, exit_code=3)


def ran(w: Watched, job: str) -> None:
    """The job is asked for, runs and ends, as `outcome` says."""
    w.engine.trigger(job, w.now, timedelta(0))
    w.end(job)


# -- data ---------------------------------------------------------------------------------------


def test_data_that_is_not_there_is_waited_for(world: Make) -> None:
    w = world(
        REPORT + "ready = reports.sales_are_in\nready_every = 20 minutes\noverride_after = 2 days\n"
    )
    w.to("10:10:00")
    w.answer("a", False)
    w.to("10:30:00")
    w.answer("a", False)
    answer = w.ask()
    assert answer.tale.text == [
        "a at 10:10: waiting for its data (reports.sales_are_in says no, last asked 10:30) "
        "for the period 2026-11-19.",
        "It runs in any case at Sun 10:10.",
    ]
    assert (answer.tale.verdict, answer.tale.reason) == ("waiting", "ready")


def test_a_gate_without_an_answer_is_told_with_its_fault(world: Make) -> None:
    w = world(READY)
    w.to("10:10:00")
    w.answer("a", "ValueError: no such table")
    assert w.why() == (
        "a at 10:10: waiting for its data "
        "(reports.sales_are_in gave no answer: ValueError: no such table; last asked 10:10)."
    )


def test_an_answer_after_all_takes_the_fault_back(world: Make) -> None:
    w = world(READY)
    w.to("10:10:00")
    w.answer("a", "ValueError: no such table")
    w.to("10:12:00")
    w.answer("a", False)
    assert "(reports.sales_are_in says no, last asked 10:12)" in w.why()


def test_a_fault_of_its_gate_does_not_stay_with_the_run(world: Make) -> None:
    w = world(READY + "override_after = 1 minute\n")
    w.to("10:10:00")
    w.answer("a", "ValueError: no such table")
    w.to("10:11:00")
    w.answer("a", "ValueError: no such table")
    assert [(row["state"], row["message"]) for row in w.rows()] == [("running", "")]


def test_until_when_it_waits_is_told(world: Make) -> None:
    w = world(READY + "wait_limit = 9 minutes\n")
    w.to("10:10:00")
    w.answer("a", False)
    assert w.why().endswith("It gives up at 10:19 (wait_limit = 9 min).")


def test_data_that_did_not_come_in_time_is_why_it_was_skipped(world: Make) -> None:
    w = world(READY + "wait_limit = 5 minutes\n")
    w.to("10:10:00")
    for clock in ("10:12:00", "10:14:00", "10:15:00"):
        w.answer("a", False)
        w.to(clock)
    answer = w.ask("10:10")
    assert answer.tale.text == ["a at 10:10: skipped for its data was not ready within 5 min."]
    assert (answer.tale.verdict, answer.tale.reason) == ("skipped", "not_ready")


def test_a_run_without_its_data_says_so(world: Make) -> None:
    w = world(READY + "override_after = 1 minute\n")
    w.to("10:10:00")
    w.answer("a", False)
    w.to("10:11:00")
    w.answer("a", False)
    w.go(seconds=4)
    w.end("a")
    assert w.why() == (
        "a at 10:10: success in run 1, although its data was not ready. "
        "It started at 10:11, 1 min late, and took 4 s. It waited 1 min for its turn."
    )


# -- jobs it follows ----------------------------------------------------------------------------


def test_a_job_that_never_ran_since_the_last_start_is_waited_for(world: Make) -> None:
    w = world(UP + TEN + "after = up\n")
    ran(w, "up")
    w.to("10:10:00")
    w.end("a")
    w.to("10:20:00")
    answer = w.ask()
    assert answer.tale.text == ["a at 10:20: waiting for up (no success since 10:10)."]
    assert (answer.tale.verdict, answer.tale.reason) == ("waiting", "after:up")


def test_what_a_job_that_never_ran_waits_for_is_told(world: Make) -> None:
    w = world(UP + OTHER + TEN + "after = up, other\nafter_on = finished\n")
    w.to("10:10:00")
    assert w.why() == "a at 10:10: waiting for up and other (no end yet)."


def test_an_inactive_job_that_is_waited_for_is_named(world: Make) -> None:
    w = world(UP + "active = no\n" + TEN + "after = up\nwait_limit = 8 m\n")
    w.to("10:10:00")
    assert w.why() == (
        "a at 10:10: waiting for up (no success yet). "
        "up is inactive (active = no), and runs only if somebody asks for it. "
        "It gives up at 10:18 (wait_limit = 8 min)."
    )


def test_a_broken_job_that_is_waited_for_is_named(world: Make) -> None:
    w = world("[up]\nevery = day\n" + TEN + "after = up\n")
    w.to("10:10:00")
    assert w.why() == (
        "a at 10:10: waiting for up (no success yet). "
        "up is broken in the file: see inisched validate."
    )


def test_a_job_that_is_waited_for_and_runs_is_said_to(world: Make) -> None:
    w = world(UP + TEN + "after = up\n")
    w.to("10:10:00")
    w.engine.trigger("up", w.now, timedelta(0))
    w.go(minutes=2)
    assert w.why().endswith("up is running since 10:10 (run 2).")


def test_a_job_that_did_not_succeed_in_time_is_why_it_was_skipped(world: Make) -> None:
    w = world(UP + TEN + "after = up\nwait_limit = 5 minutes\n")
    w.to("10:16:00")
    answer = w.ask("10:10")
    assert answer.tale.text == ["a at 10:10: skipped for up did not succeed within 5 min."]
    assert (answer.tale.verdict, answer.tale.reason) == ("skipped", "dependency")


# -- periods ------------------------------------------------------------------------------------


def test_a_period_that_failed_is_waited_for(world: Make) -> None:
    w = world(REPORT)
    w.outcome = FAILED
    w.go(days=1, minutes=10)
    w.end("a")
    answer = w.ask("2026-11-21T10:10")
    assert answer.tale.text == [
        "a at 10:10: waiting for the period 2026-11-19, which failed in run 1, to succeed "
        "(inisched clear a lets it go on).",
        "Its own is the period 2026-11-20.",
        "The failed one is tried again at the next fire, Sun 10:10.",
    ]
    assert (answer.tale.verdict, answer.tale.reason) == ("waiting", "line")


def test_a_run_tells_its_period(world: Make) -> None:
    w = world(REPORT.replace("report_period = day", "report_period = week"))
    w.to("10:10:00")
    w.go(seconds=4)
    w.end("a")
    assert w.why().startswith(
        "a at 10:10: success in run 1 for the period 2026-11-13 to 2026-11-19."
    )


# -- after another job --------------------------------------------------------------------------


def test_a_run_after_another_names_it(world: Make) -> None:
    w = world(TEN + "then = up\n" + UP)
    w.to("10:10:00")
    w.go(seconds=4)
    w.end("a")
    w.go(seconds=3)
    w.end("up")
    assert w.why(job="up") == (
        "up at 10:10:04: success in run 2, after run 1 of a. It started on time and took 3 s."
    )


def test_a_job_that_is_inactive_does_not_come_after(world: Make) -> None:
    w = world(TEN + "then = up\n" + UP + "active = no\n")
    w.to("10:10:00")
    w.end("a")
    assert w.why("10:10", job="up") == (
        "up at 10:10: skipped for the job was switched off in the file."
    )


# -- should_run, hold and pause -----------------------------------------------------------------


def test_a_no_of_should_run_names_the_gate(world: Make) -> None:
    w = world(TEN + "should_run = rules.is_workday\n")
    w.to("10:10:00")
    w.answer("a", False)
    assert w.why() == "a at 10:10: skipped for rules.is_workday (should_run) said no."


def test_what_waits_for_the_release_is_told_with_how_much(world: Make) -> None:
    w = world(TEN)
    switching.hold(w.engine, w.now)
    w.go(minutes=31)
    assert w.why("10:10") == "a at 10:10: waiting for the release of the hold, with 3 fires."


def test_the_fires_of_a_hold_that_were_let_go_say_so(world: Make) -> None:
    w = world(TEN)
    switching.hold(w.engine, w.now)
    w.go(minutes=31)
    switching.release(w.engine, w.now, run=False)
    assert w.why("10:20") == "a at 10:20: skipped for all jobs were on hold."


def test_the_fires_of_a_pause_say_so(world: Make) -> None:
    w = world(TEN)
    switching.pause(w.engine, "a", w.now + timedelta(minutes=15), w.now)
    w.to("10:16:00")
    assert w.why("10:10") == "a at 10:10: skipped for the job was paused."
