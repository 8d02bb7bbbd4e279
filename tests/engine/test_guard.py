"""What the daemon stands on: its lock, its account, and what it says while they are out of reach."""

from __future__ import annotations

import json
import logging
import os
import subprocess
import sys
from collections.abc import Callable, Iterator
from datetime import timedelta
from pathlib import Path

import pytest

from engine.world import START, World
from inisched.engine.guard import INTERVAL, RETRY, Guard
from inisched.engine.holder import read_holder
from inisched.engine.lock import AlreadyRunning, InstanceLock
from inisched.engine.nursery import Departed
from inisched.engine.outage import Outage
from inisched.model.run import Outcome, State
from inisched.stores.ledger import LedgerDown

Make = Callable[[str], World]

TEN = "[a]\ncommand = true\nevery = 10 minutes\n"

TAKES = """
import sys, time
from pathlib import Path
from inisched.engine.lock import AlreadyRunning, InstanceLock
lock = InstanceLock(Path(sys.argv[1]))
try:
    lock.acquire("daemon", patience=0.2)
except AlreadyRunning as error:
    print("refused" if error.holder is None else error.holder.pid, flush=True)
else:
    print("taken", flush=True)
    sys.stdin.read()
"""


@pytest.fixture
def lock(tmp_path: Path) -> Iterator[InstanceLock]:
    held = InstanceLock(tmp_path / "jobs.db")
    held.acquire("daemon")
    yield held
    held.release()


def another(database: Path) -> subprocess.Popen[str]:
    """Another process that tries to take the lock, and keeps it until its input ends."""
    command = [sys.executable, "-P", "-c", TAKES, str(database)]
    pipe = subprocess.PIPE
    return subprocess.Popen(command, stdin=pipe, stdout=pipe, text=True)


def answer(database: Path) -> str:
    return another(database).communicate(timeout=60)[0].strip()


def _delete(path: Path) -> None:
    path.unlink()


def _replace(path: Path) -> None:
    other = path.with_name("other")
    other.write_text("somebody else's")
    other.rename(path)


def _link(path: Path) -> None:
    path.unlink()
    path.symlink_to(path.with_name("nowhere"))


# -- the lock


def test_a_lock_that_is_as_it_was_taken_has_lost_nothing(lock: InstanceLock) -> None:
    assert lock.loss() == ""


@pytest.mark.parametrize(("harm", "word"), [(_delete, "deleted"), (_replace, "replaced")])
def test_a_lock_file_that_was_taken_away_is_taken_again(
    lock: InstanceLock, harm: Callable[[Path], None], word: str
) -> None:
    harm(lock.path)
    assert lock.loss() == f"the lock file {lock.path} was {word}"
    lock.renew()
    assert lock.loss() == ""
    holder = read_holder(lock.path)
    assert holder is not None
    assert (holder.pid, holder.role, holder.alive) == (os.getpid(), "daemon", True)
    assert answer(lock.path.with_suffix(".db")) == str(os.getpid())


@pytest.mark.parametrize("harm", [_delete, _replace])
def test_meanwhile_no_second_daemon_gets_in(
    lock: InstanceLock, harm: Callable[[Path], None]
) -> None:
    harm(lock.path)
    assert answer(lock.path.with_suffix(".db")) == "refused"


def test_a_planted_link_is_not_followed(tmp_path: Path) -> None:
    victim = tmp_path / "victim"
    victim.write_text("kept")
    (tmp_path / "jobs.lock").symlink_to(victim)
    with pytest.raises(OSError):
        InstanceLock(tmp_path / "jobs.db").acquire("daemon")
    assert victim.read_text() == "kept"


def test_a_link_to_the_database_is_the_same_lock(lock: InstanceLock, tmp_path: Path) -> None:
    (tmp_path / "elsewhere").mkdir()
    database = tmp_path / "jobs.db"
    database.touch()
    link = tmp_path / "elsewhere" / "link.db"
    link.symlink_to(database)
    assert answer(link) == str(os.getpid())


def test_a_folder_that_was_moved_is_followed_by_name(tmp_path: Path) -> None:
    (tmp_path / "now").mkdir()
    lock = InstanceLock(tmp_path / "now" / "jobs.db")
    lock.acquire("daemon")
    (tmp_path / "now").rename(tmp_path / "before")
    (tmp_path / "now").mkdir()
    assert lock.loss() == f"the folder {tmp_path / 'now'} was moved or replaced"
    lock.renew()
    assert lock.loss() == ""
    assert answer(tmp_path / "now" / "jobs.db") == str(os.getpid())
    lock.release()


def test_a_daemon_that_was_quicker_in_the_new_folder_keeps_it(tmp_path: Path) -> None:
    (tmp_path / "now").mkdir()
    lock = InstanceLock(tmp_path / "now" / "jobs.db")
    lock.acquire("daemon")
    (tmp_path / "now").rename(tmp_path / "before")
    (tmp_path / "now").mkdir()
    other = another(tmp_path / "now" / "jobs.db")
    assert other.stdout is not None
    assert other.stdout.readline() == "taken\n"
    with pytest.raises(AlreadyRunning) as caught:
        lock.renew()
    assert caught.value.holder is not None
    assert caught.value.holder.pid == other.pid
    other.communicate()
    lock.release()


# -- the guard


@pytest.fixture
def site(world: Make, lock: InstanceLock) -> tuple[World, Guard]:
    w = world(TEN)
    return w, Guard(w.engine, lock, 0.0)


def test_it_looks_every_few_seconds(site: tuple[World, Guard], tmp_path: Path) -> None:
    w, guard = site
    (tmp_path / "jobs.db").unlink()
    assert guard.patience(1.0) == INTERVAL - 1.0
    guard.look(INTERVAL - 0.1, w.now)
    assert not (tmp_path / "jobs.db").exists()
    guard.look(INTERVAL, w.now)
    assert (tmp_path / "jobs.db").exists()
    assert INTERVAL + RETRY < 10


def test_what_runs_and_waits_goes_on_after_a_loss(
    site: tuple[World, Guard], tmp_path: Path, caplog: pytest.LogCaptureFixture
) -> None:
    w, guard = site
    w.go(minutes=10)
    (tmp_path / "jobs.db").unlink()
    guard.look(INTERVAL, w.now)
    (record,) = [r for r in caplog.records if r.levelno >= logging.ERROR]
    assert record.getMessage() == f"{tmp_path / 'jobs.db'} was deleted: put back as it was"
    w.end("a")
    w.go(minutes=10)
    assert w.account() == ["10:10:00 success schedule", "10:20:00 running schedule"]


def test_a_database_that_breaks_is_replaced_without_a_fire_lost_or_run_twice(
    site: tuple[World, Guard], tmp_path: Path
) -> None:
    w, guard = site
    w.go(minutes=10)
    w.ledger._db.execute("PRAGMA wal_checkpoint(TRUNCATE)")
    w.ledger._db.execute("PRAGMA shrink_memory")
    database = tmp_path / "jobs.db"
    database.write_bytes(os.urandom(database.stat().st_size))
    w.end("a")
    w.go(minutes=10)
    assert w.started == [("a", "10:10:00")]
    assert guard.patience(0.5) == RETRY - 0.5
    guard.look(RETRY, w.now)
    w.go(seconds=1)
    assert w.account() == ["10:10:00 success schedule", "10:20:00 running schedule"]
    assert w.started == [("a", "10:10:00"), ("a", "10:20:00")]
    assert w.row(1)["ended_at"] == "2026-11-20T10:10:00Z"
    w.restart(minutes=5)
    w.go(minutes=5)
    assert w.account()[1:] == ["10:20:00 interrupted schedule", "10:30:00 running schedule"]


def test_while_the_loss_cannot_be_made_good_nothing_starts(
    site: tuple[World, Guard], tmp_path: Path, caplog: pytest.LogCaptureFixture
) -> None:
    w, guard = site
    database = tmp_path / "jobs.db"
    database.unlink()
    database.mkdir()
    guard.look(INTERVAL, w.now)
    w.go(minutes=10)
    for seconds in range(20):
        guard.look(2 * INTERVAL + seconds, w.now)
        w.go(seconds=1)
    assert w.started == []
    errors = [r for r in caplog.records if r.levelno >= logging.ERROR]
    assert len(errors) == 2
    assert "was replaced by another file" in errors[0].getMessage()
    database.rmdir()
    guard.look(60.0, w.now)
    w.go(seconds=1)
    assert w.started == [("a", "10:10:00")]


def test_another_daemon_that_has_taken_over_is_told_to_the_daemon(
    world: Make, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    w = world(TEN)
    lock = InstanceLock(tmp_path / "jobs.db")
    lock.acquire("daemon")
    lock._let_name_go()  # as where the kernel has no such names
    lock.path.unlink()
    other = another(tmp_path / "jobs.db")
    assert other.stdout is not None
    assert other.stdout.readline() == "taken\n"
    with pytest.raises(AlreadyRunning, match=f"pid {other.pid} "):
        Guard(w.engine, lock, 0.0).look(INTERVAL, w.now)
    assert json.loads(lock.path.read_text())["pid"] == other.pid
    other.communicate()
    lock.release()


# -- an outage


def told(caplog: pytest.LogCaptureFixture) -> list[str]:
    return [r.getMessage() for r in caplog.records if "the ledger can" in r.getMessage()]


def test_an_outage_is_said_at_once_then_every_minute_and_at_its_end(
    caplog: pytest.LogCaptureFixture,
) -> None:
    outage = Outage()
    for second in range(130):
        outage.note(LedgerDown("disk full"), START + timedelta(seconds=second))
    outage.over(START + timedelta(seconds=131))
    outage.over(START + timedelta(seconds=132))
    assert told(caplog) == [
        "the ledger cannot be written (disk full); nothing starts until it can",
        "the ledger cannot be written (disk full) for 1 min now; nothing starts until it can",
        "the ledger cannot be written (disk full) for 2 min now; nothing starts until it can",
        "the ledger can be written again, after 2 min 11 s",
    ]


def test_in_an_outage_nothing_starts_and_ends_are_kept(
    world: Make, monkeypatch: pytest.MonkeyPatch, caplog: pytest.LogCaptureFixture
) -> None:
    w = world(TEN + "[b]\ncommand = true\nevery = 10 minutes\nrun_at_start = yes\n")
    assert w.started == [("b", "10:00:00")]
    with monkeypatch.context() as down:
        _cut_off(down, w)
        w.end("b")
        for _ in range(900):
            w.go(seconds=1)
            w.engine.record(w.now)
    assert w.started == [("b", "10:00:00")]
    assert len(told(caplog)) == 16
    w.go(seconds=1)
    assert w.started[1:] == [("a", "10:10:00"), ("b", "10:10:00")]
    assert w.rows("b")[0]["ended_at"] == "2026-11-20T10:00:00Z"
    assert told(caplog)[16:] == ["the ledger can be written again, after 15 min 1 s"]


def test_a_start_in_an_outage_still_has_its_fire_at_the_start(
    world: Make, monkeypatch: pytest.MonkeyPatch
) -> None:
    w = world("")
    w.write("[b]\ncommand = true\nevery = never\nrun_at_start = yes\n")
    w.engine.adopt(w.config.jobs, w.now)
    with monkeypatch.context() as down:
        _cut_off(down, w)
        w.engine.look(w.now, at_start=True)
    w.go(seconds=2)
    assert w.started == [("b", "10:00:02")]


def test_which_process_carries_a_run_is_noted_once_it_can_be(
    world: Make, monkeypatch: pytest.MonkeyPatch
) -> None:
    w = world(TEN)
    with monkeypatch.context() as down:
        down.setattr(w.ledger, "note_processes", _down)
        w.go(minutes=10)
    (run,) = w.ledger.open_runs()
    assert run.pid is None
    w.go(seconds=1)
    (run,) = w.ledger.open_runs()
    assert run.pid == 1


def test_the_end_of_the_daemon_records_what_it_can(
    world: Make, monkeypatch: pytest.MonkeyPatch
) -> None:
    w = world(TEN)
    w.go(minutes=10)
    with monkeypatch.context() as down:
        _cut_off(down, w)
        (run_id,) = w.engine.runs
        w.engine.ended(Departed(run_id, ago=0.0, timed_out=False, left=0), w.now)
        assert not w.engine.record(w.now + timedelta(seconds=1))
    assert w.engine.record(w.now + timedelta(seconds=2))
    assert w.account() == ["10:10:00 success schedule"]


def test_an_outage_between_claim_and_end_keeps_how_it_ended(
    world: Make, monkeypatch: pytest.MonkeyPatch
) -> None:
    w = world(TEN)
    w.outcome = Outcome(state=State.FAILURE, exit_code=3, message="exit code 3", stdout=b"kept")
    w.go(minutes=10)
    with monkeypatch.context() as down:
        _cut_off(down, w)
        w.end("a")
    w.go(seconds=5)
    (row,) = w.rows()
    assert (row["state"], row["exit_code"], row["message"]) == ("failure", 3, "exit code 3")


def _cut_off(down: pytest.MonkeyPatch, w: World) -> None:
    """Every write fails, as on a full disk."""
    names = ("claim", "begin", "finish_all", "note_processes", "skip", "cancel", "beat", "enter")
    for name in names:
        down.setattr(w.ledger, name, _down)


def _down(*_: object, **__: object) -> None:
    raise LedgerDown("database or disk is full")


def test_it_looks_along_with_others_and_then_not_before_its_own_time(
    site: tuple[World, Guard], tmp_path: Path
) -> None:
    w, guard = site
    guard.look(1.0, w.now, anyway=True)
    assert guard.patience(1.0) == INTERVAL
