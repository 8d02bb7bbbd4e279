"""The outbox is carried out by real processes, on a clock that is moved by hand."""

from __future__ import annotations

import json
import os
import selectors
import time
from collections.abc import Callable
from dataclasses import dataclass
from datetime import datetime, timedelta
from pathlib import Path

import pytest

from engine.world import World
from inisched.engine.messenger import Told
from inisched.engine.postman import Postman
from inisched.executors.running import process_start
from inisched.model.run import Outcome, State
from inisched.stores.post import MOST_WAITING, Letter, Report
from notifiers.web import site as web_site

Make = Callable[[str], World]

A = "[a]\ncommand = true\nevery = never\n"
FAILED = Outcome(state=State.FAILURE, exit_code=3, message="exit code 3")


@dataclass
class Clock:
    """The world's wall clock; the monotonic one goes on by hand too."""

    world: World
    seconds: float = 1000.0

    def now(self) -> datetime:
        return self.world.now

    def monotonic(self) -> float:
        return self.seconds

    def go(self, seconds: float) -> None:
        self.world.now += timedelta(seconds=seconds)
        self.seconds += seconds


class Round:
    """A postman and the loop around him."""

    def __init__(self, world: World) -> None:
        self.world = world
        self.clock = Clock(world)
        self.selector = selectors.DefaultSelector()
        config = world.config
        self.postman = Postman(
            world.engine,
            self.selector,
            self.clock,  # type: ignore[arg-type]
            lambda: config,
            world.herald,
        )

    def make(self) -> None:
        """Everything that is due is tried."""
        deadline = time.monotonic() + 20
        self.postman.look()
        while not self.postman.idle or self.postman.pids:
            for key, _ in self.selector.select(0.05):
                key.data(key.fd)
            self.postman.look()
            assert time.monotonic() < deadline

    @property
    def left(self) -> list[tuple[str, int, float]]:
        """The letters on their way: whither, how often tried, in how many seconds again."""
        waiting = self.world.ledger.post.waiting()
        now = self.world.now
        return [(w.way, w.tries, (w.not_before - now).total_seconds()) for w in waiting]


def fails(w: World, times: int = 1) -> None:
    """So many letters of one failure each are written."""
    for _ in range(times):
        w.outcome = FAILED
        w.engine.trigger("a", w.now, timedelta(0))
        w.end("a")
        w.throw("clear", "a")


def test_letters_of_one_way_are_delivered_in_order(world: Make) -> None:
    number = """grep -o '"run": [0-9]*' | cut -d' ' -f2 >> told"""
    w = world(f"[notify:ops]\ncommand = {number}\n{A}")
    fails(w, 3)
    r = Round(w)
    r.make()
    assert (w.file.parent / "told").read_text().split() == ["1", "2", "3"]
    assert r.left == []


def test_what_cannot_be_delivered_is_tried_again_later_and_later(world: Make) -> None:
    w = world("[notify:ops]\ncommand = exit 1\n" + A)
    fails(w)
    r = Round(w)
    pauses = []
    for _ in range(9):
        r.make()
        [(_, _, pause)] = r.left
        pauses.append(pause)
        r.clock.go(pause)
    assert pauses == [5, 10, 20, 40, 80, 160, 320, 600, 600]


def test_until_its_time_has_come_nothing_is_tried(world: Make) -> None:
    w = world("[notify:ops]\ncommand = echo x >> told; exit 1\n" + A)
    fails(w)
    r = Round(w)
    r.make()
    r.clock.go(4.9)
    r.make()
    assert (w.file.parent / "told").read_text() == "x\n"
    assert r.postman.patience() == pytest.approx(0.1)


def test_a_letter_is_given_up_after_a_day(world: Make) -> None:
    w = world("[notify:ops]\ncommand = exit 1\n" + A)
    fails(w)
    r = Round(w)
    r.clock.go(86_401)
    r.make()
    assert r.left == []
    assert w.ledger.post.dropped() == 1


def test_a_late_ping_is_given_up_after_ten_minutes(world: Make) -> None:
    w = world(A + "ping = http://127.0.0.1:9/x\n")
    fails(w)
    r = Round(w)
    r.clock.go(601)
    r.make()
    assert r.left == []
    assert w.ledger.post.dropped() == 2


def test_a_letter_of_a_notifier_that_is_gone_is_dropped(world: Make) -> None:
    w = world("[notify:ops]\ncommand = true\n" + A)
    fails(w)
    w.reload(A)
    r = Round(w)
    r.make()
    assert r.left == []
    assert w.ledger.post.dropped() == 1


def test_a_letter_of_a_notifier_that_is_broken_waits_until_it_is_mended(world: Make) -> None:
    w = world("[notify:ops]\ncommand = true\n" + A)
    fails(w)
    w.reload("[notify:ops]\ncommand = true\nrepeat = soon\n" + A)
    r = Round(w)
    r.make()
    assert [way for way, _, _ in r.left] == ["notify:ops"]
    w.reload("[notify:ops]\ncommand = true\n" + A)
    w.ledger.post.changed = True
    r.make()
    assert r.left == []


def test_only_so_many_letters_wait_for_one_way(world: Make) -> None:
    w = world("[notify:ops]\ncommand = exit 1\n" + A)
    fails(w)
    event = w.letter()
    w.ledger.post.enter(Report(w.now, letters=[Letter("notify:ops", event)] * MOST_WAITING))
    waiting = w.ledger.post.waiting()
    assert (len(waiting), waiting[0].id) == (MOST_WAITING, 2)
    assert w.ledger.post.dropped() == 1


def test_a_process_that_hangs_is_ended_and_its_letter_kept(world: Make) -> None:
    command = "setsid sh -c 'echo $$ > told; exec sleep 60' & sleep 60"
    w = world(f"[notify:ops]\ncommand = {command}\n{A}")
    fails(w)
    r = Round(w)
    r.postman.look()
    deadline = time.monotonic() + 20
    file = w.file.parent / "told"
    while not (file.exists() and file.read_text().endswith("\n")):
        assert time.monotonic() < deadline
        time.sleep(0.02)
    r.clock.go(12)
    r.postman.look()
    assert r.left == [("notify:ops", 1, 5.0)]
    pid = int(file.read_text())
    while Path(f"/proc/{pid}").exists() and " Z " not in Path(f"/proc/{pid}/stat").read_text():
        assert time.monotonic() < deadline
        time.sleep(0.02)


def test_what_a_process_did_that_outlived_its_daemon_counts(world: Make) -> None:
    w = world("[notify:ops]\ncommand = false\n" + A)
    fails(w, 2)
    r = Round(w)
    r.postman.handed_over([Told(1, ok=True), Told(2, ok=False, error="no", final=True)])
    assert r.left == []
    assert w.ledger.post.dropped() == 1


def test_a_letter_in_the_hands_of_a_living_process_is_left_to_it(world: Make) -> None:
    w = world("[notify:ops]\ncommand = true\n" + A)
    fails(w)
    w.ledger.post.hand_out([1], os.getpid(), process_start(os.getpid()))
    r = Round(w)
    r.make()
    assert [way for way, _, _ in r.left] == ["notify:ops"]


def test_a_letter_in_the_hands_of_a_dead_process_is_taken_back(world: Make) -> None:
    w = world("[notify:ops]\ncommand = true\n" + A)
    fails(w)
    w.ledger.post.hand_out([1], 2**22 + 1, 5)
    r = Round(w)
    r.make()
    assert r.left == []


def test_a_digest_waits_for_its_time_and_goes_as_one(world: Make) -> None:
    w = world("[notify:ops]\ncommand = cat >> told\ndigest = 1h\n" + A)
    fails(w, 3)
    r = Round(w)
    r.make()
    assert len(r.left) == 3
    assert r.postman.patience() == 3600
    r.clock.go(3600)
    r.make()
    assert r.left == []
    assert (w.file.parent / "told").read_text().count('"event": "digest"') == 1


def jobs_fail(w: World, *jobs: str) -> None:
    for job in jobs:
        w.outcome = FAILED
        w.engine.trigger(job, w.now, timedelta(0))
        w.end(job)


def two(way: str, more: str = "") -> str:
    """Two jobs that tell by one way."""
    return f"{way}\n" + "".join(f"[{name}]\ncommand = true\nevery = never\n{more}" for name in "ab")


def test_a_way_that_failed_for_several_letters_has_failed_once(world: Make) -> None:
    w = world(two("[notify:ops]\ncommand = exit 1"))
    jobs_fail(w, "a", "b")
    r = Round(w)
    r.make()
    assert r.left == [("notify:ops", 1, 5.0), ("notify:ops", 1, 5.0)]


def test_a_letter_nobody_will_ever_take_does_not_let_its_way_rest(world: Make) -> None:
    with web_site() as web:
        web.statuses = [404]
        w = world(two("", f"ping = {web.url}/x\n"))
        w.engine.trigger("a", w.now, timedelta(0))
        r = Round(w)
        r.make()
        w.engine.trigger("b", w.now, timedelta(0))
        r.make()
    assert r.left == []
    assert web.paths == ["GET /x/start", "GET /x/start"]


def test_a_younger_letter_of_a_job_waits_for_the_older_one(world: Make) -> None:
    w = world("[notify:ops]\ncommand = test -e ok\n" + A)
    jobs_fail(w, "a")
    r = Round(w)
    r.make()
    (w.file.parent / "ok").touch()
    w.outcome = Outcome(state=State.SUCCESS, exit_code=0)
    w.engine.trigger("a", w.now, timedelta(0))
    w.end("a")
    r.make()
    assert [tries for _, tries, _ in r.left] == [1, 0]
    r.clock.go(5)
    r.make()
    assert r.left == []


def test_a_digest_that_was_tried_stays_as_it_was(world: Make) -> None:
    command = "cat > told; test -e ok"
    w = world(two(f"[notify:ops]\ncommand = {command}\ndigest = 60"))
    jobs_fail(w, "a")
    r = Round(w)
    r.clock.go(60)
    r.make()
    jobs_fail(w, "b")
    (w.file.parent / "ok").touch()
    r.clock.go(5)
    r.make()
    assert len(r.left) == 1
    assert json.loads((w.file.parent / "told").read_text())["job"] == "a"


def test_another_address_is_tried_at_once(world: Make) -> None:
    w = world("[notify:ops]\ncommand = exit 1\n" + A)
    jobs_fail(w, "a")
    r = Round(w)
    r.make()
    w.reload("[notify:ops]\ncommand = true\n" + A)
    r.postman.mended()
    r.make()
    assert r.left == []


def test_the_same_address_is_left_alone_until_its_time(world: Make) -> None:
    w = world("[notify:ops]\ncommand = exit 1\n" + A)
    jobs_fail(w, "a")
    r = Round(w)
    r.make()
    r.postman.mended()
    r.make()
    assert r.left == [("notify:ops", 1, 5.0)]


def test_ways_that_fail_leave_places_to_others(world: Make) -> None:
    bad = "".join(f"[notify:n{n:02}]\ncommand = exit 1\n" for n in range(20))
    w = world(bad + "[notify:z]\ncommand = touch told\n" + A)
    jobs_fail(w, "a")
    r = Round(w)
    r.make()
    r.clock.go(5)
    jobs_fail(w, "a")
    w.throw("clear", "a")
    jobs_fail(w, "a")
    (w.file.parent / "told").unlink()
    r.postman.look()
    queues = r.postman._queues.values()
    assert [queue.name for queue in queues if queue.messenger][-1] == "notify:z"
    r.make()
