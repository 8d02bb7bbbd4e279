"""Gates, followers and periods from outside: real processes, real gates, real kills."""

from __future__ import annotations

import json
import os
import re
import signal
import subprocess
import sys
from collections.abc import Callable
from datetime import datetime, timedelta

from story.site import PATIENCE, Site

Make = Callable[..., Site]

HURRIED = (
    "from datetime import timedelta; import inisched.executors.asking as asking; "
    "asking.TIME_LIMIT = timedelta(seconds=3); from inisched.cli.commands import main; main()"
)
"""The program, with less patience for its gates."""

GATES = """\
import os, sys, time

def hangs(): time.sleep(60)
def raises(): raise ValueError("no such table")
def prints(): print("let me see"); print("hm", file=sys.stderr); return False
def leaves(): sys.exit(0)
def dies(): os._exit(0)
def nothing(): return None
def nought(): return 0
def words(): return "of course"
def stubborn():
    child = os.fork()
    if child == 0:
        time.sleep(60)
    with open("child", "w") as file:
        file.write(str(child))
    return True
"""

SILENT = ("hangs", "raises", "leaves", "dies", "nothing")
NO, YES = ("prints", "nought"), ("words", "stubborn")


def due(ago: timedelta = timedelta(seconds=5)) -> str:
    """Lines of a job that came due so long ago, and comes due again in a day."""
    begin = (datetime.now().astimezone() - ago).isoformat(timespec="seconds")
    return f"every = day\nactive_from = {begin}\ngrace = 1 h\n"


def every_gate(key: str) -> str:
    gates = (*SILENT, *NO, *YES)
    return "".join(f"[{n}]\ncommand = true\n{key} = gates.{n}\n{due()}" for n in gates)


def hurried(site: Site, *words: str) -> subprocess.CompletedProcess[str]:
    return subprocess.run(
        [sys.executable, "-P", "-c", HURRIED, *words, "-P", str(site.ini)],
        cwd=site.folder,
        env=os.environ | {"TZ": "UTC"},
        capture_output=True,
        text=True,
        timeout=2 * PATIENCE,
    )


def states(site: Site) -> dict[str, tuple[str, str | None]]:
    return {row["job"]: (row["state"], row["reason"]) for row in site.rows()}


# -- gates that do not answer as they should ----------------------------------------------------


def test_only_a_plain_no_of_should_run_skips_a_fire(site: Make) -> None:
    s = site(every_gate("should_run"), gates=GATES)
    done = hurried(s, "run", "--once")
    ran = dict.fromkeys((*SILENT, *YES), ("success", None))
    assert states(s) == ran | dict.fromkeys(NO, ("skipped", "should_run"))
    assert done.returncode == 0
    for name in SILENT:
        assert re.search(rf"warning {name}: should_run has no answer: .*a yes", done.stderr)


def test_only_a_plain_yes_of_ready_lets_a_fire_run(site: Make) -> None:
    s = site(every_gate("ready"), gates=GATES)
    done = hurried(s, "run", "--once")
    left = dict.fromkeys((*SILENT, *NO), ("waiting", None))
    assert states(s) == left | dict.fromkeys(YES, ("success", None))
    assert done.returncode == 0
    told = s.inisched("why", "raises").stdout
    assert "gates.raises gave no answer: ValueError: no such table; last asked" in told
    assert "gates.prints says no, last asked" in s.inisched("why", "prints").stdout


def test_what_a_gate_leaves_behind_is_ended_with_it(site: Make) -> None:
    s = site(f"[a]\ncommand = true\nready = gates.stubborn\n{due()}", gates=GATES)
    s.inisched("run", "--once")
    child = (s.folder / "child").read_text()
    s.wait(lambda: not os.path.exists(f"/proc/{child}"))


# -- a single pass ------------------------------------------------------------------------------


def test_a_pass_waits_for_a_job_that_runs_in_it(site: Make) -> None:
    s = site(f"[b]\ncommand = true\nafter = a\n{due()}[a]\ncommand = sleep 0.5\n{due()}")
    assert s.inisched("run", "--once").returncode == 0
    assert states(s) == {"a": ("success", None), "b": ("success", None)}
    ended = {row["job"]: row for row in s.rows()}
    assert ended["b"]["started_at"] >= ended["a"]["ended_at"]


def test_a_pass_leaves_an_after_that_nothing_in_it_meets_to_the_next(site: Make) -> None:
    s = site(f"[b]\ncommand = true\nafter = a\n{due()}[a]\ncommand = true\nevery = never\n")
    s.inisched("run", "--once")
    assert states(s) == {"b": ("waiting", None)}


def test_a_pass_carries_out_a_whole_chain(site: Make) -> None:
    s = site(f"[a]\ncommand = true\nthen = b\n{due()}[b]\ncommand = true\nevery = never\nthen = c\n"
             "[c]\ncommand = false\nevery = never\n")  # fmt: skip
    assert s.inisched("run", "--once").returncode == 1
    assert [(row["job"], row["trigger"], row["state"]) for row in s.rows()] == [
        ("a", "schedule", "success"),
        ("b", "then", "success"),
        ("c", "then", "failure"),
    ]


def test_data_that_is_not_there_is_asked_for_again_by_a_later_pass(site: Make) -> None:
    gates = "import os\ndef ready(): return os.path.exists('there')\n"
    text = f"[a]\ncommand = true\nready = gates.ready\nready_every = 1 s\n{due()}"
    s = site(text, gates=gates)
    s.inisched("run", "--once")
    assert states(s) == {"a": ("waiting", None)}
    (s.folder / "there").touch()
    s.wait(lambda: (s.inisched("run", "--once"), states(s)["a"] == ("success", None))[1])
    assert len(s.rows()) == 1


def test_a_failed_period_is_tried_again_by_the_next_pass(site: Make) -> None:
    script = "test -e again || { touch again; exit 3; }"
    s = site(f"[a]\ncommand = {script}\nreport_period = day\n{due(timedelta(hours=1))}")
    assert [s.inisched("run", "--once").returncode for _ in range(3)] == [1, 0, 0]
    rows = [(row["attempt"], row["state"], row["trigger"]) for row in s.rows()]
    assert rows == [(1, "failure", "catchup"), (2, "success", "retry")]
    assert len({(row["fire_at"], row["period_end"]) for row in s.rows()}) == 1


# -- a daemon that is killed --------------------------------------------------------------------


def test_a_chain_whose_daemon_is_killed_goes_on_where_it_was(site: Make) -> None:
    s = site("[a]\ncommand = true\nevery = never\nthen = b\n"
             "[b]\ncommand = test -e once || { touch once; sleep 60; }\nevery = never\nthen = c\n"
             "rerun_interrupted = yes\n[c]\ncommand = true\nevery = never\n")  # fmt: skip
    with s.daemon() as process:
        s.inisched("trigger", "a")
        s.wait(lambda: (s.folder / "once").exists())
        process.send_signal(signal.SIGKILL)
        process.wait()
    with s.daemon():
        s.wait_for_rows(lambda rows: rows[-1]["job"] == "c" and rows[-1]["state"] == "success")
    assert [(row["job"], row["state"]) for row in s.rows()] == [
        ("a", "success"),
        ("b", "interrupted"),
        ("b", "success"),
        ("c", "success"),
    ]
    assert "after run 3 of b" in s.inisched("why", "c").stdout


def test_a_chain_that_waits_for_a_place_outlives_its_daemon(site: Make) -> None:
    s = site("[a]\ncommand = true\nevery = never\nthen = b\n[b]\ncommand = true\nevery = never\n"
             "pool = p\n[c]\ncommand = sleep 60\nevery = never\npool = p\n[pool:p]\n")  # fmt: skip
    with s.daemon() as process:
        s.inisched("trigger", "c")
        s.inisched("trigger", "a")
        s.wait_for_rows(lambda rows: rows[-1]["job"] == "b")
        listed = json.loads(s.inisched("list", "--json").stdout)
        assert [one["waiting_for"] for one in listed] == [None, "pool:p", None]
        process.send_signal(signal.SIGKILL)
        process.wait()
    with s.daemon():
        s.wait_for_rows(lambda rows: states(s)["b"] == ("success", None))
    assert [row["job"] for row in s.rows()] == ["c", "a", "b"]


# -- run --test ---------------------------------------------------------------------------------


def test_what_is_due_is_told_with_its_period_and_whether_it_is_ready(site: Make) -> None:
    text = (
        f"[a]\ncommand = touch ran\nready = gates.words\nreport_period = day\n{due()}"
        f"[b]\ncommand = touch ran\nready = gates.raises\n{due()}"
        f"[c]\ncommand = touch ran\nafter = b\n{due()}"
    )
    s = site(text, gates=GATES)
    done = s.inisched("run", "--test", "--json")
    keys = ("job", "outcome", "reason", "ready")
    assert [tuple(one[key] for key in keys) for one in json.loads(done.stdout)] == [
        ("a", "run", None, True),
        ("b", "wait", "ready", False),
        ("c", "wait", "after:b", None),
    ]
    period = json.loads(done.stdout)[0]
    assert period["period_start"] == period["period_end"] is not None
    assert done.stderr == "inisched: b: ready has no answer: ValueError: no such table\n"
    table = s.inisched("run", "--test").stdout.splitlines()
    assert table[0].split() == ["FIRE", "WHAT", "PERIOD", "READY", "JOB"]
    assert sorted(path.name for path in s.folder.iterdir()) == ["gates.py", "jobs.ini"]
