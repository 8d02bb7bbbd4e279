"""`log_format = json`: whatever the daemon says is an object a line."""

from __future__ import annotations

import json
import signal
from collections.abc import Callable
from typing import Any

from story.site import Site, stop

Make = Callable[..., Site]

FILE = """\
[inisched]
log_format = {}
log_level = debug
[a]
command = exit 3
every = never
[broken]
every = day
"""


def objects(text: str) -> list[dict[str, Any]]:
    return [json.loads(line) for line in text.splitlines()]


def message(s: Site, start: str) -> Callable[[], list[dict[str, Any]]]:
    """The objects of the log whose message starts so."""
    return lambda: [one for one in objects(s.log) if one["message"].startswith(start)]


def test_every_line_is_an_object_and_a_run_has_its_facts(site: Make) -> None:
    s = site(FILE.format("json"))
    with s.daemon() as daemon:
        s.inisched("trigger", "a")
        [end] = s.wait(message(s, "a: run 1 failure"))
        [start] = message(s, "a: run 1 starts")()
        daemon.send_signal(signal.SIGUSR1)
        [state] = s.wait(message(s, "running: "))
        assert stop(daemon) == 0
    row = s.rows()[0]
    assert {name: end[name] for name in list(end)[3:] if name != "duration_s"} == {
        "level": "WARNING",
        "logger_name": "inisched",
        "job": "a",
        "run": 1,
        "fire_at": row["fire_at"],
        "attempt": 1,
        "trigger": "manual",
        "state": "failure",
        "exit_code": 3,
    }
    assert end["duration_s"] == row["duration_s"]
    assert (start["level"], start["run"], "state" in start) == ("DEBUG", 1, False)
    assert state["message"] == "running: nothing; waiting: nothing"
    assert [one["job"] for one in objects(s.log) if one["level"] == "ERROR"] == ["broken"] * 2
    assert objects(s.log)[-1]["message"] == "inisched stops: SIGTERM"


def test_a_daemon_that_cannot_start_says_so_in_an_object(site: Make) -> None:
    s = site(FILE.format("json"))
    with s.daemon() as daemon:
        second = s.inisched("run")
        stop(daemon)
    [told] = [one for one in objects(second.stderr) if "job" not in one]
    assert second.returncode == 5
    assert told["level"] == "CRITICAL"
    assert told["message"].startswith(f"already running: pid {daemon.pid} on ")


def test_settings_that_stop_it_are_told_in_objects_too(site: Make) -> None:
    done = site("[inisched]\nlog_format = json\ndatabase = .\n").inisched("run")
    assert done.returncode == 1
    assert [one["message"] for one in objects(done.stderr)][-1:] == [
        f"{done.args[-1]}:3:12: '.' is a folder; expected the path of a file, there or to be made, "
        "in a folder that is there; without 'database' it lies beside the INI file"
    ]


def test_a_file_read_again_changes_the_log_at_once(site: Make) -> None:
    s = site(FILE.format("text"))
    with s.daemon() as daemon:
        s.write(FILE.format("json"))
        assert s.inisched("reload").returncode == 1  # for the broken job
        s.inisched("trigger", "a")
        s.wait(lambda: "run 1 failure" in s.log)
        stop(daemon)
    line = next(line for line in s.log.splitlines() if "run 1 failure" in line)
    assert json.loads(line)["run"] == 1
    assert not s.log.startswith("{")
