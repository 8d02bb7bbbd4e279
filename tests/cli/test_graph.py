"""`inisched graph`: what it prints, as text and as JSON."""

from __future__ import annotations

import json
import time
from collections.abc import Callable
from pathlib import Path

import pytest

from inisched.cli import commands

Graph = Callable[..., str]

JOB = "[{}]\ncommand = true\nevery = never\n"


def job(name: str, *lines: str) -> str:
    return JOB.format(name) + "".join(f"{line}\n" for line in lines)


@pytest.fixture
def graph(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> Graph:
    """What is printed of a file with these jobs."""

    def draw(*jobs: str, options: tuple[str, ...] = ()) -> str:
        (tmp_path / "x.ini").write_text("[inisched]\ntimezone = UTC\n" + "".join(jobs))
        words = ["inisched", "graph", "-P", str(tmp_path / "x.ini"), *options]
        monkeypatch.setattr("sys.argv", words)
        with pytest.raises(SystemExit) as end:
            commands.main()
        assert end.value.code == 0
        assert sorted(path.name for path in tmp_path.iterdir()) == ["x.ini"]
        return capsys.readouterr().out

    return draw


def test_jobs_and_those_they_follow_come_in_the_order_of_the_file(graph: Graph) -> None:
    assert graph(
        job("fetch", "then = tidy, tell"),
        job("tidy", "active = no"),
        job("alone"),
        job("report", "after = fetch, tidy", "after_future = report"),
        job("tell", "after = report", "after_on = finished"),
    ).splitlines() == [
        "fetch",
        "    then: tidy (inactive), tell",
        "tidy (inactive)",
        "report",
        "    after: fetch, tidy (inactive)",
        "    after_future: report",
        "tell",
        "    after (finished): report",
        "1 more job stands alone",
    ]


def test_a_broken_job_is_marked(graph: Graph) -> None:
    told = graph("[a]\ncommand = true\nevery = dya\n", job("b", "then = a", "then_on = failure"))
    assert told == "a (broken)\nb\n    then (failure): a (broken)\n"


def test_where_no_job_follows_another_that_is_said(graph: Graph) -> None:
    assert graph(job("a"), job("b")) == "No job follows another.\n"


def test_json_has_the_keys_of_the_file(graph: Graph) -> None:
    told = graph(job("a"), job("b", "after = a", "then_on = finished"), options=("--json",))
    assert json.loads(told) == [
        {
            "job": "a",
            "after": [],
            "after_on": "success",
            "after_future": [],
            "then": [],
            "then_on": "success",
            "active": True,
            "broken": False,
        },
        {
            "job": "b",
            "after": ["a"],
            "after_on": "success",
            "after_future": [],
            "then": [],
            "then_on": "finished",
            "active": True,
            "broken": False,
        },
    ]


def test_what_could_steer_a_terminal_is_escaped(graph: Graph) -> None:
    told = graph(job("a\x1b[2J"), job("b", "after = a\x1b[2J"))
    assert "\x1b" not in told


def test_a_thousand_jobs_are_told_at_once(graph: Graph) -> None:
    chain = [job("0")] + [
        job(str(n), "after = " + ", ".join(map(str, range(max(0, n - 3), n))))
        for n in range(1, 1000)
    ]
    began = time.monotonic()
    assert len(graph(*chain).splitlines()) == 1999
    assert time.monotonic() - began < 5
