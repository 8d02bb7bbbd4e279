"""When the daemon forgets: in pauses, a piece at a time, and what it tells of it."""

from __future__ import annotations

import logging
import math
from collections.abc import Callable
from datetime import datetime, timedelta

import pytest

from engine.world import START, World
from inisched.engine.answers import Answers
from inisched.engine.clock import SystemClock
from inisched.engine.pruning import EVERY, FIRST, RETRY, Pruner, in_words
from inisched.model.retention import Retention
from inisched.model.run import Fire, Outcome, State, Trigger
from inisched.stores.ledger import LedgerDown

Make = Callable[[str], World]

JOB = "[a]\ncommand = true\nevery = never\n"
ONE = Retention(runs=1)
SECOND = timedelta(seconds=1)


class Ticking(SystemClock):
    """A clock that moves on by a millisecond at each look."""

    def __init__(self) -> None:
        self.passed = 0.0

    def now(self) -> datetime:
        return START + timedelta(days=1, seconds=self.passed)

    def monotonic(self) -> float:
        self.passed += 0.001
        return self.passed


class Site:
    """A world with forty runs in its ledger, and a pruner."""

    hindrance = ""

    def __init__(self, world: World) -> None:
        self.world = world
        self.engine, self.config = world.engine, world.config
        self.clock = Ticking()
        self.pruner = Pruner(world.ledger, self.clock)
        job = world.ledger.jobs()["a"]
        for number in range(40):
            when = START + number * SECOND
            fire = Fire(job="a", at=when, moved=when, trigger=Trigger.MANUAL)
            entry = world.ledger.enter(job, fire, when)
            world.ledger.begin([entry], when)
            world.ledger.finish(entry, Outcome(state=State.SUCCESS), when)

    def ask(self, **question: object) -> dict[str, object]:
        return Answers(self)(question)  # type: ignore[arg-type]

    def pass_by(self, seconds: float) -> None:
        self.clock.passed += seconds

    @property
    def rows(self) -> int:
        return len(self.world.rows())

    def finish(self, keep: Retention = ONE) -> None:
        """The pass goes on to its end."""
        for _ in range(1000):
            self.pass_by(1)
            self.pruner.look(keep, None)
            if self.pruner.done:
                return
        raise AssertionError("it does not end")


@pytest.fixture
def site(world: Make) -> Site:
    return Site(world(JOB))


@pytest.fixture
def told(caplog: pytest.LogCaptureFixture) -> Callable[[], list[str]]:
    caplog.set_level(logging.INFO, "inisched")
    return lambda: [record.getMessage() for record in caplog.records]


# -- when


def test_nothing_goes_in_the_first_three_minutes(site: Site) -> None:
    site.pass_by(FIRST - 1)
    site.pruner.look(ONE, None)
    assert (site.rows, site.pruner.done) == (40, True)


def test_a_look_does_one_piece(site: Site) -> None:
    site.pass_by(FIRST)
    site.pruner.look(ONE, None)
    assert (site.rows, site.pruner.done) == (24, False)


def test_the_next_piece_comes_after_a_pause_as_long_as_the_last_took(site: Site) -> None:
    site.pass_by(FIRST)
    site.pruner.look(ONE, None)
    assert 0.001 < site.pruner.patience(None) < 0.02
    site.pruner.look(ONE, None)
    assert site.rows == 24
    site.pass_by(0.02)
    site.pruner.look(ONE, None)
    assert site.rows == 1


@pytest.mark.parametrize(("ahead", "rows"), [(-1.0, 40), (0.05, 40), (0.5, 24)])
def test_nothing_goes_where_a_fire_is_due_within_a_tenth_of_a_second(
    site: Site, ahead: float, rows: int
) -> None:
    site.pass_by(FIRST)
    site.pruner.look(ONE, site.clock.now() + timedelta(seconds=ahead))
    assert site.rows == rows


def test_while_a_fire_is_due_soon_nobody_need_be_woken(site: Site) -> None:
    site.pass_by(FIRST)
    assert site.pruner.patience(site.clock.now() + 0.05 * SECOND) == math.inf
    assert site.pruner.patience(site.clock.now() + SECOND) == 0


def test_a_pass_comes_every_hour(site: Site) -> None:
    site.pass_by(FIRST)
    site.pruner.look(ONE, None)
    site.finish()
    assert EVERY - 1 < site.pruner.patience(None) <= EVERY


def test_nothing_goes_while_everything_is_to_be_kept(site: Site) -> None:
    site.pass_by(FIRST)
    site.pruner.look(None, None)
    assert (site.rows, site.pruner.done) == (40, True)


def test_a_ledger_that_is_down_is_left_alone_for_a_minute(
    site: Site, monkeypatch: pytest.MonkeyPatch, told: Callable[[], list[str]]
) -> None:
    site.pass_by(FIRST)
    with monkeypatch.context() as broken:
        broken.setattr(site.world.ledger, "_lost", "disk full")
        site.pruner.look(ONE, None)
    assert (site.pruner.done, told()) == (True, [])
    assert RETRY - 1 < site.pruner.patience(None) <= RETRY
    site.pass_by(RETRY)
    site.pruner.look(ONE, None)
    site.finish()
    assert site.rows == 1


def test_what_went_is_said_in_the_log(site: Site, told: Callable[[], list[str]]) -> None:
    site.pass_by(FIRST)
    site.pruner.look(ONE, None)
    site.finish()
    assert told() == ["pruned 39 rows"]


def test_where_nothing_went_nothing_is_said(site: Site, told: Callable[[], list[str]]) -> None:
    site.pass_by(FIRST)
    site.finish(Retention())
    assert (site.rows, told()) == (40, [])


# -- a single pass of the daemon


def test_a_pass_that_leaves_soon_prunes_in_one_go(site: Site) -> None:
    site.pruner.catch_up(ONE, limit=1.0)
    assert (site.rows, site.pruner.done) == (1, True)


def test_a_pass_that_leaves_soon_prunes_no_longer_than_it_may(site: Site) -> None:
    site.pruner.catch_up(ONE, limit=0.005)
    assert 1 < site.rows < 40


@pytest.mark.parametrize(("hours", "rows"), [(0.9, 2), (1.1, 1)])
def test_passes_that_follow_each_other_prune_once_an_hour(
    site: Site, hours: float, rows: int
) -> None:
    site.pruner.catch_up(Retention(runs=2), limit=1.0)
    site.pass_by(3600 * hours)
    Pruner(site.world.ledger, site.clock).catch_up(ONE, limit=1.0)
    assert site.rows == rows


def test_a_pass_prunes_nothing_while_everything_is_to_be_kept(site: Site) -> None:
    site.pruner.catch_up(None, limit=1.0)
    assert site.rows == 40


# -- asked for by a person


def keeping_one(site: Site) -> None:
    site.world.file.write_text(f"[inisched]\nhistory_keep_runs = 1\n{JOB}")
    site.config = site.world.config


def test_who_asks_need_not_wait_for_the_hour(site: Site) -> None:
    keeping_one(site)
    assert site.ask(ask="prune") == {}
    assert site.ask(ask="pruning") == {"done": False, "rows": 0, "outputs": 0}
    site.pruner.look(ONE, None)
    assert site.ask(ask="pruning") == {"done": False, "rows": 16, "outputs": 0}
    site.finish()
    assert site.ask(ask="pruning") == {"done": True, "rows": 39, "outputs": 0}


def test_two_who_ask_are_told_of_the_same_pass(site: Site) -> None:
    keeping_one(site)
    site.ask(ask="prune")
    site.pruner.look(ONE, None)
    site.ask(ask="prune")
    assert site.ask(ask="pruning") == {"done": False, "rows": 16, "outputs": 0}


def test_who_asks_while_the_hourly_pass_is_under_way_gets_one_of_his_own(site: Site) -> None:
    keeping_one(site)
    site.pass_by(FIRST)
    site.pruner.look(ONE, None)
    site.ask(ask="prune")
    site.finish()
    assert site.ask(ask="pruning") == {"done": True, "rows": 23, "outputs": 0}


def test_while_the_section_has_an_error_who_asks_is_told_that_everything_is_kept(
    site: Site,
) -> None:
    site.world.file.write_text(f"[inisched]\nhistory_keep = soon\n{JOB}")
    site.config = site.world.config
    assert site.ask(ask="prune") == {
        "error": "broken",
        "message": "everything is kept while [inisched] has an error; see inisched validate",
    }


def test_a_daemon_about_to_stop_begins_nothing(site: Site) -> None:
    site.hindrance = "stopping"
    assert site.ask(ask="prune") == {
        "error": "not_now",
        "message": "the daemon is about to stop",
    }


def test_a_pass_that_broke_off_is_told_with_its_reason(
    site: Site, monkeypatch: pytest.MonkeyPatch
) -> None:
    site.ask(ask="prune")
    monkeypatch.setattr(site.world.ledger, "_lost", "disk full")
    site.pruner.look(ONE, None)
    assert site.ask(ask="pruning") == {
        "error": "not_now",
        "message": "the ledger cannot be written: disk full",
    }


def test_during_an_outage_nobody_waits_for_a_pass(site: Site) -> None:
    site.ask(ask="prune")
    site.engine.outage.note(LedgerDown("disk full"), START)
    assert site.ask(ask="pruning") == {
        "error": "not_now",
        "message": "the ledger cannot be written: the log says why",
    }


# -- words


@pytest.mark.parametrize(
    ("rows", "outputs", "said"),
    [
        (0, 0, "nothing to prune"),
        (1, 0, "pruned 1 row"),
        (0, 1, "pruned the output of 1 run"),
        (1203, 88, "pruned 1,203 rows and the output of 88 runs"),
    ],
)
def test_what_went_is_said_in_words(rows: int, outputs: int, said: str) -> None:
    assert in_words(rows, outputs) == said


def test_no_pass_begins_within_an_hour_of_a_clock_that_was_set(world: Make) -> None:
    site = Site(world(JOB))
    site.clock.passed = FIRST
    site.pruner.postpone()
    site.pruner.look(ONE, None)
    assert len(site.world.rows()) == 40
    site.clock.passed += EVERY
    site.pruner.look(ONE, None)
    assert len(site.world.rows()) < 40
