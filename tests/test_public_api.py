"""What callbacks import from inisched."""

from __future__ import annotations

import subprocess
import sys
from datetime import UTC, datetime
from pathlib import Path

import pytest

import inisched
from inisched import STATUS, Result, Skip, current_run, schedule
from inisched.current import carrying_out
from inisched.model.current import CurrentRun
from inisched.registry import Registration, Registry


def test_every_public_name_is_there() -> None:
    assert {name: getattr(inisched, name, None) is not None for name in inisched.__all__} == {
        "STATUS": True,
        "CurrentRun": True,
        "Result": True,
        "Skip": True,
        "__version__": True,
        "current_run": True,
        "schedule": True,
    }
    assert set(inisched.__all__) <= set(dir(inisched))


def test_a_name_that_is_not_there_is_said_plainly() -> None:
    with pytest.raises(AttributeError) as caught:
        inisched.nothing  # noqa: B018
    assert str(caught.value) == "module 'inisched' has no attribute 'nothing'"


def test_importing_inisched_imports_nothing_else_of_it() -> None:
    code = "import sys, inisched; print([m for m in sys.modules if m.startswith('inisched.')])"
    source = str(Path(inisched.__file__).parent.parent)
    told = subprocess.run(
        [sys.executable, "-P", "-c", code],
        env={"PYTHONPATH": source},
        capture_output=True,
        text=True,
        check=True,
    )
    assert told.stdout == "[]\n"


def test_the_package_says_that_it_is_typed() -> None:
    assert Path(inisched.__file__).with_name("py.typed").exists()


def test_a_result_is_a_status_a_message_and_an_output() -> None:
    result = Result(STATUS.SUCCESS, message="for a user", output="for an administrator")
    assert (result.status, result.message, result.output) == (
        STATUS.SUCCESS,
        "for a user",
        "for an administrator",
    )


def test_there_are_four_statuses() -> None:
    assert [s.name for s in STATUS] == ["SUCCESS", "WARNING", "FAILURE", "SKIPPED"]


def test_skip_is_an_exception() -> None:
    with pytest.raises(Skip, match="why"):
        raise Skip("why")


def test_there_is_no_current_run_outside_of_one() -> None:
    assert current_run() is None


def test_the_current_run_cannot_be_changed() -> None:
    run = CurrentRun(id=1, job="a", scheduled_for=datetime(2026, 7, 1, tzinfo=UTC))
    with carrying_out(run), pytest.raises(AttributeError):
        current_run().id = 2  # type: ignore[misc, union-attr]


def callback(depth: int = 1) -> None: ...


def test_registering_takes_note_of_a_callback() -> None:
    registry = Registry()
    registry.register("myapp", callback, every="5 minutes", description="what", depth=3)
    assert registry.registrations == [
        Registration("myapp", callback, "5 minutes", None, "what", {"depth": 3})
    ]


def test_registering_works_as_a_decorator_that_changes_nothing() -> None:
    registry = Registry()
    assert registry.register("myapp", every="day", at="09:30")(callback) is callback
    assert registry.registrations == [Registration("myapp", callback, "day", "09:30")]


def test_a_registration_knows_what_the_file_would_say() -> None:
    assert Registration("myapp", callback).target == f"{callback.__module__}:callback"


def test_schedule_is_the_registry_of_this_process() -> None:
    assert isinstance(schedule, Registry)
