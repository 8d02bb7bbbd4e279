"""What ends in one turn of the loop is written in one transaction: all of it, or nothing yet."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from contextlib import contextmanager
from datetime import timedelta
from typing import Any

import pytest

from engine.world import World
from inisched.engine.nursery import Departed
from inisched.model.run import Outcome, State
from inisched.stores.ledger import LedgerDown

Make = Callable[..., World]

THREE = "".join(f"[{name}]\ncommand = true\nevery = 10 minutes\n" for name in "abc")
ROOM = {"settings": "max_running = 9"}


def end_all(w: World) -> None:
    """All runs end in one turn of the loop; the look that follows is not taken yet."""
    for run_id in list(w.engine.runs):
        w.engine.note_end(Departed(run_id, ago=0.0, timed_out=False, left=0), w.now)


def commits(w: World) -> list[str]:
    """The transactions written from now on, by the statement each ends with."""
    seen: list[str] = []
    w.ledger._db.set_trace_callback(lambda text: text == "COMMIT" and seen.append(text))
    return seen


def test_the_ends_of_a_turn_are_one_transaction(world: Make) -> None:
    w = world(THREE, **ROOM)
    w.go(minutes=10)
    seen = commits(w)
    end_all(w)
    w.go(seconds=1)
    assert seen == ["COMMIT"]
    assert [row["state"] for row in w.rows()] == ["success"] * 3


@pytest.mark.parametrize("fails_at", [1, 2, 3])
def test_of_ends_that_cannot_be_written_together_none_is_and_later_all_are(
    world: Make, fails_at: int
) -> None:
    w = world(THREE, **ROOM)
    w.go(minutes=10)
    end_all(w)
    with _let_down(w, fails_at):
        w.go(seconds=1)
        assert [row["state"] for row in w.rows()] == ["running"] * 3
    w.go(seconds=1)
    assert [row["state"] for row in w.rows()] == ["success"] * 3
    w.go(minutes=10)
    assert len(w.started) == 6


@pytest.mark.parametrize("fails_at", [1, 2, 3])
def test_of_ends_that_were_not_written_a_dead_daemon_leaves_interrupted_runs(
    world: Make, fails_at: int
) -> None:
    w = world(THREE, **ROOM)
    w.go(minutes=10)
    end_all(w)
    with _let_down(w, fails_at):
        w.go(seconds=1)
    w.restart(seconds=1)
    assert [row["state"] for row in w.rows()] == ["interrupted"] * 3
    assert len(w.started) == 3


@contextmanager
def _let_down(w: World, fails_at: int) -> Iterator[None]:
    """The disk is full when that end is to be written."""
    w.ledger._db.execute(
        "CREATE TEMP TRIGGER full BEFORE UPDATE OF ended_at ON run "
        f"WHEN NEW.id = {fails_at} BEGIN SELECT RAISE(ABORT, 'database or disk is full'); END"
    )
    yield
    w.ledger._db.execute("DROP TRIGGER full")


def test_an_end_sees_what_another_of_the_same_job_brought_about(world: Make) -> None:
    w = world(
        "[a]\ncommand = false\nevery = 1 minute\noverlap = allow\nnotify = me\n"
        "[notify:me]\nwebhook = http://127.0.0.1:1/\n",
        **ROOM,
    )
    w.outcome = Outcome(state=State.FAILURE, exit_code=1)
    w.go(minutes=1)
    w.go(minutes=1)
    end_all(w)
    w.go(seconds=1)
    assert w.letters == [("notify:me", "failure")]
    assert [one.failures for one in w.ledger.post.incidents()] == [2]


def test_a_job_and_one_that_comes_after_it_may_end_in_one_turn(world: Make) -> None:
    w = world(
        "[a]\ncommand = true\nevery = 10 minutes\nthen = b\n"
        "[b]\ncommand = true\nevery = 10 minutes\n",
        **ROOM,
    )
    w.go(minutes=10)
    end_all(w)
    w.go(seconds=1)
    assert w.account() == [
        "10:10:00 success schedule",
        "10:10:00 success schedule",
        "10:10:00 running then",
    ]


# -- who takes the place of a run that has ended


CROWD = "".join(f"[{name}]\ncommand = true\nevery = 10 minutes\n" for name in "abcd")


def test_an_end_and_the_start_it_makes_room_for_are_one_transaction(world: Make) -> None:
    w = world(CROWD, settings="max_running = 2")
    w.go(minutes=10)
    seen = commits(w)
    end_all(w)
    w.go(seconds=1)
    assert seen == ["COMMIT"]
    assert [name for name, _ in w.started] == ["a", "b", "c", "d"]


@pytest.mark.parametrize("write", ["finish_all", "begin"])
def test_where_that_cannot_be_written_nothing_has_happened_yet(
    world: Make, monkeypatch: pytest.MonkeyPatch, write: str
) -> None:
    w = world(CROWD, settings="max_running = 2")
    w.go(minutes=10)
    end_all(w)
    with monkeypatch.context() as down:
        down.setattr(w.ledger, write, _down)
        w.go(seconds=1)
        assert [row["state"] for row in w.rows()] == ["running"] * 2 + ["waiting"] * 2
        assert len(w.started) == 2
    w.go(seconds=1)
    assert [row["state"] for row in w.rows()] == ["success"] * 2 + ["running"] * 2
    assert [name for name, _ in w.started] == ["a", "b", "c", "d"]


def test_where_the_commit_itself_fails_nothing_has_happened_yet(
    world: Make, monkeypatch: pytest.MonkeyPatch
) -> None:
    w = world(CROWD, settings="max_running = 2")
    w.go(minutes=10)
    end_all(w)
    begin = w.ledger.begin

    def begin_and_lose(*given: Any) -> None:
        begin(*given)
        w.ledger._db.execute("ROLLBACK")

    with monkeypatch.context() as down:
        down.setattr(w.ledger, "begin", begin_and_lose)
        w.go(seconds=1)
        assert [row["state"] for row in w.rows()] == ["running"] * 2 + ["waiting"] * 2
        assert len(w.started) == 2
    w.go(seconds=1)
    assert [name for name, _ in w.started] == ["a", "b", "c", "d"]


def test_what_comes_after_a_run_takes_its_place_only_by_its_own_gates(world: Make) -> None:
    w = world(
        "[a]\ncommand = true\nevery = 10 minutes\nthen = b\n"
        "[b]\ncommand = true\nevery = 10 minutes\n",
        settings="max_running = 1",
    )
    w.go(minutes=10)
    w.end("a")
    assert w.account("b") == ["10:10:00 skipped schedule", "10:10:00 running then"]


def _down(*_: object, **__: object) -> None:
    raise LedgerDown("database or disk is full")


# -- which process carries a run


def pids(w: World) -> list[int | None]:
    return [run.pid for run in w.ledger.open_runs()]


def test_the_process_of_a_run_is_written_with_the_next_end(world: Make) -> None:
    w = world("[a]\ncommand = true\nevery = 10 minutes\n[b]\ncommand = true\nevery = 15 minutes\n")
    w.go(minutes=10)
    w.go(seconds=1)
    assert pids(w) == [1]
    w.go(minutes=5)
    assert pids(w) == [1, None]
    seen = commits(w)
    w.end("a")
    assert (pids(w), seen) == ([1], ["COMMIT"])


def test_the_process_of_a_run_is_written_within_a_moment_though_nothing_ends(world: Make) -> None:
    w = world(THREE, **ROOM)
    w.go(minutes=10)
    assert pids(w) == [None] * 3
    assert w.engine.note_by == w.now + timedelta(milliseconds=20)
    w.go(milliseconds=20)
    assert (pids(w), w.engine.note_by) == ([1] * 3, None)


def test_a_run_that_ended_in_that_moment_needs_no_process(world: Make) -> None:
    w = world(THREE, **ROOM)
    w.go(minutes=10)
    end_all(w)
    seen = commits(w)
    w.go(seconds=1)
    assert seen == ["COMMIT"]


# -- callbacks that run in the daemon


INLINE = "".join(f"[{name}]\ncommand = true\nevery = 10 minutes\n" for name in "abcdef")


class Inline(World):
    """A world whose runs are over at once; each takes so many seconds by the stopwatch."""

    takes = 0.0

    def _start(self, task: Any) -> Any:
        super()._start(task)
        self.written.append(sum(row["state"] == "success" for row in self.rows()))
        later = self.engine._stopwatch() + self.takes
        self.engine._stopwatch = lambda: later
        return Outcome(state=State.SUCCESS, exit_code=0)

    def begin(self) -> None:
        self.written: list[int] = []
        super().begin()
        self.engine._stopwatch = lambda: 0.0


@pytest.fixture
def inline(tmp_path: Any) -> Inline:
    return Inline(tmp_path, INLINE, settings="max_running = 9")


def test_callbacks_that_run_in_the_daemon_are_claimed_together_and_end_together(
    inline: Inline,
) -> None:
    seen = commits(inline)
    inline.go(minutes=10)
    assert inline.written == [0] * 6
    assert seen == ["COMMIT"] * 2
    assert [row["state"] for row in inline.rows()] == ["success"] * 6


def test_their_ends_are_not_left_unwritten_for_long(inline: Inline) -> None:
    inline.takes = 0.03
    inline.go(minutes=10)
    assert inline.written == [0, 0, 2, 2, 4, 4]


def test_those_in_hand_with_one_that_kills_the_daemon_are_interrupted_and_never_run_again(
    inline: Inline, monkeypatch: pytest.MonkeyPatch
) -> None:
    class Died(BaseException):
        pass

    carry_out, inline.takes = inline._start, 0.03

    def deadly(task: Any) -> Any:
        if task.job.name == "d":
            raise Died
        return carry_out(task)

    inline.engine.start = deadly
    with pytest.raises(Died):
        inline.go(minutes=10)
    inline.restart(seconds=1)
    states = {row["job"]: row["state"] for row in inline.rows()}
    assert states == dict.fromkeys("ab", "success") | dict.fromkeys("cdef", "interrupted")
    assert [name for name, _ in inline.started] == ["a", "b", "c"]


# -- many fires that wait for a place


def test_whoever_waits_for_a_place_alone_is_not_looked_at_while_there_is_none(
    world: Make, monkeypatch: pytest.MonkeyPatch
) -> None:
    w = world(CROWD, settings="max_running = 1")
    w.go(minutes=10)
    looked_at: list[str] = []
    passes = w.engine.passes
    monkeypatch.setattr(
        w.engine, "passes", lambda seat, e: looked_at.append(seat.job.name) or passes(seat, e)
    )
    w.go(seconds=1)
    w.go(seconds=1)
    assert looked_at == []
    w.end("a")
    assert looked_at == ["b"]
    assert [name for name, _ in w.started] == ["a", "b"]


def test_who_was_paused_while_there_was_no_place_does_not_take_the_one_that_comes(
    world: Make,
) -> None:
    w = world(CROWD, settings="max_running = 1")
    w.go(minutes=10)
    w.throw("pause", "b", until=w.now + timedelta(minutes=1))
    w.end("a")
    assert [name for name, _ in w.started] == ["a", "c"]
    w.go(minutes=1)
    w.end("c")
    assert [name for name, _ in w.started] == ["a", "c", "b"]


def test_during_a_hold_nobody_takes_the_place_that_comes(world: Make) -> None:
    w = world(CROWD, settings="max_running = 1")
    w.go(minutes=10)
    w.throw("hold")
    w.end("a")
    assert [name for name, _ in w.started] == ["a"]


def test_a_new_fire_does_not_go_before_an_older_one_that_waits(world: Make) -> None:
    jobs = "".join(f"[{name}]\ncommand = true\nevery = 1 minute\n" for name in "abc")
    late = "[z]\ncommand = true\nevery = 61 seconds\n"
    w = world(jobs + late)
    w.go(minutes=1)
    assert [name for name, _ in w.started] == ["a", "b"]
    run_id = next(iter(w.engine.runs))
    w.now += timedelta(seconds=1)
    w.engine.note_end(Departed(run_id, ago=0.0, timed_out=False, left=0), w.now)
    w.engine.look(w.now)
    assert [name for name, _ in w.started] == ["a", "b", "c"]
