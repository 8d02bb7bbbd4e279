"""The daemon's life: one per database, drained by signals, read again by HUP, honest after death."""

from __future__ import annotations

import json
import os
import re
import signal
import subprocess
from collections.abc import Callable
from pathlib import Path

from story.site import Site, stop

Make = Callable[..., Site]

TICK = "[tick]\ncommand = true\nevery = 1 second\n"


def test_a_second_daemon_is_refused_with_the_first_ones_name(site: Make) -> None:
    s = site(TICK)
    with s.daemon() as daemon:
        second = s.inisched("run", "--for", "1s")
    assert second.returncode == 5
    assert re.fullmatch(
        rf"inisched: already running: pid {daemon.pid} on \S+ since \S+\n", second.stderr
    )


def test_of_twenty_daemons_started_at_once_one_runs(site: Make) -> None:
    s = site(TICK)
    crowd = [subprocess.Popen(s._command("run"), stderr=subprocess.DEVNULL) for _ in range(20)]
    try:
        s.wait(lambda: sum(process.poll() is not None for process in crowd) >= 19)
    finally:
        for process in crowd:
            process.terminate()
    assert sorted(process.wait(60) for process in crowd) == [0] + [5] * 19


def test_a_symlink_to_the_file_is_the_same_file(site: Make, tmp_path: Path) -> None:
    s = site(TICK)
    (tmp_path / "other").mkdir()
    link = tmp_path / "other" / "link.ini"
    link.symlink_to(s.ini)
    with s.daemon():
        s.ini = link
        assert s.inisched("run", "--for", "1s").returncode == 5


def test_deleting_the_lock_file_lets_no_second_daemon_in(site: Make) -> None:
    s = site(TICK)
    with s.daemon():
        (s.folder / "jobs.lock").unlink()
        second = s.inisched("run", "--for", "1s")
    assert second.returncode == 5


def test_two_files_in_one_folder_are_two_daemons(site: Make) -> None:
    s = site(TICK)
    with s.daemon():
        s.ini = s.folder / "other.ini"
        s.write(TICK)
        assert s.inisched("run", "--for", "1s").returncode == 0


def test_all_files_are_for_the_owner_alone(site: Make) -> None:
    s = site(TICK)
    with s.daemon():
        found = {p.name: p.stat().st_mode & 0o777 for p in s.folder.glob("jobs.*") if p != s.ini}
    assert found == dict.fromkeys(
        ["jobs.db", "jobs.db-shm", "jobs.db-wal", "jobs.lock", "jobs.sock"], 0o600
    )


def test_term_waits_for_what_runs_and_exits_with_0(site: Make) -> None:
    s = site("[a]\ncommand = sleep 1.5\nevery = 1 second\n")
    with s.daemon() as daemon:
        s.wait_for_rows(lambda r: len(r) > 0)
        assert stop(daemon) == 0
    assert s.rows()[0]["state"] == "success"


def test_what_outlives_the_drain_is_stopped_with_its_children(site: Make) -> None:
    s = site(
        "[inisched]\ndrain = 0 s\n"
        "[a]\ncommand = sleep 1234 & echo $! > child; sleep 1234\nevery = 1 second\n"
    )
    with s.daemon() as daemon:
        child = int(s.wait(lambda: _read(s.folder / "child")))
        assert stop(daemon) == 0
    assert (s.rows()[0]["state"], _alive(child)) == ("stopped", False)


def test_a_second_signal_does_not_wait(site: Make) -> None:
    s = site("[a]\ncommand = trap '' TERM; while :; do sleep 1; done\nevery = 1 second\n")
    with s.daemon() as daemon:
        s.wait_for_rows(lambda r: len(r) > 0)
        daemon.send_signal(signal.SIGTERM)
        s.wait(lambda: "SIGTERM: waiting" in s.log)
        assert stop(daemon) == 0
    row = s.rows()[0]
    assert (row["state"], row["message"]) == ("stopped", "stopped by the daemon's end")


def test_kill_9_leaves_an_interrupted_run_and_no_process(site: Make) -> None:
    s = site("[a]\ncommand = sleep 4321\nevery = 1 second\n")
    with s.daemon() as daemon:
        s.wait_for_rows(lambda r: len(r) > 0)
        stop(daemon, signal.SIGKILL)
    s.write("[b]\ncommand = true\nevery = never\n")
    s.inisched("run", "--for", "0s")
    (row,) = s.rows("a")
    assert row["state"] == "interrupted"
    assert re.fullmatch(
        r"the daemon died during this run \(last seen [0-9:]{8}, back [0-9:]{8}\); "
        r"its processes were ended",
        row["message"],
    )
    assert subprocess.run(["pgrep", "-f", "sleep 4321"], capture_output=True).returncode == 1


def test_hup_reads_the_file_again(site: Make) -> None:
    s = site(TICK)
    with s.daemon() as daemon:
        s.write(TICK + "[new]\ncommand = true\nevery = 1 second\n")
        daemon.send_signal(signal.SIGHUP)
        s.wait_for_rows(lambda r: any(row["job"] == "new" for row in r))


def test_a_job_broken_by_an_edit_keeps_its_last_good_definition(site: Make) -> None:
    s = site(TICK)
    with s.daemon() as daemon:
        s.write(TICK.replace("1 second", "1 secnd"))
        daemon.send_signal(signal.SIGHUP)
        s.wait(lambda: "tick: broken" in s.log)
        before = len(s.rows())
        s.wait_for_rows(lambda r: len(r) >= before + 2)


def test_a_file_that_is_no_ini_any_more_changes_nothing(site: Make) -> None:
    s = site(TICK)
    with s.daemon() as daemon:
        s.ini.write_bytes(b"\xff\xfe\x00")
        daemon.send_signal(signal.SIGHUP)
        s.wait(lambda: "stays as it was" in s.log)
        s.write(TICK)
        before = len(s.rows())
        s.wait_for_rows(lambda r: len(r) >= before + 2)


def test_usr1_writes_the_state_to_the_log(site: Make) -> None:
    s = site("[a]\ncommand = sleep 5\nevery = 1 second\n[inisched]\ndrain = 0 s\n")
    with s.daemon() as daemon:
        s.wait_for_rows(lambda r: len(r) > 0)
        daemon.send_signal(signal.SIGUSR1)
        s.wait(lambda: "running: a (run 1); waiting: nothing" in s.log)


def test_status_tells_pid_and_since_and_health(site: Make) -> None:
    s = site(TICK)
    with s.daemon() as daemon:
        rows = s.wait_for_rows(lambda r: len(r) > 0)
        asked = s.inisched("status", "--json")
    found = json.loads(asked.stdout)
    assert asked.returncode == 0
    assert (found["up"], found["healthy"], found["pid"]) == (True, True, daemon.pid)
    assert found["since"] <= rows[0]["fire_at"]


def test_status_of_a_daemon_that_is_down_exits_with_1(site: Make) -> None:
    s = site(TICK)
    asked = s.inisched("status")
    assert asked.returncode == 1
    assert asked.stdout == "down: no daemon has this file's database\n"


def test_read_only_commands_leave_no_file_behind(site: Make) -> None:
    s = site("[a]\ncall = shop.f\nevery = day\n", shop="def f(): pass\n")
    s.inisched("run", "--for", "0s")
    before = _snapshot(s.folder)
    for command in ("list", "next", "history", "status", "validate"):
        s.inisched(command)
    assert _snapshot(s.folder) == before


def test_before_the_first_run_read_only_commands_make_no_database(site: Make) -> None:
    s = site(TICK)
    before = _snapshot(s.folder)
    for command in ("list", "next", "history", "status", "validate"):
        s.inisched(command)
    assert _snapshot(s.folder) == before


def test_a_symlinked_folder_without_database_is_a_warning(site: Make, tmp_path: Path) -> None:
    (tmp_path / "release").mkdir()
    (tmp_path / "current").symlink_to(tmp_path / "release")
    s = Site(tmp_path / "current", TICK)
    assert "is reached through a symlinked folder" in s.inisched("run", "--for", "0s").stderr


def _snapshot(folder: Path) -> dict[str, int]:
    return {str(path): path.stat().st_mtime_ns for path in folder.rglob("*") if path.is_file()}


def _read(file: Path) -> str:
    return file.read_text().strip() if file.exists() else ""


def _alive(pid: int) -> bool:
    try:
        os.kill(pid, 0)
    except ProcessLookupError:
        return False
    return Path(f"/proc/{pid}/stat").read_text().rpartition(")")[2].split()[0] != "Z"
