"""Cron expressions: what is read, what is refused, and where clock changes lead."""

from __future__ import annotations

from datetime import UTC, datetime

import pytest
from hypothesis import given
from hypothesis import strategies as st

from inisched.model.diagnostic import Unreadable
from inisched.timing.cron import Cron, read_cron
from inisched.timing.recurrence import Anchor, recurrence
from inisched.timing.words import read_expression
from inisched.timing.zone import zone
from timing.plans import moment, shown

EXPECTED = "five fields (minute hour day month weekday), six with seconds first, or an alias"
ALIASES = "@hourly, @daily, @midnight, @weekly, @monthly, @yearly, @annually, @reboot"


def seconds(text: str) -> int:
    return int(moment(text).timestamp())


def fires(expression: str, where: str, since: str, n: int) -> list[str]:
    cron, at = Cron(expression, zone(where)), seconds(since)
    found = []
    for _ in range(n):
        fire = cron.after(at)
        assert fire is not None
        found.append(shown(datetime.fromtimestamp(fire, UTC), where))
        at = fire
    return found


# -- reading


@pytest.mark.parametrize(
    ("text", "read"),
    [
        ("0 5 * * 1-5", "0 5 * * 1-5"),
        ("  0   5 *\t* 1-5 ", "0 5 * * 1-5"),
        ("*/10 0 5 * * mon", "*/10 0 5 * * mon"),
        ("0 0 L * *", "0 0 L * *"),
        ("0 0 * * 5#2", "0 0 * * 5#2"),
        ("@hourly", "0 * * * *"),
        ("@daily", "0 0 * * *"),
        ("@midnight", "0 0 * * *"),
        ("@Weekly", "0 0 * * 0"),
        ("@monthly", "0 0 1 * *"),
        ("@yearly", "0 0 1 1 *"),
        ("@annually", "0 0 1 1 *"),
        ("@reboot", "@reboot"),
    ],
)
def test_an_expression_is_read_with_its_aliases_spelled_out(text: str, read: str) -> None:
    assert read_cron(text) == read


@pytest.mark.parametrize(("text", "fields"), [("", 0), ("* * * *", 4), ("@every 5m", 2)])
def test_a_wrong_number_of_fields_is_counted(text: str, fields: int) -> None:
    with pytest.raises(Unreadable) as caught:
        read_cron(text)
    assert (caught.value.problem, caught.value.expected) == (
        f"a cron expression has five or six fields, this one has {fields}",
        EXPECTED,
    )


def test_an_unknown_alias_is_answered_with_those_there_are() -> None:
    with pytest.raises(Unreadable) as caught:
        read_cron("@never")
    assert (caught.value.problem, caught.value.expected) == (
        "'@never' is not a cron alias",
        ALIASES,
    )


@pytest.mark.parametrize(
    ("text", "field", "name", "expected"),
    [
        ("60 * * * *", "60", "minute", "0 to 59"),
        ("60 * * * * *", "60", "second", "0 to 59"),
        ("*  24 * * *", "24", "hour", "0 to 23"),
        ("0 * 32 * *", "32", "day-of-month", "1 to 31 (a day that occurs), L or LW"),
        ("0 0 30 2 *", "30", "day-of-month", "1 to 31 (a day that occurs), L or LW"),
        ("0 0 * jam *", "jam", "month", "1 to 12 or JAN to DEC"),
        ("0 0 0 * * 8", "8", "day-of-week", "0 to 7 or SUN to SAT, 5#2, 5L"),
        ("5-1 * * * *", "5-1", "minute", "0 to 59"),
    ],
)
def test_a_field_that_does_not_fit_is_pointed_at(
    text: str, field: str, name: str, expected: str
) -> None:
    with pytest.raises(Unreadable) as caught:
        read_cron(text)
    error = caught.value
    assert error.length is not None
    assert text[error.start : error.start + error.length] == field
    assert (error.problem, error.expected, error.hint) == (
        f"'{field}' does not fit the field {name}",
        expected,
        "",
    )


# -- clock changes


def test_a_fixed_time_in_the_gap_comes_right_after_it() -> None:
    assert fires("30 1 * * *", "Europe/London", "2026-03-28T12:00+00:00", 2) == [
        "2026-03-29T02:00+01:00",
        "2026-03-30T01:30+01:00",
    ]


def test_several_fixed_times_in_the_gap_are_one_fire() -> None:
    assert fires("0,15,30 1 * * *", "Europe/London", "2026-03-29T00:00+00:00", 2) == [
        "2026-03-29T02:00+01:00",
        "2026-03-30T01:00+01:00",
    ]


def test_a_fixed_time_in_the_fold_comes_once() -> None:
    assert fires("30 1 * * *", "Europe/London", "2026-10-24T12:00+01:00", 2) == [
        "2026-10-25T01:30+01:00",
        "2026-10-26T01:30+00:00",
    ]


def test_asked_between_the_two_passes_a_fixed_time_has_been() -> None:
    assert fires("30 1 * * *", "Europe/London", "2026-10-25T01:10+00:00", 1) == [
        "2026-10-26T01:30+00:00"
    ]


def test_a_star_follows_the_clock_through_both_passes() -> None:
    assert fires("*/30 1 * * *", "Europe/London", "2026-10-25T00:59+01:00", 5) == [
        "2026-10-25T01:00+01:00",
        "2026-10-25T01:30+01:00",
        "2026-10-25T01:00+00:00",
        "2026-10-25T01:30+00:00",
        "2026-10-26T01:00+00:00",
    ]


def test_a_star_leaves_out_what_the_gap_swallows() -> None:
    assert fires("*/30 1 * * *", "Europe/London", "2026-03-28T12:00+00:00", 3) == [
        "2026-03-30T01:00+01:00",
        "2026-03-30T01:30+01:00",
        "2026-03-31T01:00+01:00",
    ]


# -- asking


def test_an_answer_does_not_depend_on_what_was_asked_before() -> None:
    cron = Cron("*/7 * * * *", zone("Europe/London"))
    moments = [seconds(f"2026-10-25T0{hour}:10+00:00") for hour in (0, 1, 2)]
    fresh = [Cron("*/7 * * * *", zone("Europe/London")).after(at) for at in moments]
    assert [cron.after(at) for at in (*moments, *reversed(moments))] == [*fresh, *reversed(fresh)]


def test_the_latest_of_a_rare_expression_is_found_years_back() -> None:
    cron = Cron("0 0 29 2 *", zone("UTC"))
    assert cron.latest(seconds("2103-06-01T00:00Z")) == seconds("2096-02-29T00:00Z")


@pytest.mark.parametrize("text", ["0 0 * * *", "*/5 * * * *", "@yearly"])
def test_the_end_of_time_is_no_error(text: str) -> None:
    rule = recurrence(read_expression(text, "UTC"), Anchor(moment("2026-01-01T00:00Z")), job="")
    assert rule.after(moment("9998-12-31T23:59Z")) is None


_EXPRESSIONS = st.sampled_from(
    [
        "* * * * *",
        "*/7 1 * * *",
        "30 1 * * *",
        "0,30 0-3 * * *",
        "15 */5 * * *",
        "5 4 1 * *",
        "0 0 * * 1",
        "59 23 L * *",
        "*/20 30 1 * * *",
    ]
)
_MOMENTS = st.one_of(
    st.integers(seconds("2026-03-29T00:00Z"), seconds("2026-03-29T04:00Z")),
    st.integers(seconds("2026-10-25T00:00Z"), seconds("2026-10-25T04:00Z")),
    st.integers(seconds("2024-01-01T00:00Z"), seconds("2028-01-01T00:00Z")),
)


@given(_EXPRESSIONS, _MOMENTS)
def test_the_latest_fire_is_the_last_of_a_walk_forward(expression: str, at: int) -> None:
    where = zone("Europe/London")
    latest = Cron(expression, where).latest(at)
    assert latest is not None
    assert latest <= at
    following = Cron(expression, where).after(latest)
    assert following is not None
    assert following > at
    assert Cron(expression, where).after(latest - 1) == latest
