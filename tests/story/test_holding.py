"""Hold, pause and clear while a real daemon is up, and what a kill in between leaves."""

from __future__ import annotations

import signal
from collections.abc import Callable

from story.site import Site, stop

Make = Callable[..., Site]

TICK = "[a]\ncommand = true\nevery = second\n"
REPORT = """\
[a]
command = echo $INISCHED_PERIOD_END; test -e ok
every = second
report_period = day
"""


def ended(site: Site) -> int:
    return sum(row["state"] == "success" for row in site.rows())


def test_during_a_hold_nothing_starts_and_the_release_runs_what_came_due(site: Make) -> None:
    s = site(TICK)
    with s.daemon():
        s.wait(lambda: ended(s) >= 1)
        assert s.inisched("hold", "--note", "maintenance").returncode == 0
        before = ended(s)
        s.wait_for_rows(lambda rows: any(r["state"] == "waiting" and r["count"] >= 3 for r in rows))
        assert ended(s) == before
        assert s.inisched("release", "--run-pending").returncode == 0
        s.wait_for_rows(lambda rows: any(row["trigger"] == "catchup" for row in rows))
    assert "waiting" not in {row["state"] for row in s.rows() if row["count"] > 1}


def test_a_hold_outlives_the_daemon_that_is_killed(site: Make) -> None:
    s = site(TICK)
    with s.daemon() as daemon:
        s.wait(lambda: ended(s) >= 1)
        s.inisched("hold")
        s.wait_for_rows(lambda rows: any(row["state"] == "waiting" for row in rows))
        stop(daemon, signal.SIGKILL)
    before = ended(s)
    with s.daemon():
        s.wait_for_rows(lambda rows: any(r["state"] == "waiting" and r["count"] > 2 for r in rows))
        assert ended(s) == before
        assert s.inisched("release", "--skip-pending").returncode == 0
        rows = s.wait_for_rows(lambda rows: any(row["reason"] == "held" for row in rows))
    assert [row["count"] >= 3 for row in rows if row["reason"] == "held"] == [True]


def test_a_paused_job_has_gaps_until_it_is_resumed(site: Make) -> None:
    s = site(TICK)
    with s.daemon():
        assert s.inisched("pause", "a", "--until", "1h").returncode == 0
        s.wait_for_rows(lambda rows: any(r["reason"] == "paused" and r["count"] > 1 for r in rows))
        assert s.inisched("resume", "a").returncode == 0
        before = ended(s)
        s.wait(lambda: ended(s) > before)


def test_a_cleared_period_lets_later_ones_run(site: Make) -> None:
    s = site(REPORT)
    with s.daemon():
        s.wait_for_rows(lambda rows: any(row["state"] == "failure" for row in rows))
        (s.folder / "ok").touch()
        assert s.inisched("clear", "a").returncode == 0
        s.wait(lambda: ended(s) >= 1)


def test_a_cleared_period_is_clear_for_the_next_daemon(site: Make) -> None:
    s = site(REPORT)
    with s.daemon() as daemon:
        s.wait_for_rows(lambda rows: any(row["state"] == "failure" for row in rows))
        stop(daemon, signal.SIGKILL)
    assert s.inisched("clear", "a").returncode == 0
    (s.folder / "ok").touch()
    with s.daemon():
        rows = s.wait_for_rows(lambda rows: any(row["state"] == "success" for row in rows))
    assert "retry" not in {row["trigger"] for row in rows}


def test_a_trigger_during_a_hold_is_refused(site: Make) -> None:
    s = site("[a]\ncommand = true\nevery = never\n")
    with s.daemon():
        s.inisched("hold")
        done = s.inisched("trigger", "a")
    assert (done.returncode, done.stderr) == (75, "inisched: not now: all is held\n")


def test_a_failure_that_is_cleared_is_marked_in_the_list(site: Make) -> None:
    s = site("[a]\ncommand = exit 3\nevery = hour\nactive_from = 2026-01-01\n")
    assert s.inisched("run", "--once").returncode == 1
    assert "failure  hour" in s.inisched("list").stdout
    assert s.inisched("clear", "a").returncode == 0
    assert "failure (cleared)  hour" in s.inisched("list").stdout
