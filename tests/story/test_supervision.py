"""Whatever a run does, its whole tree ends when it must, and the other jobs are on time."""

from __future__ import annotations

import json
import os
import signal
from collections.abc import Callable
from pathlib import Path

import pytest

from story.site import Site, stop

Make = Callable[..., Site]

ROOT = os.geteuid() == 0


def alive(pid: int) -> bool:
    try:
        return Path(f"/proc/{pid}/stat").read_text().rpartition(")")[2].split()[0] != "Z"
    except OSError:
        return False


def first(rows: list[dict[str, object]]) -> bool:
    return bool(rows) and rows[0]["ended_at"] is not None


def pids(site: Site, name: str) -> list[int]:
    return [int(word) for word in (site.folder / name).read_text().split()]


def test_a_run_that_ignores_term_is_killed_with_its_children(site: Make) -> None:
    s = site(
        "[stubborn]\ncommand = trap '' TERM; sleep 1000 & echo $! $$ > pids; sleep 1000\n"
        "every = 1 second\ntimeout = 1 second\nkill_after = 1 second\n"
    )
    with s.daemon():
        (row, *_) = s.wait_for_rows(first)
    assert (row["state"], row["message"]) == ("timeout", "timed out after 1 s")
    assert 1.9 < row["duration_s"] < 3.5
    assert not any(map(alive, pids(s, "pids")))


def test_a_process_that_left_the_group_ends_with_the_run_that_timed_out(site: Make) -> None:
    s = site(
        "[a]\ncommand = setsid sh -c 'echo $$ > pid; exec sleep 1000' & sleep 1000\n"
        "every = 1 second\ntimeout = 1 second\n"
    )
    with s.daemon():
        s.wait_for_rows(first)
        (pid,) = pids(s, "pid")
        s.wait(lambda: not alive(pid))


def test_what_a_run_leaves_behind_is_ended_and_said(site: Make) -> None:
    s = site("[a]\ncommand = setsid sleep 1000 & echo $! > pid\nevery = 1 second\n")
    with s.daemon():
        (row, *_) = s.wait_for_rows(first)
        (pid, *_) = pids(s, "pid")
        s.wait(lambda: not alive(pid))
    assert (row["state"], row["message"]) == ("success", "left a process behind, ended")


def test_a_grandchild_a_callback_forked_off_is_found_by_its_name(site: Make) -> None:
    s = site(
        "[a]\ncall = fork.off\nevery = never\nrun_at_start = yes\n",
        fork=(
            "import os, time\n"
            "def off():\n"
            "    if os.fork() == 0:\n"
            "        os.setsid()\n"
            "        if os.fork() == 0:\n"
            "            open('pid', 'w').write(str(os.getpid()))\n"
            "            time.sleep(300)\n"
            "        os._exit(0)\n"
            "    while not os.path.exists('pid') or not open('pid').read(): time.sleep(0.01)\n"
        ),
    )
    with s.daemon():
        (row, *_) = s.wait_for_rows(first)
        (pid,) = pids(s, "pid")
        s.wait(lambda: not alive(pid))
    assert row["message"] == "left a process behind, ended"


def test_an_orphan_without_any_sign_of_its_run_is_ended_with_it(site: Make) -> None:
    s = site(
        "[a]\ncommand = env -i setsid sh -c 'sleep 300 & echo $! > pid; exit 0'; sleep 0.2\n"
        "every = never\nrun_at_start = yes\n"
    )
    with s.daemon():
        (row, *_) = s.wait_for_rows(first)
        (pid,) = pids(s, "pid")
        s.wait(lambda: not alive(pid))
    assert row["message"] == "left a process behind, ended"


def test_with_linger_it_stays(site: Make) -> None:
    s = site(
        "[a]\ncommand = sleep 1000 > /dev/null 2>&1 & echo $! > pid\n"
        "every = never\nrun_at_start = yes\nlinger = yes\n"
    )
    with s.daemon() as daemon:
        (row, *_) = s.wait_for_rows(first)
        stop(daemon)
    (pid,) = pids(s, "pid")
    try:
        assert (row["message"], alive(pid)) == ("", True)
    finally:
        os.kill(pid, signal.SIGKILL)


def test_a_pipe_held_open_by_a_child_does_not_keep_the_run_open(site: Make) -> None:
    s = site("[a]\ncommand = sleep 5 & echo done\nevery = 1 second\nlinger = yes\n")
    with s.daemon():
        (row, *_) = s.wait_for_rows(first)
    assert row["duration_s"] < 2


def test_no_zombie_is_left_in_normal_life(site: Make) -> None:
    s = site("[a]\ncommand = (setsid sleep 0.1 &) ; true\nevery = 1 second\nlinger = yes\n")
    with s.daemon() as daemon:
        s.wait_for_rows(lambda r: len(r) >= 2 and r[1]["ended_at"] is not None)
        s.wait(lambda: not _zombies(daemon.pid))


def _zombies(parent: int) -> list[str]:
    found = []
    for stat in Path("/proc").glob("[0-9]*/stat"):
        try:
            fields = stat.read_text().rpartition(")")[2].split()
        except OSError:
            continue
        if fields[0] == "Z" and fields[1] == str(parent):
            found.append(stat.parent.name)
    return found


def test_a_flood_of_output_is_cut_and_said(site: Make) -> None:
    s = site(
        "[a]\ncommand = head -c 50000000 /dev/zero | tr '\\0' x\nevery = 1 second\n"
        "output_limit = 4 KiB\n"
    )
    with s.daemon():
        (row, *_) = s.wait_for_rows(first)
    assert row["message"] == "output cut: 50 MB, 4 KiB kept"


def test_a_failed_run_is_tried_again_across_a_restart(site: Make) -> None:
    s = site(
        "[a]\ncommand = test -e ok\nevery = never\nrun_at_start = yes\n"
        "retries = 1\nretry_delay = 2 s\n"
    )
    with s.daemon() as daemon:
        s.wait_for_rows(lambda r: len(r) == 2)
        stop(daemon, signal.SIGKILL)
    (s.folder / "ok").touch()
    s.write(s.ini.read_text().replace("run_at_start = yes\n", ""))
    with s.daemon():
        rows = s.wait_for_rows(lambda r: r[-1]["state"] == "success")
    assert [(r["attempt"], r["trigger"], r["state"]) for r in rows] == [
        (1, "start", "failure"),
        (2, "retry", "success"),
    ]


# -- surroundings


def shown(s: Site, run: int = 1) -> str:
    return str(json.loads(s.inisched("show", str(run), "--json").stdout)["stdout"])


@pytest.mark.parametrize("kind", ["command", "call"])
def test_a_run_has_the_surroundings_its_section_asks_for(site: Make, kind: str) -> None:
    what = {
        "command": "command = pwd; umask; nice; echo $GREETING $FROM_FILE",
        "call": "call = tell.tell",
    }
    s = site(
        f"[a]\n{what[kind]}\nevery = never\nrun_at_start = yes\ncwd = inner\numask = 027\n"
        "nice = 5\nenv.GREETING = hello\nenv_file = vars\n",
        tell=(
            "import os\n"
            "def tell():\n"
            "    print(os.getcwd()); mask = os.umask(0); print(f'{mask:04o}')\n"
            "    print(os.nice(0)); print(os.environ['GREETING'], os.environ['FROM_FILE'])\n"
        ),
    )
    (s.folder / "inner").mkdir()
    (s.folder / "vars").write_text("# comment\nexport FROM_FILE='a file'\n")
    s.inisched("run", "--for", "2s")
    nice = os.nice(0) + 5
    assert shown(s) == f"{s.folder}/inner\n0027\n{nice}\nhello a file\n"


def test_a_memory_limit_ends_a_hog_alone(site: Make) -> None:
    s = site(
        "[hog]\ncall = hog.eat\nevery = never\nrun_at_start = yes\nmemory_limit = 300 MiB\n",
        hog="def eat():\n    return len(bytearray(600_000_000))\n",
    )
    s.inisched("run", "--for", "3s")
    (row,) = s.rows()
    assert (row["state"], row["message"]) == ("failure", "MemoryError")


@pytest.mark.skipif(not ROOT, reason="run_as needs root")
def test_run_as_runs_as_that_user(site: Make) -> None:
    s = site(
        "[a]\ncommand = id -un; cd /; echo $HOME\nevery = never\nrun_at_start = yes\nrun_as = nobody\n"
    )
    for folder in (s.folder, *s.folder.parents[:-1]):
        if folder.stat().st_uid == os.geteuid() and str(folder).startswith("/tmp/pytest"):
            folder.chmod(0o755)
    s.inisched("run", "--for", "1s")
    assert shown(s) == "nobody\n/nonexistent\n"


def test_a_working_directory_that_is_not_there_is_a_failure_that_says_so(site: Make) -> None:
    s = site("[a]\ncommand = true\nevery = never\nrun_at_start = yes\ncwd = nowhere\n")
    s.inisched("run", "--for", "1s")
    (row,) = s.rows()
    assert row["message"] == (
        f"could not start: the working directory {s.folder}/nowhere is not there"
    )


def test_a_line_of_plain_words_runs_without_a_shell(site: Make) -> None:
    s = site("[a]\ncommand = /bin/cat /proc/self/stat\nevery = never\nrun_at_start = yes\n")
    with s.daemon() as daemon:
        s.wait_for_rows(first)
        pid = daemon.pid
    assert shown(s).rpartition(")")[2].split()[1] == str(pid)
