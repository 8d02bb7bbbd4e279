"""The daemon's numbers as Prometheus reads them."""

from __future__ import annotations

import shutil
import subprocess
from pathlib import Path
from typing import Any

import pytest
from prometheus_client import CollectorRegistry
from prometheus_client.parser import text_string_to_metric_families

from inisched.engine.control import Unreachable
from inisched.web import exposition
from inisched.web.exposition import Exposition, all_pages

JOB: dict[str, Any] = {
    "job": "a",
    "ends": {"success": 3, "failure": 1},
    "skips": {"overlap": 2},
    "took": {"counts": [1, 0, 0, 3, 0, 0, 0, 0, 0, 0, 0], "sum": 9.5},
    "late": None,
    "next": 1795428060.0,
    "succeeded": None,
    "running": 1,
    "waiting": 0,
}
TOLD: dict[str, Any] = {
    "since": 1795428000.0,
    "heartbeat": 1795428030.5,
    "active": 1,
    "incidents": [["a", "failure"]],
    "outbox": 4,
    "dropped": 2,
    "jobs": [JOB],
    "next": None,
}


@pytest.fixture
def text(monkeypatch: pytest.MonkeyPatch) -> Any:
    """What is served while the daemon tells these pages; None: it does not answer."""

    def serve(*pages: dict[str, Any] | None, accept: str = "") -> str:
        def answer(path: Path, question: dict[str, Any], *, patience: float) -> dict[str, Any]:
            assert patience == 2.0
            page = pages[question["first"]]
            if page is None:
                raise Unreachable
            return page

        monkeypatch.setattr(exposition, "ask", answer)
        return Exposition(Path("x.sock"))(accept)[1].decode()

    return serve


def values(text: str) -> list[str]:
    """The lines with values, of which those of a bucket only where there are more than before."""
    return [line for line in text.splitlines() if not line.startswith("#")]


def test_every_metric_of_a_daemon_with_one_job(text: Any) -> None:
    found = values(text(TOLD))
    assert found == [
        "inisched_up 1.0",
        'inisched_info{version="0.1.0"} 1.0',
        "inisched_start_time_seconds 1.795428e+09",
        "inisched_heartbeat_timestamp_seconds 1.7954280305e+09",
        "inisched_jobs 1.0",
        "inisched_outbox_waiting 4.0",
        "inisched_notices_dropped_total 2.0",
        'inisched_incidents{job="a",kind="failure"} 1.0',
        'inisched_runs_total{job="a",outcome="success"} 3.0',
        'inisched_runs_total{job="a",outcome="warning"} 0.0',
        'inisched_runs_total{job="a",outcome="failure"} 1.0',
        'inisched_runs_total{job="a",outcome="timeout"} 0.0',
        'inisched_runs_total{job="a",outcome="interrupted"} 0.0',
        'inisched_runs_total{job="a",outcome="stopped"} 0.0',
        'inisched_runs_total{job="a",outcome="skipped"} 0.0',
        'inisched_skipped_fires_total{job="a",reason="overlap"} 2.0',
        'inisched_run_duration_seconds_bucket{job="a",le="0.1"} 1.0',
        'inisched_run_duration_seconds_bucket{job="a",le="0.5"} 1.0',
        'inisched_run_duration_seconds_bucket{job="a",le="1.0"} 1.0',
        'inisched_run_duration_seconds_bucket{job="a",le="5.0"} 4.0',
        'inisched_run_duration_seconds_bucket{job="a",le="15.0"} 4.0',
        'inisched_run_duration_seconds_bucket{job="a",le="60.0"} 4.0',
        'inisched_run_duration_seconds_bucket{job="a",le="300.0"} 4.0',
        'inisched_run_duration_seconds_bucket{job="a",le="900.0"} 4.0',
        'inisched_run_duration_seconds_bucket{job="a",le="3600.0"} 4.0',
        'inisched_run_duration_seconds_bucket{job="a",le="14400.0"} 4.0',
        'inisched_run_duration_seconds_bucket{job="a",le="+Inf"} 4.0',
        'inisched_run_duration_seconds_count{job="a"} 4.0',
        'inisched_run_duration_seconds_sum{job="a"} 9.5',
        'inisched_next_fire_timestamp_seconds{job="a"} 1.79542806e+09',
        'inisched_running{job="a"} 1.0',
        'inisched_waiting{job="a"} 0.0',
    ]


def test_a_daemon_that_does_not_answer_is_down_and_nothing_else(text: Any) -> None:
    assert values(text(None)) == ["inisched_up 0.0"]


def test_a_daemon_that_ends_between_two_pages_is_down(text: Any) -> None:
    assert values(text(TOLD | {"next": 1}, None)) == ["inisched_up 0.0"]


def test_an_older_daemon_that_does_not_know_the_question_counts_as_down(text: Any) -> None:
    assert values(text({"error": "not_understood", "message": "x"})) == ["inisched_up 0.0"]


def test_pages_are_put_together(text: Any) -> None:
    text(TOLD | {"next": 1}, {"jobs": [JOB | {"job": "b"}], "next": None})
    whole = all_pages(Path("x.sock"))
    assert whole is not None
    assert ([job["job"] for job in whole["jobs"]], whole["outbox"]) == (["a", "b"], 4)


def test_names_come_back_whole_whatever_stands_in_them(text: Any) -> None:
    name = 'a "b" \\c\\n\nü{} ,'
    families = text_string_to_metric_families(text(TOLD | {"jobs": [JOB | {"job": name}]}))
    found = {
        s.labels["job"]
        for f in families
        for s in f.samples
        if "kind" not in s.labels and "job" in s.labels
    }
    assert found == {name}


def test_the_daemon_is_asked_once_a_second_however_many_ask(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    asked = []
    monkeypatch.setattr(exposition, "ask", lambda *a, **k: asked.append(a) or TOLD)
    monkeypatch.setattr(exposition, "FRESH", 3600.0)
    serve = Exposition(Path("x.sock"))
    assert serve("") == serve("")
    assert len(asked) == 1


def test_openmetrics_is_served_to_whom_asks_for_it(text: Any) -> None:
    assert text(TOLD, accept="application/openmetrics-text; version=1.0.0").endswith("# EOF\n")


def test_a_registry_of_its_own_holds_nothing_of_this_process(text: Any) -> None:
    assert "python_info" not in text(TOLD)
    assert list(CollectorRegistry().collect()) == []


@pytest.mark.skipif(shutil.which("promtool") is None, reason="promtool is not on PATH")
def test_promtool_finds_nothing_to_say(text: Any) -> None:
    served = text(
        TOLD | {"jobs": [JOB, JOB | {"job": 'b"\\', "late": {"counts": [1] * 12, "sum": 1.0}}]}
    )
    done = subprocess.run(
        ["promtool", "check", "metrics"], input=served, capture_output=True, text=True
    )
    assert (done.returncode, done.stdout, done.stderr) == (0, "", "")
