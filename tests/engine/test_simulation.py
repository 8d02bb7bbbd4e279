"""What a simulation predicts: the engine's own decisions, on a clock of its own."""

from __future__ import annotations

import logging
from datetime import timedelta
from pathlib import Path

import pytest

from engine.play import play
from engine.world import START, World
from inisched.engine.simulation import Peak

TEN = "[a]\ncommand = true\nevery = 10 minutes\n"
MINUTE = "[a]\ncommand = true\nevery = minute\n"


def test_each_fire_has_a_run_of_a_second_where_nothing_is_known(tmp_path: Path) -> None:
    found = play(tmp_path, TEN, minutes=20)
    assert found.runs == ["a 10:10:00 to 10:10:01", "a 10:20:00 to 10:20:01"]


def test_a_fire_at_the_last_moment_is_in(tmp_path: Path) -> None:
    assert play(tmp_path, TEN, minutes=10).runs == ["a 10:10:00 to 10:10:01"]


def test_a_fire_at_the_first_moment_is_left_out(tmp_path: Path) -> None:
    text = TEN + "active_from = 2026-11-20 10:00\n"
    assert play(tmp_path, text, minutes=10).runs == ["a 10:10:00 to 10:10:01"]


def test_an_inactive_job_takes_no_part(tmp_path: Path) -> None:
    assert play(tmp_path, TEN + "active = no\n", days=1).runs == []


def test_run_at_start_does_not_count(tmp_path: Path) -> None:
    text = "[a]\ncommand = true\nevery = never\nrun_at_start = yes\n"
    assert play(tmp_path, text, days=1).runs == []


def test_jobs_due_together_run_in_file_order(tmp_path: Path) -> None:
    text = "".join(f"[{name}]\ncommand = true\nevery = minute\n" for name in "ba")
    found = play(tmp_path, text, minutes=1)
    assert found.runs == ["b 10:01:00 to 10:01:01", "a 10:01:00 to 10:01:01"]


def test_a_run_of_no_length_ends_at_its_start(tmp_path: Path) -> None:
    found = play(tmp_path, MINUTE, assume={"a": "0"}, minutes=2)
    assert found.runs == ["a 10:01:00 to 10:01:00", "a 10:02:00 to 10:02:00"]


# -- overlap -----------------------------------------------------------------------------------


def test_a_fire_is_skipped_while_its_job_runs(tmp_path: Path) -> None:
    found = play(tmp_path, MINUTE, assume={"a": "150 s"}, minutes=5)
    assert found.runs == ["a 10:01:00 to 10:03:30", "a 10:04:00 to 10:06:30"]
    assert found.skips == ["a 10:02:00 overlap x2", "a 10:05:00 overlap x1"]


def test_a_fire_at_the_moment_a_run_ends_is_not_skipped(tmp_path: Path) -> None:
    found = play(tmp_path, MINUTE, assume={"a": "60 s"}, minutes=3)
    assert len(found.runs) == 3
    assert found.skips == []


def test_with_queue_one_fire_waits_and_later_ones_are_skipped(tmp_path: Path) -> None:
    found = play(tmp_path, MINUTE + "overlap = queue\n", assume={"a": "150 s"}, minutes=4)
    assert found.runs == [
        "a 10:01:00 to 10:03:30",
        "a 10:03:30 to 10:06:00 (10:02:00, overlap)",
        "a 10:06:00 to 10:08:30 (10:04:00, overlap)",
    ]
    assert found.skips == ["a 10:03:00 overlap x1"]


def test_with_replace_the_old_run_ends_when_the_new_one_starts(tmp_path: Path) -> None:
    found = play(tmp_path, MINUTE + "overlap = replace\n", assume={"a": "90 s"}, minutes=2)
    assert found.runs == ["a 10:01:00 to 10:02:00", "a 10:02:00 to 10:03:30"]
    assert found.skips == []


def test_a_fire_that_replaces_waits_for_the_places_of_others(tmp_path: Path) -> None:
    text = (
        "[pool:p]\nmax = 1\n[a]\ncommand = true\nevery = minute\noverlap = replace\n"
        "[b]\ncommand = true\nevery = minute\nat = :30\n[c]\ncommand = true\nevery = minute\nat = :40\n"
    )
    found = play(
        tmp_path, text, settings="max_running = 1", assume={"a": "10 s", "b": "45 s"}, seconds=65
    )
    assert found.runs[:2] == [
        "b 10:00:30 to 10:01:15",
        "c 10:01:15 to 10:01:16 (10:00:40, max_running)",
    ]
    assert found.runs[2:] == ["a 10:01:16 to 10:01:26 (10:01:00, max_running)"]


def test_with_allow_runs_of_a_job_go_side_by_side(tmp_path: Path) -> None:
    found = play(tmp_path, MINUTE + "overlap = allow\n", assume={"a": "90 s"}, minutes=3)
    assert found.runs == [
        "a 10:01:00 to 10:02:30",
        "a 10:02:00 to 10:03:30",
        "a 10:03:00 to 10:04:30",
    ]
    assert found.peak == Peak(2, START.replace(minute=2), ("a", "a"))


# -- places ------------------------------------------------------------------------------------


THREE = "".join(f"[{name}]\ncommand = true\nevery = 10 minutes\npool = db\n" for name in "abc")


def test_jobs_of_a_pool_wait_for_its_places(tmp_path: Path) -> None:
    found = play(tmp_path, "[pool:db]\n" + THREE, assume={"a": "1m", "b": "2m"}, minutes=10)
    assert found.runs == [
        "a 10:10:00 to 10:11:00",
        "b 10:11:00 to 10:13:00 (10:10:00, pool:db)",
        "c 10:13:00 to 10:13:01 (10:10:00, pool:db)",
    ]


def test_a_fire_that_waits_too_long_for_its_pool_is_skipped(tmp_path: Path) -> None:
    text = "[pool:db]\nwait = 90 s\n" + THREE
    found = play(tmp_path, text, assume={"a": "1m", "b": "2m"}, minutes=10)
    assert found.runs == ["a 10:10:00 to 10:11:00", "b 10:11:00 to 10:13:00 (10:10:00, pool:db)"]
    assert found.skips == ["c 10:10:00 pool x1"]


def test_beyond_max_running_fires_wait(tmp_path: Path) -> None:
    text = THREE.replace("pool = db\n", "")
    found = play(tmp_path, text, settings="max_running = 2", assume={"b": "5 s"}, minutes=10)
    assert found.runs == [
        "a 10:10:00 to 10:10:01",
        "b 10:10:00 to 10:10:05",
        "c 10:10:01 to 10:10:02 (10:10:00, max_running)",
    ]


def test_a_waiting_fire_gives_way_to_the_next_of_its_job(tmp_path: Path) -> None:
    text = "[long]\ncommand = true\nevery = hour\nat = :10\n"
    found = play(
        tmp_path,
        text + MINUTE,
        settings="max_running = 1",
        assume={"long": "150 s", "a": "30 s"},
        minutes=13,
    )
    assert found.runs[8:] == [
        "a 10:09:00 to 10:09:30",
        "long 10:10:00 to 10:12:30",
        "a 10:12:30 to 10:13:00 (10:12:00, max_running)",
        "a 10:13:00 to 10:13:30",
    ]
    assert found.skips == ["a 10:10:00 coalesced x1", "a 10:11:00 coalesced x1"]


def test_the_peak_is_said_with_its_first_moment_and_jobs(tmp_path: Path) -> None:
    found = play(tmp_path, MINUTE + "[b]\ncommand = true\nevery = 2 minutes\n", minutes=10)
    assert found.peak == Peak(2, START.replace(minute=2), ("a", "b"))


def test_a_run_that_ends_as_another_starts_is_no_peak(tmp_path: Path) -> None:
    text = "[a]\ncommand = true\nevery = minute\nat = :00\n[b]\ncommand = true\nevery = minute\nat = :30\n"
    assert play(tmp_path, text, assume={"a": "30 s", "b": "30 s"}, minutes=5).peak.runs == 1


# -- rhythm ------------------------------------------------------------------------------------


def test_from_end_counts_from_the_end_of_the_run(tmp_path: Path) -> None:
    found = play(tmp_path, TEN + "from_end = yes\n", assume={"a": "90 s"}, minutes=30)
    assert found.runs == ["a 10:10:00 to 10:11:30", "a 10:21:30 to 10:23:00"]


def test_jitter_moves_a_fire_as_it_will_be_moved(tmp_path: Path) -> None:
    text = TEN + "jitter = 5 minutes\n"
    world = World(tmp_path, text)
    world.ledger.close()
    [first, *_] = play(tmp_path, text, minutes=30).rows
    again = World(tmp_path, text)
    again.now = first.fire_at
    again.engine.look(first.fire_at)
    assert again.started == [("a", f"{first.fire_at:%H:%M:%S}")]
    assert first.fire_at != START.replace(minute=10)
    again.ledger.close()


def test_the_rhythm_goes_on_from_where_the_ledger_has_it(tmp_path: Path) -> None:
    world = World(tmp_path, TEN)
    world.ledger.close()
    found = play(tmp_path, TEN, since=START.replace(minute=7), minutes=10)
    assert found.runs == ["a 10:10:00 to 10:10:01"]


def test_what_was_missed_before_the_first_moment_is_no_concern(tmp_path: Path) -> None:
    world = World(tmp_path, TEN)
    world.ledger.close()
    found = play(tmp_path, TEN, since=START.replace(day=25), minutes=10)
    assert found.runs == ["a 10:10:00 to 10:10:01"]
    assert found.skips == []


def test_a_job_from_end_that_has_long_been_due_keeps_its_step(tmp_path: Path) -> None:
    text = TEN + "from_end = yes\n"
    world = World(tmp_path, text)
    world.go(minutes=10)
    world.now += timedelta(minutes=3)
    world.end("a")
    world.ledger.close()
    found = play(tmp_path, text, since=START.replace(hour=12), minutes=10)
    assert found.runs == ["a 12:03:00 to 12:06:00"]


def test_what_waits_at_the_end_still_runs_but_nothing_more_comes_due(tmp_path: Path) -> None:
    found = play(tmp_path, MINUTE + "overlap = queue\n", assume={"a": "5m"}, minutes=2)
    assert found.runs == ["a 10:01:00 to 10:06:00", "a 10:06:00 to 10:11:00 (10:02:00, overlap)"]
    assert found.skips == []


def test_nothing_is_logged_of_runs_that_do_not_take_place(
    tmp_path: Path, caplog: pytest.LogCaptureFixture
) -> None:
    with caplog.at_level(logging.DEBUG, "inisched"):
        play(tmp_path, MINUTE + "overlap = replace\n", assume={"a": "90 s"}, minutes=3)
    assert caplog.records == []
    assert not logging.getLogger("inisched").disabled
