"""What the daemon answers, without a daemon: an engine in its world, asked through its door."""

from __future__ import annotations

import os
from collections.abc import Callable
from dataclasses import dataclass
from datetime import date, datetime, timedelta

import pytest

from engine.world import START, World
from inisched.config.loader import Config
from inisched.engine import switching
from inisched.engine.answers import Answers, Reading
from inisched.engine.change import Action, Change
from inisched.engine.clock import Clock
from inisched.engine.control import Message, NotUnderstood
from inisched.engine.engine import Engine
from inisched.engine.rehearsal import Rehearsal, asked_for
from inisched.model.run import Outcome, State
from inisched.stores.ledger import LedgerDown

Make = Callable[[str], World]

HOURLY = "[a]\ncommand = true\nevery = hour\n"
JOB = "[a]\ncommand = true\nevery = never\n"


@dataclass
class Daemon:
    """As much of one as answers need."""

    world: World
    hindrance: str = ""
    reading: Reading | None = None
    since: datetime = START
    heartbeat: datetime = START

    @property
    def engine(self) -> Engine:
        return self.world.engine

    @property
    def config(self) -> Config:
        return self.world.config

    @property
    def clock(self) -> Clock:
        return self  # type: ignore[return-value]

    def now(self) -> object:
        return self.world.now

    def read_again(self) -> None:
        self.reading = None

    def switched(self, change: Change, now: datetime) -> None:
        switching.take_effect(self.engine, change, now)


def ask(world: World, hindrance: str = "", **question: object) -> Message:
    return Answers(Daemon(world, hindrance))(question)  # type: ignore[arg-type]


def test_a_triggered_job_runs_at_once(world: Make) -> None:
    w = world(JOB)
    assert ask(w, ask="trigger", job="a", delay_ms=0) == {"run": 1, "refused": False}
    assert w.account() == ["10:00:00 running manual"]


def test_a_job_triggered_for_later_runs_then(world: Make) -> None:
    w = world(JOB)
    ask(w, ask="trigger", job="a", delay_ms=60_000)
    w.go(seconds=59)
    assert w.account() == ["10:01:00 waiting manual"]
    w.go(seconds=1)
    assert w.account() == ["10:01:00 running manual"]


def test_a_trigger_that_overlap_refuses_says_so(world: Make) -> None:
    w = world(JOB)
    ask(w, ask="trigger", job="a", delay_ms=0)
    w.go(seconds=1)
    assert ask(w, ask="trigger", job="a", delay_ms=0) == {"run": 2, "refused": True}


def test_a_job_that_is_not_there_is_unknown(world: Make) -> None:
    told = ask(world(JOB), ask="trigger", job="b", delay_ms=0)
    assert told == {"error": "unknown", "message": "there is no job 'b'"}


def test_a_job_that_was_broken_from_the_first_is_said_to_be(world: Make) -> None:
    told = ask(world("[b]\nevery = day\n"), ask="trigger", job="b", delay_ms=0)
    assert told == {
        "error": "broken",
        "message": "'b' is broken in the file; see inisched validate",
    }


@pytest.mark.parametrize(
    ("hindrance", "told"),
    [
        ("starting", {"error": "starting", "message": "the daemon is only just starting"}),
        ("stopping", {"error": "not_now", "message": "the daemon is about to stop"}),
    ],
)
def test_a_daemon_that_comes_or_goes_starts_nothing(
    world: Make, hindrance: str, told: Message
) -> None:
    w = world(JOB)
    assert ask(w, hindrance, ask="trigger", job="a", delay_ms=0) == told
    assert w.account() == []


def test_a_daemon_that_drains_still_stops_runs(world: Make) -> None:
    w = world(JOB)
    ask(w, ask="trigger", job="a", delay_ms=0)
    assert ask(w, "stopping", ask="stop", run=1, by="ann") == {"stopped": True}


def test_what_cannot_be_recorded_is_not_started(
    world: Make, monkeypatch: pytest.MonkeyPatch
) -> None:
    w = world(JOB)

    def down(*_: object) -> None:
        raise LedgerDown("disk full")

    monkeypatch.setattr(w.ledger, "enter", down)
    told = ask(w, ask="trigger", job="a", delay_ms=0)
    assert told == {"error": "not_now", "message": "the ledger cannot be written: disk full"}


def test_a_fire_that_waits_becomes_stopped(world: Make) -> None:
    w = world(JOB)
    ask(w, ask="trigger", job="a", delay_ms=60_000)
    assert ask(w, ask="stop", run=1, by="ann") == {"stopped": True}
    row = w.row(1)
    assert (row["state"], row["message"]) == ("stopped", "stopped by ann")


def test_a_run_nobody_knows_is_not_stopped(world: Make) -> None:
    assert ask(world(JOB), ask="stop", run=7, by="ann") == {"stopped": False}


def test_what_waits_is_told_with_its_gate(world: Make) -> None:
    queue = "command = true\nevery = never\noverlap = queue\n"
    w = world(f"[a]\n{queue}[b]\n{queue}[c]\n{queue}")
    for name in ("a", "b", "a", "c", "c"):
        ask(w, ask="trigger", job=name, delay_ms=0)
        w.now += timedelta(seconds=1)
    ask(w, ask="trigger", job="b", delay_ms=60_000)
    told = ask(w, ask="status")
    assert told == {
        "running": [1, 2],
        "waiting": [(3, "overlap"), (5, "max_running")],
        "outage": False,
    }


def test_an_outage_is_told(world: Make) -> None:
    w = world(JOB)
    w.engine.put_off(LedgerDown("the disk is full"))
    assert ask(w, ask="status")["outage"] is True


def test_the_environment_is_told_with_whose_it_is(world: Make) -> None:
    told = ask(world(JOB), ask="environment")
    assert told == {"environment": dict(os.environ), "user": os.geteuid()}


def test_a_file_that_is_never_read_again_is_not_when_asked_either(world: Make) -> None:
    w = world(JOB)
    w.file.write_text(f"[inisched]\nreload = never\n{JOB}")
    told = ask(w, ask="reload")
    assert told == {
        "error": "not_now",
        "message": "the file is not read again, for reload = never",
    }


def test_a_reading_under_way_is_not_done(world: Make) -> None:
    assert ask(world(JOB), ask="reading") == {"done": False}


def test_a_reading_tells_what_is_wrong_with_the_file(world: Make) -> None:
    w = world(JOB + "[b]\ncommand = true\nevery = dya\n")
    told = Answers(Daemon(w, reading=Reading(w.config)))({"ask": "reading"})
    assert (told["done"], told["ok"], told["problem"]) == (True, False, "")
    assert told["summary"] == f"1 problem in {w.file}; 1 of 2 jobs is fine\n"


def test_a_run_from_elsewhere_is_entered_whole(world: Make) -> None:
    w = world(JOB)
    run = Rehearsal(
        fire=asked_for("a", START - timedelta(days=1)),
        outcome=Outcome(state=State.FAILURE, exit_code=3, message="exit code 3", stdout=b"\xff"),
        started=START,
        ended=START + timedelta(seconds=2),
    )
    assert ask(w, ask="record", run=run.packed()) == {"run": 1}
    row = w.row(1)
    facts = ("fire_at", "state", "trigger", "duration_s", "exit_code", "message")
    assert [row[fact] for fact in facts] == [
        "2026-11-19T10:00:00Z",
        "failure",
        "manual",
        2.0,
        3,
        "exit code 3",
    ]


@pytest.mark.parametrize("period", [None, (date(2026, 10, 1), date(2026, 10, 31))])
def test_a_run_is_the_same_after_its_way_to_the_daemon(period: tuple[date, date] | None) -> None:
    run = Rehearsal(
        fire=asked_for("a", START, period),
        outcome=Outcome(state=State.SUCCESS, stdout=b"\xff\0", stderr=b"e", output="o"),
        started=START,
        ended=START,
    )
    assert Rehearsal.unpacked(run.packed()) == run


@pytest.mark.parametrize("period", [3, [], ["2026-10-01"], ["2026-10-01", "soon"], [1, 2]])
def test_a_period_that_is_none_is_not_understood(period: object) -> None:
    run = Rehearsal(
        fire=asked_for("a", START), outcome=Outcome(state=State.SUCCESS), started=START, ended=START
    )
    with pytest.raises((ValueError, TypeError)):
        Rehearsal.unpacked(run.packed() | {"period": period})


@pytest.mark.parametrize(
    "question",
    [
        {},
        {"ask": 1},
        {"ask": "dance"},
        {"ask": "trigger"},
        {"ask": "trigger", "job": 1, "delay_ms": 0},
        {"ask": "trigger", "job": "a", "delay_ms": "0"},
        {"ask": "trigger", "job": "a", "delay_ms": True},
        {"ask": "trigger", "job": "a", "delay_ms": -1},
        {"ask": "trigger", "job": "a", "delay_ms": 10**18},
        {"ask": "stop", "run": 10**30, "by": "ann"},
        {"ask": "record"},
        {"ask": "record", "run": {"job": "a"}},
        {"ask": "record", "run": []},
    ],
    ids=str,
)
def test_what_makes_no_sense_is_not_understood(world: Make, question: Message) -> None:
    with pytest.raises(NotUnderstood):
        Answers(Daemon(world(JOB)))(question)  # type: ignore[arg-type]


# -- switches


def thrown(w: World, hindrance: str = "", **facts: object) -> Message:
    change = {"by": "ann", "note": "", "job": None, "until": None, "schedule": None, "run": False}
    return ask(w, hindrance, ask="switch", change=change | facts)


def test_a_switch_takes_effect_at_once(world: Make) -> None:
    w = world(HOURLY)
    assert thrown(w, action="disable", job="a") == {"done": True}
    assert w.engine.due is None


def test_a_switch_is_in_the_log(world: Make, caplog: pytest.LogCaptureFixture) -> None:
    caplog.set_level("INFO", "inisched")
    w = world(HOURLY)
    thrown(w, action="disable", job="a", note="the disk is full")
    thrown(w, action="reschedule", job="a", schedule={"every": "day", "at": "06:00"})
    thrown(w, action="reschedule", job="a")
    assert caplog.messages == [
        "a: disable by ann: the disk is full",
        "a: reschedule to day at 06:00 by ann",
        "a: reschedule back to the file's by ann",
    ]


def test_what_has_come_due_is_taken_up_before_a_switch_is_thrown(world: Make) -> None:
    w = world(HOURLY)
    w.now += timedelta(hours=1)
    thrown(w, action="disable", job="a")
    assert w.account() == ["11:00:00 running schedule"]


def test_a_switch_for_a_job_the_daemon_does_not_have_is_kept(world: Make) -> None:
    w = world(HOURLY)
    assert thrown(w, action="disable", job="gone") == {"done": True}
    assert w.ledger.switches.all()["gone"].enabled is False


@pytest.mark.parametrize("hindrance", ["starting", "stopping"])
def test_a_daemon_that_comes_or_goes_keeps_a_switch_for_later(world: Make, hindrance: str) -> None:
    w = world(HOURLY)
    w.now += timedelta(hours=1)
    assert thrown(w, hindrance, action="disable", job="a") == {"done": True}
    assert w.ledger.switches.all()["a"].enabled is False
    assert w.account() == []


def test_a_resume_of_a_job_that_is_not_paused_is_nothing(world: Make) -> None:
    assert thrown(world(HOURLY), action="resume", job="a") == {"done": False}


def test_a_switch_that_cannot_be_entered_is_not_thrown(
    world: Make, monkeypatch: pytest.MonkeyPatch
) -> None:
    w = world(HOURLY)

    def down(*_: object) -> None:
        raise LedgerDown("disk full")

    monkeypatch.setattr(w.ledger.switches, "disable", down)
    told = thrown(w, action="disable", job="a")
    assert told == {"error": "not_now", "message": "the ledger cannot be written: disk full"}
    assert w.engine.due == START + timedelta(hours=1)


def test_a_change_is_the_same_after_its_way_to_the_daemon() -> None:
    pause = Change(action=Action.PAUSE, by="ann", note="why", job="a", until=START)
    keys = {"every": "day", "at": "06:00"}
    schedule = Change(action=Action.RESCHEDULE, by="ann", job="a", schedule=keys)
    release = Change(action=Action.RELEASE, by="ann", run=True)
    for change in (pause, schedule, release):
        assert Change.unpacked(change.packed()) == change


def test_a_name_and_a_note_are_kept_up_to_a_length() -> None:
    packed = Change(action=Action.HOLD, by="x" * 81, note="y" * 1001).packed()
    change = Change.unpacked(packed)
    assert (change.by, change.note) == ("x" * 80, "y" * 1000)


@pytest.mark.parametrize(
    "facts",
    [
        {"action": "dance"},
        {"action": "disable"},
        {"action": "disable", "job": 1},
        {"action": "disable", "job": "\udcff"},
        {"action": "disable", "job": "a", "by": None},
        {"action": "disable", "job": "a", "note": "\0"},
        {"action": "disable", "job": "a", "until": "2026-11-21T10:00:00+00:00"},
        {"action": "hold", "job": "a"},
        {"action": "pause", "job": "a"},
        {"action": "pause", "job": "a", "until": "tomorrow"},
        {"action": "pause", "job": "a", "until": "2026-11-21T10:00:00"},
        {"action": "reschedule", "job": "a", "schedule": []},
        {"action": "reschedule", "job": "a", "schedule": {}},
        {"action": "reschedule", "job": "a", "schedule": {"every": "dya"}},
        {"action": "reschedule", "job": "a", "schedule": {"every": 1}},
        {"action": "reschedule", "job": "a", "schedule": {"every": "day", "grace": "1 s"}},
    ],
    ids=str,
)
def test_a_switch_that_makes_no_sense_is_not_understood(world: Make, facts: Message) -> None:
    with pytest.raises(NotUnderstood):
        thrown(world(HOURLY), **facts)


def test_its_numbers_are_told_from_a_job_on(world: Make) -> None:
    w = world(JOB)
    assert [job["job"] for job in ask(w, ask="metrics", first=0)["jobs"]] == ["a"]
    assert ask(w, ask="metrics", first=1) == {"jobs": [], "next": None}


@pytest.mark.parametrize("question", [{}, {"first": -1}, {"first": "x"}])
def test_a_question_for_numbers_says_where_to_begin(
    question: dict[str, object], world: Make
) -> None:
    with pytest.raises(NotUnderstood):
        ask(world(JOB), ask="metrics", **question)
