"""The readings an expression matches, held against cronsim, which steps through them itself."""

from __future__ import annotations

from datetime import datetime, timedelta
from itertools import islice

import pytest
from cronsim import CronSim, CronSimError
from hypothesis import assume, given
from hypothesis import strategies as st

from inisched.timing.cron import Fields

EPOCH = datetime(1970, 1, 1)


def numbers(least: int, most: int, *words: str) -> st.SearchStrategy[str]:
    """One field: numbers, ranges, steps, lists of them, and words of its own."""
    number = st.integers(least, most)
    span = st.tuples(number, number).map(sorted).map(lambda ends: f"{ends[0]}-{ends[1]}")
    plain = st.one_of(st.just("*"), number.map(str), span)
    step = st.tuples(plain, st.integers(1, most)).map(lambda pair: f"{pair[0]}/{pair[1]}")
    one = st.one_of(plain, step, *map(st.just, words))
    return st.lists(one, min_size=1, max_size=3).map(",".join)


EXPRESSIONS = st.tuples(
    st.one_of(st.just(""), numbers(0, 59)),
    numbers(0, 59),
    numbers(0, 23),
    numbers(1, 31, "L", "LW"),
    numbers(1, 12, "FEB", "dec"),
    numbers(0, 7, "MON-FRI", "5L", "2#5", "sun#1"),
).map(lambda fields: " ".join(field for field in fields if field))


def stepped(expression: str, moment: datetime, count: int) -> list[datetime]:
    """As cronsim finds them."""
    return list(islice(CronSim(expression, moment), count))


def read_off(expression: str, moment: datetime, count: int) -> list[datetime]:
    since = (moment - EPOCH) // timedelta(seconds=1)
    found = islice(Fields(expression).after(since), count)
    return [EPOCH + timedelta(seconds=reading) for reading in found]


@given(EXPRESSIONS, st.datetimes(datetime(1971, 1, 1), datetime(2199, 1, 1)))
def test_every_expression_matches_what_cronsim_steps_to(expression: str, moment: datetime) -> None:
    try:
        expected = stepped(expression, moment.replace(microsecond=0), 20)
    except CronSimError:
        assume(False)
    assert read_off(expression, moment.replace(microsecond=0), 20) == expected


@pytest.mark.parametrize(
    "expression",
    [
        "* * * * * *",
        "0 0 29 2 *",
        "0 0 29 2 */7",
        "59 23 31 12 *",
        "0 0 * 2 mon#5",
        "59 59 23 31 12 5#5",
        "*/7 */5 LW */3 *",
        "30 2 13 * fri",
        "30 2 */1 * fri",
    ],
)
def test_rare_and_dense_expressions_too(expression: str) -> None:
    moment = datetime(2026, 11, 21, 23, 59, 58)
    assert read_off(expression, moment, 70) == stepped(expression, moment, 70)


@pytest.mark.parametrize("expression", ["* * * * *", "0 0 29 2 *"])
def test_nothing_comes_after_the_end_of_time(expression: str) -> None:
    moment = datetime(9999, 12, 31, 23, 58)
    assert len(read_off(expression, moment, 9)) == (expression == "* * * * *")
