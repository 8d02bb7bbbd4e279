"""Why a job that somebody switched has no fires, or other ones."""

from __future__ import annotations

from collections.abc import Callable
from datetime import timedelta

from inisched.stores.switches import Mark
from questions.watched import Watched

Make = Callable[[str], Watched]

TEN = "[a]\ncommand = true\nevery = hour\nat = :00\n"


def disabled(w: Watched) -> None:
    w.ledger.switches.disable("a", Mark("ann", w.now))
    w.engine.adopt_again(w.now)


def test_a_fire_of_a_disabled_job_is_none(world: Make) -> None:
    w = world(TEN)
    w.go(minutes=90)
    disabled(w)
    w.go(minutes=90)
    answer = w.ask("12:00")
    assert (answer.tale.verdict, answer.tale.reason) == ("not_a_fire", "disabled")
    assert answer.tale.text[0].startswith("a was disabled then: it has had no fires since ")


def test_a_disabled_job_has_no_coming_fire(world: Make) -> None:
    w = world(TEN)
    w.go(minutes=90)
    disabled(w)
    assert w.ask("2026-11-20T15:00").tale.text == ["a is disabled and has no fires."]


def test_a_coming_fire_in_a_pause_will_be_skipped(world: Make) -> None:
    w = world(TEN)
    w.go(minutes=90)
    w.ledger.switches.pause("a", w.now + timedelta(hours=1), Mark("ann", w.now))
    assert "It will be skipped: paused until 12:30." in w.ask("2026-11-20T12:00").tale.text


def test_a_fire_of_another_schedule_is_told_by_that(world: Make) -> None:
    w = world(TEN)
    w.ledger.switches.reschedule(
        "a", {"every": "hour", "at": ":30"}, "hour at :30", Mark("x", w.now)
    )
    w.engine.adopt_again(w.now)
    assert w.ask("2026-11-20T12:30").tale.verdict == "coming"
