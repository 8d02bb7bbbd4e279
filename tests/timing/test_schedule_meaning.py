"""Two schedules that mean the same keep the rhythm; another meaning starts it afresh."""

from __future__ import annotations

from datetime import UTC, datetime, timedelta

import pytest
from msgspec.structs import replace

from inisched.model.schedule import Schedule
from inisched.timing.words import read_expression

PARIS = "Europe/Paris"


def meaning(text: str, zone: str = PARIS) -> str:
    return read_expression(text, zone).meaning()


@pytest.mark.parametrize(
    ("one", "other"),
    [
        ("60 seconds", "minute"),
        ("120 minutes", "2 hours"),
        ("60 to 120 minutes", "60  to 120 minute"),
        ("weekday", "monday, tuesday, wednesday, thursday, friday"),
        ("day at 9:30", "every day at 09:30, 9:30:00"),
        ("@daily", "0 0 * * *"),
        ("0  5 * * *", "0 5 * * *"),
    ],
)
def test_another_spelling_means_the_same(one: str, other: str) -> None:
    assert meaning(one) == meaning(other)


@pytest.mark.parametrize(
    ("one", "other"),
    [
        ("5 minutes", "6 minutes"),
        ("24 hours", "day"),
        ("7 days", "week"),
        ("60 to 120 seconds", "1 to 2 minutes"),
        ("5 to 10 minutes", "5 minutes"),
        ("hour", "hour at :00"),
        ("hour at :30", "minute at :30"),
        ("monday", "tuesday"),
        ("day at 09:30", "day at 09:30, 18:00"),
        ("day at 00:00", "0 0 * * *"),
        ("never", "day"),
    ],
)
def test_another_rhythm_means_something_else(one: str, other: str) -> None:
    assert meaning(one) != meaning(other)


@pytest.mark.parametrize("text", ["day at 09:30", "hour at :30", "monday", "0 5 * * *"])
def test_the_zone_counts_where_the_clock_on_the_wall_does(text: str) -> None:
    assert meaning(text) != meaning(text, "Asia/Kathmandu")


@pytest.mark.parametrize("text", ["10 seconds", "5 to 10 minutes", "hour"])
def test_the_zone_does_not_count_for_elapsed_intervals(text: str) -> None:
    assert meaning(text) == meaning(text, "Asia/Kathmandu")


MOMENT = datetime(2027, 1, 1, tzinfo=UTC)
MONTHLY = read_expression("month at 09:30", PARIS)


@pytest.mark.parametrize(
    "other",
    [
        replace(MONTHLY, jitter=timedelta(minutes=5)),
        replace(MONTHLY, active_until=MOMENT),
        replace(MONTHLY, text="shown in other words"),
    ],
    ids=["jitter", "active_until", "text"],
)
def test_what_only_moves_or_ends_fires_does_not_count(other: Schedule) -> None:
    assert other.meaning() == MONTHLY.meaning()


@pytest.mark.parametrize(
    "other",
    [
        replace(MONTHLY, on_day=0),
        replace(MONTHLY, active_from=MOMENT),
        replace(MONTHLY, from_end=True),
    ],
    ids=["on_day", "active_from", "from_end"],
)
def test_what_moves_the_rhythm_counts(other: Schedule) -> None:
    assert other.meaning() != MONTHLY.meaning()
