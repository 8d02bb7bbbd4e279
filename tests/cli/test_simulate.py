"""`inisched simulate` as a person and a program meet it."""

from __future__ import annotations

import io
import json
import sys
from collections.abc import Iterator
from datetime import UTC, datetime, timedelta
from pathlib import Path
from typing import Any

import click
import pytest
import time_machine
from click.testing import CliRunner

from inisched.cli.commands import group
from inisched.cli.exits import Exit, Trouble
from inisched.cli.simulate import _with_progress
from inisched.config.loader import load
from inisched.engine.paper import PaperRun
from inisched.model.run import Fire, Outcome, State
from inisched.questions.coming import coming
from inisched.stores.ledger import Ledger

NOW = datetime(2026, 11, 20, 10, 0, tzinfo=UTC)
FILE = """\
[inisched]
timezone = Europe/Paris
max_running = 2
[often]
command = true
every = 10 minutes
[a=b]
command = true
every = hour
[report]
command = true
every = hour
timezone = UTC
timeout = 1 hour
[wrong]
command = true
every = 10 minuts
"""


@pytest.fixture(autouse=True)
def _at_ten() -> Iterator[None]:
    with time_machine.travel(NOW, tick=False):
        yield


@pytest.fixture
def file(tmp_path: Path) -> Path:
    path = tmp_path / "jobs.ini"
    path.write_text(FILE)
    return path


def simulate(file: Path, *words: str) -> tuple[str, int]:
    """What it prints, and its exit code."""
    found = CliRunner().invoke(
        group, ["simulate", *words, "-P", str(file)], standalone_mode=False, catch_exceptions=False
    )
    return found.output, found.return_value


def as_json(file: Path, *words: str) -> tuple[dict[str, Any], int]:
    text, code = simulate(file, *words, "--json")
    return json.loads(text), code


TOLD = """\
Fri 11:00 +01:00 to Fri 12:12 +01:00: 5 runs, 1 of them after waiting, 4 fires skipped
RUNS  WAITED  LONGEST    SKIPPED    TAKES               JOB
3     -       -          4 overlap  25 min, assumed     often
1     -       -          -          1 min 1 s, assumed  a=b
1     1       1 min 1 s  -          1 s, no runs yet    report
at most 2 runs at a time, first Fri 12:00 +01:00: often, a=b
broken, and left out: wrong

FIRE              SKIPPED  REASON   JOB
Fri 11:20 +01:00  2        overlap  often
Fri 11:50 +01:00  2        overlap  often

FIRE              WAITED     FOR          JOB
Fri 11:00 +00:00  1 min 1 s  max_running  report
"""


def test_the_text_tells_jobs_peak_skips_and_waits(file: Path) -> None:
    words = ("--days", "0.05", "--assume", "often=25m", "--assume", "a=b=61 s")
    assert simulate(file, *words) == (TOLD, Exit.DIFFERENT)


def test_nothing_to_look_at_is_exit_code_0(file: Path) -> None:
    assert simulate(file)[1] == Exit.FINE


def test_the_json_has_runs_skips_and_peak(file: Path) -> None:
    found, code = as_json(file, "--days", "0.0209", "--assume", "often=605")
    assert code == Exit.DIFFERENT
    assert found == {
        "runs": [
            {
                "job": "often",
                "fire_at": "2026-11-20T10:10:00Z",
                "start_at": "2026-11-20T10:10:00Z",
                "end_at": "2026-11-20T10:20:05Z",
            },
            {
                "job": "often",
                "fire_at": "2026-11-20T10:30:00Z",
                "start_at": "2026-11-20T10:30:00Z",
                "end_at": "2026-11-20T10:40:05Z",
            },
        ],
        "skips": [
            {"job": "often", "fire_at": "2026-11-20T10:20:00Z", "reason": "overlap", "count": 1}
        ],
        "peak": 1,
    }


def test_the_json_of_nothing_is_whole(file: Path) -> None:
    found, code = as_json(file, "--days", "0.001")
    assert found == {"runs": [], "skips": [], "peak": 0}
    assert code == Exit.FINE


def test_the_json_of_thousands_of_runs_is_whole(file: Path) -> None:
    found, _ = as_json(file, "--days", "20")
    assert len(found["runs"]) == 20 * (144 + 24 + 24)


def test_what_could_steer_a_terminal_is_escaped_in_json(tmp_path: Path) -> None:
    file = tmp_path / "jobs.ini"
    file.write_text("[x\u202ey]\ncommand = true\nevery = hour\n")
    text, _ = simulate(file, "--days", "0.05", "--json")
    assert '"job": "x\\u202ey"' in text


def test_runs_are_for_the_fires_that_next_tells(file: Path) -> None:
    found, _ = as_json(file, "--from", "2026-11-21 08:00", "--days", "0.5")
    jobs = load(file, strict_references=True).jobs
    since = datetime(2026, 11, 21, 7, 0, tzinfo=UTC)
    fires = coming(jobs, {}, since=since, until=since + timedelta(hours=12))
    told = sorted((run["fire_at"], run["job"]) for run in found["runs"])
    assert told == sorted((f"{fire.at:%Y-%m-%dT%H:%M:%SZ}", fire.job) for fire in fires)


def test_from_is_meant_in_the_zone_of_the_file(file: Path) -> None:
    found, _ = as_json(file, "--from", "2026-11-21 08:00", "--days", "0.01")
    assert found["runs"][0]["fire_at"] == "2026-11-21T07:10:00Z"


def test_a_duration_as_from_lies_in_the_past(file: Path) -> None:
    found, _ = as_json(file, "--from", "2h", "--days", "0.01")
    assert found["runs"][0]["fire_at"] == "2026-11-20T08:10:00Z"


def test_days_are_one_where_none_are_given(file: Path) -> None:
    found, _ = as_json(file)
    assert found["runs"][-1]["fire_at"] == "2026-11-21T10:00:00Z"


def test_utc_shows_times_in_utc(file: Path) -> None:
    found, _ = simulate(file, "--utc", "--days", "0.01")
    assert found.startswith("Fri 10:00 +00:00 to Fri 10:14:24 +00:00: 1 run, 0 fires skipped\n")


def test_the_duration_of_runs_in_the_ledger_is_taken(file: Path) -> None:
    ledger = Ledger(file.with_suffix(".db"), full=False)
    fire = Fire(job="often", at=NOW, moved=NOW)
    end = NOW + timedelta(minutes=12)
    ledger.record(fire, Outcome(state=State.SUCCESS), started=NOW, ended=end)
    ledger.close()
    found, _ = as_json(file, "--days", "0.0209")
    assert [run["end_at"] for run in found["runs"]] == [
        "2026-11-20T10:22:00Z",
        "2026-11-20T10:42:00Z",
    ]


def test_only_the_first_twenty_skips_are_listed_and_the_others_counted(tmp_path: Path) -> None:
    file = tmp_path / "jobs.ini"
    file.write_text("[a]\ncommand = true\nevery = minute\n")
    text, _ = simulate(file, "--assume", "a=90 s", "--days", "0.1")
    listed = text.split("FIRE")[1].splitlines()
    assert len(listed) == 1 + 20 + 1
    assert listed[-1] == "and 52 more"


def test_no_file_is_made_or_changed(file: Path) -> None:
    simulate(file, "--days", "0.1")
    assert [path.name for path in file.parent.iterdir()] == ["jobs.ini"]


def test_a_file_that_is_no_ini_is_exit_code_1(file: Path) -> None:
    file.write_text("hello\n")
    found = CliRunner().invoke(group, ["simulate", "-P", str(file)], standalone_mode=False)
    assert found.exit_code == Exit.PROBLEM
    assert "error: there is text before the first section" in found.output


@pytest.mark.parametrize(
    ("words", "code", "text"),
    [
        (
            ["--assume", "oftn=5m"],
            Exit.UNKNOWN,
            "there is no job 'oftn'; did you mean 'often'?",
        ),
        (["--assume", "zzz=5m"], Exit.UNKNOWN, "there is no job 'zzz'"),
        (
            ["--assume", "often"],
            Exit.MISUSE,
            "--assume 'often': expected JOB=D, such as report=5m",
        ),
        (
            ["--assume", "often=-5"],
            Exit.MISUSE,
            "--assume 'often=-5': '-5' is not a duration, expected a duration such as 90, 90 s, "
            "5m, 1h30m or 2 days",
        ),
        (
            ["--from", "soon"],
            Exit.MISUSE,
            "'soon' is not a time, expected a date or date-time, HH:MM, or a duration such as 2h",
        ),
        (
            ["--from", "9990-01-01", "--days", "36500"],
            Exit.MISUSE,
            "--days: the calendar ends before that",
        ),
    ],
)
def test_what_cannot_be_taken_is_said(file: Path, words: list[str], code: Exit, text: str) -> None:
    with pytest.raises(Trouble) as found:
        simulate(file, *words)
    assert (str(found.value), found.value.code) == (text, code)


@pytest.mark.parametrize("days", ["0", "-1", "nan", "inf", "1e3", "x", "36501"])
def test_days_are_a_number_above_0(file: Path, days: str) -> None:
    with pytest.raises(click.BadParameter) as found:
        simulate(file, "--days", days)
    assert found.value.format_message() == (
        f"Invalid value for '--days': '{days}' is not a number of days, expected a number above 0 "
        "and not above 36,500, such as 7 or 0.5"
    )


class Terminal(io.StringIO):
    def isatty(self) -> bool:
        return True


RUNS = [PaperRun("a", at, at, at) for at in (NOW + timedelta(hours=n) for n in range(24))]


def test_a_terminal_shows_how_far_it_is(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(sys, "stderr", Terminal())
    assert list(_with_progress(RUNS, NOW, NOW + timedelta(days=1))) == RUNS
    assert isinstance(sys.stderr, Terminal)
    assert "simulating" in sys.stderr.getvalue()
    assert "100%" in sys.stderr.getvalue()


def test_what_is_no_terminal_hears_of_no_progress(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(sys, "stderr", io.StringIO())
    assert list(_with_progress(RUNS, NOW, NOW + timedelta(days=1))) == RUNS
    assert isinstance(sys.stderr, io.StringIO)
    assert sys.stderr.getvalue() == ""
