"""Arguments held against signatures."""

from __future__ import annotations

import functools
from collections.abc import AsyncIterator, Callable, Iterator
from datetime import UTC, date, datetime, timedelta
from decimal import Decimal
from enum import Enum
from pathlib import Path
from typing import TYPE_CHECKING, Any

import pytest

from inisched.config.problem import Problem
from inisched.config.shown import shown
from inisched.config.signature import Bound, bind
from inisched.model.current import CurrentRun
from inisched.model.diagnostic import Level
from inisched.model.job import Argument
from inisched.model.place import Place

if TYPE_CHECKING:
    from nowhere import Unknown

KEYS = ("every", "timeout", "description", "retries")
RUN = CurrentRun(
    id=17,
    job="report",
    scheduled_for=datetime(2026, 7, 1, 9, 30, tzinfo=UTC),
    attempt=2,
    period_start=date(2026, 6, 1),
    period_end=date(2026, 6, 30),
    override=True,
)


class Colour(Enum):
    RED = 1


def argument(
    name: str,
    text: str,
    *,
    shown: str | None = None,
    key: str | None = None,
    from_default: bool = False,
) -> Argument:
    shown = text if shown is None else shown
    return Argument(name, text, shown, key or name, Place("x.ini", 3, 8), from_default)


def bound(
    function: Callable[..., object], *arguments: Argument, keys_set: tuple[str, ...] = ()
) -> Bound:
    return bind(function, arguments, zone="UTC", key_names=KEYS, keys_set=keys_set)


def the_problem(function: Callable[..., object], *arguments: Argument) -> Problem:
    (problem,) = bound(function, *arguments).problems
    return problem


# -- what is passed


def test_arguments_are_converted_by_annotations_written_as_text() -> None:
    def callback(n: int, path: Path) -> None: ...

    found = bound(callback, argument("n", "5"), argument("path", "/tmp"))
    assert found.values == {"n": 5, "path": Path("/tmp")}
    assert found.problems == ()


def test_an_annotation_that_cannot_be_found_counts_as_none() -> None:
    def callback(n: Unknown, m: int) -> None: ...

    assert bound(callback, argument("n", "5"), argument("m", "6")).values == {"n": 5, "m": 6}


def test_a_star_star_parameter_takes_what_the_section_says() -> None:
    def callback(**kwargs: Any) -> None: ...

    found = bound(callback, argument("depth", "5"), argument("name", "x"))
    assert found.values == {"depth": 5, "name": "x"}


def test_a_default_of_the_file_reaches_a_callback_that_names_it() -> None:
    def callback(server: str = "") -> None: ...

    assert bound(callback, argument("server", "db1", from_default=True)).values == {"server": "db1"}


def test_a_default_of_the_file_passes_by_a_callback_that_does_not_take_it() -> None:
    def callback() -> None: ...

    found = bound(callback, argument("server", "db1", from_default=True))
    assert (found.values, found.problems) == ({}, ())


def test_a_default_of_the_file_does_not_reach_star_star_parameters() -> None:
    def callback(**kwargs: Any) -> None: ...

    assert bound(callback, argument("server", "db1", from_default=True)).values == {}


def test_what_the_section_says_wins_over_a_default_of_the_file() -> None:
    def callback(n: int) -> None: ...

    found = bound(callback, argument("n", "2"), argument("n", "1", from_default=True))
    assert found.values == {"n": 2}


def test_a_callable_without_a_signature_takes_everything() -> None:
    found = bound(dict, argument("a", "1"))
    assert (found.values, found.problems) == ({"a": 1}, ())


def test_a_partial_needs_only_what_it_does_not_have() -> None:
    def callback(a: int, b: int) -> None: ...

    found = bound(functools.partial(callback, a=1), argument("b", "2"))
    assert (found.values, found.problems) == ({"b": 2}, ())


def test_a_class_is_a_callback() -> None:
    class Callback:
        def __init__(self, n: int) -> None: ...

    assert bound(Callback, argument("n", "5")).values == {"n": 5}


def test_a_bound_method_is_a_callback() -> None:
    class Owner:
        def work(self, n: int) -> None: ...

    assert bound(Owner().work, argument("n", "5")).values == {"n": 5}


def test_an_object_that_can_be_called_is_a_callback() -> None:
    class Owner:
        def __call__(self, n: int) -> None: ...

    assert bound(Owner(), argument("n", "5")).values == {"n": 5}


def test_a_decorated_function_keeps_its_signature() -> None:
    def callback(n: int) -> None: ...

    @functools.wraps(callback)
    def wrapper(*args: Any, **kwargs: Any) -> None: ...

    assert bound(wrapper, argument("n", "5")).values == {"n": 5}


def test_a_callable_without_a_signature_gets_no_default_of_the_file() -> None:
    assert bound(dict, argument("a", "1", from_default=True)).values == {}


def test_a_reference_with_nothing_behind_it_is_not_judged() -> None:
    def callback(n: int) -> None: ...

    found = bound(callback, argument("n", "${env:N}"))
    assert (found.shown, found.problems) == ({"n": "${env:N}"}, ())


# -- what the run gives


def test_a_callback_is_handed_what_it_names() -> None:
    def callback(
        scheduled_for: datetime,
        period_start: date,
        period_end: date,
        override: bool,
        attempt: int,
        run_id: int,
        job: str,
    ) -> None: ...

    assert bound(callback).keywords(RUN) == {
        "scheduled_for": datetime(2026, 7, 1, 9, 30, tzinfo=UTC),
        "period_start": date(2026, 6, 1),
        "period_end": date(2026, 6, 30),
        "override": True,
        "attempt": 2,
        "run_id": 17,
        "job": "report",
    }


def test_the_section_wins_over_what_the_run_gives() -> None:
    def callback(job: str) -> None: ...

    assert bound(callback, argument("job", "mine")).keywords(RUN) == {"job": "mine"}


def test_star_star_parameters_are_handed_nothing_of_the_run() -> None:
    def callback(**kwargs: Any) -> None: ...

    assert bound(callback).keywords(RUN) == {}


def test_a_parameter_keeps_its_default_where_the_run_has_no_period() -> None:
    def callback(period_end: date | None, period_start: date = date(2000, 1, 1)) -> None: ...

    run = CurrentRun(id=1, job="x", scheduled_for=RUN.scheduled_for)
    assert bound(callback).keywords(run) == {"period_end": None}


# -- what is wrong


def test_a_value_that_cannot_be_converted_is_said_with_its_type() -> None:
    def callback(n: int) -> None: ...

    problem = the_problem(callback, argument("n", "abc"))
    assert problem.code == "cannot-convert"
    assert problem.message == "'abc' is not a whole number"
    assert problem.expected == "int for 'n'"
    assert problem.key == "n"


def test_a_bad_item_of_a_list_is_named_and_placed() -> None:
    def callback(n: list[int]) -> None: ...

    problem = the_problem(callback, argument("n", "1, two, 3"))
    assert problem.message == "'two' is not a whole number"
    assert (problem.start, problem.length) == (3, 3)


def test_a_secret_value_is_masked_in_its_problem() -> None:
    def callback(api_key: int) -> None: ...

    assert the_problem(callback, argument("api_key", "hunter2")).message == (
        "'***' is not a whole number"
    )


def test_a_reference_is_shown_as_one_in_its_problem() -> None:
    def callback(n: int) -> None: ...

    problem = the_problem(callback, argument("n", "hunter2", shown="${env:N}"))
    assert problem.message == "'${env:N}' is not a whole number"


def test_a_long_value_is_cut_in_its_problem() -> None:
    def callback(n: int) -> None: ...

    message = the_problem(callback, argument("n", "x" * 500)).message
    assert message == "'" + "x" * 79 + "…' is not a whole number"


def test_an_argument_nobody_takes_is_an_error_with_a_hint() -> None:
    def callback(target: str = "") -> None: ...

    problem = the_problem(callback, argument("targt", "x"))
    assert problem.code == "unknown-argument"
    assert problem.message == "the callback takes no argument 'targt'"
    assert problem.hint == "did you mean 'target'?"
    assert (problem.key, problem.at_key) == ("targt", True)


def test_a_misspelt_key_of_inisched_is_hinted_at() -> None:
    def callback() -> None: ...

    assert the_problem(callback, argument("tiemout", "5")).hint == "did you mean 'timeout'?"


def test_a_misspelt_argument_is_not_reported_as_missing_too() -> None:
    def callback(target: str) -> None: ...

    assert the_problem(callback, argument("targt", "x")).code == "unknown-argument"


def test_a_parameter_nobody_fills_is_an_error_at_the_call() -> None:
    def callback(target: str) -> None: ...

    problem = the_problem(callback)
    assert problem.code == "missing-argument"
    assert problem.message == "the callback needs an argument 'target'"
    assert problem.expected == "a line such as: target = …"
    assert problem.key is None


def test_a_missing_parameter_that_is_also_a_key_is_to_be_written_with_arg() -> None:
    def callback(timeout: int) -> None: ...

    assert the_problem(callback).expected == "a line such as: arg.timeout = …"


def test_a_key_of_the_section_that_is_also_a_parameter_is_a_warning() -> None:
    def callback(timeout: int = 5) -> None: ...

    (problem,) = bound(callback, keys_set=("Timeout", "every")).problems
    assert problem.level is Level.WARNING
    assert problem.code == "shadowed-parameter"
    assert problem.hint == "to pass it to the callback, write arg.timeout = …"
    assert problem.key == "Timeout"


def test_a_warning_leaves_the_job_good() -> None:
    def callback(timeout: int = 5) -> None: ...

    assert bound(callback, keys_set=("timeout",)).ok


def test_a_key_that_is_also_passed_with_arg_is_no_warning() -> None:
    def callback(timeout: int = 5) -> None: ...

    given = argument("timeout", "7", key="arg.timeout")
    found = bound(callback, given, keys_set=("timeout",))
    assert (found.values, found.problems) == ({"timeout": 7}, ())


def test_a_parameter_passed_by_position_only_is_an_error() -> None:
    def callback(n: int, /) -> None: ...

    problem = the_problem(callback)
    assert problem.code == "positional-only"
    assert problem.message == (
        "the callback takes 'n' by position only, and a section passes names"
    )


def test_a_method_named_by_its_class_says_what_it_lacks() -> None:
    class Owner:
        def work(self) -> None: ...

    assert the_problem(Owner.work).hint == "a method needs an object: make it static"


def generator() -> Iterator[int]:
    yield 1


async def async_generator() -> AsyncIterator[int]:
    yield 1


class Generating:
    def __call__(self) -> Iterator[int]:
        yield 1


@pytest.mark.parametrize(
    "function", [generator, async_generator, functools.partial(generator), Generating()]
)
def test_a_generator_function_is_an_error(function: Callable[..., object]) -> None:
    problem = the_problem(function)
    assert problem.code == "generator"
    assert problem.message == "the callback is a generator function: calling it runs nothing"


def test_a_class_of_generating_objects_is_no_generator() -> None:
    assert bound(Generating).ok


def test_what_cannot_be_called_is_an_error() -> None:
    problem = the_problem("text")  # type: ignore[arg-type]
    assert problem.code == "not-callable"
    assert problem.message == "the callback is not a function but of type str"


def test_all_problems_are_said_in_one_go() -> None:
    def callback(n: int, m: str) -> None: ...

    found = bound(callback, argument("n", "x"), argument("zzz", "y"))
    codes = [p.code for p in found.problems]
    assert codes == ["unknown-argument", "cannot-convert", "missing-argument"]


# -- what a view shows


def test_a_view_shows_the_converted_values() -> None:
    def callback(n: int, path: Path) -> None: ...

    found = bound(callback, argument("n", "5"), argument("path", "/tmp"))
    assert found.shown == {"n": 5, "path": "/tmp"}


@pytest.mark.parametrize("name", ["password", "api_token", "SECRET", "key_file"])
def test_a_view_masks_secrets(name: str) -> None:
    def callback(**kwargs: Any) -> None: ...

    assert bound(callback, argument(name, "hunter2")).shown == {name: "***"}


def test_a_view_shows_the_reference_and_not_what_stands_behind_it() -> None:
    def callback(n: str) -> None: ...

    found = bound(callback, argument("n", "hunter2", shown="${env:N}"))
    assert found.shown == {"n": "${env:N}"}
    assert found.values == {"n": "hunter2"}


@pytest.mark.parametrize(
    ("value", "seen"),
    [
        (None, None),
        (True, True),
        (5, 5),
        (float("inf"), "inf"),
        (Decimal("1.10"), "1.10"),
        (Colour.RED, "RED"),
        (date(2026, 1, 31), "2026-01-31"),
        (datetime(2026, 1, 31, 9, 30, tzinfo=UTC), "2026-01-31T09:30:00+00:00"),
        (timedelta(minutes=90), "5400 s"),
        ([Path("a"), 2], ["a", 2]),
        ({"a": [1]}, {"a": [1]}),
    ],
)
def test_a_view_holds_only_what_json_can(value: object, seen: object) -> None:
    assert shown(value) == seen
