"""What the engine does with fires: takes them up once, starts them, and accounts for each."""

from __future__ import annotations

from collections.abc import Callable
from datetime import timedelta

import pytest

from engine.world import START, World
from inisched.model.run import Outcome, State
from inisched.stores.ledger import LedgerDown

Make = Callable[[str], World]

TEN = "[a]\ncommand = true\nevery = 10 minutes\n"


# -- rhythm ------------------------------------------------------------------------------------


def test_before_the_first_look_nothing_has_come_due(world: Make) -> None:
    assert world(TEN).account() == []


def test_an_interval_first_fires_one_interval_after_the_first_look(world: Make) -> None:
    w = world(TEN)
    w.go(minutes=9, seconds=59)
    assert w.started == []
    w.go(seconds=1)
    assert w.started == [("a", "10:10:00")]


def test_a_line_of_runs_that_end_at_once_is_worked_off_at_once(world: Make) -> None:
    w = world(TEN + "misfire = all\n")
    w.outcome = OSError(11, "no process to be had")
    w.go(minutes=45)
    assert [row["state"] for row in w.rows()] == ["failure"] * 4


def test_the_rhythm_does_not_slide_with_late_looks(world: Make) -> None:
    w = world(TEN)
    for late in (7, 3, 11):
        w.go(minutes=10, seconds=late)
        w.end("a")
        w.now -= timedelta(seconds=late)
    assert w.started == [("a", "10:10:00"), ("a", "10:20:00"), ("a", "10:30:00")]


def test_a_restart_keeps_the_rhythm(world: Make) -> None:
    w = world(TEN)
    w.restart(minutes=7)
    w.go(minutes=3)
    assert w.started == [("a", "10:10:00")]


def test_a_fire_is_not_taken_up_twice_across_a_restart(world: Make) -> None:
    w = world(TEN)
    w.go(minutes=10)
    w.end("a")
    w.restart(seconds=1)
    assert w.account() == ["10:10:00 success schedule"]


def test_another_spelling_of_the_same_schedule_keeps_the_rhythm(world: Make) -> None:
    w = world(TEN)
    w.go(minutes=4)
    w.reload(TEN.replace("10 minutes", "600 seconds"))
    w.go(minutes=6)
    assert w.started == [("a", "10:10:00")]


def test_a_changed_schedule_starts_afresh(world: Make) -> None:
    w = world(TEN)
    w.go(minutes=4)
    w.reload(TEN.replace("10 minutes", "7 minutes"))
    w.go(minutes=7)
    assert w.started == [("a", "10:11:00")]


def test_an_active_from_in_the_past_makes_a_backlog_for_a_new_job(world: Make) -> None:
    w = world(TEN + "active_from = 2026-11-20 09:30\n")
    w.end("a")
    assert w.account() == [
        "09:30:00 to 09:40:00 coalesced x2",
        "09:50:00 success catchup",
        "10:00:00 running schedule",
    ]


def test_an_active_from_in_the_past_makes_no_backlog_for_a_known_job(world: Make) -> None:
    w = world(TEN)
    w.go(minutes=4)
    w.reload(TEN + "active_from = 2026-11-20 09:30\n")
    w.go(minutes=5)
    assert w.account() == []
    w.go(minutes=1)
    assert w.started == [("a", "10:10:00")]


def test_from_end_counts_from_the_end_of_the_run(world: Make) -> None:
    w = world(TEN + "from_end = yes\n")
    w.go(minutes=10)
    w.now += timedelta(minutes=7)
    w.end("a")
    w.go(minutes=9, seconds=59)
    assert w.started == [("a", "10:10:00")]
    w.go(seconds=1)
    assert w.started == [("a", "10:10:00"), ("a", "10:27:00")]


def test_from_end_survives_a_restart(world: Make) -> None:
    w = world(TEN + "from_end = yes\n")
    w.go(minutes=12)
    w.end("a")
    w.restart(minutes=5)
    w.go(minutes=5)
    assert w.started[-1] == ("a", "10:22:00")


def test_a_job_that_is_never_due_is_never_started(world: Make) -> None:
    w = world("[a]\ncommand = true\nevery = never\n")
    w.go(days=400)
    assert w.account() == []


def test_an_inactive_job_has_no_fires_and_no_rows(world: Make) -> None:
    w = world(TEN + "active = no\n")
    w.go(days=1)
    assert w.account() == []


# -- late --------------------------------------------------------------------------------------


def test_a_fire_taken_up_exactly_grace_late_is_on_time(world: Make) -> None:
    w = world(TEN)
    w.go(minutes=11)
    assert w.account() == ["10:10:00 running schedule"]


def test_a_fire_taken_up_later_than_grace_is_a_catch_up(world: Make) -> None:
    w = world(TEN)
    w.go(minutes=11, seconds=1)
    assert w.account() == ["10:10:00 running catchup"]


def test_misfires_are_coalesced_into_the_latest(world: Make) -> None:
    w = world(TEN)
    w.restart(minutes=45)
    assert w.account() == ["10:10:00 to 10:30:00 coalesced x3", "10:40:00 running catchup"]


def test_a_coalesced_gap_names_the_run_it_went_into(world: Make) -> None:
    w = world(TEN)
    w.restart(minutes=45)
    assert [row["message"] for row in w.rows()] == ["coalesced into run 2", ""]


def test_a_fire_within_grace_runs_beside_the_catch_up_and_after_it(world: Make) -> None:
    w = world(TEN)
    w.restart(minutes=40, seconds=30)
    w.end("a")
    assert w.started == [("a", "10:30:00"), ("a", "10:40:00")]


def test_skip_makes_one_gap_of_all_misfires(world: Make) -> None:
    w = world(TEN + "misfire = skip\n")
    w.restart(minutes=45)
    assert w.account() == ["10:10:00 to 10:40:00 misfire x4"]


def test_all_runs_each_misfire_one_after_the_other_oldest_first(world: Make) -> None:
    w = world(TEN + "misfire = all\n")
    w.restart(minutes=35)
    assert w.started == [("a", "10:10:00")]
    w.end("a")
    w.end("a")
    w.end("a")
    assert w.started == [("a", "10:10:00"), ("a", "10:20:00"), ("a", "10:30:00")]


def test_beyond_max_catchup_the_oldest_are_one_gap(world: Make) -> None:
    w = world(TEN + "misfire = all\nmax_catchup = 2\n")
    w.restart(minutes=65)
    assert w.account() == [
        "10:10:00 to 10:40:00 misfire x4",
        "10:50:00 running catchup",
        "11:00:00 waiting catchup",
    ]


def test_a_restart_loop_causes_one_catch_up_in_all(world: Make) -> None:
    w = world(TEN)
    w.restart(minutes=45)
    for _ in range(5):
        w.restart(seconds=1)
    catch_ups = [row for row in w.rows() if row["trigger"] == "catchup"]
    assert len(catch_ups) == 1


# -- overlap -----------------------------------------------------------------------------------


def test_fires_that_meet_their_own_run_are_one_growing_gap(world: Make) -> None:
    w = world(TEN)
    for _ in range(4):
        w.go(minutes=10)
    assert w.account() == ["10:10:00 running schedule", "10:20:00 to 10:40:00 overlap x3"]


def test_a_new_run_ends_the_growth_of_a_gap(world: Make) -> None:
    w = world(TEN)
    w.go(minutes=10)
    w.go(minutes=10)
    w.end("a")
    w.go(minutes=10)
    w.go(minutes=10)
    assert w.account() == [
        "10:10:00 success schedule",
        "10:20:00 to 10:20:00 overlap x1",
        "10:30:00 running schedule",
        "10:40:00 to 10:40:00 overlap x1",
    ]


# -- places ------------------------------------------------------------------------------------

THREE = "".join(f"[{name}]\ncommand = true\nevery = 10 minutes\n" for name in "abc")


def test_no_more_than_max_running_run_together(world: Make) -> None:
    w = world(THREE)
    w.go(minutes=10)
    assert w.started == [("a", "10:10:00"), ("b", "10:10:00")]
    assert w.account("c") == ["10:10:00 waiting schedule"]


def test_a_waiting_fire_starts_when_a_place_is_free(world: Make) -> None:
    w = world(THREE)
    w.go(minutes=10)
    w.end("a")
    assert w.account("c") == ["10:10:00 running schedule"]


def test_waiting_never_makes_a_misfire(world: Make) -> None:
    w = world(THREE)
    w.go(minutes=10)
    w.now += timedelta(minutes=9)
    w.end("a")
    assert w.account("c") == ["10:10:00 running schedule"]


def test_a_newer_fire_takes_the_place_of_a_waiting_one(world: Make) -> None:
    w = world(THREE)
    w.go(minutes=10)
    w.go(minutes=10)
    rows = w.rows("c")
    assert [(r["state"], r["reason"], r["message"]) for r in rows] == [
        ("skipped", "coalesced", f"coalesced into run {rows[1]['id']}"),
        ("waiting", None, ""),
    ]


def test_waiting_fires_survive_a_restart(world: Make) -> None:
    w = world(THREE)
    w.go(minutes=10)
    w.restart(seconds=1)
    assert w.started[-1] == ("c", "10:10:00")


# -- starting and ending -----------------------------------------------------------------------


def test_a_run_that_cannot_be_started_is_a_failure_that_says_why(world: Make) -> None:
    w = world(TEN)
    w.outcome = OSError(11, "Resource temporarily unavailable")
    w.go(minutes=10)
    (row,) = w.rows()
    assert row["state"] == "failure"
    assert row["message"] == "could not start: Resource temporarily unavailable"


def test_one_failing_job_does_not_keep_another_from_its_time(world: Make) -> None:
    w = world(THREE)
    w.outcome = OSError(2, "No such file or directory")
    w.go(minutes=10)
    assert [row["job"] for row in w.rows()] == ["a", "b", "c"]


def test_a_run_that_was_stopped_says_by_whom(world: Make) -> None:
    w = world(TEN)
    w.go(minutes=10)
    for run in w.engine.runs.values():
        run.stopped = "stopped by the daemon's end"
    w.end("a")
    (row,) = w.rows()
    assert (row["state"], row["message"]) == ("stopped", "stopped by the daemon's end")


def test_what_a_dead_daemon_left_running_is_interrupted(world: Make) -> None:
    w = world(TEN)
    w.go(minutes=10)
    w.restart(seconds=5)
    (row,) = w.rows()
    assert row["state"] == "interrupted"
    assert row["message"] == "the daemon died during this run (back 10:10:05)"


def test_an_interrupted_fire_is_not_carried_out_again(world: Make) -> None:
    w = world(TEN)
    w.go(minutes=10)
    w.restart(seconds=5)
    w.go(minutes=1)
    assert w.started == [("a", "10:10:00")]


def test_a_job_with_run_at_start_has_a_fire_at_each_start_of_the_daemon(world: Make) -> None:
    w = world("[a]\ncommand = true\nevery = never\nrun_at_start = yes\n")
    w.end("a")
    w.restart(minutes=1)
    assert w.account() == ["10:00:00 success start", "10:01:00 running start"]


def test_a_reload_is_no_start(world: Make) -> None:
    w = world("[a]\ncommand = true\nevery = never\nrun_at_start = yes\n")
    w.end("a")
    w.reload("[a]\ncommand = false\nevery = never\nrun_at_start = yes\n")
    w.go(seconds=1)
    assert w.account() == ["10:00:00 success start"]


# -- reload ------------------------------------------------------------------------------------


def test_a_running_job_runs_on_when_it_is_removed(world: Make) -> None:
    w = world(TEN)
    w.go(minutes=10)
    w.reload("")
    w.end("a")
    assert w.account() == ["10:10:00 success schedule"]


def test_a_removed_job_that_waits_is_skipped_as_removed(world: Make) -> None:
    w = world(THREE)
    w.go(minutes=10)
    w.reload(THREE.replace("[c]\ncommand = true\nevery = 10 minutes\n", ""))
    (row,) = w.rows("c")
    assert (row["state"], row["reason"]) == ("skipped", "removed")


def test_a_job_changed_while_it_runs_still_meets_its_run(world: Make) -> None:
    w = world(TEN)
    w.go(minutes=10)
    w.reload(TEN.replace("true", "false"))
    w.go(minutes=10)
    assert w.account() == ["10:10:00 running schedule", "10:20:00 to 10:20:00 overlap x1"]


@pytest.mark.parametrize("meanwhile", ["", TEN + "active = no\n"], ids=["removed", "inactive"])
def test_a_stretch_out_of_the_file_or_inactive_has_no_fires(world: Make, meanwhile: str) -> None:
    w = world(TEN + "misfire = all\n")
    w.reload(meanwhile)
    w.go(minutes=65)
    w.reload(TEN + "misfire = all\n")
    w.go(minutes=5)
    assert w.account() == ["11:10:00 running schedule"]


def test_such_a_stretch_has_no_fires_across_a_restart_either(world: Make) -> None:
    w = world(TEN + "misfire = all\n")
    w.reload("")
    w.restart(minutes=65)
    w.write(TEN + "misfire = all\n")
    w.restart(minutes=1)
    w.go(minutes=4)
    assert w.account() == ["11:10:00 running schedule"]


def test_an_inactive_jobs_waiting_fire_is_skipped_as_disabled(world: Make) -> None:
    w = world(THREE)
    w.go(minutes=10)
    w.reload(THREE + "active = no\n")
    (row,) = w.rows("c")
    assert (row["state"], row["reason"]) == ("skipped", "disabled")


# -- a ledger that cannot be written -----------------------------------------------------------


def test_what_cannot_be_recorded_is_not_started(
    world: Make, monkeypatch: pytest.MonkeyPatch
) -> None:
    w = world(TEN)
    with monkeypatch.context() as down:
        down.setattr(w.ledger, "claim", _down)
        w.go(minutes=10)
    assert w.started == []


def test_it_is_started_when_the_ledger_can_be_written_again(
    world: Make, monkeypatch: pytest.MonkeyPatch
) -> None:
    w = world(TEN)
    with monkeypatch.context() as down:
        down.setattr(w.ledger, "claim", _down)
        w.go(minutes=10)
    assert w.engine.due == w.now + timedelta(seconds=1)
    w.go(seconds=1)
    assert w.started == [("a", "10:10:00")]


def test_an_end_that_cannot_be_recorded_is_recorded_later(
    world: Make, monkeypatch: pytest.MonkeyPatch
) -> None:
    w = world(TEN)
    w.go(minutes=10)
    w.now = START + timedelta(minutes=10, seconds=3)
    with monkeypatch.context() as down:
        down.setattr(w.ledger, "finish_all", _down)
        w.end("a")
    w.go(seconds=9)
    (row,) = w.rows()
    assert (row["state"], row["duration_s"]) == ("success", 3.0)


def _down(*_: object, **__: object) -> None:
    raise LedgerDown("database or disk is full")


def test_a_failure_counts_for_the_exit_code_of_once(world: Make) -> None:
    w = world(TEN)
    w.outcome = Outcome(state=State.FAILURE, exit_code=3)
    w.go(minutes=10)
    w.end("a")
    assert len(w.engine.failed) == 1


# -- overlap = queue, replace, allow -----------------------------------------------------------


def test_queue_lets_one_fire_wait_and_skips_the_later_ones(world: Make) -> None:
    w = world(TEN + "overlap = queue\n")
    for _ in range(4):
        w.go(minutes=10)
    assert w.account() == [
        "10:10:00 running schedule",
        "10:20:00 waiting schedule",
        "10:30:00 to 10:40:00 overlap x2",
    ]
    w.end("a")
    assert w.started[-1] == ("a", "10:20:00")


def test_replace_stops_the_run_before_and_starts_when_it_is_gone(world: Make) -> None:
    w = world(TEN + "overlap = replace\n")
    w.go(minutes=10)
    w.go(minutes=10)
    assert w.told_to_end == [1]
    assert w.started == [("a", "10:10:00")]
    w.end("a")
    rows = w.rows()
    assert (rows[0]["state"], rows[0]["reason"], rows[0]["message"]) == (
        "stopped",
        "replaced",
        "replaced by run 2",
    )
    assert w.started[-1] == ("a", "10:20:00")


def test_replace_waits_until_every_other_gate_is_open(world: Make) -> None:
    w = world(
        "[pool:db]\n"
        "[a]\ncommand = true\nevery = 10 minutes\noverlap = replace\n"
        "[b]\ncommand = true\nevery = 10 minutes\npool = db\n"
        "[c]\ncommand = true\nevery = 10 minutes\npool = db\noverlap = replace\n"
    )
    w.go(minutes=10)
    assert w.started == [("a", "10:10:00"), ("b", "10:10:00")]
    w.go(minutes=10)
    assert w.told_to_end == [1]


def test_allow_starts_beside_the_run_before(world: Make) -> None:
    w = world(TEN + "overlap = allow\n")
    w.go(minutes=10)
    w.go(minutes=10)
    assert w.account() == ["10:10:00 running schedule", "10:20:00 running schedule"]


def test_fires_of_one_look_run_one_after_the_other_whatever_overlap_says(world: Make) -> None:
    w = world(TEN + "overlap = allow\n")
    w.restart(minutes=40, seconds=30)
    assert w.started == [("a", "10:30:00")]
    w.end("a")
    assert w.started == [("a", "10:30:00"), ("a", "10:40:00")]


def test_at_most_one_newer_fire_waits_behind_a_line(world: Make) -> None:
    w = world(THREE + TEN.replace("[a]", "[z]") + "overlap = allow\n")
    w.restart(minutes=40, seconds=30)
    for _ in range(5):
        w.go(minutes=10)
    assert [row["state"] for row in w.rows("z")].count("waiting") == 3


# -- pools -------------------------------------------------------------------------------------

POOLED = "[pool:db]\nwait = 3 minutes\n" + "".join(
    f"[{name}]\ncommand = true\nevery = 10 minutes\npool = db\n" for name in "ab"
)


def test_jobs_of_a_pool_share_its_places(world: Make) -> None:
    w = world(POOLED)
    w.go(minutes=10)
    assert w.started == [("a", "10:10:00")]
    w.end("a")
    assert w.started[-1] == ("b", "10:10:00")


def test_a_fire_that_waits_too_long_for_a_pool_is_skipped(world: Make) -> None:
    w = world(POOLED)
    w.go(minutes=10)
    assert w.engine.due == START + timedelta(minutes=13)
    w.go(minutes=3)
    (row,) = w.rows("b")
    assert (row["state"], row["reason"], row["message"]) == (
        "skipped",
        "pool",
        "no place in the pool within 3 min",
    )


# -- retries -----------------------------------------------------------------------------------

TRIED = TEN + "retries = 2\nretry_delay = 30 s\n"
FAILED = Outcome(state=State.FAILURE, exit_code=1)


def test_a_failed_run_is_tried_again_after_its_delay(world: Make) -> None:
    w = world(TRIED)
    w.outcome = FAILED
    w.go(minutes=10)
    w.end("a")
    w.go(seconds=29)
    assert len(w.started) == 1
    w.go(seconds=1)
    assert w.account() == ["10:10:00 failure schedule", "10:10:00 running retry"]


def test_each_pause_is_longer_than_the_one_before(world: Make) -> None:
    w = world(TRIED)
    w.outcome = FAILED
    w.go(minutes=10)
    w.end("a")
    w.go(seconds=30)
    w.end("a")
    assert w.engine.due == w.now + timedelta(seconds=60)


def test_after_its_last_attempt_a_fire_is_over(world: Make) -> None:
    w = world(TRIED)
    w.outcome = FAILED
    w.go(minutes=10)
    w.end("a")
    w.go(seconds=30)
    w.end("a")
    w.go(seconds=60)
    w.end("a")
    assert [(row["attempt"], row["state"]) for row in w.rows()] == [
        (1, "failure"),
        (2, "failure"),
        (3, "failure"),
    ]
    assert len(w.engine.failed) == 1


def test_a_pending_retry_counts_as_running_for_overlap(world: Make) -> None:
    w = world(TEN.replace("10 minutes", "20 seconds") + "retries = 1\nretry_delay = 30 s\n")
    w.outcome = FAILED
    w.go(seconds=20)
    w.end("a")
    w.go(seconds=20)
    assert w.account() == [
        "10:00:20 failure schedule",
        "10:00:20 waiting retry",
        "10:00:40 to 10:00:40 overlap x1",
    ]


def test_a_pending_retry_survives_a_restart(world: Make) -> None:
    w = world(TRIED)
    w.outcome = FAILED
    w.go(minutes=10)
    w.end("a")
    w.restart(seconds=10)
    assert len(w.started) == 1
    w.go(seconds=20)
    assert w.account() == ["10:10:00 failure schedule", "10:10:00 running retry"]


def test_replace_cancels_a_pending_retry(world: Make) -> None:
    w = world(TRIED + "overlap = replace\n")
    w.outcome = FAILED
    w.go(minutes=9, seconds=50)
    w.go(seconds=10)
    w.now += timedelta(minutes=9, seconds=45)
    w.end("a")
    w.go(seconds=15)
    assert [(row["state"], row["reason"], row["attempt"]) for row in w.rows()] == [
        ("failure", None, 1),
        ("stopped", "replaced", 2),
        ("running", None, 1),
    ]


def test_a_success_is_not_tried_again(world: Make) -> None:
    w = world(TRIED)
    w.go(minutes=10)
    w.end("a")
    assert w.account() == ["10:10:00 success schedule"]


# -- asked for by a person ---------------------------------------------------------------------


def test_a_triggered_job_runs_now(world: Make) -> None:
    w = world("[a]\ncommand = true\nevery = never\n")
    assert w.engine.trigger("a", w.now, timedelta(0)) == (1, False)
    assert w.account() == ["10:00:00 running manual"]


def test_an_inactive_job_runs_when_triggered(world: Make) -> None:
    w = world(TEN + "active = no\n")
    w.engine.trigger("a", w.now, timedelta(0))
    assert w.account() == ["10:00:00 running manual"]


def test_a_trigger_is_refused_by_overlap_with_a_row(world: Make) -> None:
    w = world(TEN)
    w.go(minutes=10)
    run_id, refused = w.engine.trigger("a", w.now, timedelta(0))
    assert refused
    assert w.row(run_id)["state"] == "skipped"
    assert w.row(run_id)["reason"] == "overlap"


def test_a_later_trigger_waits_for_its_moment_and_holds_up_no_fire(world: Make) -> None:
    w = world(TEN)
    run_id, _ = w.engine.trigger("a", w.now, timedelta(minutes=15))
    w.go(minutes=10)
    w.end("a")
    w.go(minutes=5)
    assert w.account() == ["10:15:00 running manual", "10:10:00 success schedule"]
    assert w.row(run_id)["state"] == "running"


def test_two_triggers_at_one_moment_are_a_millisecond_apart(world: Make) -> None:
    w = world("[a]\ncommand = true\nevery = never\noverlap = allow\n")
    w.engine.trigger("a", w.now, timedelta(0))
    w.engine.trigger("a", w.now, timedelta(0))
    assert [row["fire_at"][17:] for row in w.rows()] == ["00Z", "00.001Z"]


def test_a_stopped_run_says_by_whom(world: Make) -> None:
    w = world(TEN)
    w.go(minutes=10)
    assert w.engine.stop(1, "ada") is True
    w.end("a")
    assert (w.rows()[0]["state"], w.rows()[0]["message"]) == ("stopped", "stopped by ada")


def test_a_stopped_run_is_not_tried_again(world: Make) -> None:
    w = world(TRIED)
    w.outcome = FAILED
    w.go(minutes=10)
    w.engine.stop(1, "ada")
    w.end("a")
    assert w.account() == ["10:10:00 stopped schedule"]


def test_a_pending_retry_can_be_stopped(world: Make) -> None:
    w = world(TRIED)
    w.outcome = FAILED
    w.go(minutes=10)
    w.end("a")
    assert w.engine.stop(2, "ada") is True
    assert w.account() == ["10:10:00 failure schedule", "10:10:00 stopped retry"]


def test_what_has_ended_cannot_be_stopped(world: Make) -> None:
    w = world(TEN)
    w.go(minutes=10)
    w.end("a")
    assert w.engine.stop(1, "ada") is False


def test_a_run_that_timed_out_says_after_how_long(world: Make) -> None:
    w = world(TEN + "timeout = 2 s\n")
    w.go(minutes=10)
    w.end("a", timed_out=True)
    (row,) = w.rows()
    assert (row["state"], row["message"]) == ("timeout", "timed out after 2 s")


def test_an_interrupted_fire_is_rerun_once_where_asked(world: Make) -> None:
    w = world(TEN + "rerun_interrupted = yes\n")
    w.go(minutes=10)
    w.restart(seconds=5)
    w.restart(seconds=5)
    w.restart(seconds=5)
    assert [(row["attempt"], row["state"]) for row in w.rows()] == [
        (1, "interrupted"),
        (2, "interrupted"),
    ]
