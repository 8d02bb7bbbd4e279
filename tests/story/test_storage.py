"""The daemon and its files: broken, deleted, replaced, locked, full, read-only; and one stays one."""

from __future__ import annotations

import json
import os
import random
import re
import signal
import sqlite3
import subprocess
import time
from collections import Counter
from collections.abc import Callable, Iterator
from contextlib import contextmanager, suppress
from datetime import datetime
from pathlib import Path

import pytest

from story.site import Site, stop

Make = Callable[..., Site]

TICK = "[tick]\ncommand = true\nevery = 1 second\n"
LONG = "[long]\ncommand = sleep 7\nevery = never\nrun_at_start = yes\n"


def more_rows(s: Site) -> None:
    """Waits until the account grows."""
    before = len(s.rows())
    s.wait_for_rows(lambda rows: len(rows) > before)


def sound(database: Path) -> None:
    """The database is whole, and no fire stands in it twice."""
    connection = sqlite3.connect(f"file:{database}?mode=ro", uri=True)
    assert connection.execute("PRAGMA integrity_check").fetchone()[0] == "ok"
    connection.close()


def no_fire_twice(s: Site) -> None:
    fires = Counter((row["job"], row["fire_at"], row["attempt"]) for row in s.rows())
    assert [fire for fire, times in fires.items() if times > 1] == []


@contextmanager
def locked(database: Path) -> Iterator[None]:
    other = sqlite3.connect(database, isolation_level=None, timeout=30)
    other.execute("BEGIN EXCLUSIVE")
    try:
        yield
    finally:
        other.close()


# -- at the start


@pytest.mark.parametrize("content", [os.urandom(9000), b"SQLite format 3\0" + os.urandom(9000)])
def test_a_broken_database_is_moved_aside_and_the_jobs_run(site: Make, content: bytes) -> None:
    s = site(TICK)
    (s.folder / "jobs.db").write_bytes(content)
    with s.daemon() as daemon:
        s.wait_for_rows(lambda rows: len(rows) > 0)
        assert stop(daemon) == 0
    (aside,) = s.folder.glob("jobs.db.broken-*")
    assert aside.read_bytes() == content
    assert f"it is now {aside}, and a new one begins" in s.log


def test_an_empty_database_is_a_new_one(site: Make) -> None:
    s = site(TICK)
    (s.folder / "jobs.db").touch()
    with s.daemon():
        s.wait_for_rows(lambda rows: len(rows) > 0)
    assert list(s.folder.glob("jobs.db.*")) == []


def test_a_database_of_another_program_or_a_newer_version_stops_the_start(site: Make) -> None:
    s = site(TICK)
    with sqlite3.connect(s.folder / "jobs.db") as connection:
        connection.execute("CREATE TABLE theirs (x)")
    connection.close()
    found = s.inisched("run", "--for", "0s")
    assert (found.returncode, "database of another program" in found.stderr) == (1, True)


def test_a_start_waits_while_the_database_is_locked(site: Make) -> None:
    s = site(TICK)
    s.inisched("run", "--for", "0s")
    with locked(s.folder / "jobs.db"):
        process = subprocess.Popen(s._command("run", "--for", "3s"), stderr=subprocess.PIPE)
        assert process.stderr is not None
        assert b"cannot be used: database is locked" in process.stderr.readline()
    assert process.wait(30) == 0
    process.stderr.close()


# -- while it runs


def _delete(s: Site) -> None:
    (s.folder / "jobs.db").unlink()


def _delete_everything(s: Site) -> None:
    for file in s.folder.glob("jobs.*"):
        if file != s.ini:
            file.unlink()


def _replace(s: Site) -> None:
    (s.folder / "other").write_text("no database")
    (s.folder / "other").rename(s.folder / "jobs.db")


def _delete_log(s: Site) -> None:
    (s.folder / "jobs.db-wal").unlink()


@pytest.mark.parametrize("harm", [_delete, _delete_everything, _replace, _delete_log])
def test_an_account_that_is_taken_away_is_put_back_whole(
    site: Make, harm: Callable[[Site], None]
) -> None:
    s = site(TICK + LONG)
    with s.daemon() as daemon:
        s.wait_for_rows(lambda rows: len(rows) > 2)
        before = s.rows()
        harm(s)
        s.wait(lambda: re.search(" error .*(put back as it was|opened again)", s.log))
        s.wait_for_rows(lambda rows: len(rows) > len(before) + 5)
        s.wait_for_rows(lambda rows: any(r["job"] == "long" and r["ended_at"] for r in rows))
        second = s.inisched("run", "--for", "1s")
        assert (second.returncode, f"pid {daemon.pid} " in second.stderr) == (5, True)
        assert stop(daemon) == 0
    (long,) = s.rows("long")
    assert long["state"] == "success"
    assert [row["id"] for row in s.rows()[: len(before)]] == [row["id"] for row in before]
    no_fire_twice(s)
    _every_second(s)
    sound(s.folder / "jobs.db")


def _every_second(s: Site) -> None:
    """Every fire of `tick` is covered, from the first to the last."""
    covered = sum(row["count"] for row in s.rows("tick"))
    first, last = s.rows("tick")[0], s.rows("tick")[-1]
    began = datetime.fromisoformat(first["fire_at"])
    until = datetime.fromisoformat(last["fire_until"] or last["fire_at"])
    assert covered == (until - began).total_seconds() + 1


def test_a_database_that_breaks_while_it_runs_is_moved_aside(site: Make) -> None:
    s = site(TICK + LONG)
    with s.daemon() as daemon:
        s.wait_for_rows(lambda rows: len(rows) > 1)
        (s.folder / "jobs.db").write_bytes(os.urandom(50_000))
        (s.folder / "jobs.db-wal").write_bytes(os.urandom(50_000))
        s.wait(lambda: re.search("error .* was written by another program: (put|a new)", s.log))
        rows = s.wait_for_rows(
            lambda rows: len(rows) > 3 and any(r["job"] == "long" and r["ended_at"] for r in rows)
        )
        assert stop(daemon) == 0
    assert next(row["state"] for row in rows if row["job"] == "long") == "success"
    assert len(list(s.folder.glob("jobs.db.broken-*T*[0-9]"))) == 1
    no_fire_twice(s)
    sound(s.folder / "jobs.db")


# -- out of reach for a while


def test_while_the_database_is_locked_nothing_starts_and_then_everything_goes_on(
    site: Make,
) -> None:
    s = site("[tick]\ncommand = echo x >> ran; sleep 0.3\nevery = 1 second\n")
    ran = s.folder / "ran"
    with s.daemon() as daemon:
        s.wait(lambda: ran.exists())
        with locked(s.folder / "jobs.db"):
            s.wait(lambda: "cannot be written (database is locked)" in s.log)
            before = len(ran.read_text())
            s.write("[tick]\ncommand = echo x >> ran\nevery = 1 second\n[new]\ncommand = true\n"
                    "every = 1 second\n")  # fmt: skip
            daemon.send_signal(signal.SIGHUP)
            time.sleep(3)
            assert len(ran.read_text()) == before
            assert len(re.findall("cannot be written", s.log)) <= 2
        released = time.monotonic()
        s.wait(lambda: len(ran.read_text()) > before)
        assert time.monotonic() - released < 2.5
        s.wait(lambda: "can be written again" in s.log)
        s.wait_for_rows(lambda rows: any(row["job"] == "new" for row in rows))
        assert stop(daemon) == 0
    assert {row["state"] for row in s.rows()} <= {"success", "skipped"}
    _every_second(s)


def test_term_is_heeded_while_the_database_is_locked(site: Make) -> None:
    s = site(TICK)
    with s.daemon() as daemon:
        s.wait_for_rows(lambda rows: len(rows) > 0)
        with locked(s.folder / "jobs.db"):
            s.wait(lambda: "cannot be written" in s.log)
            asked = time.monotonic()
            assert stop(daemon) == 0
            assert time.monotonic() - asked < 2.0


@pytest.fixture
def small_disk(tmp_path: Path) -> Iterator[Path]:
    """A file system of half a megabyte."""
    folder = tmp_path / "disk"
    folder.mkdir()
    command = ["mount", "-t", "tmpfs", "-o", "size=512k", "inisched", str(folder)]
    if os.geteuid() != 0 or subprocess.run(command, capture_output=True).returncode:
        pytest.skip("nothing can be mounted here")
    try:
        yield folder
    finally:
        subprocess.run(["umount", "-l", str(folder)], check=True)


def _remount(folder: Path, mode: str) -> bool:
    command = ["mount", "-o", f"remount,{mode}", str(folder)]
    return subprocess.run(command, capture_output=True).returncode == 0


def test_a_full_disk_stops_starts_and_nothing_else(small_disk: Path) -> None:
    s = Site(
        small_disk,
        "[inisched]\npython_path = .\n[tick]\ncommand = head -c 3000 /dev/urandom | base64\n"
        "every = 1 second\n",
    )
    filler = small_disk / "filler"
    with _daemon_with_its_log_elsewhere(s) as (daemon, log):
        s.wait_for_rows(lambda rows: len(rows) > 1)
        with suppress(OSError), open(filler, "wb", buffering=0) as file:
            while file.write(b"x" * 512):
                pass
        s.wait(lambda: "cannot be written (database or disk is full)" in log.read_text())
        time.sleep(2)
        before = len(s.rows())
        time.sleep(2)
        assert len(s.rows()) == before
        assert len(re.findall("cannot be written", log.read_text())) == 1
        freed = time.monotonic()
        filler.unlink()
        s.wait_for_rows(lambda rows: len(rows) > before)
        assert time.monotonic() - freed < 3
        assert stop(daemon) == 0
    assert {row["state"] for row in s.rows()[:-1]} <= {"success", "skipped"}
    _every_second(s)
    sound(small_disk / "jobs.db")


def test_a_disk_that_turns_read_only_is_like_a_full_one(small_disk: Path) -> None:
    s = Site(small_disk, TICK)
    with _daemon_with_its_log_elsewhere(s) as (daemon, log):
        s.wait_for_rows(lambda rows: len(rows) > 0)
        if not _remount(small_disk, "ro"):
            pytest.skip("files are open: this kernel does not remount")
        s.wait(lambda: "cannot be written" in log.read_text())
        assert _remount(small_disk, "rw")
        s.wait(lambda: "can be written again" in log.read_text())
        assert stop(daemon) == 0


@contextmanager
def _daemon_with_its_log_elsewhere(
    s: Site,
) -> Iterator[tuple[subprocess.Popen[bytes], Path]]:
    log = s.folder.parent / "log.txt"
    with open(log, "wb") as errors:
        process = subprocess.Popen(s._command("run"), cwd=s.folder.parent, stderr=errors)
        try:
            s.wait(lambda: f"pid {process.pid}" in log.read_text())
            yield process, log
        finally:
            process.kill()
            process.wait()


# -- killed


def test_killed_at_any_moment_it_starts_again_with_a_whole_account(site: Make) -> None:
    s = site("[tick]\ncommand = true\nevery = 1 second\n[b]\ncommand = true\nevery = 1 second\n")
    chance = random.Random(4)
    for _ in range(8):
        process = subprocess.Popen(s._command("run"), stderr=subprocess.DEVNULL)
        time.sleep(chance.uniform(0.1, 1.7))
        process.kill()
        process.wait()
    with s.daemon() as daemon:
        more_rows(s)
        assert stop(daemon) == 0
    no_fire_twice(s)
    sound(s.folder / "jobs.db")
    assert list(s.folder.glob("jobs.db.*")) == []
    assert {row["state"] for row in s.rows()} <= {"success", "interrupted", "skipped"}


# -- one stays one


@pytest.mark.parametrize("link", [False, True])
def test_two_files_on_one_database_are_one_daemon(site: Make, link: bool) -> None:
    s = site(f"[inisched]\ndatabase = shared.db\n{TICK}")
    name = "shared.db"
    if link:
        (s.folder / "sub").mkdir()
        (s.folder / "sub" / "link.db").symlink_to(s.folder / "shared.db")
        name = "sub/link.db"
    with s.daemon() as daemon:
        s.ini = s.folder / "second.ini"
        s.write(f"[inisched]\ndatabase = {name}\n{TICK}")
        second = s.inisched("run", "--for", "1s")
        assert (second.returncode, f"pid {daemon.pid} " in second.stderr) == (5, True)


@pytest.mark.parametrize("replaced", [False, True])
def test_a_lock_file_that_was_taken_away_is_there_again(site: Make, replaced: bool) -> None:
    s = site(TICK)
    lock = s.folder / "jobs.lock"
    with s.daemon() as daemon:
        if replaced:
            (s.folder / "other").write_text("{}")
            (s.folder / "other").rename(lock)
        else:
            lock.unlink()
        s.wait(lambda: "taken again" in s.log)
        assert json.loads(lock.read_text())["pid"] == daemon.pid
        asked = s.inisched("status", "--json")
        assert json.loads(asked.stdout)["pid"] == daemon.pid
        assert s.inisched("run", "--for", "1s").returncode == 5


def test_a_daemon_whose_folder_was_given_to_another_one_gives_way(
    site: Make, tmp_path: Path
) -> None:
    (tmp_path / "app").mkdir()
    s = Site(tmp_path / "app", TICK)
    with s.daemon() as first:
        first.send_signal(signal.SIGSTOP)  # else it may be the one who takes the new folder
        (tmp_path / "app").rename(tmp_path / "old")
        (tmp_path / "app").mkdir()
        s.write(TICK)
        second = subprocess.Popen(s._command("run"), stderr=subprocess.DEVNULL)
        s.wait((s.folder / "jobs.sock").exists)
        first.send_signal(signal.SIGCONT)
        assert first.wait(20) == 5
        assert second.poll() is None
        more_rows(s)
        assert stop(second) == 0  # type: ignore[arg-type]
