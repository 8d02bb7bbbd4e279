"""A single pass for people who keep cron, and the look at what it would do."""

from __future__ import annotations

import json
from collections.abc import Callable
from datetime import datetime, timedelta

import pytest

from story.site import Site

Make = Callable[..., Site]


def backlog(fires: int, *lines: str) -> str:
    """An hourly job of which so many fires have come due, the latest half an hour ago."""
    return begun(timedelta(hours=fires, minutes=-30), "every = hour", *lines)


def begun(ago: timedelta, *lines: str) -> str:
    begin = (datetime.now().astimezone() - ago).isoformat(timespec="seconds")
    return "\n".join(["[a]", f"active_from = {begin}", *lines])


def states(site: Site) -> list[str]:
    return [row["state"] for row in site.rows()]


def test_a_pass_leaves_what_comes_due_while_it_lasts_to_the_next(site: Make) -> None:
    ten = timedelta(seconds=10)
    s = site(begun(ten, "every = second", "command = sleep 2.5", "overlap = allow"))
    assert s.inisched("run", "--once").returncode == 0
    assert 1 <= states(s).count("success") <= 2


def test_a_pass_carries_out_its_line(site: Make) -> None:
    s = site(backlog(3, "command = true", "misfire = all"))
    assert s.inisched("run", "--once").returncode == 0
    assert states(s) == ["success", "success", "success"]


def test_a_pass_waits_for_a_place(site: Make) -> None:
    job = backlog(1, "command = sleep 0.3", "pool = db")
    s = site(f"[pool:db]\n{job}\n{job.replace('[a]', '[b]')}\n")
    assert s.inisched("run", "--once").returncode == 0
    assert states(s) == ["success", "success"]


def test_a_retry_that_must_wait_stays_for_the_next_pass(site: Make) -> None:
    s = site(backlog(1, "command = exit 3", "retries = 1", "retry_delay = 1h"))
    assert s.inisched("run", "--once").returncode == 1
    assert states(s) == ["failure", "waiting"]


def test_a_retry_whose_time_has_come_is_carried_out_by_the_pass(site: Make) -> None:
    s = site(backlog(1, "command = test -e again || { touch again; exit 3; }",
                     "retries = 1", "retry_delay = 0s"))  # fmt: skip
    assert s.inisched("run", "--once").returncode == 0
    assert states(s) == ["failure", "success"]


def test_a_second_pass_finds_nothing_to_do(site: Make) -> None:
    s = site(backlog(2, "command = true"))
    s.inisched("run", "--once")
    before = s.rows()
    assert s.inisched("run", "--once").returncode == 0
    assert s.rows() == before


def test_a_broken_job_changes_nothing_in_the_exit_code(site: Make) -> None:
    s = site(backlog(1, "command = true") + "\n[b]\ncommand = true\nevery = 2 secnds\n")
    done = s.inisched("run", "--once")
    assert done.returncode == 0
    assert "b: broken, not run" in done.stderr


def test_a_pass_makes_no_fire_of_its_start(site: Make) -> None:
    s = site("[a]\ncommand = true\nevery = never\nrun_at_start = yes\n")
    assert s.inisched("run", "--once").returncode == 0
    assert s.rows() == []


# -- --test ------------------------------------------------------------------------------------


def told(site: Site, *arguments: str) -> list[dict[str, object]]:
    done = site.inisched("run", "--test", "--json", *arguments)
    assert done.returncode == 0
    return [
        {key: one[key] for key in ("job", "count", "outcome", "reason", "trigger")}
        for one in json.loads(done.stdout)
    ]


def test_what_is_due_is_told_with_what_becomes_of_it(site: Make) -> None:
    s = site(backlog(3, "command = true"))
    assert told(s) == [
        {"job": "a", "count": 2, "outcome": "skip", "reason": "coalesced", "trigger": "schedule"},
        {"job": "a", "count": 1, "outcome": "run", "reason": None, "trigger": "catchup"},
    ]


def test_a_look_tells_what_the_pass_then_does(site: Make) -> None:
    s = site(backlog(4, "command = true", "misfire = all", "max_catchup = 2"))
    expected = [(one["count"], one["outcome"]) for one in told(s)]
    s.inisched("run", "--once")
    rows = sorted(s.rows(), key=lambda row: row["fire_at"])
    found = [(r["count"], "skip" if r["state"] == "skipped" else "run") for r in rows]
    assert found == expected == [(2, "skip"), (1, "run"), (1, "run")]


def test_a_look_writes_no_file(site: Make) -> None:
    s = site(backlog(1, "call = jobs.work"), jobs="def work():\n    print('worked')\n")
    s.inisched("run", "--test")
    assert sorted(path.name for path in s.folder.iterdir()) == ["jobs.ini", "jobs.py"]


def test_a_start_is_told_but_for_a_pass(site: Make) -> None:
    s = site("[a]\ncommand = true\nevery = never\nrun_at_start = yes\n")
    assert [one["trigger"] for one in told(s)] == ["start"]
    assert told(s, "--once") == []


def test_a_pending_retry_waits_until_its_time(site: Make) -> None:
    s = site(backlog(1, "command = exit 3", "retries = 1", "retry_delay = 1h"))
    s.inisched("run", "--once")
    assert told(s) == [
        {"job": "a", "count": 1, "outcome": "wait", "reason": None, "trigger": "retry"}
    ]


def test_nothing_due_is_said(site: Make) -> None:
    s = site("[a]\ncommand = true\nevery = day\nat = 03:00\n")
    assert s.inisched("run", "--test").stdout == "Nothing is due.\n"


@pytest.mark.parametrize(
    ("arguments", "message"),
    [
        (("--json",), "inisched: --json goes with --test\n"),
        (("--test", "--for", "1s"), "inisched: --for goes with a daemon, not with --test\n"),
    ],
)
def test_what_does_not_go_together_is_misuse(
    site: Make, arguments: tuple[str, ...], message: str
) -> None:
    s = site("[a]\ncommand = true\nevery = day\n")
    done = s.inisched("run", *arguments)
    assert (done.returncode, done.stderr) == (2, message)
