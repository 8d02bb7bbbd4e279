"""`inisched why` asked from outside, of daemons that are killed and stopped."""

from __future__ import annotations

import json
import re
import signal
from collections.abc import Callable
from typing import Any

from story.site import Site

Make = Callable[..., Site]

SECONDS = "[a]\ncommand = true\nevery = 2 seconds\nmisfire = skip\n"


def asked(site: Site, *words: str) -> dict[str, Any]:
    told: dict[str, Any] = json.loads(site.inisched("why", *words, "--json").stdout)
    return told


def test_of_a_daemon_that_was_killed_the_next_fire_is_overdue(site: Make) -> None:
    s = site(SECONDS)
    with s.daemon() as process:
        s.wait_for_rows(lambda rows: len(rows) > 0)
        process.send_signal(signal.SIGKILL)
    told = s.wait(lambda: found if (found := asked(s, "a"))["verdict"] == "overdue" else None)
    assert told["reason"] == "down"
    assert re.search(
        r"a at \S+: due, not taken up: the daemon has been down since", " ".join(told["text"])
    )


def test_of_a_daemon_that_is_stopped_it_is_said_that_it_sleeps(site: Make) -> None:
    s = site(SECONDS)
    with s.daemon() as process:
        s.wait_for_rows(lambda rows: len(rows) > 0)
        process.send_signal(signal.SIGSTOP)
        told = s.wait(lambda: found if (found := asked(s, "a"))["verdict"] == "overdue" else None)
    assert told["reason"] == "asleep"
    assert "(its process is stopped)" in " ".join(told["text"])


def test_time_down_is_why_a_fire_was_skipped(site: Make) -> None:
    s = site(SECONDS)
    with s.daemon() as process:
        s.wait_for_rows(lambda rows: len(rows) > 0)
        process.send_signal(signal.SIGKILL)
    gone = "If it came back now, it would be skipped as a misfire (misfire = skip)."
    late = s.wait(lambda: f if (f := asked(s, "a"))["text"][-1] == gone else None)
    missed = late["fire_at"]
    with s.daemon():
        told = s.wait(
            lambda: f if (f := asked(s, "a", "--at", missed))["verdict"] != "overdue" else None
        )
    assert (told["verdict"], told["reason"]) == ("skipped", "misfire")
    assert re.fullmatch(
        r"a at \S+: skipped as a misfire \(misfire = skip\)\. "
        r"The daemon was down from \S+ to \S+\.",
        " ".join(told["text"]),
    )


def test_what_a_waiting_fire_waits_for_the_daemon_tells(site: Make) -> None:
    text = "command = sleep 30\nevery = never\nrun_at_start = yes\npool = p\n"
    s = site(f"[inisched]\ndrain = 0 s\n[a]\n{text}[b]\n{text}[pool:p]\n")
    with s.daemon():
        s.wait(lambda: asked(s, "b")["verdict"] == "waiting")
        assert asked(s, "b")["reason"] == "pool:p"
        told = s.inisched("why", "b").stdout
    assert re.fullmatch(r"b at \S+: waiting for a place in the pool p\.\n", told)


def test_an_unknown_job_is_exit_code_4_and_a_wrong_time_2(site: Make) -> None:
    s = site(SECONDS)
    unknown = s.inisched("why", "aa")
    wrong = s.inisched("why", "a", "--at", "noon")
    assert (unknown.returncode, unknown.stderr) == (
        4,
        "inisched: there is no job 'aa'; did you mean 'a'?\n",
    )
    assert (wrong.returncode, wrong.stderr) == (
        2,
        "inisched: 'noon' is not a time, expected a date or date-time, HH:MM, or a duration "
        "such as 2h\n",
    )


def test_asking_changes_no_file(site: Make) -> None:
    s = site(SECONDS)
    assert s.inisched("why", "a").returncode == 0
    assert sorted(path.name for path in s.folder.iterdir()) == ["jobs.ini"]


def test_what_could_steer_a_terminal_is_escaped(site: Make) -> None:
    s = site("[a]\ncommand = true\nevery = never\n[b\x1b]\ncommand = true\nevery = never\n")
    told = s.inisched("why", "b\x1b").stdout
    assert told == "b\\x1b (never) has no fires of its own to come, and has had none.\n"
