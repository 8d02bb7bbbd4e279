"""Zones as stretches of constant offset, and which one the host lives in."""

from __future__ import annotations

import os
from collections.abc import Iterator
from datetime import UTC, datetime
from zoneinfo import ZoneInfo

import pytest
from hypothesis import given
from hypothesis import strategies as st

from inisched.timing import zone as zones
from inisched.timing.zone import Stretch, host_zone, is_zone, zone

NAMES = [
    "UTC",
    "Europe/London",
    "Australia/Lord_Howe",
    "Asia/Kathmandu",
    "Africa/Casablanca",
    "Antarctica/Troll",
    "America/Santiago",
    "Pacific/Apia",
]


def seconds(text: str) -> int:
    return int(datetime.fromisoformat(text).timestamp())


def reading(text: str) -> int:
    """What a clock on the wall shows, counted as if it stood in UTC."""
    return int(datetime.fromisoformat(text).replace(tzinfo=UTC).timestamp())


@given(
    st.sampled_from(NAMES), st.integers(seconds("1995-01-01T00:00Z"), seconds("2060-01-01T00:00Z"))
)
def test_the_offset_is_that_of_zoneinfo(name: str, moment: int) -> None:
    expected = datetime.fromtimestamp(moment, ZoneInfo(name)).utcoffset()
    assert expected is not None
    assert zone(name).offset(moment) == expected.total_seconds()


@given(
    st.sampled_from(NAMES), st.integers(seconds("1995-01-01T00:00Z"), seconds("2060-01-01T00:00Z"))
)
def test_a_reading_leads_back_to_the_first_moment_that_shows_it(name: str, moment: int) -> None:
    where = zone(name)
    first = where.instant(where.local(moment))
    assert first <= moment
    assert where.local(first) == where.local(moment)


def test_a_year_is_cut_where_the_clock_changes() -> None:
    stretches = zone("Europe/London").stretches(seconds("2026-01-01T00:00Z"))
    assert [next(stretches) for _ in range(4)] == [
        Stretch(seconds("2026-01-01T00:00Z"), seconds("2026-03-29T01:00Z"), 0),
        Stretch(seconds("2026-03-29T01:00Z"), seconds("2026-10-25T01:00Z"), 3600),
        Stretch(seconds("2026-10-25T01:00Z"), seconds("2027-01-01T00:00Z"), 0),
        Stretch(seconds("2027-01-01T00:00Z"), seconds("2027-03-28T01:00Z"), 0),
    ]


def test_a_reading_in_the_gap_is_its_end() -> None:
    assert zone("Europe/London").instant(reading("2026-03-29T01:30")) == seconds(
        "2026-03-29T02:00+01:00"
    )


def test_a_reading_in_the_fold_is_its_first_pass() -> None:
    assert zone("Europe/London").instant(reading("2026-10-25T01:30")) == seconds(
        "2026-10-25T01:30+01:00"
    )


def test_a_reading_of_a_day_left_out_is_the_next_midnight() -> None:
    assert zone("Pacific/Apia").instant(reading("2011-12-30T12:00")) == seconds(
        "2011-12-31T00:00+14:00"
    )


@pytest.mark.parametrize(
    "name", ["Europe/Nowhere", "Europe", "../etc/passwd", "/etc/localtime", "a\0b", "é", "x" * 300]
)
def test_what_is_no_zone_is_just_no_zone(name: str) -> None:
    assert not is_zone(name)


class TestHost:
    """$TZ first, then /etc/timezone, then /etc/localtime, else UTC."""

    @pytest.fixture(autouse=True)
    def host(self, monkeypatch: pytest.MonkeyPatch) -> Iterator[None]:
        self.monkeypatch = monkeypatch
        self.settle("", "", "")
        host_zone.cache_clear()
        yield
        host_zone.cache_clear()

    def settle(self, tz: str, timezone: str, localtime: str) -> None:
        self.monkeypatch.setitem(os.environ, "TZ", tz)
        self.monkeypatch.setattr(zones, "_etc_timezone", lambda: timezone)
        self.monkeypatch.setattr(zones, "_etc_localtime", lambda: localtime)

    def test_tz_comes_first(self) -> None:
        self.settle("Asia/Tokyo", "Europe/Paris", "Europe/Rome")
        assert host_zone() == "Asia/Tokyo"

    def test_tz_may_begin_with_a_colon(self) -> None:
        self.settle(":Asia/Tokyo", "Europe/Paris", "Europe/Rome")
        assert host_zone() == "Asia/Tokyo"

    def test_a_tz_that_is_no_name_is_passed_over(self) -> None:
        self.settle("CET-1CEST,M3.5.0,M10.5.0", "Europe/Paris", "Europe/Rome")
        assert host_zone() == "Europe/Paris"

    def test_localtime_is_asked_where_timezone_is_silent(self) -> None:
        self.settle("", "", "Europe/Rome")
        assert host_zone() == "Europe/Rome"

    def test_a_host_that_tells_nothing_lives_in_utc(self) -> None:
        assert host_zone() == "UTC"
