"""`why`: what is said of a fire agrees with what was done to its daemon, its file, its clock."""

from __future__ import annotations

from collections.abc import Callable
from datetime import timedelta

import pytest

from inisched.model.retention import Retention
from inisched.model.run import Outcome, State
from questions.watched import Watched, at

Make = Callable[[str], Watched]

TEN = "[a]\ncommand = true\nevery = 10 minutes\n"
HOURLY = "[a]\ncommand = true\ncron = 0 * * * *\n"
FAILURE = Outcome(state=State.FAILURE, exit_code=3, message="exit code 3")


def run_to(w: Watched, *clocks: str) -> None:
    """The daemon lives on to each of these, and what runs then has ended."""
    for clock in clocks:
        w.to(clock)
        w.end_all()


# -- which fire ---------------------------------------------------------------------------------


def test_a_moment_off_the_rhythm_is_no_fire_and_the_nearest_are_told(world: Make) -> None:
    w = world(HOURLY)
    run_to(w, "11:00:04", "12:00:04")
    answer = w.ask("11:30")
    assert answer.tale.text == [
        "11:30 is not a fire of a (0 * * * *).",
        "The nearest are 11:00 and 12:00.",
    ]
    assert (answer.tale.verdict, answer.tale.reason, answer.fire_at) == ("not_a_fire", None, None)
    assert (answer.before, answer.after) == (at("11:00"), at("12:00"))
    assert answer.asked == at("11:30")


def test_a_minute_is_asked_for_and_not_its_first_second(world: Make) -> None:
    w = world("[a]\ncommand = true\nevery = minute\nat = :20\n")
    run_to(w, "10:05:24")
    assert w.ask("10:05").fire_at == at("10:05:20")


def test_a_second_is_asked_for_where_seconds_are_typed(world: Make) -> None:
    w = world("[a]\ncommand = true\nevery = minute\nat = :20\n")
    run_to(w, "10:05:24")
    assert w.why("10:05:00") == (
        "10:05 is not a fire of a (minute at :20). The nearest are 10:04:20 and 10:05:20."
    )


def test_of_several_fires_the_first_is_told_and_the_others_counted(world: Make) -> None:
    w = world("[a]\ncommand = true\nevery = 20 seconds\n")
    run_to(w, "10:00:21", "10:00:41", "10:01:01", "10:01:21")
    assert w.why("10:00") == (
        "a at 10:00:20: success in run 1. It started on time and took 1 s. "
        "1 more fire lies in that minute."
    )


def test_many_fires_are_counted_so_far(world: Make) -> None:
    w = world("[a]\ncommand = true\nevery = 20 seconds\n")
    run_to(w, "10:00:21")
    assert w.why("2026-11-20").endswith("More than 100 more fires lie in that day.")


def test_a_day_without_fires_is_told_as_a_day(world: Make) -> None:
    w = world("[a]\ncommand = true\nevery = monday\nat = 06:00\n")
    assert w.why("2026-11-24") == (
        "a (monday at 06:00) has no fire on 2026-11-24. "
        "The nearest are Mon 06:00 and 2026-11-30 06:00."
    )


def test_without_a_time_the_last_that_came_due_is_meant(world: Make) -> None:
    w = world(HOURLY)
    run_to(w, "11:00:04", "12:00:04", "12:20:00")
    answer = w.ask()
    assert (answer.fire_at, answer.asked) == (at("12:00"), None)


def test_without_a_time_the_coming_one_is_meant_where_none_has_come(world: Make) -> None:
    assert world(HOURLY).why() == "a at 11:00: coming, in 1 h."


def test_a_run_somebody_asked_for_counts_as_the_last(world: Make) -> None:
    w = world(HOURLY)
    run_to(w, "11:00:04", "11:20:00")
    w.engine.trigger("a", w.now, timedelta(0))
    run_to(w, "11:20:05")
    assert w.why() == (
        "a at 11:20: success in run 2, asked for by a person. It started on time and took 5 s."
    )


def test_a_fire_of_the_schedule_comes_before_one_asked_for(world: Make) -> None:
    w = world(HOURLY)
    run_to(w, "11:00:04", "11:00:20")
    w.engine.trigger("a", w.now, timedelta(0))
    run_to(w, "11:00:30")
    assert w.ask("11:00").tale.runs == [1]
    assert w.ask("11:00:20").tale.runs == [2]


def test_a_full_date_may_lie_ahead(world: Make) -> None:
    assert world(HOURLY).why("2026-11-27T06:00") == "a at 2026-11-27 06:00: coming, in 6 d 20 h."


@pytest.mark.parametrize(
    ("when", "told"), [("2026-11-21T06:00", "Sat 06:00"), ("2026-11-20T11:00", "11:00")]
)
def test_days_are_told_as_people_do(world: Make, when: str, told: str) -> None:
    assert world(HOURLY).why(when).startswith(f"a at {told}: coming")


def test_utc_is_said(world: Make) -> None:
    w = world(HOURLY + "timezone = Asia/Tokyo\n")
    assert w.why("2026-11-20T20:00") == "a at 20:00: coming, in 1 h."
    assert w.why("2026-11-20T20:00", utc=True) == "a at 11:00 UTC: coming, in 1 h."


def test_a_local_time_that_comes_twice_is_sought_in_both_passes(world: Make) -> None:
    w = world(
        "[a]\ncommand = true\ntimezone = Europe/Berlin\nevery = 10 minutes\n"
        "active_from = 2027-10-31T02:10+01:00\n"
    )
    assert w.ask("2027-10-31T02:20").fire_at == at("2027-10-31T01:20:00")


# -- it ran -------------------------------------------------------------------------------------


def test_a_run_on_time_is_told(world: Make) -> None:
    w = world(HOURLY)
    run_to(w, "11:00:04")
    answer = w.ask("11:00")
    assert " ".join(answer.tale.text) == (
        "a at 11:00: success in run 1. It started on time and took 4 s."
    )
    assert (answer.tale.verdict, answer.tale.reason, answer.tale.runs) == ("success", None, [1])
    assert (answer.before, answer.after) == (None, None)


def test_a_failure_tells_its_message(world: Make) -> None:
    w = world(HOURLY)
    w.outcome = FAILURE
    run_to(w, "11:00:04")
    assert w.why("11:00") == (
        "a at 11:00: failure in run 1: exit code 3. It started on time and took 4 s."
    )


def test_of_several_attempts_each_is_told_and_the_last_counts(world: Make) -> None:
    w = world(TEN + "retries = 2\nretry_delay = 2 m\n")
    w.outcome = FAILURE
    run_to(w, "10:10:05")
    w.outcome = Outcome(state=State.SUCCESS, exit_code=0)
    run_to(w, "10:12:09")
    answer = w.ask("10:10")
    assert " ".join(answer.tale.text) == (
        "a at 10:10: success in run 2. "
        "Attempt 1: failure (exit code 3) at 10:10; attempt 2: success at 10:12:05."
    )
    assert (answer.tale.verdict, answer.tale.runs) == ("success", [1, 2])


def test_what_runs_is_told_with_how_long(world: Make) -> None:
    w = world(HOURLY)
    w.to("11:25:00")
    assert w.why("11:00") == (
        "a at 11:00: running in run 1. It started on time and has been going for 25 min."
    )


def test_a_retry_to_come_is_told(world: Make) -> None:
    w = world(TEN + "retries = 2\nretry_delay = 2 m\n")
    w.outcome = FAILURE
    run_to(w, "10:10:05")
    answer = w.ask("10:10")
    assert " ".join(answer.tale.text) == (
        "a at 10:10: waiting: attempt 2 comes at 10:12:05. "
        "Attempt 1: failure (exit code 3) at 10:10."
    )
    assert (answer.tale.verdict, answer.tale.reason) == ("waiting", "retry")


def test_what_a_fire_waits_for_is_told(world: Make) -> None:
    w = world(f"{TEN}pool = p\n{TEN.replace('[a]', '[b]')}pool = p\n[pool:p]\n")
    w.to("10:11:00")
    answer = w.ask("10:10", job="b")
    assert answer.tale.text == ["b at 10:10: waiting for a place in the pool p."]
    assert (answer.tale.verdict, answer.tale.reason) == ("waiting", "pool:p")


def test_the_daemon_knows_best_what_is_waited_for(world: Make) -> None:
    w = world(f"{TEN}pool = p\n{TEN.replace('[a]', '[b]')}pool = p\n[pool:p]\n")
    w.to("10:11:00")
    answer = w.ask("10:10", job="b", gates={2: "max_running"})
    assert answer.tale.text == ["b at 10:10: waiting for a place (max_running = 2)."]


def test_a_fire_that_waited_for_its_turn_is_told_so(world: Make) -> None:
    w = world(f"{TEN}pool = p\n{TEN.replace('[a]', '[b]')}pool = p\n[pool:p]\n")
    w.to("10:11:00")
    w.end("a")
    run_to(w, "10:11:03")
    assert w.why("10:10", job="b") == (
        "b at 10:10: success in run 2. It started at 10:11, 1 min late, and took 3 s. "
        "It waited 1 min for its turn."
    )


def test_a_run_at_the_start_says_so(world: Make) -> None:
    w = world("[a]\ncommand = true\nevery = never\nrun_at_start = yes\n")
    run_to(w, "10:00:04")
    assert w.why() == (
        "a at 10:00: success in run 1, at the start of the daemon. It started on time and took 4 s."
    )


# -- it did not run -----------------------------------------------------------------------------


def test_overlap_names_the_run_that_was_still_going(world: Make) -> None:
    w = world(TEN)
    run_to(w, "10:35:00")
    answer = w.ask("10:20")
    assert answer.tale.text == ["a at 10:20: skipped because run 1 was still going since 10:10."]
    assert (answer.tale.verdict, answer.tale.reason, answer.tale.runs) == ("skipped", "overlap", [])


def test_overlap_names_a_retry_that_was_still_to_come(world: Make) -> None:
    w = world(TEN + "retries = 1\nretry_delay = 15 m\n")
    w.outcome = FAILURE
    run_to(w, "10:10:05", "10:21:00")
    assert w.why("10:20") == (
        "a at 10:20: skipped because attempt 2 at 10:10 (run 2) was still to come."
    )


def test_a_fire_that_gave_way_while_it_waited_names_the_newer(world: Make) -> None:
    w = world(f"[b]\ncommand = true\nevery = 9 minutes\npool = p\n{TEN}pool = p\n[pool:p]\n")
    w.to("10:21:00")
    w.end("b")
    run_to(w, "10:21:05")
    answer = w.ask("10:10")
    assert " ".join(answer.tale.text) == (
        "a at 10:10: coalesced into run 4 (10:20). While it waited, a newer fire took its place."
    )
    assert (answer.tale.reason, answer.tale.runs) == ("coalesced", [4])


def test_a_fire_that_waited_too_long_for_its_pool_is_told(world: Make) -> None:
    w = world(f"{TEN}pool = p\n{TEN.replace('[a]', '[b]')}pool = p\n[pool:p]\nwait = 2 minutes\n")
    w.to("10:13:00")
    answer = w.ask("10:10", job="b")
    assert answer.tale.text == [
        "b at 10:10: skipped for want of a place in its pool: no place in the pool within 2 min."
    ]
    assert (answer.tale.reason, answer.tale.runs) == ("pool", [2])


# -- nobody looked ------------------------------------------------------------------------------


def down_from_1020(world: Make, more: str = "") -> Watched:
    w = world(HOURLY + more)
    w.go(minutes=20, seconds=3)
    w.kill()
    return w


def test_a_fire_missed_while_the_daemon_was_down_names_its_run_and_the_time(world: Make) -> None:
    w = down_from_1020(world)
    w.start(hours=2, minutes=40, seconds=26)
    w.end_all()
    answer = w.ask("11:00")
    assert " ".join(answer.tale.text) == (
        "a at 11:00: coalesced into run 2 (12:00). The daemon was down from 10:20:03 to 13:00:29."
    )
    assert (answer.tale.verdict, answer.tale.reason, answer.tale.runs) == (
        "skipped",
        "coalesced",
        [2],
    )
    assert answer.fire_at == at("11:00")


def test_a_catch_up_tells_for_how_many_how_late_and_why(world: Make) -> None:
    w = down_from_1020(world)
    w.start(hours=2, minutes=40, seconds=26)
    run_to(w, "13:00:33")
    assert w.why("12:00") == (
        "a at 12:00: success in run 2, a catch-up for 2 misfires. "
        "It started at 13:00:29, 1 h late, and took 4 s. "
        "The daemon was down from 10:20:03 to 13:00:29."
    )


def test_late_within_grace_tells_why_too(world: Make) -> None:
    w = down_from_1020(world)
    w.start(minutes=40, seconds=26)
    run_to(w, "11:00:33")
    assert w.why("11:00") == (
        "a at 11:00: success in run 1. It started at 11:00:29, 29 s late, and took 4 s. "
        "The daemon was down from 10:20:03 to 11:00:29."
    )


def test_a_daemon_that_came_and_went_was_down_more_than_once(world: Make) -> None:
    w = down_from_1020(world)
    w.now = at("10:30:00")
    w.start()
    w.stop()
    w.now = at("11:10:00")
    w.start()
    w.stop()
    w.now = at("12:10:00")
    w.start()
    assert w.why("11:00") == (
        "a at 11:00: interrupted in run 1, a catch-up: the daemon died during this run "
        "(last seen 11:10:00, back 12:10:00). It started at 11:10, 10 min late. "
        "The daemon was down from 10:30 to 11:10."
    )


def test_a_misfire_is_skipped_by_its_rule(world: Make) -> None:
    w = down_from_1020(world, "misfire = skip\n")
    w.start(hours=2, minutes=20)
    answer = w.ask("11:00")
    assert " ".join(answer.tale.text) == (
        "a at 11:00: skipped as a misfire (misfire = skip). "
        "The daemon was down from 10:20:03 to 12:40:03."
    )
    assert (answer.tale.verdict, answer.tale.reason) == ("skipped", "misfire")


def test_a_misfire_beyond_max_catchup_is_told(world: Make) -> None:
    w = down_from_1020(world, "misfire = all\nmax_catchup = 2\n")
    w.start(hours=4)
    assert w.why("12:00") == (
        "a at 12:00: skipped as a misfire (beyond max_catchup = 2). "
        "The daemon was down from 10:20:03 to 14:20:03."
    )
    assert w.ask("13:00").tale.verdict == "running"


def test_a_process_that_was_stopped_was_asleep(world: Make) -> None:
    w = world(TEN)
    run_to(w, "10:11:00")
    w.freeze(minutes=24)
    w.end_all()
    assert w.why("10:20") == (
        "a at 10:20: coalesced into run 3 (10:30). "
        "The daemon was asleep from 10:11 to 10:35 (its process was stopped or starved)."
    )


def test_a_machine_that_slept_is_told_from_a_process_that_did(world: Make) -> None:
    w = world(TEN)
    run_to(w, "10:11:00")
    w.freeze(minutes=24, machine=True)
    w.end_all()
    assert w.why("10:20") == (
        "a at 10:20: coalesced into run 3 (10:30). The machine slept from 10:11 to 10:35."
    )


def test_a_misfire_folded_into_a_fire_that_met_its_job_running(world: Make) -> None:
    w = world(TEN)
    w.to("10:11:00")
    w.freeze(minutes=24)
    answer = w.ask("10:20")
    assert " ".join(answer.tale.text) == (
        "a at 10:20: coalesced into the fire at 10:30, which did not run either. "
        "The daemon was asleep from 10:11 to 10:35 (its process was stopped or starved)."
    )
    assert (answer.tale.reason, answer.tale.runs) == ("coalesced", [])
    assert w.why("10:30") == "a at 10:30: skipped because run 1 was still going since 10:10."


def test_a_run_cut_short_by_the_death_of_the_daemon_is_interrupted(world: Make) -> None:
    w = world(TEN)
    w.to("10:12:00")
    w.kill()
    w.start(minutes=5)
    assert w.why("10:10") == (
        "a at 10:10: interrupted in run 1: the daemon died during this run "
        "(last seen 10:12:00, back 10:17:00). It started on time."
    )


def test_of_a_run_whose_daemon_is_down_nobody_knows_the_end(world: Make) -> None:
    w = world(TEN)
    w.to("10:12:00")
    w.kill()
    w.now = at("10:15:00")
    answer = w.ask("10:10")
    assert answer.tale.verdict == "running"
    assert answer.tale.text[-1] == (
        "The daemon has been down since 10:12: how the run ended is not known, "
        "and the next daemon will call it interrupted."
    )


def test_what_waits_while_the_daemon_is_down_waits_on(world: Make) -> None:
    w = world(f"{TEN}pool = p\n{TEN.replace('[a]', '[b]')}pool = p\n[pool:p]\n")
    w.to("10:11:00")
    w.kill()
    assert w.why("10:10", job="b") == (
        "b at 10:10: waiting for a place in the pool p. "
        "The daemon has been down since 10:11: it waits until one looks again."
    )


# -- overdue and coming -------------------------------------------------------------------------


@pytest.mark.parametrize(
    ("when", "prospect"),
    [
        ("11:00", "it would be coalesced into the fire at 12:00"),
        ("12:00", "it would run, 20 min late"),
    ],
)
def test_what_is_due_while_nobody_looks_is_overdue(world: Make, when: str, prospect: str) -> None:
    w = down_from_1020(world)
    w.now = at("12:20:00")
    answer = w.ask(when)
    assert " ".join(answer.tale.text) == (
        f"a at {when}: due, not taken up: the daemon has been down since 10:20:03. "
        f"If it came back now, {prospect}."
    )
    assert (answer.tale.verdict, answer.tale.reason, answer.fire_at) == (
        "overdue",
        "down",
        at(when),
    )


def test_what_is_overdue_within_grace_would_run_on_time(world: Make) -> None:
    w = world(HOURLY)
    w.to("10:59:30")
    w.kill()
    w.now = at("11:00:01")
    assert w.why("11:00").endswith("If it came back now, it would run on time.")


def test_overdue_by_the_rule_that_skips_says_so(world: Make) -> None:
    w = down_from_1020(world, "misfire = skip\n")
    w.now = at("12:20:00")
    assert w.why("11:00").endswith(
        "If it came back now, it would be skipped as a misfire (misfire = skip)."
    )


def test_a_daemon_whose_heart_has_stopped_is_asleep(world: Make) -> None:
    w = world(TEN)
    run_to(w, "10:11:00")
    w.now = at("10:21:00")
    answer = w.ask("10:20")
    assert " ".join(answer.tale.text) == (
        "a at 10:20: due, not taken up: the daemon has been asleep since 10:11 "
        "(its process is stopped or starved, or it cannot write the ledger). "
        "If it woke now, it would run, 1 min late."
    )
    assert (answer.tale.verdict, answer.tale.reason) == ("overdue", "asleep")


def test_a_daemon_that_sleeps_beside_a_run_leaves_it_open(world: Make) -> None:
    w = world(TEN)
    w.to("10:11:00")
    w.now = at("10:21:00")
    assert w.why("10:20").endswith("Run 1 was still going when it was last seen.")


def test_a_daemon_is_seen_in_what_it_did_after_its_last_heartbeat(world: Make) -> None:
    w = world(TEN)
    w.to("10:09:50")
    w.now = at("10:10:00")
    w.engine.look(w.now)
    w.now = at("10:10:04")
    w.end("a")
    w.kill()
    w.now = at("10:21:00")
    assert w.why("10:20").startswith(
        "a at 10:20: due, not taken up: the daemon has been down since 10:10."
    )
    w.start(minutes=14)
    w.end_all()
    assert w.why("10:20").endswith("The daemon was down from 10:10:04 to 10:35.")


def test_what_has_just_come_due_is_about_to_be_taken_up(world: Make) -> None:
    w = world(TEN)
    run_to(w, "10:19:59")
    w.now = at("10:20:00")
    assert w.why("10:20") == "a at 10:20: due, and about to be taken up."


def test_what_comes_due_during_a_single_pass_is_left_to_the_next(world: Make) -> None:
    w = world(TEN)
    w.stop()
    w.role = "once"
    w.start(minutes=9)
    w.now = at("10:10:00")
    assert w.why("10:10") == (
        "a at 10:10: due, and left to the next pass: this one (run --once) has looked."
    )


def test_coming_says_so_where_nobody_looks(world: Make) -> None:
    w = down_from_1020(world)
    assert w.why() == "a at 11:00: coming, in 39 min 57 s. The daemon has been down since 10:20:03."


def test_a_job_no_daemon_has_seen_is_coming_and_has_no_past(world: Make) -> None:
    w = world(TEN)
    w.kill()
    w.write(HOURLY.replace("[a]", "[new]"))
    assert w.why(job="new") == (
        "new at 11:00: coming, in 1 h. The daemon has been down since 10:00. "
        "No daemon has looked at new yet."
    )
    answer = w.ask("09:00", job="new")
    assert answer.tale.text == ["No daemon has looked at new yet: nothing of it had come due then."]
    assert (answer.tale.verdict, answer.tale.reason) == ("not_in_file", "first_look")


def test_with_from_end_only_the_next_fire_is_sure(world: Make) -> None:
    w = world(TEN + "from_end = yes\n")
    run_to(w, "10:12:00")
    assert w.why("2026-11-20T10:22") == "a at 10:22: coming, in 10 min."
    assert w.why("2026-11-20T10:32") == (
        "a at 10:32: coming, in 20 min, about: it counts from the end of the run before."
    )


# -- outside of the file, or of its limits ------------------------------------------------------


def test_a_job_that_was_away_from_the_file_had_no_fires_then(world: Make) -> None:
    w = world(TEN)
    run_to(w, "10:11:00")
    w.reload("")
    w.to("10:33:00")
    w.reload(TEN)
    answer = w.ask("10:20")
    assert answer.tale.text == [
        "a was not in the file then: it had no fires between 10:10 and 10:33."
    ]
    assert (answer.tale.verdict, answer.tale.reason, answer.fire_at) == (
        "not_in_file",
        "removed",
        None,
    )
    run_to(w, "10:41:00")
    assert w.ask("10:40").tale.verdict == "success"


def test_a_job_that_is_away_from_the_file_has_its_rows_still(world: Make) -> None:
    w = world(TEN)
    run_to(w, "10:11:00")
    w.reload("")
    w.to("10:33:00")
    assert w.why("10:10") == "a at 10:10: success in run 1. It started on time and took 1 min."
    assert w.why("10:20") == "a was not in the file then: it has had no fires since 10:10."
    assert w.why("2026-11-20T10:40") == "a is not in the file and has no fires."
    assert w.why("10:05") == (
        "a is no longer in the file, and the ledger has no fire of it at 10:05."
    )


def test_without_a_time_it_is_said_that_no_more_fires_come(world: Make) -> None:
    w = world(TEN)
    run_to(w, "10:11:00")
    w.reload("")
    assert w.why() == (
        "a at 10:10: success in run 1. It started on time and took 1 min. "
        "a is not in the file and has no fires."
    )


def test_an_inactive_job_has_no_fires(world: Make) -> None:
    w = world(TEN)
    run_to(w, "10:11:00")
    w.reload(TEN + "active = no\n")
    w.to("10:25:00")
    answer = w.ask("10:20")
    assert answer.tale.text == [
        "a was switched off (active = no) then: it has had no fires since 10:10."
    ]
    assert (answer.tale.verdict, answer.tale.reason) == ("not_a_fire", "inactive")
    assert w.why("2026-11-20T10:30") == "a is switched off (active = no) and has no fires."


def test_switched_off_in_the_file_while_no_daemon_looked(world: Make) -> None:
    w = world(TEN)
    run_to(w, "10:11:00")
    w.kill()
    w.write(TEN + "active = no\n")
    w.now = at("10:25:00")
    assert w.why("10:20") == "a is switched off (active = no) and has no fires."


def test_a_broken_job_has_no_fires(world: Make) -> None:
    w = world(TEN)
    run_to(w, "10:11:00")
    w.kill()
    w.write("[a]\ncommand = true\nevery = 10 minuts\n")
    w.start(minutes=1)
    w.to("10:25:00")
    answer = w.ask("10:20")
    assert answer.tale.text == ["a was broken in the file then: it has had no fires since 10:10."]
    assert (answer.tale.verdict, answer.tale.reason) == ("not_in_file", "broken")
    assert w.why("2026-11-20T10:30") == (
        "a is broken in the file and has no fires: see inisched validate."
    )
    assert w.ask("10:10").tale.verdict == "success"


def test_a_job_broken_under_a_daemon_runs_as_it_was(world: Make) -> None:
    w = world(TEN)
    run_to(w, "10:11:00")
    w.reload("[a]\ncommand = true\nevery = 10 minuts\n")
    run_to(w, "10:21:00")
    assert w.ask("10:20").tale.verdict == "success"
    answer = w.ask("2026-11-20T10:30")
    assert answer.tale.text == [
        "a is broken in the file, and the daemon runs it as it was: see inisched validate."
    ]
    assert (answer.tale.verdict, answer.tale.reason) == ("not_in_file", "broken")


def test_before_the_first_look_nothing_had_come_due(world: Make) -> None:
    answer = world(HOURLY).ask("09:00")
    assert answer.tale.text == [
        "09:00 lies before the first look at a (10:00): nothing of it had come due then."
    ]
    assert (answer.tale.verdict, answer.tale.reason) == ("not_in_file", "first_look")
    assert answer.after == at("11:00")


LIMITED = TEN + "active_from = 2026-11-20 12:00\nactive_until = 2026-11-20 12:30\n"


@pytest.mark.parametrize(
    ("when", "reason", "told"),
    [
        ("11:50", "active_from", "11:50 lies before active_from of a (12:00): until then it has no fires."),
        ("11:55", None, "11:55 is not a fire of a (10 minutes). The nearest is 12:00."),
        ("12:40", "active_until", "12:40 lies after active_until of a (12:30): since then it has no fires."),
        ("12:35", None, "12:35 is not a fire of a (10 minutes). The nearest is 12:30."),
    ],
)  # fmt: skip
def test_outside_of_its_limits_a_job_has_no_fires(
    world: Make, when: str, reason: str | None, told: str
) -> None:
    answer = world(LIMITED).ask(f"2026-11-20T{when}")
    assert " ".join(answer.tale.text) == told
    assert (answer.tale.verdict, answer.tale.reason) == ("not_a_fire", reason)


def test_a_daily_job_before_its_limit_too(world: Make) -> None:
    w = world("[a]\ncommand = true\nevery = day\nat = 06:00\nactive_from = 2026-11-25\n")
    assert w.ask("2026-11-24T06:00").tale.reason == "active_from"
    assert w.ask("2026-11-24T07:00").tale.reason is None


def test_a_schedule_that_is_new_tells_since_when(world: Make) -> None:
    w = world(TEN)
    run_to(w, "10:11:00")
    w.kill()
    w.write("[a]\ncommand = true\nevery = 7 minutes\n")
    w.start(minutes=14)
    answer = w.ask("10:20")
    assert " ".join(answer.tale.text) == (
        "a has had its schedule (7 minutes) only since 10:25, and the ledger has no fire at 10:20. "
        "The nearest are 10:10 and 10:32."
    )
    assert (answer.tale.verdict, answer.tale.reason) == ("not_a_fire", "changed")
    assert w.ask("10:10").tale.verdict == "success"


def test_a_schedule_no_daemon_has_taken_up_yet_is_said_to_be_new(world: Make) -> None:
    w = world(TEN)
    run_to(w, "10:11:00")
    w.kill()
    w.write("[a]\ncommand = true\nevery = 7 minutes\n")
    assert w.why("10:07") == (
        "The schedule of a in the file (7 minutes) is new, and the ledger has no fire at 10:07. "
        "The nearest is 10:10."
    )


def test_of_a_schedule_that_changed_since_a_gap_tells_what_it_covers(world: Make) -> None:
    w = world(TEN + "misfire = skip\n")
    run_to(w, "10:11:00")
    w.kill()
    w.start(minutes=44)
    w.reload("[a]\ncommand = true\nevery = 7 minutes\nmisfire = skip\n")
    answer = w.ask("10:25")
    assert answer.tale.text[0] == (
        "10:25 lies in a stretch of 4 fires of a, from 10:20 to 10:50: "
        "skipped as a misfire (misfire = skip)."
    )
    assert (answer.tale.verdict, answer.tale.reason, answer.fire_at) == ("skipped", "misfire", None)


def test_jitter_that_moved_a_fire_is_told(world: Make) -> None:
    w = world("[a]\ncommand = true\nevery = day\nat = 12:00\njitter = 30 m\n")
    run_to(w, "12:45:00")
    fire = w.ask("2026-11-20").fire_at
    assert fire is not None
    moved = f"{fire:%H:%M:%S}".removesuffix(":00")
    assert w.why("12:00:00").startswith(
        f"12:00 is not a fire of a (day at 12:00). Its jitter moves the fire of 12:00 to {moved}."
    )


def test_a_fire_moved_by_another_jitter_is_found_all_the_same(world: Make) -> None:
    text = "[a]\ncommand = true\nevery = day\nat = 12:00\njitter = 30 m\n"
    w = world(text)
    run_to(w, "12:45:00")
    former = w.ask("2026-11-20").fire_at
    w.reload(text.replace("30 m", "0 s"))
    answer = w.ask("12:00")
    assert (answer.fire_at, answer.tale.verdict, answer.tale.runs) == (former, "success", [1])


def test_never_is_a_job_without_fires_of_its_own(world: Make) -> None:
    w = world("[a]\ncommand = true\nevery = never\n")
    assert w.why() == "a (never) has no fires of its own to come, and has had none."
    assert w.why("10:00") == "10:00 is not a fire of a (never): it has no fires of its own."


def test_a_fire_asked_for_later_waits_for_its_moment(world: Make) -> None:
    w = world("[a]\ncommand = true\nevery = never\n")
    w.engine.trigger("a", w.now, timedelta(minutes=10))
    assert w.why("2026-11-20T10:10") == (
        "a at 10:10: waiting for its moment, asked for by a person."
    )


def forget(w: Watched, keep: Retention) -> None:
    for _ in w.ledger.pruning(keep, w.now, stopwatch=lambda: 0.0).steps():
        pass


def test_of_a_row_that_is_no_longer_kept_it_is_said(world: Make) -> None:
    w = world(TEN)
    run_to(w, "10:10:05", "10:20:05", "10:30:05", "10:40:05")
    forget(w, Retention(runs=2))
    answer = w.ask("10:20")
    assert answer.tale.text == ["a at 10:20: its row is no longer kept (history_keep)."]
    assert (answer.tale.verdict, answer.tale.reason) == ("not_in_file", "pruned")
    assert w.ask("10:30").tale.verdict == "success"


def test_so_it_is_of_a_gap(world: Make) -> None:
    w = world(TEN + "misfire = skip\n")
    run_to(w, "10:10:05")
    w.kill()
    w.start(minutes=36)
    run_to(w, "10:50:05", "11:00:05")
    forget(w, Retention(runs=2))
    found = [w.ask(f"10:{minute}").tale.reason for minute in (10, 20, 30, 40, 50)]
    assert found == ["pruned", "pruned", "pruned", "pruned", None]


def test_a_run_that_is_no_longer_kept_is_named_all_the_same(world: Make) -> None:
    w = world(TEN)
    run_to(w, "10:10:05")
    w.kill()
    w.start(minutes=24)
    w.end_all()
    w.ledger._db.execute("DELETE FROM run WHERE id = 3")
    assert w.why("10:20") == "a at 10:20: coalesced into run 3."


# -- the clock was set --------------------------------------------------------------------------


def test_a_fixed_time_the_clock_jumped_over_ran_late(world: Make) -> None:
    w = world(HOURLY)
    w.to("10:35:00")
    w.set_clock(hours=1)
    w.end_all()
    assert w.why("11:00") == (
        "a at 11:00: success in run 1, a catch-up. It started at 11:35, 35 min late, and took 0 s. "
        "The clock was set forward by 1 h at 10:35."
    )


def test_fires_of_an_interval_moved_with_a_clock_set_forward(world: Make) -> None:
    w = world(TEN)
    run_to(w, "10:10:05", "10:20:05", "10:30:05", "10:35:00")
    w.set_clock(hours=1)
    run_to(w, "11:41:00")
    answer = w.ask("11:10")
    assert " ".join(answer.tale.text) == (
        "11:10 is not a fire of a (10 minutes). The clock was set forward by 1 h at 10:35: "
        "the fires that lay ahead moved with it. The nearest are 10:30 and 11:40."
    )
    assert (answer.tale.verdict, answer.tale.reason) == ("not_a_fire", "clock")
    assert [w.ask(when).tale.verdict for when in ("10:30", "11:40")] == ["success", "success"]


def test_intervals_off_the_old_beat_are_known_before_and_after_a_step(world: Make) -> None:
    w = world(TEN)
    run_to(w, "10:10:05", "10:15:00")
    w.set_clock(minutes=3)
    run_to(w, "10:23:05", "10:30:00")
    found = [w.ask(f"10:{minute}").tale.verdict for minute in (10, 13, 20, 23)]
    assert found == ["success", "not_a_fire", "not_a_fire", "success"]
    assert w.ask("2026-11-20T10:33").tale.verdict == "coming"


def test_steps_that_are_no_longer_kept_leave_the_later_ones(world: Make) -> None:
    w = world(TEN)
    run_to(w, "10:10:05", "10:15:00")
    w.set_clock(minutes=3)
    run_to(w, "10:23:05", "10:30:00")
    w.set_clock(minutes=2)
    run_to(w, "10:35:05", "10:40:00")
    w.ledger._db.execute("DELETE FROM absence WHERE id = 1")
    tales = [w.ask(f"10:{minute}").tale for minute in (23, 25, 35)]
    assert [(tale.verdict, tale.reason) for tale in tales] == [
        ("success", None),
        ("not_a_fire", None),
        ("success", None),
    ]
    assert w.ask("2026-11-20T10:45").tale.verdict == "coming"


def test_a_clock_set_back_behind_the_first_look_makes_no_other_schedule(world: Make) -> None:
    w = world(HOURLY)
    w.set_clock(hours=-3)
    run_to(w, "08:00:05", "08:30:00")
    w.set_clock(hours=3)
    assert w.ask("08:00").tale.verdict == "success"
    assert w.ask("09:00").tale.reason == "first_look"


def back_by_20(world: Make, text: str) -> Watched:
    w = world(text)
    run_to(w, "10:10:05", "10:20:05", "10:30:05", "10:35:00")
    w.set_clock(minutes=-20)
    return w


def test_an_interval_comes_again_after_a_step_back(world: Make) -> None:
    w = back_by_20(world, TEN)
    answer = w.ask("2026-11-20T10:20")
    assert " ".join(answer.tale.text) == (
        "a at 10:20: coming, in 5 min. "
        "Before the clock was set back: a at 10:20: success in run 2. It started on time and took 5 s."
    )
    assert (answer.tale.verdict, answer.tale.runs) == ("coming", [2])


def test_of_two_passes_of_an_interval_both_are_told(world: Make) -> None:
    w = back_by_20(world, TEN)
    run_to(w, "10:20:05")
    assert w.ask("10:20").tale.runs == [2, 4]
    assert w.ask("10:10").tale.runs == [1]


def test_a_fixed_time_that_ran_does_not_run_again(world: Make) -> None:
    w = back_by_20(world, "[a]\ncommand = true\ncron = */20 * * * *\n")
    assert w.why("2026-11-20T10:20") == (
        "a at 10:20: success in run 1. It started on time and took 5 s. "
        "The clock was set back since, and what has run does not run again."
    )


def test_an_interval_goes_on_from_where_the_clock_was_set_back_to(world: Make) -> None:
    w = world(TEN)
    run_to(w, "10:10:05", "10:20:05")
    w.stop()
    w.now = at("10:05:00")
    w.start()
    w.to("10:10:05")
    assert w.why("2026-11-20T10:20") == (
        "a at 10:20: success in run 2. It started on time and took 5 s. The clock was set back since."
    )
    assert w.why("2026-11-20T10:14:55") == "a at 10:14:55: coming, in 4 min 50 s."


def test_what_waits_after_an_absence_tells_of_it(world: Make) -> None:
    w = world(TEN + "misfire = all\n")
    run_to(w, "10:11:00")
    w.freeze(minutes=30)
    assert w.why("10:30") == (
        "a at 10:30: waiting for the fires of its job before it. "
        "The daemon was asleep from 10:11 to 10:41 (its process was stopped or starved)."
    )
