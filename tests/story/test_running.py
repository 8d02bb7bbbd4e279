"""A file runs: commands and callbacks, on time, with their output kept."""

from __future__ import annotations

import itertools
import json
import signal
import subprocess
from collections.abc import Callable
from datetime import datetime, timedelta

import pytest

from story.site import Site, stop

Make = Callable[..., Site]

SHOP = """\
[sweep]
call  = shop.sweep
every = 2 secnds
[report]
command = echo "hello from $INISCHED_JOB"
every = 3 seconds
"""


def test_a_good_job_runs_beside_a_broken_one(site: Make) -> None:
    s = site(SHOP, shop="def sweep():\n    print('swept')\n")
    assert s.inisched("run", "--for", "10s").returncode == 0
    assert [(row["job"], row["state"]) for row in s.rows()] == [("report", "success")] * 3


def test_a_broken_job_is_reported_once(site: Make) -> None:
    s = site(SHOP, shop="def sweep():\n    print('swept')\n")
    log = s.inisched("run", "--for", "1s").stderr
    assert log.count("'secnds' is not a unit of time") == 1


def test_what_a_command_prints_is_kept(site: Make) -> None:
    s = site(SHOP)
    s.inisched("run", "--for", "4s")
    shown = json.loads(s.inisched("show", "1", "--json").stdout)
    assert (shown["stdout"], shown["stderr"]) == ("hello from report\n", "")


KINDS = """\
from inisched import STATUS, Result, Skip, current_run
def a_none(): print("printed")
def b_result(): return Result(STATUS.WARNING, "for a user", "for an administrator")
def c_text(): return "some text"
def d_false(): return False
def e_raises(): raise ValueError("no stock")
def f_skip(): raise Skip("nothing to do")
def g_exit(): raise SystemExit(7)
async def h_async(): return "awaited"
def i_other(): return {"a": 1}
def j_os_exit(): import os; os._exit(3)
def k_run(): return current_run().job
def l_none_result(): return Result(STATUS.SKIPPED, "not today")
def m_closes_all(): import os; os.closerange(0, 256)
"""


def test_every_way_to_end_is_recorded(site: Make) -> None:
    names = [line.split("def ")[1].split("(")[0] for line in KINDS.splitlines() if "def " in line]
    text = "".join(
        f"[{name}]\ncall = kinds.{name}\nevery = never\nrun_at_start = yes\n" for name in names
    )
    s = site(text, kinds=KINDS)
    with s.daemon() as daemon:
        rows = s.wait_for_rows(lambda r: len(r) == len(names) and all(x["ended_at"] for x in r))
        stop(daemon)
    ends = {row["job"]: (row["state"], row["exit_code"], row["message"]) for row in rows}
    assert ends == {
        "a_none": ("success", 0, ""),
        "b_result": ("warning", 0, "for a user"),
        "c_text": ("success", 0, ""),
        "d_false": ("failure", 1, "returned False"),
        "e_raises": ("failure", 1, "ValueError: no stock"),
        "f_skip": ("skipped", 0, "nothing to do"),
        "g_exit": ("failure", 7, "exit code 7"),
        "h_async": ("success", 0, ""),
        "i_other": ("success", 0, ""),
        "j_os_exit": (
            "failure",
            3,
            "the process ended with exit code 3 before the callback had returned",
        ),
        "k_run": ("success", 0, ""),
        "l_none_result": ("skipped", 0, "not today"),
        "m_closes_all": ("success", 0, ""),
    }


def test_keyword_arguments_reach_the_callback_and_keys_do_not(site: Make) -> None:
    s = site(
        "[a]\ncall = shop.show\nevery = 1 second\ntesting = True\nuserName = x\n",
        shop="def show(**kw):\n    print(sorted(kw.items()))\n",
    )
    s.inisched("run", "--for", "2s")
    shown = json.loads(s.inisched("show", "1", "--json").stdout)
    assert shown["stdout"] == "[('testing', True), ('userName', 'x')]\n"


def test_starts_do_not_drift_whatever_a_run_takes(site: Make) -> None:
    s = site("[a]\ncommand = sleep 0.3\nevery = 1 second\n")
    with s.daemon():
        rows = s.wait_for_rows(lambda r: sum(x["state"] == "success" for x in r) >= 5)
    first = datetime.fromisoformat(rows[0]["fire_at"])
    fires = [datetime.fromisoformat(row["fire_at"]) - first for row in rows]
    assert fires[:5] == [timedelta(seconds=number) for number in range(5)]


def test_a_restart_keeps_the_rhythm_and_the_account(site: Make) -> None:
    s = site("[a]\ncommand = true\nevery = 3 seconds\n")
    with s.daemon() as daemon:
        s.wait_for_rows(lambda r: any(x["state"] == "success" for x in r))
        stop(daemon, signal.SIGKILL)
    with s.daemon():
        rows = s.wait_for_rows(lambda r: sum(x["state"] == "success" for x in r) >= 3)
    first = datetime.fromisoformat(rows[0]["fire_at"])
    phases = {(datetime.fromisoformat(row["fire_at"]) - first).total_seconds() % 3 for row in rows}
    assert phases == {0.0}


def test_once_runs_what_is_due_and_leaves(site: Make) -> None:
    s = site("[a]\ncommand = true\nevery = hour\nactive_from = 2026-01-01\n")
    assert s.inisched("run", "--once").returncode == 0
    assert {row["state"] for row in s.rows()} == {"success", "skipped"}


def test_once_exits_with_1_if_a_run_failed(site: Make) -> None:
    s = site("[a]\ncommand = exit 3\nevery = hour\nactive_from = 2026-01-01\n")
    assert s.inisched("run", "--once").returncode == 1


def test_a_file_without_a_job_to_run_idles_and_says_so(site: Make) -> None:
    s = site("[a]\ncommand = true\nevery = day\nactive = no\n")
    done = s.inisched("run", "--for", "1s")
    assert done.returncode == 0
    assert "no job to run, idle" in done.stderr


def test_the_shells_directory_is_not_on_the_path(site: Make) -> None:
    s = site("[a]\ncall = local.show\nevery = 1 second\n")
    elsewhere = s.folder / "elsewhere"
    elsewhere.mkdir()
    (elsewhere / "local.py").write_text("def show(): pass\n")
    done = s.inisched("validate")
    assert "module 'local' not found" in done.stdout


def test_a_secret_behind_a_reference_is_masked_in_the_output(site: Make) -> None:
    s = site(
        "[a]\ncall = shop.tell\nevery = 1 second\npassword = ${env:SHOP_PASSWORD}\n",
        shop="def tell(password):\n    print('it is', password)\n",
    )
    s.inisched("run", "--for", "2s", SHOP_PASSWORD="correct horse battery")
    shown = json.loads(s.inisched("show", "1", "--json").stdout)
    assert shown["stdout"] == "it is ***\n"


def test_what_an_inline_run_prints_is_cut_as_well(site: Make) -> None:
    s = site(
        "[a]\ncall = shop.flood\nevery = never\nrun_at_start = yes\nexecutor = inline\n"
        "output_limit = 20\n",
        shop="def flood():\n    print('x' * 50)\n",
    )
    s.inisched("run", "--for", "2s")
    (row,) = s.rows()
    shown = json.loads(s.inisched("show", "1", "--json").stdout)
    assert row["message"] == "output cut: 51 B, 20 B kept"
    assert shown["stdout"] == "xxxxxxxxxx\n[… 31 B cut here …]\nxxxxxxxxx\n"


def test_a_callback_inside_the_daemon_is_told_as_long_as_it_took(site: Make) -> None:
    s = site(
        "[a]\ncall = shop.nap\nevery = never\nrun_at_start = yes\nexecutor = inline\n",
        shop="import time\ndef nap(): time.sleep(0.2)\n",
    )
    with s.daemon():
        [row] = s.wait_for_rows(lambda rows: [r["state"] for r in rows] == ["success"])
    assert row["duration_s"] >= 0.2


def survivors(marker: str) -> list[str]:
    found = subprocess.run(["pgrep", "-f", marker], capture_output=True, text=True)
    return found.stdout.split()


def test_what_a_run_leaves_on_purpose_outlives_the_end_of_another(site: Make) -> None:
    s = site(
        "[b]\ncommand = sleep 1.5\nevery = never\nrun_at_start = yes\n"
        "[a]\ncommand = setsid sleep 311.57 & sleep 0.3\nlinger = yes\n"
        "every = never\nrun_at_start = yes\n"
    )
    with s.daemon():
        s.wait_for_rows(lambda rows: [r["state"] for r in rows] == ["success"] * 2)
        left = survivors("sleep 311.57")
        assert len(left) == 1
        subprocess.run(["kill", *left], check=True)


@pytest.mark.parametrize(
    ("arguments", "sign"), [(("--once",), "312.581"), (("--for", "2s"), "312.582")]
)
def test_a_stray_that_ignores_term_does_not_outlive_the_daemon(
    site: Make, arguments: tuple[str, ...], sign: str
) -> None:
    stray = (
        f"""setsid /bin/sh -c 'trap "" TERM; while :; do sleep 0.2; done # {sign}' & sleep 0.3"""
    )
    s = site(
        f"[a]\ncommand = {stray}\nevery = 1 second\nkill_after = 1 s\n"
        "active_from = 2026-01-01\nmax_catchup = 1\n"
    )
    s.inisched("run", *arguments)
    assert survivors(sign) == []


def test_a_daemonised_child_is_ended_although_it_comes_late(site: Make) -> None:
    code = (
        "import os, time\n"
        "def f():\n"
        "    if os.fork() == 0:\n"
        "        os.setsid()\n"
        "        if os.fork() == 0:\n"
        "            time.sleep(0.2)\n"
        "            os.execvp('sleep', ['sleep', '313.59'])\n"
        "        os._exit(0)\n"
    )
    s = site("[a]\ncall = shop.f\nevery = never\nrun_at_start = yes\nkill_after = 1 s\n", shop=code)
    with s.daemon():
        s.wait_for_rows(lambda rows: [r["state"] for r in rows] == ["success"])
        s.wait(lambda: survivors("sleep 313.59") == [])


def test_what_an_orphan_starts_while_it_ends_is_ended_too(site: Make) -> None:
    s = site(
        "[d]\ncommand = trap '' TERM; sleep 2; setsid -f sleep 314.61; sleep 100\n"
        "every = never\nrun_at_start = yes\n"
    )
    with s.daemon() as daemon:
        s.wait_for_rows(lambda rows: rows and rows[0]["state"] == "running")
        daemon.kill()
        daemon.wait()
    s.write("[e]\ncommand = true\nevery = never\n")
    s.inisched("run", "--for", "1s")
    s.wait(lambda: survivors("sleep 314.61") == [])


def test_callbacks_inside_the_daemon_are_told_one_after_the_other(site: Make) -> None:
    jobs = "".join(
        f"[j{n}]\ncall = shop.nap\nevery = never\nrun_at_start = yes\nexecutor = inline\n"
        for n in range(6)
    )
    s = site(
        f"[inisched]\nmax_running = 2\n{jobs}",
        shop="import time\ndef nap(): time.sleep(0.1)\n",
    )
    with s.daemon():
        rows = s.wait_for_rows(lambda rows: [r["state"] for r in rows] == ["success"] * 6)
    moments = [
        [datetime.fromisoformat(row[key]) for key in ("started_at", "ended_at")] for row in rows
    ]
    spans = sorted(moments)
    assert all(end <= start for (_, end), (start, _) in itertools.pairwise(spans))
