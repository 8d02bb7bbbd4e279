"""Metrics of a real daemon, scraped by HTTP; whoever serves or scrapes them does it no harm."""

from __future__ import annotations

import http.client
import os
import re
import signal
import socket
from collections.abc import Callable
from contextlib import ExitStack
from pathlib import Path

import pytest

from story.site import Site, stop

Make = Callable[..., Site]

JOBS = "[a]\ncommand = exit 3\nevery = never\n[b]\ncommand = true\nevery = 1 second\n"


@pytest.fixture
def port() -> int:
    """A port nobody listens at."""
    with socket.socket() as free:
        free.bind(("127.0.0.1", 0))
        return int(free.getsockname()[1])


def scrape(port: int) -> dict[str, float]:
    """Values by name and labels; nothing where nobody serves."""
    line = http.client.HTTPConnection("127.0.0.1", port, timeout=20)
    try:
        line.request("GET", "/metrics")
        text = line.getresponse().read().decode()
    except OSError:
        return {}
    finally:
        line.close()
    found = (one.rpartition(" ") for one in text.splitlines() if not one.startswith("#"))
    return {name: float(value) for name, _, value in found}


def helper(daemon: int) -> int | None:
    """The pid of the process that serves a daemon's metrics."""
    for folder in Path("/proc").glob("[0-9]*"):
        try:
            words = (folder / "cmdline").read_bytes().split(b"\0")
        except OSError:
            continue
        if b"inisched.web.metrics" in words and str(daemon).encode() in words:
            return int(folder.name)
    return None


def test_a_scrape_tells_how_runs_ended_and_what_comes(site: Make, port: int) -> None:
    s = site(f"[inisched]\nmetrics = :{port}\n{JOBS}")
    with s.daemon() as daemon:
        s.inisched("trigger", "a")
        failed = 'inisched_runs_total{job="a",outcome="failure"}'
        found = s.wait(lambda: f if (f := scrape(port)).get(failed) else None)
        stop(daemon)
    assert found[failed] == 1
    assert (found["inisched_up"], found["inisched_jobs"]) == (1, 2)
    assert found['inisched_running{job="a"}'] == 0
    assert found['inisched_run_duration_seconds_count{job="a"}'] == 1
    assert 'inisched_lateness_seconds_count{job="a"}' not in found
    assert 'inisched_next_fire_timestamp_seconds{job="a"}' not in found
    following = found['inisched_next_fire_timestamp_seconds{job="b"}']
    assert following > found["inisched_start_time_seconds"]


def test_a_helper_that_is_killed_comes_back_and_jobs_never_notice(site: Make, port: int) -> None:
    s = site(f"[inisched]\nmetrics = :{port}\n{JOBS}")
    with s.daemon() as daemon:
        first = s.wait(lambda: scrape(port) and helper(daemon.pid))
        os.kill(first, signal.SIGKILL)
        done = len(s.rows("b"))
        s.wait(lambda: scrape(port).get("inisched_up"))
        assert helper(daemon.pid) not in (first, None)
        s.wait(lambda: len(s.rows("b")) > done)
        assert stop(daemon) == 0
        assert helper(daemon.pid) is None
    assert {row["state"] for row in s.rows("b")} == {"success"}
    assert s.log.count("metrics are served at http://127.0.0.1:") == 2


def test_a_helper_goes_with_a_daemon_that_is_killed(site: Make, port: int) -> None:
    s = site(f"[inisched]\nmetrics = :{port}\n{JOBS}")
    with s.daemon() as daemon:
        s.wait(lambda: scrape(port))
        daemon.kill()
        daemon.wait()
        s.wait(lambda: helper(daemon.pid) is None)
    assert scrape(port) == {}


def test_a_daemon_that_hangs_is_told_to_be_down(site: Make, port: int) -> None:
    s = site(f"[inisched]\nmetrics = :{port}\n{JOBS}")
    with s.daemon() as daemon:
        s.wait(lambda: scrape(port))
        daemon.send_signal(signal.SIGSTOP)
        s.wait(lambda: (found := scrape(port)).get("inisched_up") == 0 and len(found) == 1)
        daemon.send_signal(signal.SIGCONT)
        s.wait(lambda: scrape(port).get("inisched_up") == 1)


def test_a_port_that_is_taken_is_told_once_and_tried_again(site: Make, port: int) -> None:
    s = site(f"[inisched]\nmetrics = localhost:{port}\n{JOBS}")
    with ExitStack() as stack:
        squatter = stack.enter_context(socket.create_server(("127.0.0.1", port)))
        stack.enter_context(s.daemon())
        refused = f"metrics cannot be served at 127.0.0.1:{port}: Address already in use"
        s.wait(lambda: refused in s.log)
        squatter.close()
        s.wait(lambda: scrape(port))
    assert s.log.count("cannot be served") == 1


def test_a_file_read_again_moves_metrics_forgets_jobs_and_ends_them(site: Make, port: int) -> None:
    s = site(JOBS)
    with s.daemon() as daemon:
        assert helper(daemon.pid) is None
        s.write(f"[inisched]\nmetrics = :{port}\n{JOBS}")
        s.inisched("reload")
        s.wait(lambda: 'inisched_running{job="a"}' in scrape(port))
        with socket.socket() as other:
            other.bind(("127.0.0.1", 0))
            second = int(other.getsockname()[1])
        s.write(f"[inisched]\nmetrics = 127.0.0.1:{second}\n[c]\ncommand = true\nevery = day\n")
        s.inisched("reload")
        found = s.wait(lambda: scrape(second))
        assert {job for name in found for job in re.findall(r'job="(\w+)"', name)} == {"c"}
        assert scrape(port) == {}
        s.write("[c]\ncommand = true\nevery = day\n")
        s.inisched("reload")
        s.wait(lambda: helper(daemon.pid) is None)
        assert stop(daemon) == 0


def test_guests_that_only_hold_the_line_keep_no_job_waiting(site: Make, port: int) -> None:
    s = site(f"[inisched]\nmetrics = :{port}\n{JOBS}")
    with ExitStack() as stack:
        stack.enter_context(s.daemon())
        s.wait(lambda: scrape(port))
        for _ in range(40):
            stack.enter_context(socket.create_connection(("127.0.0.1", port)))
        done = len(s.rows("b"))
        s.wait(lambda: len(s.rows("b")) >= done + 2)
        assert {row["state"] for row in s.rows("b")} <= {"success", "running"}
        assert scrape(port)["inisched_up"] == 1


def test_nagios_hears_of_a_daemon_that_is_up(site: Make) -> None:
    s = site(JOBS)
    with s.daemon():
        asked = s.inisched("status", "--nagios")
        line = re.sub(r"(up|heartbeat=)( ?)\d+( ?)s", r"\1\2N\3s", asked.stdout)
        held = s.inisched("hold")
        assert held.returncode == 0
        second = s.inisched("status", "--nagios")
    assert asked.returncode == 0
    assert re.sub(r"\b[01] running|running=[01]", "R", line) == (
        "OK - up N s, 2 jobs, R | jobs=2 R waiting=0 incidents=0 heartbeat=Ns;60;90 "
        "outbox=0 dropped=0\n"
    )
    assert (second.returncode, second.stdout.split(" | ")[0]) == (1, "WARNING - all is held")
