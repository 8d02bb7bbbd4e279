"""Switches and real processes: daemons, shells, crashes, restarts."""

from __future__ import annotations

import json
import os
import signal
import subprocess
import time
from collections.abc import Callable
from concurrent.futures import ThreadPoolExecutor
from typing import Any

import pytest

from inisched.engine.lock import InstanceLock
from inisched.stores.ledger import Ledger
from story.site import Site, stop

Make = Callable[..., Site]

BUSY = "[inisched]\nreload = signal\ndrain = 0 s\n[busy]\ncommand = true\nevery = second\n"
HOURLY = "[inisched]\nreload = signal\n[sweep]\ncommand = true\nevery = hour\n"


def told(site: Site, *words: str) -> tuple[int, str, str]:
    done = site.inisched(*words)
    return done.returncode, done.stdout, done.stderr


def audit(site: Site) -> list[dict[str, Any]]:
    """Oldest first."""
    found: list[dict[str, Any]] = json.loads(site.inisched("audit", "--json").stdout)
    return found[::-1]


def job(site: Site, name: str) -> dict[str, Any]:
    jobs = json.loads(site.inisched("list", "--all", "--json").stdout)
    return next(one for one in jobs if one["job"] == name)


def settled(site: Site) -> int:
    """How many rows there are once a second has passed in which none was added."""
    count = -1
    while count != (count := len(site.rows())):
        time.sleep(1.2)
    return count


# -- with a daemon


def test_a_disabled_job_runs_no_more_and_an_enabled_one_does_again(site: Make) -> None:
    s = site(BUSY)
    with s.daemon():
        s.wait_for_rows(lambda rows: len(rows) > 0)
        assert told(s, "disable", "busy") == (0, "busy is disabled\n", "")
        count = settled(s)
        assert told(s, "enable", "busy") == (0, "busy is enabled\n", "")
        s.wait_for_rows(lambda rows: len(rows) > count)


def test_a_new_schedule_counts_at_once_and_the_old_rhythm_comes_back(site: Make) -> None:
    s = site(HOURLY)
    with s.daemon():
        before = job(s, "sweep")["next_fire"]
        assert told(s, "reschedule", "sweep", "--every", "second") == (
            0,
            "sweep is rescheduled: second\n",
            "",
        )
        s.wait_for_rows(lambda rows: len(rows) > 1)
        assert told(s, "reschedule", "sweep", "--clear") == (
            0,
            "sweep goes by the file again: hour\n",
            "",
        )
        assert job(s, "sweep")["next_fire"] == before


def test_a_callback_that_is_enabled_is_carried_out(site: Make) -> None:
    s = site(
        "[call]\ncall = work.f\nevery = second\nactive = no\n",
        work="def f():\n    return 'done'\n",
    )
    with s.daemon():
        s.inisched("enable", "call")
        rows = s.wait_for_rows(lambda rows: any(row["state"] == "success" for row in rows))
    assert rows[0]["trigger"] == "schedule"


def test_a_job_is_switched_while_it_runs_and_runs_on(site: Make) -> None:
    wait = "until test -e go; do sleep 0.1; done"
    s = site(f"[inisched]\nreload = signal\n[long]\ncommand = {wait}\nevery = never\n")
    with s.daemon():
        s.inisched("trigger", "long")
        s.inisched("disable", "long")
        assert job(s, "long")["running"]
        (s.folder / "go").touch()
        [row] = s.wait_for_rows(lambda rows: rows[0]["state"] != "running")
    assert row["state"] == "success"


def test_a_switch_outlives_a_reload_and_a_restart(site: Make) -> None:
    s = site(HOURLY)
    with s.daemon() as daemon:
        s.inisched("disable", "sweep", "--note", "the disk is full")
        s.write(HOURLY + "description = Sweep.\n")
        s.inisched("reload")
        switched = job(s, "sweep")["switches"]
        stop(daemon)
    assert (switched["enabled"], switched["note"]) == (False, "the disk is full")
    with s.daemon():
        assert job(s, "sweep")["switches"] == switched


def test_nothing_is_lost_by_kill_9_right_after_the_answer(site: Make) -> None:
    s = site(HOURLY)
    with s.daemon() as daemon:
        assert told(s, "disable", "sweep")[0] == 0
        daemon.kill()
        daemon.wait()
        assert job(s, "sweep")["switches"]["enabled"] is False
        assert [entry["action"] for entry in audit(s)] == ["disable"]
    with s.daemon():
        assert job(s, "sweep")["active"] is False


def test_a_job_a_reload_has_just_removed_is_switched_and_comes_back_so(site: Make) -> None:
    s = site(BUSY)
    with s.daemon():
        s.write("[inisched]\nreload = signal\n[other]\ncommand = true\nevery = never\n")
        s.inisched("reload")
        assert told(s, "disable", "busy") == (0, "busy is disabled\n", "")
        s.write(BUSY)
        s.inisched("reload")
        count = len(s.rows())
        time.sleep(1.5)
        assert len(s.rows()) == count
        assert job(s, "busy")["switches"]["enabled"] is False


def test_a_daemon_still_looking_at_its_file_takes_a_switch(site: Make) -> None:
    s = site(
        "[slow]\ncall = slow.f\nevery = second\n",
        slow="import os, time\nwhile not os.path.exists('go'):\n    time.sleep(0.05)\ndef f(): pass\n",
    )
    with s.starting() as daemon:
        s.wait((s.folder / "jobs.sock").exists)
        assert told(s, "disable", "slow") == (0, "slow is disabled\n", "")
        (s.folder / "go").touch()
        s.wait(lambda: "inisched runs" in s.log)
        time.sleep(1.5)
        assert s.rows() == []
        stop(daemon)


def test_a_switch_is_in_the_daemons_log(site: Make) -> None:
    s = site(HOURLY)
    with s.daemon():
        s.inisched("disable", "sweep", "--note", "the disk is full", SUDO_USER="ann")
        s.wait(lambda: "info sweep: disable by ann: the disk is full\n" in s.log)


# -- two shells at once


@pytest.mark.parametrize("up", [True, False], ids=["up", "down"])
def test_of_shells_at_once_the_last_wins_and_all_are_in_the_audit(site: Make, up: bool) -> None:
    s = site(HOURLY)
    names = [f"user {number}" for number in range(12)]

    def throw(name: str) -> int:
        action = "enable" if int(name.split()[1]) % 2 else "disable"
        return s.inisched(action, "sweep", "--note", name, SUDO_USER=name).returncode

    def all_at_once() -> list[int]:
        with ThreadPoolExecutor(4) as pool:
            return list(pool.map(throw, names))

    if up:
        with s.daemon():
            codes = all_at_once()
    else:
        codes = all_at_once()
    entries = audit(s)
    assert codes == [0] * 12
    assert sorted(entry["by"] for entry in entries) == sorted(names)
    switches, last = job(s, "sweep")["switches"], entries[-1]
    facts = (last["action"] == "enable", last["by"], last["note"])
    assert (switches["enabled"], switches["by"], switches["note"]) == facts


# -- the lock


def test_a_switch_and_a_starting_daemon_wait_for_a_command_that_has_the_lock(
    site: Make,
) -> None:
    s = site(HOURLY)
    lock = InstanceLock(s.folder / "jobs.db")
    lock.acquire("command")
    shell = popen(s, "disable", "sweep")
    with s.starting() as daemon:
        time.sleep(1)
        assert (shell.poll(), daemon.poll()) == (None, None)
        lock.release()
        assert shell.wait(30) == 0
        s.wait(lambda: "inisched runs" in s.log)
        assert job(s, "sweep")["switches"]["enabled"] is False


def test_a_command_that_keeps_the_lock_for_ten_seconds_is_not_waited_for(site: Make) -> None:
    s = site(HOURLY)
    lock = InstanceLock(s.folder / "jobs.db")
    lock.acquire("command")
    began = time.monotonic()
    try:
        message = "inisched: not now: another command has the database\n"
        assert told(s, "disable", "sweep") == (75, "", message)
    finally:
        lock.release()
    assert 10 <= time.monotonic() - began < 15


def test_a_switch_says_in_the_lock_that_it_is_a_command(site: Make) -> None:
    s = site(HOURLY)
    assert told(s, "disable", "sweep")[0] == 0
    assert json.loads((s.folder / "jobs.lock").read_text())["role"] == "command"


def test_a_command_that_has_the_lock_is_no_daemon(site: Make) -> None:
    s = site(HOURLY)
    lock = InstanceLock(s.folder / "jobs.db")
    lock.acquire("command")
    try:
        assert told(s, "status")[:2] == (1, "down: no daemon has this file's database\n")
    finally:
        lock.release()


def test_a_daemon_that_does_not_answer_is_exit_6_within_seconds(site: Make) -> None:
    s = site(HOURLY)
    with s.daemon() as daemon:
        daemon.send_signal(signal.SIGSTOP)
        began = time.monotonic()
        code, out, err = told(s, "disable", "sweep")
        daemon.send_signal(signal.SIGCONT)
    assert (code, out) == (6, "")
    assert err == "inisched: the daemon does not answer within 5 s; see inisched status\n"
    assert time.monotonic() - began < 8


def test_a_pass_that_is_under_way_takes_a_switch(site: Make) -> None:
    s = site("[sweep]\ncommand = sleep 2\nevery = hour\nactive_from = 2026-01-01\n")
    shell = popen(s, "run", "--once")
    s.wait((s.folder / "jobs.sock").exists)
    assert told(s, "disable", "sweep") == (0, "sweep is disabled\n", "")
    assert shell.wait(30) == 0
    assert job(s, "sweep")["switches"]["enabled"] is False


def test_the_lock_is_held_for_less_than_a_second_over_a_large_database(site: Make) -> None:
    s = site(HOURLY)
    database = s.folder / "jobs.db"
    ledger = Ledger(database, full=False)
    ledger._db.execute("INSERT INTO job (name) VALUES ('sweep')")
    ledger._db.execute(
        "WITH RECURSIVE n(i) AS (SELECT 1 UNION ALL SELECT i + 1 FROM n WHERE i < 600000) "
        "INSERT INTO run (job_id, fire_at, fire_unmoved, state, trigger, message) "
        "SELECT 1, i * 1000, i * 1000, 'success', 'schedule', hex(randomblob(60)) FROM n"
    )
    ledger.close()
    assert database.stat().st_size > 100_000_000
    assert held(s, "disable", "sweep") < 1


def held(site: Site, *words: str) -> float:
    """Seconds for which the command had the lock, as others see it."""
    shell, lock = popen(site, *words), site.folder / "jobs.lock"
    site.wait(lambda: lock.exists() and b"command" in lock.read_bytes())
    began = time.monotonic()
    assert shell.wait(30) == 0
    return time.monotonic() - began


def popen(site: Site, *words: str) -> subprocess.Popen[bytes]:
    return subprocess.Popen(
        site._command(*words),
        env=os.environ | {"TZ": "UTC"},
        stdin=subprocess.DEVNULL,
        stderr=subprocess.DEVNULL,
        stdout=subprocess.DEVNULL,
    )


# -- without a daemon


def test_a_switch_thrown_while_the_daemon_is_down_counts_when_it_is_up(site: Make) -> None:
    s = site(BUSY)
    assert told(s, "disable", "busy") == (0, "busy is disabled\n", "")
    with s.daemon():
        time.sleep(1.5)
        assert s.rows() == []


def test_a_switch_over_what_a_killed_daemon_left_loses_nothing(site: Make) -> None:
    s = site(BUSY)
    with s.daemon() as daemon:
        s.wait_for_rows(lambda rows: len(rows) > 1)
        daemon.kill()
        daemon.wait()
        before = s.rows()
        assert told(s, "disable", "busy")[0] == 0
        assert s.rows() == before
