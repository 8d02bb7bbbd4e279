"""What is different since a job last worked."""

from __future__ import annotations

from collections.abc import Callable
from datetime import timedelta

from engine.world import World
from inisched.engine.changes import changed, note_edition
from inisched.engine.monitor import monitor

Make = Callable[[str], World]

A = "[a]\ncommand = true\nevery = never\n"
SECOND = timedelta(seconds=1)


def told(w: World, took: timedelta = SECOND, restarted: bool = False) -> tuple[str, ...]:
    worked = w.engine.gates.followed["a"].succeeded
    started = w.now if restarted else w.now - timedelta(days=1)
    config = w.config
    return changed(w.ledger, config, config.jobs[0], worked, took, started=started)


def worked(w: World, seconds: float = 1) -> None:
    note_edition(w.ledger, w.config, w.now)
    w.engine.trigger("a", w.now, timedelta(0))
    w.now += timedelta(seconds=seconds)
    w.end("a")
    w.now += timedelta(minutes=1)


def test_a_job_that_never_worked_is_told_as_such(world: Make) -> None:
    assert told(world(A)) == ("it has never worked before",)


def test_where_nothing_changed_nothing_is_told(world: Make) -> None:
    w = world(A)
    worked(w)
    assert told(w) == ()


def test_a_key_that_was_changed_is_told(world: Make) -> None:
    w = world(A)
    worked(w)
    w.reload(A + "grace = 5\n")
    note_edition(w.ledger, w.config, w.now)
    assert told(w) == ("'grace' was added: '5'",)


def test_what_was_changed_before_it_last_worked_is_not_told(world: Make) -> None:
    w = world(A)
    worked(w)
    w.reload(A + "grace = 5\n")
    worked(w)
    assert told(w) == ()


def test_a_run_unlike_those_that_worked_is_told(world: Make) -> None:
    w = world(A)
    for _ in range(3):
        worked(w, 40)
    assert told(w) == ("it took 1 s; runs that worked took about 40 s",)
    assert told(w, timedelta(seconds=30)) == ()


def test_a_restart_of_the_daemon_is_told(world: Make) -> None:
    w = world(A)
    worked(w)
    assert told(w, restarted=True) == ("the daemon was started again at 2026-11-20 10:01:01+00:00",)


def test_a_monitor_is_told_schedule_zone_margin_and_longest_time(world: Make) -> None:
    lines = "every = day\nat = 02:30\ntimezone = Europe/Paris\nexpect_within = 90\ntimeout = 10m\n"
    w = world(f"[a]\ncommand = true\n{lines}")
    assert monitor(w.config.jobs[0]) == {
        "schedule": {"type": "crontab", "value": "30 2 * * *"},
        "timezone": "Europe/Paris",
        "checkin_margin": 2,
        "max_runtime": 11,
    }


def test_a_job_of_seconds_is_no_monitor(world: Make) -> None:
    assert monitor(world("[a]\ncommand = true\nevery = 5 seconds\n").config.jobs[0]) is None
