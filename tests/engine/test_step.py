"""The wall clock is set: intervals go on in real time, fixed times go by what it shows."""

from __future__ import annotations

from collections.abc import Callable
from datetime import UTC, datetime, timedelta
from itertools import pairwise

import pytest

from engine.clock_world import START, ClockWorld
from inisched.model.run import Outcome, State
from inisched.questions.coming import coming
from inisched.stores.history import History
from inisched.stores.ledger import Ledger, LedgerDown

Make = Callable[..., ClockWorld]

TEN = "[a]\ncommand = true\nevery = 10 minutes\n"
DAILY = "[a]\ncommand = true\nevery = day\nat = 10:30\n"
HALF_PAST = "[a]\ncommand = true\nevery = hour\nat = :30\n"
YEARS = 70 * 365
FAILED = Outcome(state=State.FAILURE, exit_code=1)


def minutes(*numbers: float) -> list[float]:
    return [60.0 * number for number in numbers]


def at(text: str) -> datetime:
    return datetime.fromisoformat(text).replace(tzinfo=UTC)


# -- intervals ---------------------------------------------------------------------------------


@pytest.mark.parametrize("unseen", [0, 29])
@pytest.mark.parametrize(
    "days",
    [
        [1 / 1440, -1 / 1440],
        [-1 / 1440, 1 / 1440],
        [1 / 24, -1 / 24],
        [-1 / 24, 1 / 24],
        [1, -1],
        [-1, 1],
        [YEARS, -YEARS],
        [-20 * 365, 20 * 365],
        [1 / 24, YEARS, -1, -YEARS, 1 / 1440, -1 / 24],
        [-1 / 24, -1 / 24, -1 / 24, -1 / 24],
    ],
    ids=str,
)
def test_an_interval_keeps_its_rhythm_whatever_the_clock_shows(
    clocked: Make, days: list[float], unseen: float
) -> None:
    w = clocked(TEN)
    for step in days:
        w.live(minutes=7)
        w.set(days=step, unseen=unseen)
    w.live(minutes=7)
    assert w.beats("a") == minutes(*range(10, int(w.real / 60) + 1, 10))


def test_a_fire_of_an_interval_shows_what_the_clock_shows(clocked: Make) -> None:
    w = clocked(TEN)
    w.live(minutes=12)
    w.set(hours=-1)
    w.live(minutes=10)
    w.set(hours=3)
    w.live(minutes=10)
    assert w.account() == [
        "10:30:00 success schedule",
        "09:40:00 success schedule",
        "12:50:00 success schedule",
    ]


def test_only_a_step_back_begins_a_new_era(clocked: Make) -> None:
    w = clocked(TEN)
    for step in (1, -1, -1, 1, 1, -1):
        w.live(minutes=10)
        w.set(hours=step)
    w.live(minutes=10)
    assert w.eras("a") == [0, 0, 1, 2, 2, 2, 3]


def test_fixed_times_know_no_eras(clocked: Make) -> None:
    w = clocked(HALF_PAST)
    for _ in range(3):
        w.live(hours=1)
        w.set(days=-1)
    assert set(w.eras("a")) == {0}


def test_what_was_late_before_the_step_is_no_later_after_it(clocked: Make) -> None:
    w = clocked(TEN)
    w.clock.set(timedelta(days=1))
    w.freeze(minutes=10, seconds=50)
    assert w.account() == ["10:30:00 success schedule"]


def test_misfires_of_a_sleep_are_counted_in_real_time(clocked: Make) -> None:
    w = clocked(TEN)
    w.clock.set(timedelta(hours=-5))
    w.freeze(minutes=35)
    assert w.account() == ["05:30:00 to 05:40:00 coalesced x2", "05:50:00 success catchup"]


def test_random_intervals_keep_what_was_drawn(clocked: Make) -> None:
    text = TEN.replace("10 minutes", "5 to 10 minutes")
    calm = clocked(text)
    calm.live(hours=2)
    (calm.file.parent / "b").mkdir()
    w = ClockWorld(calm.file.parent / "b", text)
    for step in (1, -2, 3, 400, -399, 0):
        w.live(minutes=20)
        w.set(hours=step)
    w.ledger.close()
    assert w.beats("a") == calm.beats("a")
    assert all(5 * 60 <= b - a <= 10 * 60 for a, b in pairwise(w.beats("a")))


def test_from_end_counts_the_real_pause_between_two_runs(clocked: Make) -> None:
    w = clocked(TEN + "from_end = yes\n")
    w.instant = False
    w.live(minutes=10)
    w.set(hours=-1)
    w.live(minutes=3)
    w.end("a")
    w.set(hours=2)
    w.live(minutes=4)
    w.set(days=-30)
    w.live(minutes=6)
    assert w.beats("a") == minutes(10, 23)


def test_from_end_counts_on_after_a_restart_behind_a_step(clocked: Make) -> None:
    w = clocked(TEN + "from_end = yes\n")
    w.live(minutes=12)
    w.set(hours=-1)
    w.down(minutes=1)
    w.live(minutes=7)
    assert w.beats("a") == minutes(10, 20)


def test_jitter_moves_a_shifted_fire_no_further_than_it_may(clocked: Make) -> None:
    w = clocked(TEN + "jitter = 5 minutes\n")
    for step in (-1, 1, 24, -24):
        w.live(minutes=25)
        w.set(hours=step)
    w.live(minutes=20)
    late = [beat % 600 for beat in w.beats("a")]
    assert [beat // 600 for beat in w.beats("a")] == [float(n) for n in range(1, 12)]
    assert max(late) < 300


def test_an_active_from_that_lies_ahead_stays_on_the_calendar(clocked: Make) -> None:
    w = clocked(TEN + "active_from = 2026-11-20 12:00\n")
    w.set(hours=1)
    w.live(minutes=30)
    w.set(hours=-3)
    w.live(hours=3, minutes=21)
    assert w.account() == ["12:00:00 success schedule", "12:10:00 success schedule"]


def test_an_interval_set_back_before_its_active_from_begins_again_there(clocked: Make) -> None:
    w = clocked(TEN + "active_from = 2026-11-20 10:30\n")
    w.live(minutes=25)
    w.set(minutes=-20)
    w.live(minutes=20)
    assert [fire[:8] for fire in w.account()] == ["10:30:00", "10:40:00", "10:30:00", "10:40:00"]
    assert w.eras("a") == [0, 0, 1, 1]


def test_an_active_until_stays_on_the_calendar(clocked: Make) -> None:
    w = clocked(TEN + "active_until = 2026-11-20 11:00\n")
    w.live(minutes=15)
    w.set(minutes=30)
    w.live(hours=1)
    assert w.account() == ["10:30:00 success schedule"]
    w.set(hours=-2)
    w.live(hours=3)
    assert w.account()[-1] == "11:00:00 success schedule"


# -- fixed times, set forward ------------------------------------------------------------------


def test_a_fixed_time_jumped_over_within_grace_is_on_time(clocked: Make) -> None:
    w = clocked(DAILY)
    w.live(minutes=9)
    w.set(minutes=2)
    assert w.account() == ["10:30:00 success schedule"]


@pytest.mark.parametrize(
    ("misfire", "account"),
    [
        ("coalesce", ["10:30:00 to 12:30:00 coalesced x3", "13:30:00 success catchup"]),
        ("skip", ["10:30:00 to 13:30:00 misfire x4"]),
        ("all", [f"{hour}:30:00 success catchup" for hour in (10, 11, 12, 13)]),
    ],
)
def test_fixed_times_jumped_over_follow_the_misfire_rule_once(
    clocked: Make, misfire: str, account: list[str]
) -> None:
    w = clocked(HALF_PAST + f"misfire = {misfire}\n")
    w.set(hours=3, minutes=20)
    for _ in range(4):
        w.live(seconds=1)
    assert w.account() == account


def test_seventy_years_jumped_over_are_one_run_and_one_gap(clocked: Make) -> None:
    w = clocked(DAILY)
    w.set(days=YEARS)
    assert w.account() == ["10:30:00 to 10:30:00 coalesced x25549", "10:30:00 success catchup"]


# -- fixed times, set back ---------------------------------------------------------------------


@pytest.mark.parametrize(
    "line", ["every = hour\nat = :30", "every = day\nat = 10:30", "cron = 30 * * * *"]
)
@pytest.mark.parametrize("twice", [False, True])
def test_a_fixed_time_that_has_run_does_not_run_again(
    clocked: Make, line: str, twice: bool
) -> None:
    w = clocked(f"[a]\ncommand = true\n{line}\n")
    w.live(minutes=20)
    w.set(minutes=-20)
    w.live(minutes=20)
    if twice:
        w.set(minutes=-20)
        w.live(minutes=20)
    assert w.account() == ["10:30:00 success schedule"]


def test_looking_goes_on_from_the_new_present(clocked: Make) -> None:
    w = clocked(HALF_PAST)
    w.live(minutes=20)
    w.set(hours=-3)
    w.live(hours=4)
    assert [fire[:5] for fire in w.account()] == ["10:30", "08:30", "09:30", "11:30"]


def test_what_has_run_is_known_after_a_restart_too(clocked: Make) -> None:
    w = clocked(HALF_PAST)
    w.live(hours=2)
    w.set(hours=-2)
    w.down(seconds=10)
    w.live(hours=2)
    assert [fire[:5] for fire in w.account()] == ["10:30", "11:30"]


def test_what_has_run_makes_no_misfire_after_a_step_there_and_back(clocked: Make) -> None:
    w = clocked(HALF_PAST)
    w.live(hours=2)
    w.set(hours=-2)
    w.live(minutes=1)
    w.set(hours=2)
    w.live(minutes=1)
    assert [fire[:5] for fire in w.account()] == ["10:30", "11:30"]


def test_a_gap_that_lies_ahead_comes_due_again(clocked: Make) -> None:
    w = clocked(HALF_PAST + "misfire = skip\n")
    w.freeze(minutes=20)
    assert w.account() == ["10:30:00 to 10:30:00 misfire x1"]
    w.set(minutes=-20)
    assert w.account() == []
    w.live(minutes=20)
    assert w.account() == ["10:30:00 success schedule"]


def test_a_gap_that_reaches_past_the_present_is_cut_there(clocked: Make) -> None:
    w = clocked(HALF_PAST + "misfire = skip\n")
    w.freeze(hours=5)
    assert w.account() == ["10:30:00 to 14:30:00 misfire x5"]
    w.set(hours=-3)
    assert w.account() == ["10:30:00 to 11:30:00 misfire x2"]
    w.live(hours=1)
    assert w.account() == ["10:30:00 to 11:30:00 misfire x2", "12:30:00 success schedule"]


def test_what_ran_within_a_gap_is_not_taken_from_its_count(clocked: Make) -> None:
    w = clocked(HALF_PAST + "misfire = skip\n")
    w.live(hours=2)
    w.set(hours=3)
    w.live(hours=1)
    w.set(hours=-6)
    w.freeze(hours=7)
    assert w.account()[-1] == "12:30:00 to 16:30:00 misfire x4"
    w.set(hours=-2, minutes=-30)
    assert w.account()[-1] == "12:30:00 to 14:30:00 misfire x3"


@pytest.mark.parametrize("down", [False, True])
def test_what_came_due_in_a_hold_is_cut_where_the_clock_is_set_back(
    clocked: Make, down: bool
) -> None:
    w = clocked(HALF_PAST)
    w.throw("hold")
    w.live(hours=5)
    assert w.account() == ["10:30:00 to 14:30:00 None x5"]
    w.down(set_by=timedelta(hours=-3)) if down else w.set(hours=-3)
    assert w.account() == ["10:30:00 to 11:30:00 None x2"]
    w.live(hours=2)
    assert w.account() == ["10:30:00 to 13:30:00 None x4"]
    w.throw("release", run=True)
    assert w.account() == ["10:30:00 to 12:30:00 coalesced x3", "13:30:00 success catchup"]


@pytest.mark.parametrize("down", [False, True])
def test_what_came_due_in_a_hold_and_lies_ahead_again_comes_due_again(
    clocked: Make, down: bool
) -> None:
    w = clocked(HALF_PAST)
    w.throw("hold")
    w.live(minutes=20)
    w.down(set_by=timedelta(minutes=-20)) if down else w.set(minutes=-20)
    assert w.account() == []
    w.throw("release", run=True)
    w.live(minutes=20)
    assert w.account() == ["10:30:00 success schedule"]


def test_a_hold_over_what_has_run_already_is_released_without_it(clocked: Make) -> None:
    w = clocked(HALF_PAST + "misfire = all\n")
    w.live(hours=1)
    w.set(hours=-2)
    w.throw("hold")
    w.live(hours=3)
    w.down(minutes=1)
    assert w.account() == ["10:30:00 success schedule", "09:30:00 to 11:30:00 None x2"]
    w.throw("release", run=True)
    assert w.account() == [
        "10:30:00 success schedule",
        "09:30:00 success catchup",
        "11:30:00 success catchup",
    ]


def test_a_hold_from_before_the_first_look_is_released_fire_by_fire_behind_it(
    clocked: Make,
) -> None:
    w = clocked(HALF_PAST + "misfire = all\n")
    w.set(hours=-4)
    w.throw("hold")
    w.live(hours=2)
    w.set(hours=2, minutes=5)
    w.throw("release", run=True)
    assert w.account() == ["06:30:00 success catchup", "07:30:00 success catchup"]


def test_a_hold_over_fires_that_nobody_saw_is_released_into_one_run_and_a_gap_up_to_it(
    clocked: Make,
) -> None:
    w = clocked(HALF_PAST + "misfire = all\n")
    w.set(hours=-4)
    w.throw("hold")
    w.live(hours=2)
    w.set(hours=4)
    assert w.account() == ["06:30:00 to 11:30:00 None x4"]
    w.throw("release", run=True)
    assert w.account() == ["06:30:00 to 11:29:59 misfire x3", "11:30:00 success catchup"]


def test_the_log_tells_of_the_step_and_what_it_undid(
    clocked: Make, caplog: pytest.LogCaptureFixture
) -> None:
    w = clocked(HALF_PAST + "misfire = skip\n")
    w.live(hours=2)
    w.freeze(hours=2)
    w.set(hours=-4)
    assert caplog.messages[-1] == (
        "the clock was set back by 4 h; 1 gap(s) that reached past the present were cut there; "
        "2 fixed time(s) that lie ahead again have run already"
    )


def test_a_moment_seen_again_between_the_step_and_the_look_is_a_fire(clocked: Make) -> None:
    w = clocked("[a]\ncommand = true\nevery = hour\nat = :20\n")
    w.set(seconds=-1, unseen=1)
    assert w.account() == ["10:20:00 success schedule"]


def test_a_fire_moved_by_jitter_is_not_lost_where_its_gap_is_cut(clocked: Make) -> None:
    w = clocked(
        "[a]\ncommand = true\nevery = hour\nat = :00\njitter = 50 minutes\nmisfire = skip\n"
    )
    w.freeze(hours=2)
    moved = w.rows()[0]["fire_at"]
    assert w.rows()[0]["fire_until"] == moved
    present = datetime.fromisoformat(moved) - timedelta(seconds=10)
    w.set(seconds=(present - w.now).total_seconds())
    w.live(seconds=11)
    assert [(row["fire_at"], row["state"]) for row in w.rows()] == [(moved, "success")]


def test_a_phase_of_several_days_outlives_a_step_behind_its_beginning(clocked: Make) -> None:
    w = clocked("[a]\ncommand = true\nevery = 3 days\nat = 12:00\n")
    w.set(days=-10)
    w.live(days=17)
    assert [row["fire_at"][:10] for row in w.rows()] == [
        "2026-11-11", "2026-11-14", "2026-11-17", "2026-11-20", "2026-11-23", "2026-11-26",
    ]  # fmt: skip


# -- runs and waits ----------------------------------------------------------------------------


def test_a_run_lasts_as_long_as_it_lasts(clocked: Make) -> None:
    w = clocked(TEN)
    w.instant = False
    w.live(minutes=10)
    for step in (1, -30, 400):
        w.live(minutes=1)
        w.set(days=step)
    w.end("a")
    assert w.rows()[0]["duration_s"] == 180.0


def test_a_run_that_ended_while_the_ledger_was_down_lasts_as_long_as_it_lasts(
    clocked: Make, monkeypatch: pytest.MonkeyPatch
) -> None:
    w = clocked(TEN)
    w.instant = False
    w.live(minutes=10)
    w.live(seconds=20)
    with monkeypatch.context() as broken:
        for name in ("finish_all", "beat", "set_clock"):
            broken.setattr(Ledger, name, _refuse)
        w.end("a")
        w.clock.set(timedelta(hours=1))
        w.clock.go(5)
        now, happened = w.watch.look(30)
        w.engine.set_clock(happened[0], now)
    w.live(seconds=10)
    assert (w.rows()[0]["state"], w.rows()[0]["duration_s"]) == ("success", 20.0)


def _refuse(*_: object, **__: object) -> None:
    raise LedgerDown("no space left")


@pytest.mark.parametrize("step", [1, -1, 365, -365])
def test_a_retry_keeps_its_real_delay(clocked: Make, step: int) -> None:
    w = clocked(TEN.replace("10 minutes", "5 hours") + "retries = 1\nretry_delay = 10 minutes\n")
    w.outcome = FAILED
    w.live(hours=5)
    w.live(minutes=4)
    w.set(days=step)
    w.live(minutes=7)
    assert w.beats("a") == minutes(300, 310)


def test_a_retry_keeps_its_real_delay_across_a_restart_behind_the_step(clocked: Make) -> None:
    w = clocked(TEN.replace("10 minutes", "5 hours") + "retries = 1\nretry_delay = 10 minutes\n")
    w.outcome = FAILED
    w.live(hours=5)
    w.set(days=-1)
    w.down(minutes=4)
    w.live(minutes=7)
    assert w.beats("a") == minutes(300, 310)


def test_a_fire_asked_for_later_keeps_its_real_delay(clocked: Make) -> None:
    w = clocked("[a]\ncommand = true\nevery = never\n")
    w.engine.trigger("a", w.now, timedelta(hours=1))
    for step in (5, -30, 365):
        w.live(minutes=10)
        w.set(days=step)
    w.live(minutes=31)
    assert w.beats("a") == minutes(60)


def test_a_fire_asked_for_later_waits_on_after_a_clock_set_back_while_down(clocked: Make) -> None:
    w = clocked("[a]\ncommand = true\nevery = never\n")
    w.engine.trigger("a", w.now, timedelta(hours=1))
    w.live(minutes=10)
    w.down(minutes=1, set_by=timedelta(days=-30))
    w.live(minutes=51)
    assert w.beats("a") == minutes(61)


@pytest.mark.parametrize("step", [1, -1])
def test_the_wait_for_a_pool_is_counted_in_real_time(clocked: Make, step: int) -> None:
    pool = "[pool:p]\nwait = 5 minutes\n"
    w = clocked(pool + TEN + "pool = p\n" + TEN.replace("[a]", "[b]") + "pool = p\n")
    w.instant = False
    w.live(minutes=13)
    w.set(days=step)
    w.live(minutes=1, seconds=59)
    assert w.account("b") == ["10:30:00 waiting schedule"]
    w.live(seconds=1)
    assert w.rows("b")[0]["reason"] == "pool"


# -- while no daemon ran -----------------------------------------------------------------------


def test_a_clock_set_back_while_down_stops_no_interval(clocked: Make) -> None:
    w = clocked(TEN)
    w.live(minutes=14)
    w.down(seconds=30, set_by=timedelta(days=-1))
    w.live(minutes=6)
    assert [fire[:5] for fire in w.account()] == ["10:30", "10:40"]
    assert w.eras("a") == [0, 1]


def test_a_clock_set_back_while_down_runs_no_fixed_time_again(clocked: Make) -> None:
    w = clocked(HALF_PAST)
    w.live(hours=3)
    w.down(seconds=30, set_by=timedelta(hours=-3))
    w.live(hours=4)
    assert [fire[:5] for fire in w.account()] == ["10:30", "11:30", "12:30", "13:30"]


def test_a_clock_set_forward_while_down_counts_as_time_down(clocked: Make) -> None:
    w = clocked(TEN)
    w.live(minutes=5)
    w.down(seconds=30, set_by=timedelta(minutes=20))
    assert w.account() == ["10:30:00 to 10:30:00 coalesced x1", "10:40:00 success catchup"]


@pytest.mark.parametrize("down", [False, True])
def test_a_first_look_in_2098_is_no_reason_to_wait_until_then(clocked: Make, down: bool) -> None:
    w = clocked(TEN + HALF_PAST.replace("[a]", "[b]"), start=at("2098-05-01 10:20"))
    w.live(minutes=5)
    back = at("2026-11-20 10:25") - w.now
    if down:
        w.down(set_by=back)
    else:
        w.set(days=back.days, seconds=back.seconds)
    w.live(minutes=6)
    assert w.account() == ["10:30:00 success schedule", "10:30:00 success schedule"]


def test_a_clock_that_is_corrected_after_a_boot_in_1970_disturbs_no_interval(
    clocked: Make,
) -> None:
    w = clocked(TEN)
    w.live(minutes=14)
    w.down(set_by=at("1970-01-01 00:00") - w.now)
    w.live(seconds=20)
    w.set(days=(START - w.now).days)
    w.live(minutes=6)
    assert w.beats("a") == minutes(10, 20)


# -- next --------------------------------------------------------------------------------------

EVERYTHING = """
[elapsed]
command = true
every = 7 minutes
[random]
command = true
every = 5 to 9 minutes
[from end]
command = true
every = 11 minutes
from_end = yes
[labels]
command = true
every = hour
at = :10, :50
[cron]
command = true
cron = */15 * * * *
[jittered]
command = true
every = 13 minutes
jitter = 3 minutes
[moved]
command = true
every = hour
at = :00
jitter = 30 minutes
"""


@pytest.mark.parametrize("step", [1, -1, 24, -24, -1 / 60], ids=str)
def test_next_says_what_then_happens(clocked: Make, step: float) -> None:
    w = clocked(EVERYTHING, settings="max_running = 50")
    w.live(minutes=50)
    w.set(hours=step)
    w.live(minutes=3)
    history = History(w.config.database)
    known, seed = history.jobs(), history.id
    history.close()
    until = w.now + timedelta(hours=1)
    said = coming(w.config.jobs, known, since=w.now, until=until, seed=seed or "")
    before = len(w.runs)
    w.live(hours=1)
    done = sorted((run.fire_at, run.job) for run in w.runs[before:])
    assert sorted((fire.at, fire.job) for fire in said) == done


# -- before the file has been judged -----------------------------------------------------------


@pytest.mark.parametrize("step", [1, -1])
def test_a_clock_set_while_the_daemon_is_starting_moves_its_intervals(
    clocked: Make, step: int
) -> None:
    w = clocked(TEN)
    w.live(minutes=14)
    w.down(seconds=10, set_while_starting=timedelta(days=step))
    w.live(minutes=6)
    assert w.beats("a") == minutes(10, 20)


@pytest.mark.parametrize("step", [1, -1])
def test_a_clock_set_while_the_daemon_is_starting_moves_what_waits(
    clocked: Make, step: int
) -> None:
    w = clocked("[a]\ncommand = true\nevery = never\n")
    w.engine.trigger("a", w.now, timedelta(hours=1))
    w.down(seconds=10, set_while_starting=timedelta(days=step))
    w.live(hours=1)
    assert w.beats("a") == minutes(60)


# -- before the first look ---------------------------------------------------------------------


@pytest.mark.parametrize("misfire", ["coalesce", "skip", "all"])
@pytest.mark.parametrize("down", [False, True])
def test_a_boot_in_1970_makes_no_fires_of_what_came_before_the_first_look(
    clocked: Make, misfire: str, down: bool
) -> None:
    w = clocked(DAILY + f"misfire = {misfire}\n")
    w.live(days=3)
    w.down(set_by=at("1970-01-01 00:00") - w.now)
    w.live(seconds=20)
    back = START + timedelta(days=3, minutes=1) - w.now
    if down:
        w.down(set_by=back)
    else:
        w.set(days=back.days, seconds=back.seconds)
    w.live(days=1)
    days = [(row["fire_at"][:10], row["state"]) for row in w.rows()]
    assert days == [(f"2026-11-{day}", "success") for day in (20, 21, 22, 23)]


def test_fixed_times_before_the_first_look_run_where_the_clock_comes_to_them(
    clocked: Make,
) -> None:
    w = clocked(DAILY)
    w.set(days=-2)
    for _ in range(3):
        w.live(hours=12)
        w.down(minutes=1)
    w.live(days=2)
    assert [row["fire_at"][:10] for row in w.rows()] == [
        f"2026-11-{day}" for day in (18, 19, 20, 21)
    ]


def test_a_job_first_looked_at_in_2098_has_misfires_today(clocked: Make) -> None:
    w = clocked(HALF_PAST + "misfire = skip\n", start=at("2098-05-01 10:20"))
    back = at("2026-11-20 10:20") - w.now
    w.set(days=back.days, seconds=back.seconds)
    w.set(hours=2)
    w.down(hours=3)
    assert w.account() == ["10:30:00 to 14:30:00 misfire x5"]


@pytest.mark.parametrize(
    ("misfire", "account"),
    [
        ("skip", ["06:30:00 to 10:30:00 misfire x5"]),
        (
            "coalesce",
            [
                "06:30:00 to 06:30:00 coalesced x1",
                "09:30:00 success catchup",
                "07:30:00 to 08:30:00 misfire x2",
                "10:30:00 success catchup",
            ],
        ),
        (
            "all",
            [
                "06:30:00 to 06:30:00 misfire x1",
                "09:30:00 success catchup",
                "07:30:00 to 08:30:00 misfire x2",
                "10:30:00 success catchup",
            ],
        ),
    ],
)
@pytest.mark.parametrize("down", [False, True])
def test_a_gap_cut_before_the_first_look_is_there_again_once_the_clock_jumps_past_that(
    clocked: Make, misfire: str, account: list[str], down: bool
) -> None:
    w = clocked(HALF_PAST + f"misfire = {misfire}\nmax_catchup = 1\n")
    w.set(hours=-4)
    w.freeze(hours=3, minutes=20)
    w.set(hours=-2, minutes=-20)
    if down:
        w.down(hours=4)
    else:
        w.set(hours=4)
    assert w.account() == account


def test_of_a_gap_cut_before_the_first_look_what_the_clock_comes_to_again_runs(
    clocked: Make,
) -> None:
    w = clocked(HALF_PAST + "misfire = skip\n")
    w.set(hours=-4)
    w.freeze(hours=3, minutes=20)
    w.set(hours=-2, minutes=-20)
    w.live(hours=1, minutes=20)
    w.set(hours=2)
    assert w.account() == [
        "06:30:00 to 06:30:00 misfire x1",
        "07:30:00 success schedule",
        "08:30:00 success schedule",
        "09:30:00 to 10:30:00 misfire x2",
    ]


def test_gaps_cut_one_behind_the_other_before_the_first_look_leave_out_what_lay_between(
    clocked: Make,
) -> None:
    w = clocked(HALF_PAST + "misfire = skip\n")
    w.set(hours=-2)
    w.freeze(minutes=20)
    w.set(hours=-4)
    w.freeze(hours=1)
    w.set(hours=-1)
    w.set(hours=7)
    assert w.account() == ["05:30:00 to 11:30:00 misfire x4"]


@pytest.mark.parametrize("good", [1, 2])
def test_a_step_counts_once_although_the_ledger_fails_behind_it(clocked: Make, good: int) -> None:
    w = clocked(TEN)
    w.live(minutes=14)
    jobs = w.ledger.jobs
    answers = iter([*[jobs] * good, fails])
    w.ledger.jobs = lambda: next(answers, jobs)()  # type: ignore[method-assign]
    w.set(days=1)
    w.live(minutes=7)
    assert w.beats("a") == minutes(10, 20)


def fails() -> None:
    raise LedgerDown("the disk is full")
