"""Sentry: what a fake ingest gets."""

from __future__ import annotations

import gzip
import json
import sys
from typing import Any

import pytest

from inisched import __version__
from inisched.model.event import Kind
from inisched.model.notifier import Sentry
from inisched.notifiers.sentry import identity
from inisched.notifiers.slug import slug
from notifiers.samples import delivered, letter
from notifiers.web import Site, free_port

OK = (1, True, "", False)
MONITOR = {
    "schedule": {"type": "crontab", "value": "30 2 * * *"},
    "timezone": "Europe/Paris",
    "checkin_margin": 60,
    "max_runtime": 30,
}


def dsn(site: Site) -> Sentry:
    return Sentry(f"http://public-key@127.0.0.1:{site.port}/1")


def items(site: Site) -> list[tuple[str, dict[str, Any]]]:
    """Type and content of each item of each envelope."""
    found = []
    for asked in site.asked:
        assert asked.path == "/api/1/envelope/"
        _, header, content, *_ = gzip.decompress(asked.body).split(b"\n")
        found.append((json.loads(header)["type"], json.loads(content)))
    return found


def test_a_failure_is_an_error_with_what_is_needed_to_understand_it(site: Site) -> None:
    lines = "".join(f"line {number}\n" for number in range(50))
    assert delivered(dsn(site), letter(stdout=lines, attempt=2, again="inisched test flaky")) == [
        OK
    ]
    [(kind, told)] = items(site)
    assert kind == "event"
    assert told["message"] == "flaky failed: exit code 3"
    assert (told["level"], told["logger"], told["transaction"]) == ("error", "inisched", "flaky")
    assert told["fingerprint"] == ["inisched", "flaky"]
    assert told["server_name"] == "web1"
    assert told["release"] == f"inisched@{__version__}"
    assert told["timestamp"] == "2026-11-21T01:30:12Z"
    assert told["tags"] == {
        "job": "flaky",
        "run": "17",
        "fire_at": "2026-11-21T01:30:00Z",
        "attempt": "2",
        "exit_code": "3",
    }
    assert told["contexts"]["run"]["duration_s"] == 12
    assert told["extra"]["again"] == "inisched test flaky"


def test_the_last_40_lines_of_output_are_told(site: Site) -> None:
    delivered(dsn(site), letter(stdout="".join(f"line {number}\n" for number in range(50))))
    [(_, told)] = items(site)
    assert told["extra"]["stdout"] == "\n".join(f"line {number}" for number in range(10, 50))


def test_nothing_of_this_process_is_told(site: Site) -> None:
    delivered(dsn(site))
    [(_, told)] = items(site)
    assert not {"breadcrumbs", "user", "modules", "request"} & set(told)
    assert "sys.argv" not in told["extra"]


def test_a_failure_of_a_monitor_is_a_check_in_too(site: Site) -> None:
    delivered(dsn(site), letter(monitor=MONITOR))
    [(_, _), (kind, told)] = items(site)
    assert kind == "check_in"
    assert told == {
        "type": "check_in",
        "check_in_id": identity("L", "run", 17),
        "monitor_slug": "flaky",
        "status": "error",
        "duration": 12.0,
        "monitor_config": MONITOR,
        "environment": "production",
        "release": f"inisched@{__version__}",
    } | {name: told[name] for name in told if name not in CHECK_IN}


CHECK_IN = {
    "type", "check_in_id", "monitor_slug", "status", "duration", "monitor_config", "environment",
    "release",
}  # fmt: skip


@pytest.mark.parametrize(
    ("kind", "status"),
    [
        ("started", "in_progress"),
        ("success", "ok"),
        ("warning", "ok"),
        ("recovery", "ok"),
        ("skipped", "ok"),
        ("interrupted", "error"),
    ],
)
def test_starts_and_ends_are_check_ins_alone(kind: str, status: str, site: Site) -> None:
    delivered(dsn(site), letter(kind=Kind(kind), run=17, monitor=MONITOR))
    [(sort, told)] = items(site)
    assert (sort, told["status"]) == ("check_in", status)


def test_start_and_end_of_a_run_have_one_check_in_id(site: Site) -> None:
    started = letter(1, kind=Kind.STARTED, run=17, monitor=MONITOR)
    ended = letter(2, kind=Kind.SUCCESS, run=17, monitor=MONITOR)
    delivered(dsn(site), started, ended)
    ids = [told["check_in_id"] for _, told in items(site)]
    assert ids == [identity("L", "run", 17)] * 2


def test_another_ledger_has_other_ids() -> None:
    assert identity("L", "run", 17) != identity("M", "run", 17)


def test_without_a_monitor_there_is_no_check_in(site: Site) -> None:
    assert delivered(dsn(site), letter(kind=Kind.SUCCESS, run=17)) == [OK]
    assert site.asked == []


@pytest.mark.parametrize("kind", ["late", "slow"])
def test_what_sentry_sees_by_itself_is_not_told(kind: str, site: Site) -> None:
    assert delivered(dsn(site), letter(kind=Kind(kind), monitor=MONITOR)) == [OK]
    assert site.asked == []


def test_a_reminder_is_not_told_again(site: Site) -> None:
    assert delivered(dsn(site), letter(reminder=True, monitor=MONITOR)) == [OK]
    assert site.asked == []


def test_a_trial_is_an_event_that_alarms_nobody(site: Site) -> None:
    delivered(dsn(site), letter(kind=Kind.TEST))
    [(_, told)] = items(site)
    assert (told["level"], told["message"]) == ("info", "a trial notice from inisched")


def test_an_error_sent_twice_has_one_id(site: Site) -> None:
    delivered(dsn(site))
    delivered(dsn(site))
    first, second = (told["event_id"] for _, told in items(site))
    assert first == second


@pytest.mark.parametrize(
    ("status", "words", "final"),
    [
        (500, "500 Internal Server Error", False),
        (429, "429 Too Many Requests", False),
        (413, "413 Request Entity Too Large", True),
    ],
)
def test_what_was_not_taken_is_told(status: int, words: str, final: bool, site: Site) -> None:
    site.statuses = [status]
    assert delivered(dsn(site)) == [(1, False, f"{site.url}: answered {words}", final)]


def test_where_nobody_is_there_one_letter_is_tried() -> None:
    port = free_port()
    told = delivered(Sentry(f"http://public-key@127.0.0.1:{port}/1"), letter(1), letter(2))
    error = f"http://127.0.0.1:{port}: Connection refused"
    assert told == [(1, False, error, False), (2, False, "", False)]


def test_what_is_no_dsn_is_final() -> None:
    told = delivered(Sentry("http://example.com"))
    assert told == [(1, False, "the DSN is not one of Sentry's", True)]


def test_without_the_extra_it_is_said_how_to_get_it(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setitem(sys.modules, "sentry_sdk", None)
    error = "the extra is not installed: pip install 'inisched[sentry]'"
    assert delivered(Sentry("http://k@localhost/1")) == [(1, False, error, False)]


@pytest.mark.parametrize(
    ("job", "expected"),
    [
        ("flaky", "flaky"),
        ("Nightly Report", "nightly-report"),
        ("shop.import_all", "shop-import_all"),
        ("größe", "gre-d353a267"),
        ("日报", "job-21087896"),
        ("2026", "2026-158a323a"),
        ("x" * 60, f"{'x' * 41}-42f2d973"),
    ],
)
def test_a_slug_has_the_letters_sentry_allows(job: str, expected: str) -> None:
    assert slug(job) == expected
