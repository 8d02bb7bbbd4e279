"""`inisched status --nagios`: whole lines, and the exit codes that go with them."""

from __future__ import annotations

from collections.abc import Callable
from datetime import UTC, datetime, timedelta
from pathlib import Path
from typing import Any

import pytest

from inisched.cli import commands
from inisched.cli.nagios import verdict
from inisched.engine.holder import Holder
from inisched.model.event import Kind
from inisched.questions.health import Health
from inisched.stores.post import Incident
from inisched.stores.switches import Hold, Mark

NOW = datetime(2026, 11, 20, 10, 0, 0, tzinfo=UTC)
HELD = Hold(NOW, Mark("ann", NOW))


def incident(job: str, kind: str = "failure") -> Incident:
    return Incident(1, job, Kind(kind), NOW, failures=1)


def told(**known: Any) -> tuple[int, str]:
    """What is said of a daemon that is well but for this."""
    well: dict[str, Any] = {
        "holder": Holder(4711, "host", "", "daemon", 1),
        "since": NOW - timedelta(days=3, hours=4),
        "heartbeat_age": timedelta(seconds=3.7),
        "file_ok": True,
        "problems": 0,
        "writable": True,
        "running": [{}, {}],
        "waiting": [],
        "hold": None,
        "jobs": 20,
    }
    code, line = verdict(Health(**well | known), NOW)
    return int(code), line


def test_a_daemon_that_is_well_is_ok() -> None:
    assert told() == (
        0,
        "OK - up 3 d 4 h, 20 jobs, 2 running | jobs=20 running=2 waiting=0 incidents=0 "
        "heartbeat=3s;60;90 outbox=0 dropped=0",
    )


@pytest.mark.parametrize(
    ("known", "words"),
    [
        (
            {"heartbeat_age": timedelta(seconds=90)},
            "CRITICAL - the last heartbeat is 1 min 30 s old",
        ),
        ({"heartbeat_age": None}, "CRITICAL - there is no heartbeat yet"),
        ({"writable": False}, "CRITICAL - the database cannot be written"),
        (
            {"writable": False, "problems": 2},
            "CRITICAL - the database cannot be written; the file has 2 errors",
        ),
        ({"problems": 1}, "WARNING - the file has 1 error"),
        ({"hold": HELD}, "WARNING - all is held"),
        ({"dropped": 1}, "WARNING - 1 notice was dropped"),
        (
            {"heartbeat_age": timedelta(seconds=60.2)},
            "WARNING - the last heartbeat is 1 min old",
        ),
        ({"incidents": [incident("a")]}, "WARNING - 1 job fails: a"),
        (
            {"incidents": [incident("a"), incident("b", "late"), incident("c")]},
            "WARNING - 2 jobs fail: a, c; 1 job is late: b",
        ),
        (
            {"incidents": [incident(name) for name in "abcd"], "dropped": 2},
            "WARNING - 4 jobs fail: a, b, c, ...; 2 notices were dropped",
        ),
    ],
)
def test_the_words_name_what_is_wrong_the_worst_first(known: dict[str, Any], words: str) -> None:
    code, line = told(**known)
    assert line.split(" | ")[0] == words
    assert code == {"WARNING": 1, "CRITICAL": 2}[words.split()[0]]


def test_a_daemon_that_is_down_is_critical_and_its_heartbeat_unknown() -> None:
    down: dict[str, Any] = {"holder": None, "since": None, "heartbeat_age": None, "running": []}
    assert told(**down) == (
        2,
        "CRITICAL - down: no daemon has this file's database | jobs=20 running=0 waiting=0 "
        "incidents=0 heartbeat=U;60;90 outbox=0 dropped=0",
    )


def test_the_numbers_count_incidents_and_notices() -> None:
    _, line = told(incidents=[incident("a"), incident("a", "late")], outbox=5, dropped=2)
    assert line.split(" | ")[1] == (
        "jobs=20 running=2 waiting=0 incidents=2 heartbeat=3s;60;90 outbox=5 dropped=2"
    )


def test_a_name_cannot_break_the_line_or_part_it() -> None:
    _, line = told(incidents=[incident("a|b=1\nc")])
    assert line.startswith("WARNING - 1 job fails: a\\x7cb=1\\x0ac | jobs=20 ")


# -- as a command

Run = Callable[..., tuple[int, str, str]]


@pytest.fixture
def status(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> Run:
    """Exit code, output and errors of `status` on a file with this text."""

    def run(text: str | None, *options: str) -> tuple[int, str, str]:
        if text is not None:
            (tmp_path / "x.ini").write_text(text)
        monkeypatch.chdir(tmp_path)
        monkeypatch.setattr("sys.argv", ["inisched", "status", "-P", "x.ini", *options])
        with pytest.raises(SystemExit) as end:
            commands.main()
        assert isinstance(end.value.code, int)
        return end.value.code, *capsys.readouterr()

    return run


def test_jobs_are_those_with_fires_of_their_own(status: Run) -> None:
    job = "command = true\nevery = day\n"
    text = f"[a]\n{job}[b]\n{job}active = no\n[c]\n{job}at = nonsense\n"
    assert status(text, "--nagios") == (
        2,
        "CRITICAL - down: no daemon has this file's database; the file has 1 error | jobs=1 "
        "running=0 waiting=0 incidents=0 heartbeat=U;60;90 outbox=0 dropped=0\n",
        "",
    )


@pytest.mark.parametrize(
    ("text", "problem"),
    [(None, "there is no such file"), ("rubbish\n", "there is text before the first section")],
)
def test_a_file_that_cannot_be_read_is_critical(
    text: str | None, problem: str, status: Run
) -> None:
    line = f"CRITICAL - x.ini cannot be read: {problem}\n"
    assert status(text, "--nagios") == (2, line, "")


def test_a_database_that_is_none_is_critical(status: Run, tmp_path: Path) -> None:
    (tmp_path / "x.db").write_text("no database" * 100)
    code, line, errors = status("[a]\ncommand = true\nevery = day\n", "--nagios")
    assert (code, line.startswith("CRITICAL - "), errors) == (2, True, "")


def test_json_and_nagios_together_are_misuse(status: Run) -> None:
    code, line, errors = status("", "--nagios", "--json")
    assert (code, line) == (2, "")
    assert errors.endswith("Error: --nagios and --json do not go together\n")
    assert errors.startswith("Usage: ")
