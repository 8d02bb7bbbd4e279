"""What the schedulers before this one did, or should have done, with reports, followers and
misfires: each rule as one little story."""

from __future__ import annotations

import logging
from collections.abc import Callable, Iterator
from datetime import datetime, timedelta
from pathlib import Path

import pytest

from engine.world import START, World
from inisched.engine import switching
from inisched.model.run import Outcome, State
from inisched.questions.coming import coming

Make = Callable[..., World]

DAILY = "[report]\ncommand = true\nevery = day\nat = 06:00\nreport_period = day\n"
GATED = DAILY + "ready = sales.are_in\nready_every = 1 h\n"
HOURLY = "[a]\ncommand = true\ncron = 0 * * * *\n"
FAILED = Outcome(state=State.FAILURE, exit_code=3)
GOOD = Outcome(state=State.SUCCESS)


@pytest.fixture
def world(tmp_path: Path) -> Iterator[Make]:
    worlds: list[World] = []

    def make(text: str, start: datetime = START) -> World:
        worlds.append(World(tmp_path, text, start=start))
        return worlds[-1]

    yield make
    for one in worlds:
        one.ledger.close()


def moment(text: str) -> datetime:
    """ "11-21 06:00", in the year 2026, UTC; a time alone is of 20 November."""
    day = text if " " in text else f"11-20 {text}"
    return datetime.fromisoformat(f"2026-{day.replace(' ', 'T')}+00:00")


def to(w: World, text: str) -> None:
    """Time passes until then, and the daemon looks once."""
    w.go(seconds=(moment(text) - w.now).total_seconds())


def asked_no(w: World, text: str) -> None:
    """The daemon looks at that moment, and the report's data is not there."""
    to(w, text)
    w.answer("report", False)


def reports(w: World, job: str = "report") -> list[str]:
    """The periods of a job's rows and what became of each: "11-19 success"."""
    rows = [row for row in w.rows(job) if row["period_end"]]
    return [f"{row['period_end'][5:]} {row['state']}" for row in rows]


def next_fire(w: World, job: str) -> str:
    jobs = [one for one in w.config.jobs if one.name == job]
    (fire,) = coming(jobs, w.ledger.jobs(), since=w.now, limit=1, seed=w.ledger.id)
    return f"{fire.at:%m-%d %H:%M}"


# -- reports ------------------------------------------------------------------------------------


def test_a_daily_report_is_about_the_day_before_its_fire(world: Make) -> None:
    w = world(DAILY)
    to(w, "11-21 06:00")
    (row,) = w.rows()
    assert (row["period_start"], row["period_end"]) == ("2026-11-20", "2026-11-20")


def test_a_day_that_has_not_ended_is_never_reported(world: Make) -> None:
    w = world(DAILY)
    to(w, "11-21 06:00")
    w.end("report")
    to(w, "11-21 23:59")
    assert reports(w) == ["11-20 success"]
    assert next_fire(w, "report") == "11-22 06:00"


def test_data_that_is_late_is_waited_for_and_is_no_failure(world: Make) -> None:
    w = world(GATED)
    asked_no(w, "11-21 06:00")
    assert reports(w) == ["11-20 waiting"]
    to(w, "11-21 07:00")
    w.answer("report", True)
    w.end("report")
    assert reports(w) == ["11-20 success"]


def test_a_report_two_days_late_goes_out_without_its_data_and_the_next_one_does_not(
    world: Make,
) -> None:
    w = world(GATED.replace("1 h", "12 h") + "override_after = 2 days\n")
    for clock in ("11-21 06:00", "11-21 18:00", "11-22 06:00", "11-22 18:00"):
        asked_no(w, clock)
    asked_no(w, "11-23 06:00")
    assert [row["override"] for row in w.rows()] == [True, False, False]
    assert reports(w) == ["11-20 running", "11-21 waiting", "11-22 waiting"]
    w.end("report")
    w.answer("report", False)
    assert reports(w) == ["11-20 success", "11-21 waiting", "11-22 waiting"]


def test_a_backlog_is_reported_one_by_one_the_oldest_first(world: Make) -> None:
    w = world(DAILY)
    to(w, "11-23 15:00")
    for day in ("11-20", "11-21", "11-22"):
        assert f"{day} running" in reports(w)
        w.end("report")
    assert reports(w) == ["11-20 success", "11-21 success", "11-22 success"]


def test_a_weekly_report_is_about_the_seven_days_before(world: Make) -> None:
    w = world("[report]\ncommand = true\nevery = monday\nat = 06:00\nreport_period = week\n"
              "active_from = 2026-11-16\n", moment("11-17 10:00"))  # fmt: skip
    (row,) = w.rows()
    assert (row["period_start"], row["period_end"]) == ("2026-11-09", "2026-11-15")
    assert next_fire(w, "report") == "11-23 06:00"


def test_a_monthly_report_is_about_the_month_before_and_is_overridden_like_any_other(
    world: Make,
) -> None:
    w = world("[report]\ncommand = true\nevery = month\non_day = 1\nat = 06:00\n"
              "report_period = month\nready = sales.are_in\nready_every = 1 day\n"
              "override_after = 3 days\n")  # fmt: skip
    for clock in ("12-01 06:00", "12-02 06:00", "12-03 06:00"):
        asked_no(w, clock)
    assert w.started == []
    asked_no(w, "12-04 06:00")
    (row,) = w.rows()
    assert (row["period_start"], row["period_end"]) == ("2026-11-01", "2026-11-30")
    assert (row["state"], row["override"]) == ("running", True)


def test_a_month_too_short_for_its_day_is_reported_on_its_last_day(world: Make) -> None:
    w = world("[report]\ncommand = true\nevery = month\non_day = 31\nat = 06:00\n"
              "report_period = month\n", moment("01-31 05:00"))  # fmt: skip
    to(w, "01-31 06:00")
    w.end("report")
    to(w, "02-28 06:00")
    periods = [(row["period_start"][5:], row["period_end"][5:]) for row in w.rows()]
    assert periods == [("12-31", "01-30"), ("01-28", "02-27")]


def test_a_report_that_fails_keeps_its_period_and_hinders_no_other(world: Make) -> None:
    w = world(DAILY + DAILY.replace("[report]", "[other]").replace("06:00", "07:00"))
    w.outcome = FAILED
    to(w, "11-21 06:00")
    w.end("report")
    w.outcome = GOOD
    to(w, "11-21 07:00")
    w.end("other")
    assert (reports(w), reports(w, "other")) == (["11-20 failure"], ["11-20 success"])
    to(w, "11-22 06:00")
    assert reports(w) == ["11-20 failure", "11-21 waiting", "11-20 running"]
    w.end("report")
    w.end("report")
    assert reports(w) == ["11-20 failure", "11-21 success", "11-20 success"]


# -- asked whether to run, times, triggers ------------------------------------------------------

FIVE = "[a]\ncommand = true\nevery = 5 minutes\nshould_run = rules.may\nthen = b\n"
NEVER = "[b]\ncommand = true\nevery = never\n"


def test_a_fire_that_should_not_run_is_skipped_in_its_rhythm_and_starts_no_other(
    world: Make,
) -> None:
    w = world(FIVE + NEVER)
    to(w, "10:05")
    w.answer("a", False)
    assert (w.started, w.rows("b")) == ([], [])
    assert [(row["state"], row["reason"]) for row in w.rows()] == [("skipped", "should_run")]
    assert next_fire(w, "a") == "11-20 10:10"


def test_a_fire_whose_should_run_raises_runs_with_a_warning(
    world: Make, caplog: pytest.LogCaptureFixture
) -> None:
    w = world(FIVE + NEVER)
    to(w, "10:05")
    with caplog.at_level(logging.WARNING, "inisched"):
        w.answer("a", "ValueError: no")
    assert w.started == [("a", "10:05:00")]
    assert "a: should_run has no answer: ValueError: no; taken for a yes" in caplog.text


def test_of_times_missed_while_the_daemon_was_down_one_runs(world: Make) -> None:
    w = world("[a]\ncommand = true\nevery = day\nat = 08:00, 20:00\n", moment("07:50"))
    w.restart(hours=13, minutes=10)
    assert w.started == [("a", "20:00:00")]
    assert next_fire(w, "a") == "11-21 08:00"


def test_after_its_own_moment_the_next_time_is_tomorrow(world: Make) -> None:
    w = world("[a]\ncommand = true\nevery = day\nat = 23:37\n")
    to(w, "23:37")
    assert next_fire(w, "a") == "11-21 23:37"


def test_a_job_that_comes_after_an_end_of_any_kind_keeps_its_own_rhythm(world: Make) -> None:
    w = world("[a]\ncommand = true\nevery = 2 minutes\nthen = b\nthen_on = finished\n"
              "[b]\ncommand = true\nevery = 6 hours\n")  # fmt: skip
    w.outcome = FAILED
    to(w, "10:02")
    w.end("a")
    assert w.account("b") == ["10:02:00 running then"]
    assert next_fire(w, "b") == "11-20 16:00"


def test_a_disabled_job_that_would_come_after_leaves_a_row(world: Make) -> None:
    w = world("[a]\ncommand = true\nevery = 2 minutes\nthen = b\n" + NEVER + "active = no\n")
    to(w, "10:02")
    w.end("a")
    assert [(row["state"], row["reason"]) for row in w.rows("b")] == [("skipped", "disabled")]


HELD = "[x]\ncommand = true\nevery = 10 minutes\n[y]\ncommand = true\nevery = 25 minutes\n"


def test_during_a_hold_what_runs_ends_and_nothing_else_starts(world: Make) -> None:
    w = world(HELD)
    to(w, "10:10")
    switching.hold(w.engine, w.now)
    w.end("x")
    to(w, "12:00")
    assert [name for name, _ in w.started] == ["x"]


def test_released_to_run_each_job_that_is_overdue_runs_once(world: Make) -> None:
    w = world(HELD)
    switching.hold(w.engine, w.now)
    to(w, "11:55")
    switching.release(w.engine, w.now, run=True)
    assert w.started == [("y", "11:40:00"), ("x", "11:50:00")]


def test_released_to_skip_every_job_goes_on_at_its_next_fire(world: Make) -> None:
    w = world(HELD)
    switching.hold(w.engine, w.now)
    to(w, "11:55")
    switching.release(w.engine, w.now, run=False)
    assert w.started == []
    assert (next_fire(w, "x"), next_fire(w, "y")) == ("11-20 12:00", "11-20 12:05")


def test_without_any_active_job_the_engine_idles(world: Make) -> None:
    w = world(NEVER + "active = no\n")
    to(w, "11-27 10:00")
    assert (w.engine.due, w.engine.idle, w.rows()) == (None, True, [])


# -- misfires, hourly, the last done at 10:00 ---------------------------------------------------


def test_every_missed_fire_runs_in_its_turn_and_is_told_its_own_moment(world: Make) -> None:
    w = world(HOURLY + "misfire = all\n")
    to(w, "13:02")
    assert w.started == [("a", "11:00:00")]
    w.end("a")
    w.end("a")
    assert w.started == [("a", "11:00:00"), ("a", "12:00:00"), ("a", "13:00:00")]


@pytest.mark.parametrize(
    ("clock", "runs", "missed"),
    [("13:00:30", ["13:00:00"], 2), ("13:01:00", ["13:00:00"], 2), ("13:02:00", [], 3)],
)
def test_missed_fires_that_are_skipped_are_counted_and_one_on_time_runs(
    world: Make, clock: str, runs: list[str], missed: int
) -> None:
    w = world(HOURLY + "misfire = skip\n")
    to(w, clock)
    assert [told for _, told in w.started] == runs
    assert [row["count"] for row in w.rows() if row["reason"] == "misfire"] == [missed]


@pytest.mark.parametrize(
    ("clock", "runs"), [("13:02:00", ["13:00:00"]), ("13:00:30", ["12:00:00", "13:00:00"])]
)
def test_missed_fires_become_one_with_the_moment_of_the_latest(
    world: Make, clock: str, runs: list[str]
) -> None:
    w = world(HOURLY)
    to(w, clock)
    while w.engine.runs:
        w.end("a")
    assert [told for _, told in w.started] == runs


def test_a_run_cut_off_by_the_daemons_death_is_interrupted_and_not_run_again(world: Make) -> None:
    w = world(HOURLY)
    to(w, "11:00:00")
    w.restart(minutes=5)
    assert w.account() == ["11:00:00 interrupted schedule"]


def test_a_run_cut_off_is_run_again_once_where_the_file_says_so(world: Make) -> None:
    w = world(HOURLY + "rerun_interrupted = yes\n")
    to(w, "11:00:00")
    w.restart(minutes=5)
    w.restart(minutes=5)
    assert [row["state"] for row in w.rows()] == ["interrupted", "interrupted"]


# -- dependencies -------------------------------------------------------------------------------

B = HOURLY.replace("[a]", "[b]")


def test_a_job_starts_when_the_one_it_follows_has_ended_and_not_with_its_own_fire(
    world: Make,
) -> None:
    w = world(HOURLY + "after = b\n" + B)
    to(w, "11:00:00")
    assert w.account("a") == ["11:00:00 waiting schedule"]
    to(w, "11:00:20")
    w.end("b")
    assert w.rows("a")[0]["started_at"] == "2026-11-20T11:00:20Z"


def test_a_job_does_not_start_when_the_one_it_follows_has_failed(world: Make) -> None:
    w = world(HOURLY + "after = b\n" + B)
    w.outcome = FAILED
    to(w, "11:00:20")
    w.end("b")
    to(w, "11:30:00")
    assert w.account("a") == ["11:00:00 waiting schedule"]


def test_one_run_of_a_job_serves_one_run_of_its_follower(world: Make) -> None:
    w = world(HOURLY + "after = b\n[b]\ncommand = true\nevery = never\n")
    w.engine.trigger("b", w.now, timedelta(0))
    to(w, "10:59:00")
    w.end("b")
    to(w, "11:00:20")
    w.end("a")
    to(w, "12:00:00")
    assert w.account("a") == ["11:00:00 success schedule", "12:00:00 waiting schedule"]


def test_two_jobs_that_take_turns_begin_with_the_one_whose_wait_lies_in_the_future(
    world: Make,
) -> None:
    w = world(HOURLY + "after = b\n" + B + "after_future = a\n")
    to(w, "11:00:00")
    assert [name for name, _ in w.started] == ["b"]
    w.end("b")
    assert [name for name, _ in w.started] == ["b", "a"]
    to(w, "12:00:00")
    assert w.account("b")[-1] == "12:00:00 waiting schedule"
    w.end("a")
    assert [name for name, _ in w.started] == ["b", "a", "b"]


def test_a_job_that_waits_for_itself_never_runs_twice_at_once(world: Make) -> None:
    w = world(HOURLY + "after_future = a\n")
    to(w, "11:00:00")
    to(w, "12:00:00")
    assert len(w.engine.runs) == 1
    to(w, "12:15:00")
    w.end("a")
    assert [row["started_at"][11:16] for row in w.rows()] == ["11:00", "12:15"]
