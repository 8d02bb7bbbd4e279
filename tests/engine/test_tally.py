"""What is counted of runs, and how."""

from __future__ import annotations

from datetime import timedelta

import pytest

from inisched.engine.tally import LATE, TOOK, Spread, Tally
from inisched.model.run import Reason, State, Trigger


def s(seconds: float) -> timedelta:
    return timedelta(seconds=seconds)


@pytest.mark.parametrize(("seconds", "bucket"), [(0.0, 0), (0.1, 0), (0.101, 1), (14401.0, 10)])
def test_a_value_counts_into_the_first_bucket_that_reaches_it(seconds: float, bucket: int) -> None:
    spread = Spread(TOOK)
    spread.add(s(seconds))
    assert [n for n, count in enumerate(spread.counts) if count] == [bucket]
    assert spread.total == seconds


def test_a_negative_value_counts_as_nought() -> None:
    spread = Spread(LATE)
    spread.add(s(-3600))
    assert (spread.counts[0], spread.total) == (1, 0.0)


def test_runs_are_counted_by_their_ends() -> None:
    tally = Tally()
    for state in (State.SUCCESS, State.FAILURE, State.SUCCESS):
        tally.ended("a", state, Trigger.SCHEDULE, s(1), s(0))
    sheet = tally.of("a")
    assert sheet is not None
    assert sheet.ends == {State.SUCCESS: 2, State.FAILURE: 1}
    assert (sum(sheet.took.counts), sheet.took.total) == (3, 3.0)


@pytest.mark.parametrize("trigger", Trigger)
def test_only_fires_of_the_schedule_can_be_late(trigger: Trigger) -> None:
    tally = Tally()
    tally.ended("a", State.SUCCESS, trigger, s(1), s(2))
    sheet = tally.of("a")
    assert sheet is not None
    assert sum(sheet.late.counts) == (trigger in (Trigger.SCHEDULE, Trigger.CATCHUP))


def test_a_run_nobody_saw_end_has_neither_duration_nor_lateness() -> None:
    tally = Tally()
    tally.ended("a", State.INTERRUPTED, Trigger.SCHEDULE)
    sheet = tally.of("a")
    assert sheet is not None
    assert sheet.ends == {State.INTERRUPTED: 1}
    assert sum(sheet.took.counts) == sum(sheet.late.counts) == 0


def test_skipped_fires_are_added_up_by_reason() -> None:
    tally = Tally()
    tally.skipped("a", Reason.MISFIRE, 70)
    tally.skipped("a", Reason.MISFIRE, 2)
    tally.skipped("a", Reason.OVERLAP)
    sheet = tally.of("a")
    assert sheet is not None
    assert sheet.skips == {Reason.MISFIRE: 72, Reason.OVERLAP: 1}


def test_a_job_that_is_gone_is_forgotten() -> None:
    tally = Tally()
    tally.skipped("a", Reason.OVERLAP)
    tally.skipped("b", Reason.OVERLAP)
    tally.keep({"b": None})
    assert tally.of("a") is None
    assert tally.of("b") is not None
