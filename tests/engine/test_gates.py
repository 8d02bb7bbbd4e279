"""Gates: what a fire passes before it starts, in their order, and what waiting for one does."""

from __future__ import annotations

from collections.abc import Callable
from datetime import timedelta

import pytest

from engine.world import World
from inisched.engine import switching
from inisched.model.run import Outcome, State
from inisched.stores.ledger import LedgerDown
from inisched.stores.switches import Mark

Make = Callable[[str], World]

MINUTE = timedelta(minutes=1)
FAILED = Outcome(state=State.FAILURE, exit_code=3)
UP = "[up]\ncommand = true\nevery = never\n"
DOWN = "[down]\ncommand = true\nevery = 10 minutes\nafter = up\n"
READY = "[a]\ncommand = true\nevery = 10 minutes\nready = data.are_in\nready_every = 2 minutes\n"
REPORT = "[a]\ncommand = true\nevery = day\nat = 10:10\nreport_period = day\n"


def ran(w: World, job: str) -> None:
    """The job is asked for, runs and ends, as `outcome` says."""
    w.engine.trigger(job, w.now, timedelta(0))
    w.end(job)


def reasons(w: World, job: str | None = None) -> list[tuple[str, str | None]]:
    return [(row["state"], row["reason"]) for row in w.rows(job)]


# -- after -------------------------------------------------------------------------------------


def test_a_fire_waits_for_the_job_it_follows(world: Make) -> None:
    w = world(UP + DOWN)
    w.go(minutes=10)
    assert w.started == []
    ran(w, "up")
    assert [name for name, _ in w.started] == ["up", "down"]


def test_an_end_before_its_last_start_does_not_count(world: Make) -> None:
    w = world(UP + DOWN)
    ran(w, "up")
    w.go(minutes=10)
    w.end("down")
    w.go(minutes=10)
    assert w.account("down") == ["10:10:00 success schedule", "10:20:00 waiting schedule"]


def test_a_job_that_never_ran_accepts_any_end(world: Make) -> None:
    w = world(UP + DOWN)
    ran(w, "up")
    w.go(minutes=10)
    assert w.account("down") == ["10:10:00 running schedule"]


def test_a_failure_does_not_open_the_gate(world: Make) -> None:
    w = world(UP + DOWN)
    w.go(minutes=10)
    w.outcome = FAILED
    ran(w, "up")
    assert w.account("down") == ["10:10:00 waiting schedule"]


def test_a_failure_opens_the_gate_of_a_job_that_asks_for_the_end_only(world: Make) -> None:
    w = world(UP + DOWN + "after_on = finished\n")
    w.go(minutes=10)
    w.outcome = FAILED
    ran(w, "up")
    assert w.account("down") == ["10:10:00 running schedule"]


def test_all_jobs_it_follows_must_have_run(world: Make) -> None:
    w = world(UP + UP.replace("[up]", "[other]") + DOWN.replace("after = up", "after = up, other"))
    w.go(minutes=10)
    ran(w, "up")
    assert w.account("down") == ["10:10:00 waiting schedule"]
    ran(w, "other")
    assert w.account("down") == ["10:10:00 running schedule"]


def test_a_newer_fire_takes_the_place_of_one_that_waits(world: Make) -> None:
    w = world(UP + DOWN)
    w.go(minutes=10)
    w.go(minutes=10)
    assert w.account("down") == ["10:10:00 skipped schedule", "10:20:00 waiting schedule"]
    assert reasons(w, "down")[0] == ("skipped", "coalesced")


def test_with_queue_the_first_that_waits_stays(world: Make) -> None:
    w = world(UP + DOWN + "overlap = queue\n")
    w.go(minutes=10)
    w.go(minutes=10)
    assert w.account("down") == ["10:10:00 waiting schedule", "10:20:00 to 10:20:00 overlap x1"]


def test_with_misfire_all_those_that_wait_stand_in_line(world: Make) -> None:
    w = world(UP + DOWN + "misfire = all\n")
    w.go(minutes=10)
    w.go(minutes=10)
    assert w.account("down") == ["10:10:00 waiting schedule", "10:20:00 waiting schedule"]


def test_waiting_longer_than_wait_limit_is_a_skip(world: Make) -> None:
    w = world(UP + DOWN + "wait_limit = 5 minutes\n")
    w.go(minutes=10)
    w.go(minutes=5)
    assert reasons(w, "down") == [("skipped", "dependency")]
    assert w.rows("down")[0]["message"] == "up did not succeed within 5 min"


def test_the_limit_counts_from_the_first_fire_that_waited(world: Make) -> None:
    w = world(UP + DOWN + "wait_limit = 15 minutes\n")
    w.go(minutes=10)
    w.go(minutes=10)
    w.go(minutes=5)
    assert reasons(w, "down") == [("skipped", "coalesced"), ("skipped", "dependency")]


def test_a_chain_goes_on_after_a_restart(world: Make) -> None:
    w = world(UP + DOWN)
    w.go(minutes=10)
    w.restart(seconds=5)
    ran(w, "up")
    assert w.account("down") == ["10:10:00 running schedule"]


def test_a_manual_run_ignores_the_gate(world: Make) -> None:
    w = world(UP + DOWN)
    w.engine.trigger("down", w.now, timedelta(0))
    assert [name for name, _ in w.started] == ["down"]


def test_a_future_job_need_not_have_run_before_the_first(world: Make) -> None:
    w = world(UP + DOWN.replace("after =", "after_future ="))
    w.go(minutes=10)
    w.end("down")
    w.go(minutes=10)
    assert w.account("down") == ["10:10:00 success schedule", "10:20:00 waiting schedule"]


def test_a_job_that_follows_itself_waits_for_its_own_success(world: Make) -> None:
    w = world("[a]\ncommand = true\nevery = 10 minutes\nafter_future = a\n")
    w.go(minutes=10)
    w.go(minutes=10)
    assert w.account("a") == ["10:10:00 running schedule", "10:20:00 waiting schedule"]
    w.end("a")
    assert w.account("a") == ["10:10:00 success schedule", "10:20:00 running schedule"]


# -- then --------------------------------------------------------------------------------------


def test_a_job_that_comes_after_starts_with_the_end(world: Make) -> None:
    w = world("[a]\ncommand = true\nevery = 10 minutes\nthen = up\n" + UP)
    w.go(minutes=10)
    w.end("a")
    assert w.account("up") == ["10:10:00 running then"]


def test_after_a_failure_nothing_comes_by_default(world: Make) -> None:
    w = world("[a]\ncommand = true\nevery = 10 minutes\nthen = up\n" + UP)
    w.outcome = FAILED
    w.go(minutes=10)
    w.end("a")
    assert w.account("up") == []


def test_a_failure_can_be_what_starts_another(world: Make) -> None:
    w = world("[a]\ncommand = true\nevery = 10 minutes\nthen = up\nthen_on = failure\n" + UP)
    w.outcome = FAILED
    w.go(minutes=10)
    w.end("a")
    assert w.account("up") == ["10:10:00 running then"]


def test_only_the_last_attempt_starts_another(world: Make) -> None:
    keys = "then = up\nthen_on = finished\nretries = 1\nretry_delay = 1 minute\n"
    w = world("[a]\ncommand = true\nevery = 10 minutes\n" + keys + UP)
    w.outcome = FAILED
    w.go(minutes=10)
    w.end("a")
    assert w.account("up") == []
    w.go(minutes=1)
    w.end("a")
    assert w.account("up") == ["10:11:00 running then"]


def test_what_comes_after_is_entered_with_the_end(world: Make) -> None:
    w = world("[a]\ncommand = true\nevery = 10 minutes\nthen = up\npool = one\n"
              + UP + "pool = one\n[pool:one]\n")  # fmt: skip
    w.go(minutes=10)
    w.engine.gates.held = True
    w.end("a")
    assert w.account("up") == ["10:10:00 waiting then"]
    w.restart(seconds=5)
    assert w.account("up") == ["10:10:00 running then"]


def test_an_inactive_job_does_not_come_after(world: Make) -> None:
    w = world("[a]\ncommand = true\nevery = 10 minutes\nthen = up\n" + UP + "active = no\n")
    w.go(minutes=10)
    w.end("a")
    assert reasons(w, "up") == [("skipped", "disabled")]


# -- ready -------------------------------------------------------------------------------------


def test_a_fire_waits_until_its_data_is_ready(world: Make) -> None:
    w = world(READY)
    w.go(minutes=10)
    w.answer("a", False)
    assert w.account() == ["10:10:00 waiting schedule"]
    w.go(minutes=2)
    w.answer("a", True)
    assert w.account() == ["10:10:00 running schedule"]
    assert w.asked == [("data.are_in", "10:10:00"), ("data.are_in", "10:10:00")]


def test_it_is_asked_again_every_so_often_and_not_before(world: Make) -> None:
    w = world(READY)
    w.go(minutes=10)
    w.answer("a", False)
    w.go(minutes=1, seconds=59)
    assert len(w.asked) == 1
    w.go(seconds=1)
    assert len(w.asked) == 2


def test_a_gate_without_an_answer_is_not_ready(world: Make) -> None:
    w = world(READY)
    w.go(minutes=10)
    w.answer("a", "ValueError: no")
    assert w.account() == ["10:10:00 waiting schedule"]


def test_overdue_it_is_asked_once_more_and_runs_in_any_case(world: Make) -> None:
    w = world(READY.replace("10 minutes", "day") + "override_after = 3 minutes\n")
    w.go(days=1)
    w.answer("a", False)
    w.go(minutes=2)
    w.answer("a", False)
    w.go(minutes=1)
    assert len(w.asked) == 3
    w.answer("a", False)
    (row,) = w.rows()
    assert (row["state"], row["override"]) == ("running", True)


def test_data_that_is_ready_at_the_last_moment_is_no_override(world: Make) -> None:
    w = world(READY.replace("10 minutes", "day") + "override_after = 1 minute\n")
    w.go(days=1)
    w.answer("a", False)
    w.go(minutes=1)
    w.answer("a", True)
    (row,) = w.rows()
    assert (row["state"], row["override"]) == ("running", False)


def test_the_limit_wins_where_it_comes_first(world: Make) -> None:
    w = world(READY + "override_after = 4 minutes\nwait_limit = 3 minutes\n")
    w.go(minutes=10)
    w.answer("a", False)
    w.go(minutes=3)
    assert reasons(w) == [("skipped", "not_ready")]


def test_the_override_wins_where_it_comes_first(world: Make) -> None:
    w = world(READY + "override_after = 3 minutes\nwait_limit = 4 minutes\n")
    w.go(minutes=10)
    w.answer("a", False)
    w.go(minutes=4)
    w.answer("a", False)
    assert w.rows()[0]["override"] is True


def test_how_often_it_was_asked_survives_a_restart(world: Make) -> None:
    w = world(READY)
    w.go(minutes=10)
    w.answer("a", False)
    w.restart(seconds=30)
    assert len(w.asked) == 1
    w.go(seconds=90)
    assert len(w.asked) == 2


# -- should_run --------------------------------------------------------------------------------

SHOULD = "[a]\ncommand = true\nevery = 10 minutes\nshould_run = rules.may\n"


def test_a_no_skips_the_fire(world: Make) -> None:
    w = world(SHOULD)
    w.go(minutes=10)
    w.answer("a", False)
    assert reasons(w) == [("skipped", "should_run")]


def test_a_yes_lets_it_run(world: Make) -> None:
    w = world(SHOULD)
    w.go(minutes=10)
    w.answer("a", True)
    assert w.account() == ["10:10:00 running schedule"]


def test_no_answer_lets_it_run(world: Make) -> None:
    w = world(SHOULD)
    w.go(minutes=10)
    w.answer("a", "ValueError: no")
    assert w.account() == ["10:10:00 running schedule"]


def test_what_is_asked_holds_its_place(world: Make) -> None:
    w = world(SHOULD + "pool = one\n[b]\ncommand = true\nevery = 10 minutes\npool = one\n"
              "[pool:one]\n")  # fmt: skip
    w.go(minutes=10)
    w.go(seconds=1)
    assert [name for name, _ in w.started] == ["b"]
    w.end("b")
    w.go(seconds=1)
    w.go(minutes=10)
    assert [name for name, _ in w.started] == ["b"]


def test_a_fire_that_comes_while_it_is_asked_meets_overlap(world: Make) -> None:
    w = world(SHOULD)
    w.go(minutes=10)
    w.go(minutes=10)
    assert w.account() == ["10:10:00 waiting schedule", "10:20:00 to 10:20:00 overlap x1"]


def test_a_run_is_replaced_only_once_should_run_agrees(world: Make) -> None:
    w = world(SHOULD + "overlap = replace\n")
    w.go(minutes=10)
    w.answer("a", True)
    w.go(minutes=10)
    assert w.told_to_end == []
    w.answer("a", True)
    assert w.told_to_end == [1]


def test_a_retry_is_not_asked_again(world: Make) -> None:
    w = world(SHOULD + "retries = 1\nretry_delay = 1 minute\n")
    w.outcome = FAILED
    w.go(minutes=10)
    w.answer("a", True)
    w.end("a")
    w.go(minutes=1)
    assert len(w.asked) == 1
    assert w.account() == ["10:10:00 failure schedule", "10:10:00 running retry"]


def test_a_no_that_cannot_be_recorded_is_asked_for_again(
    world: Make, monkeypatch: pytest.MonkeyPatch
) -> None:
    w = world(SHOULD)
    w.go(minutes=10)
    with monkeypatch.context() as down:
        down.setattr(w.ledger, "skip", _down)
        w.answer("a", False)
    w.go(seconds=2)
    assert (w.account(), len(w.asked)) == (["10:10:00 waiting schedule"], 2)
    w.answer("a", False)
    assert reasons(w) == [("skipped", "should_run")]


def _down(*_: object, **__: object) -> None:
    raise LedgerDown("database or disk is full")


# -- report_period -----------------------------------------------------------------------------


def periods(w: World) -> list[tuple[str, str]]:
    return [(row["period_end"][5:], row["state"]) for row in w.rows() if row["period_end"]]


def test_a_run_has_the_period_that_ended_the_day_before(world: Make) -> None:
    w = world(REPORT)
    w.go(minutes=10)
    assert periods(w) == [("11-19", "running")]


def test_a_backlog_is_worked_off_period_by_period(world: Make) -> None:
    w = world(REPORT)
    w.go(days=2, minutes=10)
    for _ in range(3):
        w.end("a")
    assert periods(w) == [("11-19", "success"), ("11-20", "success"), ("11-21", "success")]


def test_a_failed_period_stops_its_line(world: Make) -> None:
    w = world(REPORT)
    w.outcome = FAILED
    w.go(days=1, minutes=10)
    w.end("a")
    w.outcome = Outcome(state=State.SUCCESS)
    w.go(hours=1)
    assert periods(w) == [("11-19", "failure"), ("11-20", "waiting")]


def test_a_failed_period_is_tried_first_at_the_next_fire(world: Make) -> None:
    w = world(REPORT)
    w.outcome = FAILED
    w.go(minutes=10)
    w.end("a")
    w.outcome = Outcome(state=State.SUCCESS)
    w.go(days=1)
    assert periods(w) == [("11-19", "failure"), ("11-20", "waiting"), ("11-19", "running")]
    w.end("a")
    assert periods(w)[1:] == [("11-20", "running"), ("11-19", "success")]


def test_a_pass_tries_a_failed_period_without_a_new_fire(world: Make) -> None:
    w = world(REPORT)
    w.outcome = FAILED
    w.go(minutes=10)
    w.end("a")
    w.engine.try_failed_periods()
    w.go(hours=1)
    assert periods(w) == [("11-19", "failure"), ("11-19", "running")]


def test_a_failed_period_is_remembered_over_a_restart(world: Make) -> None:
    w = world(REPORT)
    w.outcome = FAILED
    w.go(days=1, minutes=10)
    w.end("a")
    w.restart(seconds=5)
    assert periods(w) == [("11-19", "failure"), ("11-20", "waiting")]


def test_a_cleared_period_lets_later_ones_go_on(world: Make) -> None:
    w = world(REPORT)
    w.outcome = FAILED
    w.go(days=1, minutes=10)
    w.end("a")
    switching.clear(w.engine, "a", w.now)
    assert periods(w) == [("11-19", "failure"), ("11-20", "running")]


def test_a_manual_run_has_the_period_of_the_last_fire(world: Make) -> None:
    w = world(REPORT)
    w.go(minutes=10)
    w.end("a")
    w.go(hours=3)
    w.engine.trigger("a", w.now, timedelta(0))
    assert periods(w) == [("11-19", "success"), ("11-19", "running")]


def test_a_manual_run_that_succeeds_mends_a_failed_period(world: Make) -> None:
    w = world(REPORT)
    w.outcome = FAILED
    w.go(days=1, minutes=10)
    w.end("a")
    w.outcome = Outcome(state=State.SUCCESS)
    ran(w, "a")
    assert periods(w) == [("11-19", "failure"), ("11-20", "running"), ("11-19", "success")]


# -- hold and pause ----------------------------------------------------------------------------

TEN = "[a]\ncommand = true\nevery = 10 minutes\n"


def held(w: World) -> None:
    switching.hold(w.engine, w.now)


def test_during_a_hold_what_comes_due_is_one_row_that_grows(world: Make) -> None:
    w = world(TEN)
    held(w)
    w.go(minutes=10)
    w.go(minutes=25)
    (row,) = w.rows()
    assert (row["state"], row["count"]) == ("waiting", 3)
    assert (row["fire_at"][11:16], row["fire_until"][11:16]) == ("10:10", "10:30")


def test_released_to_run_it_becomes_one_run_and_a_gap(world: Make) -> None:
    w = world(TEN)
    held(w)
    w.go(minutes=35)
    switching.release(w.engine, w.now, run=True)
    assert w.account() == ["10:10:00 to 10:20:00 coalesced x2", "10:30:00 running catchup"]


def test_released_to_run_all_of_them_do(world: Make) -> None:
    w = world(TEN + "misfire = all\n")
    held(w)
    w.go(minutes=35)
    switching.release(w.engine, w.now, run=True)
    assert w.account() == [
        "10:10:00 running catchup",
        "10:20:00 waiting catchup",
        "10:30:00 waiting catchup",
    ]


def test_released_to_run_skip_acts_as_coalesce(world: Make) -> None:
    w = world(TEN + "misfire = skip\n")
    held(w)
    w.go(minutes=25)
    switching.release(w.engine, w.now, run=True)
    assert w.account() == ["10:10:00 to 10:10:00 coalesced x1", "10:20:00 running catchup"]


def test_released_to_skip_it_becomes_a_gap(world: Make) -> None:
    w = world(TEN)
    held(w)
    w.go(minutes=35)
    switching.release(w.engine, w.now, run=False)
    assert w.account() == ["10:10:00 to 10:30:00 held x3"]


def test_what_runs_when_a_hold_begins_runs_on(world: Make) -> None:
    w = world(TEN)
    w.go(minutes=10)
    held(w)
    w.end("a")
    assert w.account() == ["10:10:00 success schedule"]


def test_a_retry_waits_for_the_release(world: Make) -> None:
    w = world(TEN + "retries = 1\nretry_delay = 1 minute\n")
    w.outcome = FAILED
    w.go(minutes=10)
    w.end("a")
    held(w)
    w.go(minutes=2)
    assert len(w.started) == 1
    switching.release(w.engine, w.now, run=True)
    assert len(w.started) == 2


def test_the_fires_of_a_pause_are_gaps(world: Make) -> None:
    w = world(TEN)
    switching.pause(w.engine, "a", w.now + timedelta(minutes=20), w.now)
    w.go(minutes=10)
    w.go(minutes=10)
    assert w.account() == ["10:10:00 to 10:10:00 paused x1", "10:20:00 running schedule"]


def test_a_pause_that_ended_unseen_covers_its_fires_and_no_more(world: Make) -> None:
    w = world(TEN)
    switching.pause(w.engine, "a", w.now + timedelta(minutes=25), w.now)
    w.go(minutes=41)
    assert w.account() == [
        "10:10:00 to 10:20:00 paused x2",
        "10:30:00 running catchup",
        "10:40:00 waiting schedule",
    ]


def test_a_resumed_job_goes_on_at_its_next_fire(world: Make) -> None:
    w = world(TEN)
    switching.pause(w.engine, "a", w.now + timedelta(days=1), w.now)
    w.go(minutes=15)
    switching.resume(w.engine, "a", w.now)
    w.go(minutes=5)
    assert w.account() == ["10:10:00 to 10:10:00 paused x1", "10:20:00 running schedule"]


def test_a_hold_of_before_starts_nothing_when_a_daemon_begins(world: Make) -> None:
    w = world(TEN)
    w.ledger.switches.hold(Mark("ann", w.now))
    held(w)
    w.go(minutes=10)
    w.restart(minutes=25)
    assert w.started == []
    (row,) = w.rows()
    assert (row["state"], row["count"]) == ("waiting", 3)


def test_a_pause_thrown_without_a_daemon_leaves_what_came_due_before_it(world: Make) -> None:
    w = world(TEN)
    w.ledger.switches.pause("a", w.now + timedelta(minutes=45), Mark("ann", w.now + 15 * MINUTE))
    w.restart(minutes=50)
    assert w.account() == [
        "10:20:00 to 10:40:00 paused x3",
        "10:10:00 running catchup",
        "10:50:00 waiting schedule",
    ]


def test_a_failed_period_whose_retry_was_stopped_is_tried_again(world: Make) -> None:
    w = world(REPORT)
    w.outcome = FAILED
    w.go(minutes=10)
    w.end("a")
    w.go(days=1)
    w.engine.stop(next(iter(w.engine.runs)), "ann")
    w.end("a")
    w.go(days=1)
    assert [row["attempt"] for row in w.rows() if row["period_end"] == "2026-11-19"] == [1, 2, 3]


def test_a_fire_that_is_stopped_while_it_is_asked_is_not_in_the_way(world: Make) -> None:
    w = world(SHOULD)
    w.go(minutes=10)
    w.engine.stop(1, "ann")
    w.go(minutes=10)
    assert [row["state"] for row in w.rows()] == ["stopped", "waiting"]
    assert len(w.asked) == 2


def test_a_full_line_keeps_what_a_person_asked_for(world: Make) -> None:
    w = world(UP + DOWN + "misfire = all\nmax_catchup = 1\noverlap = allow\n")
    w.go(minutes=10)
    w.engine.gates.max_running = 0
    w.engine.trigger("down", w.now, timedelta(0))
    w.go(minutes=10)
    assert w.account("down") == [
        "10:10:00 skipped schedule",
        "10:10:00 waiting manual",
        "10:20:00 waiting schedule",
    ]


def test_a_held_row_takes_the_moment_of_a_fire_somebody_asked_for(world: Make) -> None:
    w = world(TEN)
    w.engine.trigger("a", w.now, timedelta(minutes=10))
    held(w)
    w.go(minutes=10)
    assert {row["trigger"]: row["fire_at"][14:] for row in w.rows()} == {
        "manual": "10:00.001Z",
        "schedule": "10:00Z",
    }
