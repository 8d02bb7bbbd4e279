"""Texts of the file made into values."""

from __future__ import annotations

from collections.abc import Sequence
from datetime import date, datetime, timedelta
from decimal import Decimal
from enum import Enum, IntEnum
from pathlib import Path
from typing import Annotated, Any, Literal, NewType, Optional, Union

import pytest
from hypothesis import given
from hypothesis import strategies as st

from inisched.config.convert import convert, guess
from inisched.model.diagnostic import Unreadable


class Colour(Enum):
    RED = "r"
    BLUE = "b"


class Size(IntEnum):
    SMALL = 1
    LARGE = 2


Port = NewType("Port", int)


def read(text: str, annotation: object) -> object:
    return convert(text, annotation, zone="Europe/Berlin")


def refusal(text: str, annotation: object) -> Unreadable:
    with pytest.raises(Unreadable) as caught:
        read(text, annotation)
    return caught.value


@pytest.mark.parametrize(
    ("text", "annotation", "value"),
    [
        ("-3", int, -3),
        ("007", int, 7),
        ("1e5", float, 100000.0),
        ("3", float, 3.0),
        ("007", str, "007"),
        ("~/x/../y", Path, Path("~/x/../y")),
        ("2026-01-31", date, date(2026, 1, 31)),
        ("1h30m", timedelta, timedelta(minutes=90)),
        ("1.10", Decimal, Decimal("1.10")),
        ("RED", Colour, Colour.RED),
        ("b", Colour, Colour.BLUE),
        ("2", Size, Size.LARGE),
        ("slow", Literal["fast", "slow"], "slow"),
        ("2", Literal[1, 2], 2),
        ("5", Optional[int], 5),  # noqa: UP045
        ("5", int | None, 5),
        ("2026-01-31", int | date, date(2026, 1, 31)),
        ("x", Union[int, str], "x"),  # noqa: UP007
        ("8080", Port, 8080),
        ("5", Annotated[int, "how many"], 5),
        ("anything", Any, "anything"),
        ("5", object, 5),
        ("5", "an annotation nobody knows", 5),
    ],
)
def test_a_value_is_read_as_its_annotation_says(
    text: str, annotation: object, value: object
) -> None:
    assert read(text, annotation) == value
    assert type(read(text, annotation)) is type(value)


@pytest.mark.parametrize("text", ["yes", "TRUE", "on", "1"])
def test_words_of_consent_are_true(text: str) -> None:
    assert read(text, bool) is True


@pytest.mark.parametrize("text", ["no", "False", "off", "0"])
def test_words_of_refusal_are_false(text: str) -> None:
    assert read(text, bool) is False


@pytest.mark.parametrize("text", ["none", "None", "null", ""])
def test_none_can_be_said_where_it_is_allowed(text: str) -> None:
    assert read(text, int | None) is None


def test_an_empty_optional_text_is_empty_text() -> None:
    assert read("", str | None) == ""


def test_a_datetime_without_offset_is_in_the_zone_of_the_job() -> None:
    moment = read("2026-07-01T09:30", datetime)
    assert isinstance(moment, datetime)
    assert moment.isoformat() == "2026-07-01T09:30:00+02:00"


def test_a_datetime_with_an_offset_keeps_it() -> None:
    moment = read("2026-07-01T09:30-05:00", datetime)
    assert isinstance(moment, datetime)
    assert moment.isoformat() == "2026-07-01T09:30:00-05:00"


@pytest.mark.parametrize(
    ("text", "annotation", "value"),
    [
        ("1, 2,3", list[int], [1, 2, 3]),
        ("1\n2", list[int], [1, 2]),
        ("[1, 2]", list[int], [1, 2]),
        ('["1", 2]', list[str], ["1", "2"]),
        ("[1.10, 2]", list[Decimal], [Decimal("1.10"), Decimal("2")]),
        ("RED, b", list[Colour], [Colour.RED, Colour.BLUE]),
        ("", list[int], []),
        ("a, 2, true", list, ["a", 2, True]),
        ('["a", 2.5, null]', list, ["a", 2.5, None]),
        ("1, 2", tuple[int, ...], (1, 2)),
        ("1, 2, 2", set[int], {1, 2}),
        ("a, b", Sequence[str], ["a", "b"]),
        ("1, 2", list[int] | None, [1, 2]),
        ("[[1], [2, 3]]", list[list[int]], [[1], [2, 3]]),
        ("[a-c]*.txt, d", list[str], ["[a-c]*.txt", "d"]),
    ],
)
def test_a_list_is_separated_by_commas_or_json(
    text: str, annotation: object, value: object
) -> None:
    assert read(text, annotation) == value


def test_a_dict_is_json() -> None:
    assert read('{"a": [1, 2.5]}', dict[str, list[float]]) == {"a": [1, 2.5]}


@pytest.mark.parametrize(
    ("text", "annotation", "problem", "expected"),
    [
        ("abc", int, "is not a whole number", "int"),
        ("5.0", int, "is not a whole number", "int"),
        ("abc", float, "is not a number", "float"),
        ("abc", Decimal, "is not a number", "Decimal"),
        ("perhaps", bool, "is neither yes nor no", "yes or no"),
        ("31.1.2026", date, "is not a date", "a date such as 2026-01-31"),
        ("today", datetime, "is not a date-time", "a date-time such as 2026-01-31T09:30"),
        ("reed", Colour, "is not a Colour", "one of RED, BLUE"),
        ("slw", Literal["fast", "slow"], "is none of the values it may have", "one of fast, slow"),
        ("x", int | None, "is not a whole number", "int or none"),
        ("x", int | date, "fits none of its types", "int or a date such as 2026-01-31"),
        ("[1", dict, "is not a JSON object", 'a JSON object such as {"a": 1}'),
        ("[1, 2,]", list[int], "is not a list in JSON", "values with commas between, or JSON"),
        ('[1, "x"]', list[int], "cannot be read: item 2 is not a whole number", "int"),
        ("9" * 5000, int, "is not a whole number", "int"),
    ],
)
def test_a_value_that_does_not_fit_is_refused(
    text: str, annotation: object, problem: str, expected: str
) -> None:
    error = refusal(text, annotation)
    assert error.problem == problem
    assert error.expected == expected


def test_a_bad_duration_is_refused_as_one() -> None:
    error = refusal("1 fortnight", timedelta)
    assert error.problem == "is not a duration"
    assert not error.expected.startswith("expected")


def test_a_bad_item_of_a_list_is_pointed_at() -> None:
    error = refusal("1, two ,3", list[int])
    assert (error.start, error.length) == (3, 3)


def test_a_slip_in_a_choice_gets_a_hint() -> None:
    assert refusal("slw", Literal["fast", "slow"]).hint == "did you mean 'slow'?"


@pytest.mark.parametrize(
    ("text", "value"),
    [
        ("5", 5),
        ("-3", -3),
        ("1.5", 1.5),
        ("-0.25", -0.25),
        ("true", True),
        ("FALSE", False),
        ('{"a": 1}', {"a": 1}),
        ("[1, 2]", [1, 2]),
    ],
)
def test_without_annotation_what_is_plainly_a_value_is_converted(text: str, value: object) -> None:
    assert guess(text) == value
    assert type(guess(text)) is type(value)


@pytest.mark.parametrize(
    "text",
    [
        "007",
        "1e5",
        "1e+16",
        "1.50",
        "+3",
        "-0",
        "1_000",
        "yes",
        "none",
        "null",
        "nan",
        "[1",
        "٣",
        "",
    ],
)
def test_without_annotation_the_rest_stays_text(text: str) -> None:
    assert guess(text) == text


def test_deeply_nested_json_does_no_harm() -> None:
    assert guess("[" * 100_000) == "[" * 100_000


@given(st.text())
def test_a_guess_never_fails_and_a_number_reads_as_it_was_written(text: str) -> None:
    value = guess(text)
    if isinstance(value, (int, float)) and not isinstance(value, bool):
        assert str(value) == text


@given(st.lists(st.integers()))
def test_whole_numbers_come_through_a_list_unharmed(numbers: list[int]) -> None:
    assert read(", ".join(map(str, numbers)), list[int]) == numbers
