"""What people are told: one letter when something breaks, one when it works again."""

from __future__ import annotations

from collections.abc import Callable
from datetime import datetime, timedelta
from pathlib import Path
from typing import Any

import pytest

from engine.world import World
from inisched.engine.engine import Engine
from inisched.engine.nursery import Departed
from inisched.model.event import Kind
from inisched.model.run import Outcome, State
from inisched.stores.claims import Absence
from inisched.stores.ledger import LedgerDown

Make = Callable[[str], World]

OPS = "[notify:ops]\ncommand = true\n"
A = "[a]\ncommand = true\nevery = never\n"
EVERY = "[a]\ncommand = true\nevery = 10 minutes\n"
FAILED = Outcome(state=State.FAILURE, exit_code=3, message="exit code 3")
WORKED = Outcome(state=State.SUCCESS, exit_code=0)
SPOKE = Outcome(state=State.SUCCESS, exit_code=0, stdout=b"42 rows\n", stdout_total=8)
WARNED = Outcome(state=State.WARNING, exit_code=0, message="half of it")


def ends(w: World, outcome: Outcome, times: int = 1, job: str = "a") -> None:
    """The job runs and ends so, a minute each time."""
    for _ in range(times):
        w.outcome = outcome
        w.engine.trigger(job, w.now, timedelta(0))
        w.now += timedelta(minutes=1)
        w.end(job)


# -- incidents ---------------------------------------------------------------------------------


def test_thirty_failures_are_one_letter(world: Make) -> None:
    w = world(OPS + A)
    ends(w, FAILED, 30)
    assert w.letters == [("notify:ops", "failure")]


def test_the_first_success_after_failures_is_one_letter_that_counts_them(world: Make) -> None:
    w = world(OPS + A)
    ends(w, FAILED, 30)
    ends(w, WORKED, 5)
    assert w.letters == [("notify:ops", "failure"), ("notify:ops", "recovery")]
    assert (w.letter().failures, f"{w.letter().since:%H:%M}") == (30, "10:01")


def test_a_failure_after_a_recovery_is_told_again(world: Make) -> None:
    w = world(OPS + A)
    for outcome in (FAILED, WORKED, FAILED):
        ends(w, outcome)
    assert [kind for _, kind in w.letters] == ["failure", "recovery", "failure"]


def test_a_warning_is_a_success_that_ends_an_incident(world: Make) -> None:
    w = world(OPS + A)
    ends(w, FAILED)
    ends(w, WARNED)
    assert [kind for _, kind in w.letters] == ["failure", "recovery"]


def test_only_the_last_attempt_is_told(world: Make) -> None:
    w = world(OPS + A + "retries = 1\nretry_delay = 60\n")
    w.outcome = FAILED
    w.engine.trigger("a", w.now, timedelta(0))
    w.end("a")
    assert w.letters == []
    w.go(seconds=60)
    w.end("a")
    assert w.letters == [("notify:ops", "failure")]
    assert w.letter().attempt == 2


@pytest.mark.parametrize("state", [State.STOPPED, State.SKIPPED])
def test_what_is_neither_success_nor_failure_ends_no_incident(state: State, world: Make) -> None:
    w = world(OPS + A)
    ends(w, FAILED)
    ends(w, Outcome(state=state))
    assert [kind for _, kind in w.letters] == ["failure"]


def test_an_incident_outlives_the_daemon(world: Make) -> None:
    w = world(OPS + A)
    ends(w, FAILED, 2)
    w.restart(hours=1)
    ends(w, FAILED)
    ends(w, WORKED)
    assert [kind for _, kind in w.letters] == ["failure", "recovery"]
    assert w.letter().failures == 3


def test_a_run_the_daemons_death_cut_off_is_neither(world: Make) -> None:
    w = world(OPS + A)
    w.engine.trigger("a", w.now, timedelta(0))
    w.restart(minutes=1)
    assert w.letters == []


def test_clear_ends_an_incident_without_a_word(world: Make) -> None:
    w = world(OPS + A)
    ends(w, FAILED)
    w.throw("clear", "a")
    ends(w, WORKED)
    assert [kind for _, kind in w.letters] == ["failure"]


def test_a_look_before_a_file_is_adopted_ends_no_incident(tmp_path: Path) -> None:
    w = World(tmp_path, OPS + A)
    ends(w, FAILED)
    adopt, Engine.adopt = Engine.adopt, look_first  # type: ignore[assignment]
    try:
        look_first.adopt = adopt  # type: ignore[attr-defined]
        w.restart(minutes=1)
    finally:
        Engine.adopt = adopt  # type: ignore[method-assign]
    ends(w, WORKED)
    assert [kind for _, kind in w.letters] == ["failure", "recovery"]


def look_first(engine: Engine, jobs: Any, now: datetime, **more: Any) -> None:
    """The daemon looks while callbacks are still judged."""
    engine.look(now)
    look_first.adopt(engine, jobs, now, **more)  # type: ignore[attr-defined]


def test_a_job_that_leaves_the_file_takes_its_incident_along(world: Make) -> None:
    w = world(OPS + A)
    ends(w, FAILED)
    w.reload(OPS)
    w.go(minutes=1)
    assert w.herald.incidents == []


def test_a_letter_is_written_with_the_end_of_its_run_or_not_at_all(world: Make) -> None:
    w = world(OPS + A)
    w.outcome = FAILED
    w.engine.trigger("a", w.now, timedelta(0))
    finish, w.ledger.finish_all = w.ledger.finish_all, broken  # type: ignore[method-assign]
    w.end("a")
    assert w.letters == []
    w.ledger.finish_all = finish  # type: ignore[method-assign]
    w.go(seconds=1)
    assert w.letters == [("notify:ops", "failure")]


def broken(*arguments: object, **named: object) -> None:
    raise LedgerDown("the disk is full")


def test_the_letter_says_all_there_is_to_say(world: Make) -> None:
    w = world(OPS + "[a b]\ncommand = true\nevery = never\ndescription = does it\n")
    lines = b"".join(b"line %d\n" % n for n in range(50))
    ends(
        w, Outcome(state=State.FAILURE, exit_code=3, message="exit code 3", stdout=lines), job="a b"
    )
    event = w.letter()
    assert event.stdout.split("\n")[0] == "line 10"
    assert event.stdout.split("\n")[-1] == "line 49"
    assert event.again == "inisched test 'a b' -P /srv/jobs.ini --at 2026-11-20T10:00:00+00:00"
    assert (event.job, event.description, event.exit_code) == ("a b", "does it", 3)
    assert (event.duration, event.changed) == (timedelta(minutes=1), ("something",))


# -- who hears of it ---------------------------------------------------------------------------


def test_a_job_that_names_a_notifier_tells_nobody_else(world: Make) -> None:
    w = world(OPS + "[notify:boss]\ncommand = true\ndefault = no\n" + A + "notify = boss\n")
    ends(w, FAILED)
    assert w.letters == [("notify:boss", "failure")]


def test_a_notifier_that_is_no_default_hears_only_of_jobs_that_name_it(world: Make) -> None:
    w = world(OPS + "[notify:boss]\ncommand = true\ndefault = no\n" + A)
    ends(w, FAILED)
    assert w.letters == [("notify:ops", "failure")]


def test_a_job_with_none_tells_nobody(world: Make) -> None:
    w = world(OPS + A + "notify = none\n")
    ends(w, FAILED)
    assert w.letters == []


@pytest.mark.parametrize(
    ("job", "notifier", "told"),
    [
        ("", "", ["failure", "recovery"]),
        ("notify_on = recovery", "", ["recovery"]),
        ("", "on = failure", ["failure"]),
        ("notify_on = failure, recovery", "on = failure, success", ["failure"]),
        ("notify_on = success", "", ["success", "success"]),
        ("", "on = success", ["success", "success"]),
    ],
)
def test_both_the_job_and_the_notifier_say_what_is_told(
    job: str, notifier: str, told: list[str], world: Make
) -> None:
    w = world(f"{OPS}{notifier}\n{A}{job}\n")
    for outcome in (FAILED, SPOKE, SPOKE):
        ends(w, outcome)
    assert [kind for _, kind in w.letters] == told


def test_a_success_without_output_is_not_worth_a_letter(world: Make) -> None:
    w = world(OPS + A + "notify_on = success\n")
    ends(w, WORKED)
    assert w.letters == []


def test_a_recovery_is_not_told_as_a_success_too(world: Make) -> None:
    w = world(OPS + A + "notify_on = failure, recovery, success\n")
    ends(w, FAILED)
    ends(w, SPOKE)
    assert [kind for _, kind in w.letters] == ["failure", "recovery"]


def test_every_warning_is_told(world: Make) -> None:
    w = world(OPS + A + "notify_on = warning\n")
    ends(w, WARNED, 2)
    assert [kind for _, kind in w.letters] == ["warning", "warning"]


# -- skipped -----------------------------------------------------------------------------------


def test_a_stretch_of_skips_is_told_once(world: Make) -> None:
    w = world(OPS + EVERY + "notify_on = skipped\n")
    for _ in range(5):
        w.go(minutes=10)
    assert w.letters == [("notify:ops", "skipped")]
    assert (w.letter().reason, f"{w.letter().fire_at:%H:%M}") == (
        w.letter().reason.OVERLAP,  # type: ignore[union-attr]
        "10:20",
    )


def test_a_skip_after_a_run_has_ended_is_told_again(world: Make) -> None:
    w = world(OPS + EVERY + "notify_on = skipped\n")
    for _ in range(2):
        w.go(minutes=10)
        w.go(minutes=10)
        w.end("a")
    assert [kind for _, kind in w.letters] == ["skipped", "skipped"]


def test_a_callback_that_skips_itself_is_told(world: Make) -> None:
    w = world(OPS + A + "notify_on = skipped\n")
    ends(w, Outcome(state=State.SKIPPED, message="holiday"))
    assert [kind for _, kind in w.letters] == ["skipped"]


def test_misfires_that_are_coalesced_are_not_told(world: Make) -> None:
    w = world(OPS + EVERY + "notify_on = skipped\n")
    w.go(hours=3)
    assert w.letters == []


# -- late --------------------------------------------------------------------------------------


LATE = OPS + "[up]\ncommand = true\nevery = never\n" + EVERY + "expect_within = 5m\nafter = up\n"


def test_no_start_within_the_time_expected_is_told_once(world: Make) -> None:
    w = world(LATE)
    w.go(minutes=10)
    w.go(minutes=4, seconds=59)
    assert w.letters == []
    w.go(seconds=1)
    w.go(hours=2)
    assert w.letters == [("notify:ops", "late")]
    assert f"{w.letter().fire_at:%H:%M}" == "10:10"
    assert w.letter().message == "its fire waits for after:up"


def test_a_daemon_wakes_for_what_is_late(world: Make) -> None:
    w = world(LATE)
    w.go(minutes=10)
    assert w.engine.due == w.now + timedelta(minutes=5)


def test_a_start_in_time_is_not_late(world: Make) -> None:
    w = world(OPS + EVERY + "expect_within = 5m\n")
    for _ in range(6):
        w.go(minutes=10)
        w.end("a")
        w.go(minutes=5)
        w.now -= timedelta(minutes=5)
    assert w.letters == []


def test_the_first_success_ends_lateness(world: Make) -> None:
    w = world(LATE)
    w.go(minutes=15)
    ends(w, WORKED, job="up")
    w.end("a")
    assert [kind for _, kind in w.letters] == ["late", "recovery"]
    assert (w.letter().failures, f"{w.letter().late_since:%H:%M}") == (0, "10:10")


def test_lateness_is_told_again_after_it_was_over(world: Make) -> None:
    w = world(LATE)
    for _ in range(2):
        w.go(minutes=20)
        ends(w, WORKED, job="up")
        w.end("a")
    assert [kind for _, kind in w.letters] == ["late", "recovery", "late", "recovery"]


def test_a_fire_of_the_time_the_daemon_was_down_is_late(world: Make) -> None:
    w = world(OPS + EVERY + "expect_within = 5m\n")
    w.go(minutes=10)
    w.end("a")
    w.restart(hours=1)
    assert w.letters == [("notify:ops", "late")]
    assert f"{w.letter().fire_at:%H:%M}" == "10:20"


def test_a_short_downtime_makes_nothing_late(world: Make) -> None:
    w = world(OPS + EVERY + "expect_within = 5m\n")
    w.go(minutes=10)
    w.end("a")
    w.restart(minutes=14)
    assert w.letters == []


def test_a_job_that_was_disabled_is_not_late_for_that_time(world: Make) -> None:
    w = world(OPS + EVERY + "expect_within = 5m\n")
    w.throw("disable", "a")
    w.go(hours=3)
    w.throw("enable", "a")
    w.go(minutes=1)
    assert w.letters == []


def test_a_job_that_was_paused_is_not_late_for_that_time(world: Make) -> None:
    w = world(OPS + EVERY + "expect_within = 5m\n")
    w.throw("pause", "a", until=w.now + timedelta(hours=3))
    w.go(hours=3, minutes=1)
    assert w.letters == []


def test_fires_of_a_hold_are_late(world: Make) -> None:
    w = world(OPS + EVERY + "expect_within = 5m\n")
    w.throw("hold")
    w.go(minutes=16)
    assert w.letters == [("notify:ops", "late")]
    assert w.letter().message == "all is held"


# -- slow --------------------------------------------------------------------------------------


def test_a_run_that_takes_longer_is_told_while_it_goes_on(world: Make) -> None:
    w = world(OPS + EVERY + "warn_after = 5m\n")
    w.go(minutes=10)
    assert w.engine.due == w.now + timedelta(minutes=5)
    w.go(minutes=5)
    assert w.letters == [("notify:ops", "slow")]
    assert w.letter().message == "still running after 5 min"
    assert w.account("a") == ["10:10:00 running schedule"]


def test_a_second_slow_run_in_a_row_is_not_told(world: Make) -> None:
    w = world(OPS + A + "warn_after = 30\n")
    for _ in range(2):
        w.engine.trigger("a", w.now, timedelta(0))
        w.go(minutes=1)
        w.end("a")
    assert [kind for _, kind in w.letters] == ["slow"]


def test_a_slow_run_is_told_again_after_one_that_was_not(world: Make) -> None:
    w = world(OPS + A + "warn_after = 30\n")
    for seconds in (60, 10, 60):
        w.engine.trigger("a", w.now, timedelta(0))
        w.go(seconds=seconds)
        w.end("a")
    assert [kind for _, kind in w.letters] == ["slow", "slow"]


# -- reminders ---------------------------------------------------------------------------------


def test_who_wants_it_is_reminded_while_an_incident_lasts(world: Make) -> None:
    w = world(OPS + "repeat = 1h\n[notify:boss]\ncommand = true\n" + A)
    ends(w, FAILED)
    for _ in range(4):
        w.go(minutes=30)
    assert w.letters == [
        ("notify:ops", "failure"),
        ("notify:boss", "failure"),
        ("notify:ops", "failure"),
        ("notify:ops", "failure"),
    ]
    assert w.letter().reminder


def test_a_daemon_wakes_for_a_reminder(world: Make) -> None:
    w = world(OPS + "repeat = 1h\n" + A)
    ends(w, FAILED)
    assert w.engine.due == w.now + timedelta(hours=1)


def test_nobody_is_reminded_of_a_job_that_is_switched_off(world: Make) -> None:
    w = world(OPS + "repeat = 1h\n" + A)
    ends(w, FAILED)
    w.throw("disable", "a")
    w.go(hours=2)
    assert [kind for _, kind in w.letters] == ["failure"]


def test_a_step_of_the_clock_brings_no_reminder(world: Make) -> None:
    w = world(OPS + "repeat = 1h\n" + A)
    ends(w, FAILED)
    there = w.now + timedelta(days=1)
    w.engine.set_clock(Absence(w.now, there, step=timedelta(days=1)), there)
    w.now = there
    w.go(minutes=59)
    assert [kind for _, kind in w.letters] == ["failure"]
    w.go(minutes=1)
    assert [kind for _, kind in w.letters] == ["failure", "failure"]


# -- programs ----------------------------------------------------------------------------------


def test_a_pinged_job_tells_of_starts_and_ends(world: Make) -> None:
    w = world(A + "ping = https://hc.example/x\n")
    ends(w, WORKED)
    ends(w, FAILED)
    assert w.letters == [("ping", kind) for kind in ("started", "success", "started", "failure")]


def test_only_the_first_attempt_is_a_start_to_a_ping(world: Make) -> None:
    w = world(A + "ping = https://hc.example/x\nretries = 1\nretry_delay = 60\n")
    w.outcome = FAILED
    w.engine.trigger("a", w.now, timedelta(0))
    w.end("a")
    w.go(seconds=60)
    w.end("a")
    assert [kind for _, kind in w.letters] == ["started", "failure"]


def test_a_stopped_run_is_no_end_to_a_ping(world: Make) -> None:
    w = world(A + "ping = https://hc.example/x\n")
    ends(w, Outcome(state=State.STOPPED))
    assert [kind for _, kind in w.letters] == ["started"]


def test_sentry_hears_of_every_run_and_of_those_cut_off(world: Make) -> None:
    w = world(A)
    w.settings += "\nsentry_dsn = https://key@sentry.example/1"
    w.reload(A)
    ends(w, FAILED, 2)
    w.engine.trigger("a", w.now, timedelta(0))
    w.restart(minutes=1)
    kinds = ["started", "failure", "started", "failure", "started", "interrupted"]
    assert w.letters == [("sentry", kind) for kind in kinds]


def test_an_event_has_the_same_fields_in_good_times_and_bad(world: Make) -> None:
    w = world(OPS + A + "notify_on = failure, success\n")
    ends(w, FAILED)
    ends(w, SPOKE)
    good, bad = w.letter(1).as_json(), w.letter(0).as_json()
    assert good.keys() == bad.keys()
    assert (good["event"], bad["event"]) == (Kind.SUCCESS.value, Kind.FAILURE.value)


def test_a_job_without_anybody_to_tell_keeps_its_incidents(world: Make) -> None:
    w = world(A)
    ends(w, FAILED, 3)
    [incident] = w.herald.incidents
    assert (incident.job, incident.kind, incident.failures) == ("a", Kind.FAILURE, 3)


# -- what an attack found ----------------------------------------------------------------------


def test_a_job_that_is_still_late_does_not_work_again(world: Make) -> None:
    w = world(OPS + "[a]\ncommand = true\nevery = 1 minute\nexpect_within = 30\n")
    w.go(minutes=1)
    for _ in range(2):
        w.go(minutes=1, seconds=30)
        w.go(minutes=3)
        w.end("a")
        w.go(seconds=30)
    assert [kind for _, kind in w.letters] == ["late"]


def test_a_fire_is_late_only_once(world: Make) -> None:
    w = world(LATE)
    w.go(minutes=15)
    ends(w, WORKED, job="up")
    w.end("a")
    w.go(minutes=3)
    assert [kind for _, kind in w.letters] == ["late", "recovery"]


def test_a_schedule_taken_back_makes_nothing_late(world: Make) -> None:
    w = world(OPS + EVERY + "expect_within = 5m\n")
    w.throw("reschedule", "a", schedule={"every": "1 day"})
    w.go(hours=3)
    w.throw("reschedule", "a")
    w.go(minutes=1)
    assert w.letters == []


def test_a_job_never_seen_before_is_not_late_for_its_backlog(world: Make) -> None:
    w = world(OPS + EVERY + "expect_within = 5m\nactive_from = 2026-11-01\n")
    w.go(minutes=1)
    assert w.letters == []


def test_a_slow_run_inside_the_daemon_is_told_at_its_end(world: Make) -> None:
    w = world(OPS + A + "warn_after = 30\n")
    w.engine.trigger("a", w.now, timedelta(0))
    w.now += timedelta(minutes=1)
    run_id = next(iter(w.engine.runs))
    w.engine.ended(Departed(run_id, ago=0.0, timed_out=False, left=0), w.now)
    assert [kind for _, kind in w.letters] == ["slow"]
    assert w.letter().message == "took 1 min, expected were 30 s"
