"""Switches in force: what becomes of fires, rhythms and what runs and waits."""

from __future__ import annotations

from collections.abc import Callable
from datetime import timedelta

import pytest

from engine.world import START, World
from inisched.engine import switching
from inisched.engine.engine import Engine
from inisched.model.run import Outcome, State
from inisched.stores.claims import Absence
from inisched.stores.switches import Mark, Release

Make = Callable[[str], World]

HOURLY = "[a]\ncommand = true\nevery = hour\n"
TEN = "[a]\ncommand = true\nevery = 10 minutes\n"
FAIL = Outcome(state=State.FAILURE, exit_code=1)


def minutes(w: World, number: int, *, step: int = 10) -> None:
    """So many minutes pass, and each run ends at once."""
    for _ in range(number // step):
        w.go(minutes=step)
        while w.engine.runs:
            w.end(next(iter(w.engine.runs.values())).seat.job.name)


def mark(w: World) -> Mark:
    """Ann's, for a switch thrown while no daemon is up."""
    return Mark("ann", w.now)


def moments(w: World) -> list[str]:
    return [account[:5] for account in w.account("a")]


# -- disable, enable


def test_a_disabled_job_has_no_fires_and_no_rows(world: Make) -> None:
    w = world(TEN)
    w.throw("disable", "a")
    minutes(w, 60)
    assert w.account() == []


def test_a_job_that_is_enabled_again_goes_on_in_its_rhythm(world: Make) -> None:
    w = world(TEN)
    w.throw("disable", "a")
    minutes(w, 25, step=5)
    w.throw("enable", "a")
    minutes(w, 20, step=5)
    assert w.account() == ["10:30:00 success schedule", "10:40:00 success schedule"]


def test_an_inactive_job_runs_once_it_is_enabled(world: Make) -> None:
    w = world(TEN + "active = no\n")
    w.throw("enable", "a")
    minutes(w, 20)
    assert moments(w) == ["10:10", "10:20"]


def test_what_has_come_due_before_a_job_is_disabled_runs(world: Make) -> None:
    w = world(TEN)
    w.now += timedelta(minutes=10)
    w.throw("disable", "a")
    assert w.account() == ["10:10:00 running schedule"]


def test_what_runs_runs_on_when_its_job_is_disabled(world: Make) -> None:
    w = world(TEN)
    w.go(minutes=10)
    w.throw("disable", "a")
    w.end("a")
    assert w.account() == ["10:10:00 success schedule"]
    assert w.told_to_end == []


def test_what_waits_is_skipped_when_its_job_is_disabled(world: Make) -> None:
    w = world(TEN + "overlap = queue\n")
    w.go(minutes=10)
    w.go(minutes=10)
    w.throw("disable", "a")
    row = w.rows()[1]
    facts = (row["state"], row["reason"], row["message"])
    assert facts == ("skipped", "disabled", "the job was disabled by ann")


def test_what_a_person_asked_for_runs_although_the_job_is_disabled(world: Make) -> None:
    w = world(TEN)
    w.engine.trigger("a", w.now, timedelta(minutes=30))
    w.throw("disable", "a")
    minutes(w, 60)
    assert w.account() == ["10:30:00 success manual"]


def test_a_pending_retry_is_skipped_when_its_job_is_disabled(world: Make) -> None:
    w = world(TEN + "retries = 1\nretry_delay = 1 hour\n")
    w.outcome = FAIL
    w.go(minutes=10)
    w.end("a")
    w.throw("disable", "a")
    assert w.account() == ["10:10:00 failure schedule", "10:10:00 skipped retry"]


@pytest.mark.parametrize("way", ["reload", "restart"])
def test_a_disabled_job_stays_disabled(world: Make, way: str) -> None:
    w = world(TEN)
    w.throw("disable", "a")
    if way == "reload":
        w.reload(TEN + "description = another\n")
    else:
        w.restart(minutes=25)
    minutes(w, 60)
    assert w.account() == []


def test_what_waited_for_a_job_disabled_meanwhile_is_skipped_at_the_next_start(
    world: Make,
) -> None:
    w = world(TEN + "overlap = queue\n")
    w.go(minutes=10)
    w.go(minutes=10)
    w.ledger.switches.disable("a", mark(w))
    w.restart(minutes=1)
    row = w.rows()[1]
    facts = (row["state"], row["reason"], row["message"])
    assert facts == ("skipped", "disabled", "the job was disabled by ann")


def test_a_job_disabled_and_enabled_while_the_daemon_is_down_has_no_misfires_of_that_time(
    world: Make,
) -> None:
    w = world(TEN)
    w.now += timedelta(minutes=5)
    w.ledger.switches.disable("a", mark(w))
    w.now += timedelta(minutes=30)
    w.ledger.switches.enable("a", mark(w))
    w.restart(minutes=1)
    minutes(w, 5, step=1)
    assert w.account() == ["10:40:00 success schedule"]


def test_what_came_due_before_a_job_was_disabled_while_the_daemon_was_down_is_skipped_as_that(
    world: Make,
) -> None:
    w = world(TEN)
    minutes(w, 10)
    w.now += timedelta(minutes=35)
    w.ledger.switches.disable("a", mark(w))
    w.restart(hours=2)
    minutes(w, 60)
    assert w.account() == [
        "10:10:00 success schedule",
        "10:20:00 to 10:40:00 disabled x3",
    ]


def test_a_disabled_job_rests_as_disabled(world: Make) -> None:
    w = world(TEN)
    w.throw("disable", "a")
    [row] = w.ledger._run("open_rest", job_id=1)
    assert row["reason"] == "disabled"


def test_a_switch_for_a_job_a_reload_has_removed_counts_when_it_is_back(world: Make) -> None:
    w = world(TEN)
    w.reload("[b]\ncommand = true\nevery = never\n")
    w.throw("disable", "a")
    w.reload(TEN)
    minutes(w, 30)
    assert w.account("a") == []


def test_a_stale_job_is_switched_too(world: Make) -> None:
    w = world(TEN)
    job = w.config.jobs[0]
    w.engine.adopt([job], w.now, stale=["a"], broken=["a"])
    w.throw("disable", "a")
    assert (w.engine.seats["a"].job.active, w.engine.written["a"].active) == (False, True)
    assert w.ledger.jobs()["a"].stale


# -- reschedule


def test_a_new_schedule_begins_now(world: Make) -> None:
    w = world(HOURLY)
    w.go(minutes=5)
    w.throw("reschedule", "a", schedule={"every": "20 minutes"})
    minutes(w, 60, step=5)
    assert moments(w) == ["10:25", "10:45", "11:05"]


def test_a_schedule_taken_back_leaves_the_old_rhythm(world: Make) -> None:
    w = world(HOURLY)
    w.go(minutes=5)
    w.throw("reschedule", "a", schedule={"every": "20 minutes"})
    minutes(w, 30, step=5)
    w.throw("reschedule", "a")
    minutes(w, 120, step=5)
    assert moments(w) == ["10:25", "11:00", "12:00"]


def test_the_old_rhythm_comes_back_after_two_new_schedules_and_a_restart(world: Make) -> None:
    w = world(HOURLY)
    w.go(minutes=5)
    w.throw("reschedule", "a", schedule={"every": "20 minutes"})
    w.go(minutes=5)
    w.throw("reschedule", "a", schedule={"every": "day", "at": "06:00"})
    w.restart(minutes=5)
    w.throw("reschedule", "a")
    minutes(w, 120, step=5)
    assert moments(w) == ["11:00", "12:00"]


def test_a_schedule_taken_back_while_the_daemon_is_down_leaves_the_old_rhythm(
    world: Make,
) -> None:
    w = world(HOURLY)
    w.go(minutes=5)
    w.throw("reschedule", "a", schedule={"every": "20 minutes"})
    w.ledger.switches.unschedule("a", mark(w))
    w.restart(minutes=5)
    minutes(w, 120, step=5)
    assert moments(w) == ["11:00", "12:00"]


def test_a_rhythm_that_came_back_is_forgotten_as_a_former_one(world: Make) -> None:
    w = world(HOURLY)
    w.throw("reschedule", "a", schedule={"every": "20 minutes"})
    w.throw("reschedule", "a")
    assert w.ledger.switches.all() == {}


def test_a_file_edited_meanwhile_has_its_new_schedule_begin_when_it_counts_again(
    world: Make,
) -> None:
    w = world(HOURLY)
    w.throw("reschedule", "a", schedule={"every": "20 minutes"})
    w.reload(HOURLY.replace("hour", "30 minutes"))
    w.go(minutes=5)
    w.throw("reschedule", "a")
    minutes(w, 60, step=5)
    assert moments(w) == ["10:35", "11:05"]


def test_an_edit_of_the_file_leaves_a_new_schedule_in_force(world: Make) -> None:
    w = world(HOURLY)
    w.throw("reschedule", "a", schedule={"every": "20 minutes"})
    w.reload(HOURLY.replace("hour", "5 minutes"))
    minutes(w, 40, step=5)
    assert moments(w) == ["10:20", "10:40"]


def test_an_old_rhythm_moves_with_a_clock_set_while_another_was_in_force(world: Make) -> None:
    w = world(HOURLY)
    w.throw("reschedule", "a", schedule={"cron": "0 3 * * *"})
    step = timedelta(minutes=17)
    absence = Absence(w.now, w.now + step, step=step)
    w.now += step
    w.engine.set_clock(absence, w.now)
    w.throw("reschedule", "a")
    minutes(w, 120, step=1)
    assert moments(w) == ["11:17", "12:17"]


def test_a_new_schedule_replaces_at_on_day_and_from_end_too(world: Make) -> None:
    w = world("[a]\ncommand = true\nevery = month\non_day = last\nat = 22:00\n")
    w.throw("reschedule", "a", schedule={"every": "10 minutes"})
    schedule = w.engine.seats["a"].job.schedule
    assert (schedule.at, schedule.on_day, schedule.from_end) == ((), None, False)


def test_a_new_schedule_leaves_everything_else_alone(world: Make) -> None:
    w = world(
        "[a]\ncommand = true\nevery = day\ntimezone = Europe/Paris\njitter = 5 s\n"
        "active_until = 2026-11-21\ngrace = 7 s\n"
    )
    w.throw("reschedule", "a", schedule={"every": "minute"})
    job, written = w.engine.seats["a"].job, w.engine.written["a"]
    kept = ("zone", "jitter", "active_from", "active_until")
    assert [getattr(job.schedule, name) for name in kept] == [
        getattr(written.schedule, name) for name in kept
    ]
    assert job.grace == timedelta(seconds=7)


def test_a_new_schedule_is_meant_in_the_jobs_zone(world: Make) -> None:
    w = world(HOURLY + "timezone = Asia/Tokyo\n")
    w.throw("reschedule", "a", schedule={"every": "day", "at": "20:00"})
    assert w.engine.due == START.replace(hour=11)


def test_a_jitter_that_grew_too_long_for_a_new_schedule_is_left_out(world: Make) -> None:
    w = world(HOURLY)
    w.throw("reschedule", "a", schedule={"every": "minute"})
    w.reload(HOURLY + "jitter = 5 minutes\n")
    assert w.engine.seats["a"].job.schedule.jitter == timedelta(0)


def test_reboot_goes_with_the_schedule_it_stood_in(world: Make) -> None:
    w = world("[a]\ncommand = true\ncron = @reboot\n")
    w.throw("reschedule", "a", schedule={"every": "hour"})
    w.end("a")
    w.restart(minutes=1)
    assert moments(w) == ["10:00"]


def test_reboot_comes_with_a_new_schedule(world: Make) -> None:
    w = world(HOURLY)
    w.throw("reschedule", "a", schedule={"cron": "@reboot"})
    minutes(w, 120)
    w.restart(minutes=1)
    assert w.account() == ["12:01:00 running start"]


def test_what_runs_runs_on_under_a_new_schedule(world: Make) -> None:
    w = world(TEN)
    w.go(minutes=10)
    w.throw("reschedule", "a", schedule={"every": "hour"})
    w.end("a")
    assert w.account() == ["10:10:00 success schedule"]


# -- holds and pauses: what the engine is told


class Ear:
    """Hears what the engine is asked to do."""

    def __init__(self, monkeypatch: pytest.MonkeyPatch) -> None:
        self.heard: list[tuple[object, ...]] = []
        for name in ("hold", "release", "pause", "resume", "clear"):
            monkeypatch.setattr(switching, name, self._note(name))

    def _note(self, name: str) -> Callable[..., None]:
        def note(engine: Engine, *words: object, **more: object) -> None:
            self.heard.append((name, *words, *more.values()))

        return note


@pytest.fixture
def ear(monkeypatch: pytest.MonkeyPatch) -> Ear:
    return Ear(monkeypatch)


def test_the_engine_hears_of_every_switch_that_is_its_concern(world: Make, ear: Ear) -> None:
    w, later = world(TEN), START + timedelta(hours=1)
    w.throw("hold")
    w.throw("release", run=True)
    w.throw("pause", "a", until=later)
    w.throw("resume", "a")
    w.throw("clear", "a")
    assert ear.heard == [
        ("hold", START),
        ("release", START, True),
        ("pause", "a", later, START),
        ("resume", "a", START),
        ("clear", "a", START),
    ]


def test_the_engine_hears_nothing_where_nothing_was_switched(world: Make, ear: Ear) -> None:
    w = world(TEN)
    assert not w.throw("release", run=True)
    assert not w.throw("resume", "a")
    assert ear.heard == []


def test_a_daemon_that_starts_hears_of_holds_and_pauses_of_before(world: Make, ear: Ear) -> None:
    w, later = world(TEN), START + timedelta(hours=1)
    w.ledger.switches.hold(mark(w))
    w.ledger.switches.pause("a", later, mark(w))
    w.restart()
    assert (w.engine.gates.held, w.engine.seats["a"].paused_until) == (True, later)


def test_a_release_no_daemon_heard_of_is_carried_out_by_the_next(world: Make, ear: Ear) -> None:
    w = world(TEN)
    w.ledger.switches.hold(mark(w))
    w.ledger.switches.release(mark(w), run=False)
    assert w.ledger.switches.releasing() == Release(START, START, False)
    w.restart()
    assert ear.heard == [("release", START, False)]
    assert w.ledger.switches.releasing() is None
