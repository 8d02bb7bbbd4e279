"""The reading side: what the faces ask, newest first, and nothing written."""

from __future__ import annotations

import sqlite3
from collections.abc import Iterator
from pathlib import Path

import pytest

from inisched.model.run import Outcome, Reason, State, Trigger
from inisched.stores.history import History, Whole, _conditions, parse
from inisched.stores.job_state import JobState
from inisched.stores.ledger import Ledger
from inisched.stores.opening import Unusable, database_id
from stores.book import Book, at, fire, gap


def ended(book: Book, clock: str, state: State, job: JobState | None = None) -> int:
    """A run of that fire that took a second."""
    name = job.name if job else "sweep"
    (run,) = book.claim(fire(clock, job=name), now=at(clock), job=job)
    book.ledger.finish(run, Outcome(state=state, exit_code=0), at(f"{clock}:01"))
    return run.run_id


@pytest.fixture
def told(book: Book) -> Iterator[History]:
    """Rows 1 to 6: two jobs, three failures, a gap from 13:00 to 15:00 among them."""
    other = book.seat("other")
    ended(book, "11:00", State.SUCCESS)
    ended(book, "11:30", State.FAILURE, other)
    ended(book, "12:00", State.TIMEOUT)
    book.claim(gaps=(gap("13:00", "15:00", 3),))
    ended(book, "15:30", State.INTERRUPTED, other)
    ended(book, "16:00", State.STOPPED)
    book.ledger.close()
    history = History(book.path)
    yield history
    history.close()


def ids(rows: list[dict[str, object]]) -> list[object]:
    return [row["id"] for row in rows]


def test_rows_come_newest_first(told: History) -> None:
    assert ids(told.rows()) == [6, 5, 4, 3, 2, 1]


@pytest.mark.parametrize(("limit", "found"), [(0, []), (2, [6, 5]), (99, [6, 5, 4, 3, 2, 1])])
def test_a_limit_keeps_the_newest(told: History, limit: int, found: list[int]) -> None:
    assert ids(told.rows(limit=limit)) == found


def test_of_one_job_only_its_own_rows_come(told: History) -> None:
    assert ids(told.rows("other")) == [5, 2]


def test_a_limit_counts_what_is_asked_for(told: History) -> None:
    assert ids(told.rows("other", limit=1)) == [5]


def test_an_unknown_job_has_no_rows(told: History) -> None:
    assert told.rows("nobody") == []


def test_failed_are_failure_timeout_and_interrupted(told: History) -> None:
    assert [row["state"] for row in told.rows(failed=True)] == ["interrupted", "timeout", "failure"]


@pytest.mark.parametrize(
    ("since", "found"),
    [
        ("15:00", [6, 5, 4]),
        ("15:00:00.001", [6, 5]),
        ("16:00", [6]),
        ("16:00:00.001", []),
    ],
)
def test_since_goes_by_the_fire_and_by_the_end_of_a_gap(
    told: History, since: str, found: list[int]
) -> None:
    assert ids(told.rows(since=at(since))) == found


def test_all_conditions_hold_together(told: History) -> None:
    assert ids(told.rows("other", failed=True, since=at("12:00"), limit=5)) == [5]


def test_a_row_has_the_public_keys(told: History) -> None:
    assert told.rows("other", limit=1) == [
        {
            "id": 5,
            "job": "other",
            "fire_at": "2026-11-21T15:30:00Z",
            "fire_until": None,
            "count": 1,
            "state": "interrupted",
            "reason": None,
            "trigger": "schedule",
            "attempt": 1,
            "started_at": "2026-11-21T15:30:00Z",
            "ended_at": "2026-11-21T15:30:01Z",
            "duration_s": 1.0,
            "exit_code": 0,
            "message": "",
            "period_start": None,
            "period_end": None,
            "override": False,
        }
    ]


def test_a_moment_of_a_row_reads_back_as_utc() -> None:
    assert parse("2026-11-21T15:30:00.250Z") == at("15:30:00.250")


# -- show


def test_one_run_is_shown_whole(book: Book) -> None:
    (run,) = book.claim(fire("11:00"))
    outcome = Outcome(
        state=State.SUCCESS, exit_code=0, message="sent", output="all", stdout=b"\xff", stderr=b"e"
    )
    book.ledger.finish(run, outcome, at("11:00:05"))
    history = History(book.path)
    whole = history.run(run.run_id)
    assert whole == Whole(history.rows()[0], b"\xff", b"e", "all")
    history.close()


def test_a_run_without_output_is_shown_empty(told: History) -> None:
    whole = told.run(1)
    assert whole is not None
    assert (whole.stdout, whole.stderr, whole.result) == (b"", b"", "")


def test_an_unknown_run_is_none(told: History) -> None:
    assert told.run(99) is None


# -- what the lists ask


def test_the_last_run_is_the_newest_that_started(book: Book) -> None:
    ended(book, "11:00", State.SUCCESS)
    book.claim(wait=(fire("12:00"),), gaps=(gap("13:00", "13:00", 1, Reason.OVERLAP),))
    history = History(book.path)
    assert {name: row["id"] for name, row in history.last_runs().items()} == {"sweep": 1}
    history.close()


def test_open_rows_wait_or_run_oldest_first(book: Book) -> None:
    ended(book, "11:00", State.SUCCESS)
    book.claim(fire("12:00"), wait=(fire("13:00", Trigger.CATCHUP),))
    history = History(book.path)
    assert [(row["id"], row["state"]) for row in history.open_rows()] == [
        (2, "running"),
        (3, "waiting"),
    ]
    history.close()


def test_the_database_tells_its_identity(book: Book) -> None:
    history = History(book.path)
    assert (history.id, book.ledger.id) == (database_id(book.path), database_id(book.path))
    history.close()


def test_jobs_are_those_the_ledger_knows(book: Book) -> None:
    history = History(book.path)
    assert history.jobs() == book.ledger.jobs()
    history.close()


# -- where there is nothing, or nothing good


def test_without_a_database_there_is_no_history(tmp_path: Path) -> None:
    history = History(tmp_path / "x.db")
    assert (history.id, history.jobs(), history.rows(), history.run(1)) == (None, {}, [], None)
    assert (history.last_runs(), history.open_rows(), history.last_life()) == ({}, [], None)
    history.close()


def test_a_database_that_breaks_further_in_is_said(tmp_path: Path) -> None:
    path = tmp_path / "x.db"
    Ledger(path).close()
    with sqlite3.connect(path) as db:
        (page,) = db.execute("SELECT rootpage FROM sqlite_master WHERE name = 'run'").fetchone()
    with open(path, "r+b") as file:
        file.seek((page - 1) * 4096)
        file.write(b"\xaa" * 4096)
    with pytest.raises(Unusable) as caught:
        History(path).rows()
    assert str(caught.value) == (
        f"the database {path} cannot be read: database disk image is malformed"
    )


def test_failures_are_looked_for_in_their_own_index(told: History) -> None:
    where, values = _conditions(None, True, None)
    plan = told._all(f"EXPLAIN QUERY PLAN SELECT id FROM run {where} ORDER BY id DESC", values)
    assert [row["detail"] for row in plan] == ["SCAN run USING INDEX run_failed"]
