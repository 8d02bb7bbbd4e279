"""Subjects: one line that says what happened."""

from __future__ import annotations

from datetime import timedelta
from typing import Any

import pytest

from inisched.model.event import Kind
from inisched.model.run import Reason, State
from inisched.notifiers.words import digest_subject, subject
from notifiers.samples import AT, FIRE, event

SINCE = FIRE - timedelta(minutes=20)
NOTHING: dict[str, Any] = {"message": ""}


@pytest.mark.parametrize(
    ("kind", "said", "expected"),
    [
        ("recovery", {"failures": 30, "since": SINCE}, "flaky works again, after 30 failures since 02:10"),
        ("recovery", {"failures": 1, "since": SINCE}, "flaky works again, after 1 failure since 02:10"),
        ("recovery", {"failures": 1440, "since": SINCE}, "flaky works again, after 1440 failures since 02:10"),
        ("recovery", {"late_since": SINCE, "since": FIRE}, "flaky works again; it had been late since its fire of 02:10"),
        ("recovery", {}, "flaky works again"),
        ("failure", {}, "flaky failed: exit code 3"),
        ("failure", NOTHING, "flaky failed"),
        ("failure", {"state": State.TIMEOUT, "message": "no end"}, "flaky timed out: no end"),
        ("failure", {"state": State.TIMEOUT, "message": "timed out after 5 s"}, "flaky timed out after 5 s"),
        ("failure", {"state": State.TIMEOUT, "message": ""}, "flaky timed out"),
        ("failure", {"reminder": True, "failures": 45, "since": SINCE}, "flaky still fails: 45 failures since 02:10"),
        ("late", {"late_since": FIRE}, "flaky is late: nothing started for its fire of 02:30"),
        ("late", {"fire_at": FIRE}, "flaky is late: nothing started for its fire of 02:30"),
        ("late", {"late_since": FIRE, "reminder": True}, "flaky is still late: nothing started for its fire of 02:30"),
        ("slow", {"message": "12 min so far"}, "flaky takes longer than expected: 12 min so far"),
        ("skipped", {"message": "it still ran", "reason": Reason.OVERLAP}, "flaky was skipped: it still ran"),
        ("skipped", {"reason": Reason.OVERLAP}, "flaky was skipped: overlap"),
        ("success", {}, "flaky succeeded"),
        ("success", {"message": "3 rows"}, "flaky succeeded: 3 rows"),
        ("warning", {"message": "2 rows left out"}, "flaky ended with a warning: 2 rows left out"),
        ("test", {}, "a trial notice from inisched"),
    ],
)  # fmt: skip
def test_a_subject_says_what_happened(kind: str, said: dict[str, Any], expected: str) -> None:
    assert subject(event(Kind(kind), **said)) == expected


def test_a_moment_of_another_day_shows_its_day() -> None:
    said = {"failures": 2, "since": AT - timedelta(hours=3)}
    text = "flaky works again, after 2 failures since 2026-11-20 23:30"
    assert subject(event(Kind.RECOVERY, **said)) == text


def test_the_day_is_that_of_the_jobs_zone() -> None:
    """In New York it is still the evening before."""
    said = {"failures": 2, "since": AT - timedelta(hours=3), "zone": "America/New_York"}
    text = "flaky works again, after 2 failures since 17:30"
    assert subject(event(Kind.RECOVERY, **said)) == text


def test_a_zone_this_host_does_not_know_is_read_as_utc() -> None:
    said = {"late_since": FIRE, "zone": "Mars/Olympus"}
    text = "flaky is late: nothing started for its fire of 01:30"
    assert subject(event(Kind.LATE, **said)) == text


def test_a_subject_is_one_line_without_control_characters() -> None:
    said = event(message="one\r\nBcc: x@example.com\ttwo \x1b[31mred")
    assert subject(said) == r"flaky failed: one Bcc: x@example.com two \x1b[31mred"


def test_a_subject_is_cut_at_200_characters() -> None:
    assert subject(event(message="x" * 500)) == f"flaky failed: {'x' * 185}…"


@pytest.mark.parametrize(
    ("jobs", "expected"),
    [
        (["a"], "a failed: exit code 3"),
        (["a", "a"], "2 notices about a"),
        (["a", "b"], "2 notices about a and b"),
        (["a", "b", "c", "a"], "4 notices about a, b and c"),
        (["a", "b", "c", "d"], "4 notices about a, b and 2 other jobs"),
        (["", ""], "2 notices"),
    ],
)
def test_a_digest_says_how_many_notices_there_are_and_about_what(
    jobs: list[str], expected: str
) -> None:
    assert digest_subject([event(job=job) for job in jobs]) == expected
