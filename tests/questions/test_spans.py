"""A time as it is typed means a stretch as long as its precision."""

from __future__ import annotations

from datetime import UTC, datetime, timedelta

import pytest

from inisched.model.diagnostic import Unreadable
from inisched.questions.spans import Span, read_span

NOW = datetime(2026, 11, 20, 13, 0, 30, tzinfo=UTC)


def span(begin: str, what: str, **length: int) -> Span:
    moment = datetime.fromisoformat(f"{begin}+00:00")
    return Span(moment, moment + timedelta(**length), what)


@pytest.mark.parametrize(
    ("text", "found"),
    [
        ("11:00", span("2026-11-20T11:00", "minute", minutes=1)),
        ("9:05", span("2026-11-20T09:05", "minute", minutes=1)),
        ("11:00:07", span("2026-11-20T11:00:07", "second", seconds=1)),
        ("2026-11-20T11:00", span("2026-11-20T11:00", "minute", minutes=1)),
        ("2026-11-20 11:00", span("2026-11-20T11:00", "minute", minutes=1)),
        ("2026-11-20T11:00:07", span("2026-11-20T11:00:07", "second", seconds=1)),
        ("2026-11-20T11:00:07.25", span("2026-11-20T11:00:07.250", "moment", milliseconds=1)),
        ("2026-11-20T11:00:07.250Z", span("2026-11-20T11:00:07.250", "moment", milliseconds=1)),
        ("2026-11-20T11", span("2026-11-20T11:00", "hour", hours=1)),
        ("2026-11-20", span("2026-11-20T00:00", "day", days=1)),
        ("2026-11-20T11:00Z", span("2026-11-20T11:00", "minute", minutes=1)),
        ("2026-11-20T11:00+01:00", span("2026-11-20T10:00", "minute", minutes=1)),
        ("2026-11-20T11:00:07-05:00", span("2026-11-20T16:00:07", "second", seconds=1)),
        ("20261120T1100", span("2026-11-20T11:00", "minute", minutes=1)),
        ("2h", span("2026-11-20T11:00", "minute", minutes=1)),
        ("90", span("2026-11-20T12:59", "minute", minutes=1)),
    ],
)
def test_a_time_is_as_long_as_it_is_precise(text: str, found: Span) -> None:
    assert read_span(text, "UTC", NOW) == (found,)


def test_a_time_of_day_is_the_nearest_past_one() -> None:
    assert read_span("23:00", "UTC", NOW)[0].begin == datetime(2026, 11, 19, 23, tzinfo=UTC)


def test_a_date_is_the_whole_civil_day() -> None:
    (day,) = read_span("2026-03-29", "Europe/Berlin", NOW)
    assert (day.begin, day.end - day.begin) == (
        datetime(2026, 3, 28, 23, tzinfo=UTC),
        timedelta(hours=23),
    )


@pytest.mark.parametrize("text", ["2026-10-25T02:30", "2026-10-25 02:30:00"])
def test_a_time_the_clock_shows_twice_is_both(text: str) -> None:
    assert [one.begin.hour for one in read_span(text, "Europe/Berlin", NOW)] == [0, 1]


def test_an_offset_tells_which_of_two_is_meant() -> None:
    found = read_span("2026-10-25T02:30+01:00", "Europe/Berlin", NOW)
    assert [one.begin.hour for one in found] == [1]


def test_a_time_the_clock_leaves_out_is_the_first_moment_after() -> None:
    (found,) = read_span("2026-03-29T02:30", "Europe/Berlin", NOW)
    assert found.begin == datetime(2026, 3, 29, 1, tzinfo=UTC)


@pytest.mark.parametrize("text", ["", "25:00", "yesterday", "2026-13-01", "11:00.5", "3 months"])
def test_what_is_no_time_is_refused(text: str) -> None:
    with pytest.raises(Unreadable):
        read_span(text, "UTC", NOW)
