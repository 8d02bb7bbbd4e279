"""How long a job is taken to run, and what a summary says of a play."""

from __future__ import annotations

from collections.abc import Iterator
from datetime import UTC, datetime, timedelta
from pathlib import Path

import pytest

from inisched.config.loader import load
from inisched.engine.paper import PaperRun, PaperSkip
from inisched.model.run import Fire, Outcome, Reason, State
from inisched.questions.prediction import Forecast, Length, Summary, lengths
from inisched.stores.history import History
from inisched.stores.ledger import Ledger

LOOK = datetime(2026, 11, 21, 10, 0, tzinfo=UTC)


class Past:
    """A file with one job, and runs of it in the ledger."""

    def __init__(self, folder: Path) -> None:
        self.file = folder / "jobs.ini"
        self.ledger = Ledger(folder / "jobs.db", full=False)
        self.runs = 0

    def ran(self, seconds: float, state: State = State.SUCCESS) -> None:
        self.runs += 1
        start = LOOK + timedelta(hours=self.runs)
        fire = Fire(job="a", at=start, moved=start)
        end = start + timedelta(seconds=seconds)
        self.ledger.record(fire, Outcome(state=state), started=start, ended=end)

    def length(self, keys: str = "", **assumed: timedelta) -> Length:
        self.file.write_text(f"[a]\ncommand = true\nevery = hour\n{keys}\n")
        history = History(self.ledger.path)
        try:
            return lengths(load(self.file, strict_references=True).jobs, history, assumed)["a"]
        finally:
            history.close()


@pytest.fixture
def past(tmp_path: Path) -> Iterator[Past]:
    past = Past(tmp_path)
    yield past
    past.ledger.close()


def test_a_job_without_runs_is_taken_to_run_a_second(past: Past) -> None:
    assert past.length() == Length(timedelta(seconds=1), "no runs yet")


def test_a_job_runs_as_long_as_the_median_of_its_runs(past: Past) -> None:
    for seconds in (30, 2, 4):
        past.ran(seconds)
    assert past.length() == Length(timedelta(seconds=4), "of 3 runs")


def test_of_an_even_number_the_two_in_the_middle_are_halved(past: Past) -> None:
    for seconds in (1, 2, 5, 60):
        past.ran(seconds)
    assert past.length() == Length(timedelta(seconds=3.5), "of 4 runs")


def test_only_the_newest_twenty_runs_count(past: Past) -> None:
    for seconds in [900] * 30 + [5] * 20:
        past.ran(seconds)
    assert past.length() == Length(timedelta(seconds=5), "of 20 runs")


@pytest.mark.parametrize("state", [State.WARNING, State.FAILURE, State.TIMEOUT])
def test_a_run_that_came_to_an_end_of_any_kind_counts(past: Past, state: State) -> None:
    past.ran(7, state)
    assert past.length() == Length(timedelta(seconds=7), "of 1 run")


@pytest.mark.parametrize("state", [State.STOPPED, State.INTERRUPTED, State.SKIPPED])
def test_a_run_that_was_broken_off_or_skipped_itself_does_not_count(
    past: Past, state: State
) -> None:
    past.ran(7, state)
    assert past.length().known == "no runs yet"


def test_what_is_assumed_wins_over_what_is_known(past: Past) -> None:
    past.ran(7)
    assert past.length(a=timedelta(minutes=2)) == Length(timedelta(minutes=2), "assumed")


def test_no_run_is_longer_than_its_timeout(past: Past) -> None:
    past.ran(7)
    assert past.length("timeout = 5 s") == Length(timedelta(seconds=5), "of 1 run", capped=True)


def test_an_assumed_run_is_not_longer_than_its_timeout_either(past: Past) -> None:
    found = past.length("timeout = 5 s", a=timedelta(minutes=2))
    assert found == Length(timedelta(seconds=5), "assumed", capped=True)


def test_a_run_as_long_as_its_timeout_is_not_cut(past: Past) -> None:
    past.ran(5)
    assert past.length("timeout = 5 s") == Length(timedelta(seconds=5), "of 1 run")


def test_a_summary_counts_runs_waits_and_skips_by_reason(past: Past) -> None:
    past.length()
    summary = Summary(load(past.file, strict_references=True).jobs)
    second = timedelta(seconds=1)
    summary.add(PaperRun("a", LOOK, LOOK, LOOK + second))
    summary.add(PaperRun("a", LOOK, LOOK + 9 * second, LOOK + 10 * second, "overlap"))
    summary.add(PaperRun("a", LOOK, LOOK + 2 * second, LOOK + 10 * second, "overlap"))
    summary.close([PaperSkip("a", LOOK, Reason.OVERLAP, 3), PaperSkip("a", LOOK, Reason.POOL, 1)])
    assert summary.jobs["a"] == Forecast(
        "a",
        runs=3,
        waits=2,
        longest=9 * second,
        skipped=summary.jobs["a"].skipped,
    )
    assert dict(summary.jobs["a"].skipped) == {Reason.OVERLAP: 3, Reason.POOL: 1}
    assert (summary.runs, summary.waits, summary.skipped) == (3, 2, 4)
