"""What a person wants of the daemon: run this, stop that, read the file again."""

from __future__ import annotations

import getpass
import json
import os
import signal
import socket
from collections.abc import Callable, Iterator
from pathlib import Path

import pytest

from story.site import Site, stop

Make = Callable[..., Site]

LONG = (
    "[inisched]\ndrain = 0 s\nreload = signal\n[long]\ncommand = sleep 1357 & wait\nevery = never\n"
)
QUICK = "[quick]\ncommand = echo done\nevery = never\n"
ME = os.environ.get("SUDO_USER") or getpass.getuser()


def told(site: Site, *words: str) -> tuple[int, str, str]:
    done = site.inisched(*words)
    return done.returncode, done.stdout, done.stderr


# -- trigger


def test_a_triggered_job_runs_and_its_id_is_printed(site: Make) -> None:
    s = site(QUICK)
    with s.daemon():
        assert told(s, "trigger", "quick") == (0, "1\n", "")
        [row] = s.wait_for_rows(lambda r: r[0]["state"] == "success")
    assert (row["id"], row["trigger"]) == (1, "manual")


def test_an_inactive_job_runs_when_triggered(site: Make) -> None:
    s = site(QUICK + "active = no\n")
    with s.daemon():
        assert told(s, "trigger", "quick") == (0, "1\n", "")
        s.wait_for_rows(lambda r: r[0]["state"] == "success")


def test_the_id_of_a_triggered_run_comes_as_json_too(site: Make) -> None:
    s = site(QUICK)
    with s.daemon():
        assert json.loads(s.inisched("trigger", "quick", "--json").stdout) == {"run": 1}


def test_a_job_triggered_for_later_waits_for_its_moment(site: Make) -> None:
    s = site(QUICK)
    with s.daemon():
        assert told(s, "trigger", "quick", "--in", "1h") == (0, "1\n", "")
        assert told(s, "trigger", "quick", "--in", "1s") == (0, "2\n", "")
        rows = s.wait_for_rows(lambda r: r[1]["state"] == "success")
    assert rows[1]["started_at"] >= rows[1]["fire_at"]
    assert rows[0]["state"] == "waiting"


def test_a_trigger_that_overlap_refuses_is_skipped_and_exits_with_75(site: Make) -> None:
    s = site(LONG)
    with s.daemon() as daemon:
        s.inisched("trigger", "long")
        assert told(s, "trigger", "long") == (
            75,
            "",
            "inisched: not now: 'long' is busy, so run 2 is skipped\n",
        )
        row = s.rows()[1]
        stop(daemon)
    assert (row["state"], row["reason"]) == ("skipped", "overlap")


def test_a_job_that_is_not_there_cannot_be_triggered(site: Make) -> None:
    s = site(QUICK)
    with s.daemon():
        assert told(s, "trigger", "quik") == (
            4,
            "",
            "inisched: there is no job 'quik'; did you mean 'quick'?\n",
        )


def test_a_job_the_daemon_has_not_read_yet_is_said_to_be_new(site: Make) -> None:
    s = site("[inisched]\nreload = signal\n" + QUICK)
    with s.daemon():
        s.write(s.ini.read_text() + "[new]\ncommand = true\nevery = never\n")
        assert told(s, "trigger", "new") == (
            4,
            "",
            "inisched: the daemon does not know 'new' yet; inisched reload makes it read the file\n",
        )


def test_a_daemon_still_looking_at_its_file_is_waited_for(site: Make) -> None:
    s = site(
        "[slow]\ncall = slow.f\nevery = never\n",
        slow="import time\ntime.sleep(1)\ndef f(): pass\n",
    )
    with s.starting():
        s.wait((s.folder / "jobs.sock").exists)
        assert told(s, "trigger", "slow") == (0, "1\n", "")


@pytest.mark.parametrize("words", [("trigger", "quick"), ("stop", "1"), ("reload",)], ids=str)
def test_without_a_daemon_exit_code_6_says_so(site: Make, words: tuple[str, ...]) -> None:
    s = site(QUICK)
    message = "inisched: no daemon can be reached; see inisched status\n"
    assert told(s, *words) == (6, "", message)
    with s.daemon() as daemon:
        stop(daemon, signal.SIGKILL)
    assert told(s, *words) == (6, "", message)


def test_after_kill_9_the_next_daemon_is_reached(site: Make) -> None:
    s = site(QUICK)
    with s.daemon() as daemon:
        stop(daemon, signal.SIGKILL)
    assert (s.folder / "jobs.sock").exists()
    with s.daemon() as daemon:
        assert told(s, "trigger", "quick") == (0, "1\n", "")
        stop(daemon)
    assert not (s.folder / "jobs.sock").exists()


def test_a_second_daemon_leaves_the_firsts_socket_alone(site: Make) -> None:
    s = site(QUICK)
    with s.daemon():
        assert s.inisched("run", "--for", "1s").returncode == 5
        assert told(s, "trigger", "quick") == (0, "1\n", "")


# -- stop


def test_a_run_is_stopped_by_whoever_asked(site: Make) -> None:
    s = site(LONG)
    with s.daemon():
        s.inisched("trigger", "long")
        assert told(s, "stop", "1") == (0, "run 1 is stopped\n", "")
        row = s.rows()[0]
    assert (row["state"], row["message"]) == ("stopped", f"stopped by {ME}")


def test_a_pending_retry_is_stopped(site: Make) -> None:
    s = site("[bad]\ncommand = exit 1\nevery = never\nretries = 3\nretry_delay = 1h\n")
    with s.daemon():
        s.inisched("trigger", "bad")
        s.wait_for_rows(lambda r: len(r) == 2)
        assert told(s, "stop", "2") == (0, "run 2 is stopped\n", "")
        states = [row["state"] for row in s.rows()]
        assert told(s, "trigger", "bad") == (0, "3\n", "")
    assert states == ["failure", "stopped"]


def test_a_fire_asked_for_later_is_stopped(site: Make) -> None:
    s = site(QUICK)
    with s.daemon():
        s.inisched("trigger", "quick", "--in", "1h")
        assert told(s, "stop", "1") == (0, "run 1 is stopped\n", "")


def test_a_finished_run_cannot_be_stopped(site: Make) -> None:
    s = site(QUICK)
    with s.daemon():
        s.inisched("trigger", "quick")
        s.wait_for_rows(lambda r: r[0]["state"] == "success")
        message = "inisched: run 1 has ended already: success\n"
        assert told(s, "stop", "1") == (4, "", message)


@pytest.mark.parametrize("run", ["7", "0", "1" + "0" * 30])
def test_a_run_nobody_knows_cannot_be_stopped(site: Make, run: str) -> None:
    s = site(QUICK)
    with s.daemon():
        assert told(s, "stop", run) == (4, "", f"inisched: there is no run {run}\n")


# -- reload


def test_reload_comes_back_when_the_file_is_in_force(site: Make) -> None:
    s = site(QUICK, shop="def f(): pass\n")
    with s.daemon():
        s.write(QUICK + "[new]\ncall = shop.f\nevery = never\n")
        summary = f"no problems in {s.ini}; 2 of 2 jobs are fine\n"
        assert told(s, "reload") == (0, summary, "")
        assert told(s, "trigger", "new") == (0, "1\n", "")


def test_reload_tells_what_is_wrong_and_the_job_runs_on_as_it_was(site: Make) -> None:
    s = site(QUICK)
    with s.daemon():
        s.write(QUICK.replace("never", "nevr"))
        code, out, err = told(s, "reload")
        assert told(s, "trigger", "quick") == (0, "1\n", "")
    assert (code, out) == (1, f"1 problem in {s.ini}; 0 of 1 job is fine\n")
    assert err.startswith(f"{s.ini}:3:9: error: ")


def test_reload_tells_a_callback_that_cannot_be_imported(site: Make) -> None:
    s = site(QUICK)
    with s.daemon():
        s.write("[new]\ncall = nowhere.f\nevery = never\n")
        code, _, err = told(s, "reload")
    assert code == 1
    assert err.startswith(f"{s.ini}:2:8: error: module 'nowhere' not found\n")


def test_a_file_that_cannot_be_read_stays_as_it_was(site: Make) -> None:
    s = site(QUICK)
    with s.daemon():
        s.ini.write_bytes(b"\xff\xfe\x00")
        code, out, err = told(s, "reload")
        s.write(QUICK)
        assert told(s, "trigger", "quick") == (0, "1\n", "")
    assert (code, out) == (1, "")
    assert err.endswith(f"inisched: {s.ini} stays as it was\n")


def test_reload_never_means_never(site: Make) -> None:
    s = site("[inisched]\nreload = never\n" + QUICK)
    with s.daemon():
        message = "inisched: the file is not read again, for reload = never\n"
        assert told(s, "reload") == (75, "", message)


# -- status


def test_status_tells_the_gate_a_fire_waits_at(site: Make) -> None:
    s = site(LONG + "overlap = queue\n" + QUICK)
    with s.daemon() as daemon:
        for _ in range(2):
            s.inisched("trigger", "long")
        found = json.loads(s.inisched("status", "--json").stdout)
        stop(daemon)
    waits = [(one["id"], one["for"]) for one in found["waiting"]]
    assert ([one["id"] for one in found["running"]], waits) == ([1], [(2, "overlap")])


# -- systemd


@pytest.fixture
def manager(tmp_path: Path) -> Iterator[socket.socket]:
    with socket.socket(socket.AF_UNIX, socket.SOCK_DGRAM) as ear:
        ear.bind(str(tmp_path / "notify"))
        ear.settimeout(30)
        yield ear


def until(manager: socket.socket, wanted: str) -> list[str]:
    """What systemd hears up to and including this word; signs of life are left out."""
    heard: list[str] = []
    while wanted not in heard:
        heard += manager.recv(4096).decode().split("\n")
    return [word for word in heard if not word.startswith(("WATCHDOG=", "MONOTONIC_USEC="))]


def test_systemd_hears_of_a_whole_life(site: Make, manager: socket.socket) -> None:
    s = site(LONG)
    with s.daemon(NOTIFY_SOCKET=manager.getsockname()) as daemon:
        assert until(manager, "STATUS=1 job, 0 running") == ["READY=1", "STATUS=1 job, 0 running"]
        s.inisched("trigger", "long")
        assert until(manager, "STATUS=1 job, 1 running") == ["STATUS=1 job, 1 running"]
        s.write(LONG + QUICK)
        s.inisched("reload")
        heard = until(manager, "STATUS=2 jobs, 1 running")
        assert heard == ["RELOADING=1", "READY=1", "STATUS=2 jobs, 1 running"]
        stop(daemon)
        assert until(manager, "STOPPING=1") == ["STOPPING=1"]


def test_an_idle_daemon_gives_signs_of_life(site: Make, manager: socket.socket) -> None:
    s = site(QUICK)
    with s.daemon(NOTIFY_SOCKET=manager.getsockname(), WATCHDOG_USEC="200000"):
        for _ in range(5):
            until(manager, "WATCHDOG=1")


def test_runs_do_not_learn_where_systemd_listens(site: Make, manager: socket.socket) -> None:
    s = site("[a]\ncommand = env\nevery = never\n")
    with s.daemon(NOTIFY_SOCKET=manager.getsockname(), WATCHDOG_USEC="60000000"):
        s.inisched("trigger", "a")
        s.wait_for_rows(lambda r: r[0]["state"] == "success")
    printed = json.loads(s.inisched("show", "1", "--json").stdout)["stdout"]
    assert "INISCHED_JOB=a" in printed
    assert "NOTIFY_SOCKET" not in printed
    assert "WATCHDOG" not in printed
