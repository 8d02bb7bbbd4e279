"""The daemon in numbers: what an engine in its world has counted, as it hands that on."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass
from datetime import datetime
from typing import Any

import pytest

from engine.world import START, World
from inisched.engine import figures as room
from inisched.engine.engine import Engine
from inisched.engine.figures import figures
from inisched.engine.recovery import recover
from inisched.engine.tally import Tally
from inisched.model.run import Outcome, State

Make = Callable[[str], World]

MINUTELY = "[a]\ncommand = true\nevery = minute\nat = :00\n"


@dataclass
class Daemon:
    """As much of one as its numbers need."""

    engine: Engine
    since: datetime = START
    heartbeat: datetime = START


def counting(w: World) -> World:
    w.engine.tally = Tally()
    return w


def told(w: World, first: int = 0) -> dict[str, Any]:
    return figures(Daemon(w.engine), first)


def of(w: World, job: str = "a") -> dict[str, Any]:
    found = next(one for one in told(w)["jobs"] if one["job"] == job)
    assert isinstance(found, dict)
    return found


def test_a_job_that_never_ran_has_nothing_but_its_next_fire(world: Make) -> None:
    w = counting(world(MINUTELY))
    assert of(w) == {
        "job": "a",
        "ends": {},
        "skips": {},
        "took": None,
        "late": None,
        "next": START.timestamp() + 60,
        "succeeded": None,
        "running": 0,
        "waiting": 0,
    }


def test_a_run_is_counted_with_how_long_and_how_late_it_was(world: Make) -> None:
    w = counting(world(MINUTELY))
    w.go(seconds=62)
    assert of(w)["running"] == 1
    w.go(seconds=3)
    w.end("a")
    found = of(w)
    assert (found["ends"], found["running"]) == ({"success": 1}, 0)
    assert found["took"] == {"counts": [0, 0, 0, 1, 0, 0, 0, 0, 0, 0, 0], "sum": 3.0}
    assert found["late"] == {"counts": [0, 0, 0, 0, 0, 0, 0, 1, 0, 0, 0, 0], "sum": 2.0}
    assert found["succeeded"] == w.now.timestamp()


def test_a_failure_and_its_retries_are_runs_of_their_own(world: Make) -> None:
    w = counting(world(MINUTELY + "retries = 1\nretry_delay = 1 s\n"))
    w.outcome = Outcome(state=State.FAILURE, exit_code=1)
    w.go(seconds=60)
    w.end("a")
    assert of(w)["waiting"] == 1
    w.go(seconds=1)
    w.end("a")
    found = of(w)
    assert (found["ends"], found["succeeded"]) == ({"failure": 2}, None)
    assert sum(found["took"]["counts"]) == 2
    assert sum(found["late"]["counts"]) == 1


def skips(w: World) -> dict[str, int]:
    """What was counted; the ledger must say the same."""
    counted: dict[str, int] = of(w)["skips"]
    rows: dict[str, int] = {}
    for row in w.rows("a"):
        if row["state"] == "skipped":
            rows[row["reason"]] = rows.get(row["reason"], 0) + row["count"]
    assert counted == rows
    return counted


def test_fires_that_meet_a_run_are_counted_as_overlap(world: Make) -> None:
    w = counting(world(MINUTELY))
    for _ in range(3):
        w.go(seconds=60)
    assert skips(w) == {"overlap": 2}


def test_a_gap_counts_with_all_its_fires(world: Make) -> None:
    w = counting(world(MINUTELY + "misfire = skip\n"))
    w.go(minutes=10, seconds=31)
    assert skips(w) == {"misfire": 10}


def test_a_fire_that_gives_way_to_a_newer_one_is_counted(world: Make) -> None:
    w = counting(world(MINUTELY + "after = b\n[b]\ncommand = true\nevery = never\n"))
    w.go(seconds=60)
    w.go(seconds=60)
    assert of(w)["waiting"] == 1
    assert skips(w) == {"coalesced": 1}


def test_a_fire_that_waited_too_long_is_counted(world: Make) -> None:
    more = "after = b\nwait_limit = 10 s\n[b]\ncommand = true\nevery = never\n"
    w = counting(world(MINUTELY + more))
    w.go(seconds=60)
    w.go(seconds=10)
    assert skips(w) == {"dependency": 1}


@pytest.mark.parametrize(
    ("run", "counted"), [(False, {"held": 3}), (True, {"coalesced": 2})], ids=["skip", "run"]
)
def test_the_fires_of_a_hold_are_counted_at_its_release(
    run: bool, counted: dict[str, int], world: Make
) -> None:
    w = counting(world(MINUTELY))
    w.throw("hold")
    w.go(minutes=3)
    assert (of(w)["waiting"], skips(w)) == (1, {})
    w.throw("release", run=run)
    assert skips(w) == counted


def test_the_fires_of_a_hold_go_with_their_job(world: Make) -> None:
    w = counting(world(MINUTELY))
    w.throw("hold")
    w.go(minutes=3)
    w.reload(MINUTELY + "active = no\n")
    assert skips(w) == {"disabled": 3}


def test_the_fires_of_a_pause_are_counted(world: Make) -> None:
    w = counting(world(MINUTELY))
    w.throw("pause", "a", until=w.now.replace(hour=11))
    w.go(minutes=3)
    assert skips(w) == {"paused": 3}


def test_a_waiting_fire_goes_with_its_job_and_comes_back_counted(world: Make) -> None:
    w = counting(world(MINUTELY + "after = b\n[b]\ncommand = true\nevery = never\n"))
    w.go(seconds=60)
    w.reload("[b]\ncommand = true\nevery = never\n")
    w.reload(MINUTELY)
    assert skips(w) == {"removed": 1}


def test_a_run_that_a_former_daemon_left_is_counted_as_interrupted(world: Make) -> None:
    w = world(MINUTELY)
    w.go(seconds=60)
    tally = Tally()
    recover(w.ledger, None, w.config, w.now, herald=w.herald, tally=tally)
    sheet = tally.of("a")
    assert sheet is not None
    assert sheet.ends == {State.INTERRUPTED: 1}


def test_nothing_is_counted_where_nobody_wants_to_know(world: Make) -> None:
    w = world(MINUTELY)
    w.go(seconds=60)
    w.end("a")
    assert (of(w)["ends"], of(w)["took"]) == ({}, None)


def test_an_inactive_job_has_no_next_fire_and_is_not_among_the_jobs_that_are_counted(
    world: Make,
) -> None:
    w = counting(world(MINUTELY + "[b]\ncommand = true\nevery = day\nactive = no\n"))
    assert of(w, "b")["next"] is None
    assert told(w)["active"] == 1


def test_jobs_come_a_page_at_a_time_and_the_rest_with_the_first(
    world: Make, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(room, "PAGE", 2)
    w = counting(world("".join(f"[{n}]\ncommand = true\nevery = day\n" for n in "abc")))
    page, rest = told(w), told(w, 2)
    assert ([one["job"] for one in page["jobs"]], page["next"]) == (["a", "b"], 2)
    assert page["since"] == page["heartbeat"] == START.timestamp()
    assert ([one["job"] for one in rest["jobs"]], rest["next"]) == (["c"], None)
    assert list(rest) == ["jobs", "next"]
    assert told(w, 99) == {"jobs": [], "next": None}


def test_open_incidents_and_the_outbox_are_told(world: Make) -> None:
    w = counting(world("[notify:ops]\ncommand = true\n" + MINUTELY))
    w.outcome = Outcome(state=State.FAILURE, exit_code=1)
    w.go(seconds=60)
    w.end("a")
    found = told(w)
    assert (found["incidents"], found["outbox"], found["dropped"]) == ([("a", "failure")], 1, 0)
