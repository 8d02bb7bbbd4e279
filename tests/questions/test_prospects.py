"""What `run --test` says the gates of due fires make of them."""

from __future__ import annotations

from collections.abc import Callable
from datetime import timedelta

from inisched.model.job import Job
from inisched.model.run import Fire, Outcome, State
from inisched.questions.pending import Pending, pending
from inisched.questions.prospects import Prospects
from inisched.stores.history import History
from questions.watched import Watched

Make = Callable[[str], Watched]

TEN = "[a]\ncommand = true\nevery = 10 minutes\n"
UP = "[up]\ncommand = true\nevery = never\n"
READY = TEN + "ready = data.are_in\n"
REPORT = "[a]\ncommand = true\nevery = day\nat = 10:10\nreport_period = day\n"
FAILED = Outcome(state=State.FAILURE, exit_code=3)


class Look:
    """What a daemon that starts now would find; its gates say `answer`."""

    def __init__(self, w: Watched, *, answer: bool = False, once: bool = False) -> None:
        self.asked: list[str] = []
        self.answer = answer
        history = History(w.config.database)
        jobs, known = w.config.jobs, history.jobs()
        rows, seed = history.open_rows(), history.id or ""
        due = pending(jobs, known, rows, w.now, seed=seed, at_start=not once)
        gates = Prospects(jobs, known, w.now, ask=self._ask, find=history.entry)
        self.found = gates.of(due, once=once)
        history.close()

    def _ask(self, job: Job, fire: Fire) -> bool:
        self.asked.append(f"{fire.at:%H:%M}")
        return self.answer

    @property
    def told(self) -> list[tuple[str, str, str | None, bool | None]]:
        return [(f"{o.fire_at:%H:%M}", o.outcome, o.reason, o.ready) for o in self.found]

    @property
    def periods(self) -> list[tuple[str, str, str | None]]:
        return [(_end(one), one.outcome, one.reason) for one in self.found]


def _end(one: Pending) -> str:
    return f"{one.period[1]:%m-%d}" if one.period else ""


def down(w: Watched, **later: float) -> Watched:
    """No daemon looks for so long."""
    if w.alive:
        w.kill()
    w.now += timedelta(**later)
    return w


def test_a_fire_whose_data_is_there_would_run(world: Make) -> None:
    look = Look(down(world(READY), minutes=10), answer=True)
    assert (look.told, look.asked) == ([("10:10", "run", None, True)], ["10:10"])


def test_a_fire_whose_data_is_not_there_would_wait(world: Make) -> None:
    assert Look(down(world(READY), minutes=10)).told == [("10:10", "wait", "ready", False)]


def test_a_fire_that_is_overdue_would_run_in_any_case(world: Make) -> None:
    look = Look(down(world(READY + "override_after = 20 s\n"), minutes=10, seconds=30))
    assert look.told == [("10:10", "run", None, False)]
    assert look.found[0].override


def test_a_fire_that_has_waited_too_long_would_be_skipped(world: Make) -> None:
    w = world(READY + "wait_limit = 5 minutes\n")
    w.to("10:10:00")
    assert Look(down(w, minutes=5)).told == [("10:10", "skip", "not_ready", False)]


def test_a_fire_that_is_not_to_be_asked_yet_would_wait(world: Make) -> None:
    w = world(READY)
    w.to("10:10:00")
    w.answer("a", False)
    assert Look(down(w, minutes=5), answer=True).told == [("10:10", "wait", "ready", True)]


def test_a_fire_that_follows_another_job_would_wait_and_is_not_asked(world: Make) -> None:
    look = Look(down(world(UP + READY + "after = up\n"), minutes=10))
    assert (look.told, look.asked) == ([("10:10", "wait", "after:up", None)], [])


def test_of_several_fires_only_the_first_would_follow_the_run_there_was(world: Make) -> None:
    w = world(UP + TEN + "after = up\nmisfire = all\n")
    w.engine.trigger("up", w.now, timedelta(0))
    w.end("up")
    assert Look(down(w, minutes=20)).told == [
        ("10:10", "run", None, None),
        ("10:20", "wait", "after:up", None),
    ]


def test_each_fire_is_told_its_period(world: Make) -> None:
    assert Look(down(world(REPORT), days=1, minutes=10)).periods == [
        ("11-19", "run", None),
        ("11-20", "run", None),
    ]


def test_a_failed_period_would_be_tried_first(world: Make) -> None:
    w = world(REPORT)
    w.outcome = FAILED
    w.to("10:10:00")
    w.end("a")
    look = Look(down(w, days=1))
    assert look.periods == [("11-19", "run", None), ("11-20", "wait", "line")]
    assert [one.trigger for one in look.found] == ["retry", "schedule"]


def test_without_a_new_fire_only_a_pass_tries_a_failed_period(world: Make) -> None:
    w = world(REPORT)
    w.outcome = FAILED
    w.to("10:10:00")
    w.end("a")
    down(w, hours=1)
    assert (Look(w).periods, Look(w, once=True).periods) == ([], [("11-19", "run", None)])


def test_a_fire_of_the_start_has_the_failed_period(world: Make) -> None:
    w = world(REPORT + "run_at_start = yes\n")
    w.end("a")
    w.outcome = FAILED
    w.to("10:10:00")
    w.end("a")
    w.to("2026-11-21T10:09:00")
    assert Look(down(w)).periods == [("11-19", "run", None)]


def test_a_manual_fire_is_not_asked(world: Make) -> None:
    w = world(READY)
    w.engine.trigger("a", w.now, timedelta(minutes=5))
    look = Look(down(w, minutes=6))
    assert (look.told, look.asked) == ([("10:05", "run", None, None)], [])
