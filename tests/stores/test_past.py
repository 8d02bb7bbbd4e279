"""What the ledger tells of a job's fires: found by the fire, by way of an index."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from datetime import timedelta

import pytest

from inisched.model.run import Outcome, Reason, State, Trigger
from inisched.stores.claims import Absence
from inisched.stores.history import History
from inisched.stores.past import Past, Rest
from inisched.stores.queries import queries
from inisched.stores.stretches import Kind, Stretch
from stores.book import Book, at, fire, gap

HOUR = timedelta(hours=1)


@pytest.fixture
def history(book: Book) -> Iterator[History]:
    found = History(book.path)
    yield found
    found.close()


@pytest.fixture
def past(history: History) -> Past:
    return history.past("sweep")


def ran(book: Book, clock: str, trigger: Trigger = Trigger.SCHEDULE) -> None:
    (claimed,) = book.claim(fire(clock, trigger), now=at(clock))
    book.ledger.finish(claimed, Outcome(state=State.SUCCESS, exit_code=0), at(clock))


def test_rows_are_found_by_their_fire(book: Book, past: Past) -> None:
    for clock in ("11:00", "12:00", "13:00"):
        ran(book, clock)
    assert [row.id for row in past.between(at("11:00"), at("13:00"))] == [1, 2]


def test_attempts_at_a_fire_come_in_their_order(book: Book, past: Past) -> None:
    (claimed,) = book.claim(fire("11:00"), now=at("11:00"))
    failed = Outcome(state=State.FAILURE, exit_code=1)
    book.ledger.finish(claimed, failed, at("11:01"), again=at("11:02"))
    found = past.between(at("11:00"), at("11:01"))
    assert [(row.attempt, row.state, row.not_before) for row in found] == [
        (1, "failure", None),
        (2, "waiting", at("11:02")),
    ]


def test_a_gap_is_found_by_any_moment_in_it(book: Book, past: Past) -> None:
    book.claim(gaps=(gap("11:00", "13:00", 3),))
    moments = ("10:59", "11:00", "12:00", "13:00", "13:01")
    assert [len(past.gaps(at(m), at(m) + timedelta(seconds=1))) for m in moments] == [0, 1, 1, 1, 0]


def test_a_gap_between_runs_hides_no_later_one(book: Book, past: Past) -> None:
    book.claim(gaps=(gap("11:00", "11:30", 2),))
    ran(book, "12:00")
    book.claim(gaps=(gap("12:30", "13:00", 2),))
    assert [row.count for row in past.gaps(at("11:30"), at("12:31"))] == [2, 2]


def test_the_fires_around_a_moment_are_those_of_the_schedule(book: Book, past: Past) -> None:
    ran(book, "11:00")
    ran(book, "11:30", Trigger.MANUAL)
    ran(book, "12:00")
    assert (past.before(at("11:59")), past.after(at("11:01"))) == (at("11:00"), at("12:00"))


def test_the_fire_before_a_moment_may_be_the_last_of_a_gap(book: Book, past: Past) -> None:
    ran(book, "11:00")
    book.claim(gaps=(gap("11:10", "11:50", 5),))
    assert past.before(at("12:00")) == at("11:50")


def test_a_run_lasted_as_long_as_the_ledger_says(book: Book, past: Past) -> None:
    (claimed,) = book.claim(fire("11:00"), now=at("11:00"))
    done = Outcome(state=State.SUCCESS, exit_code=0)
    book.ledger.finish(claimed, done, at("12:05"), took=timedelta(minutes=5))
    assert [row.took for row in past.newest(at("13:00"))] == [timedelta(minutes=5)]


def test_a_job_nobody_knows_has_no_past(history: History) -> None:
    nobody = history.past("nobody")
    found = (nobody.newest(at("12:00")), nobody.rests(), nobody.before(at("12:00")))
    assert found == ([], [], None)


def test_a_rest_begins_behind_its_first_moment_and_ends_with_its_last() -> None:
    rest = Rest("removed", at("11:00"), at("12:00"))
    moments = ("11:00", "11:01", "12:00", "12:01")
    assert [rest.covers(at(m)) for m in moments] == [False, True, True, False]


def test_rests_come_in_order_and_the_last_may_last(book: Book, past: Past) -> None:
    seated = book.ledger.seat
    seated([], at("11:00"), resting={"sweep": "removed"})
    seated([], at("12:00"), resting={"sweep": "broken"})
    assert past.rests() == [
        Rest("removed", at("10:00"), at("12:00")),
        Rest("broken", at("12:00"), None),
    ]


# -- who looked ---------------------------------------------------------------------------------


def test_down_is_from_the_end_of_one_life_to_the_start_of_the_next(
    book: Book, history: History
) -> None:
    book.ledger.open_life(1, "here", at("10:00"))
    book.ledger.close_life(at("11:00"))
    book.ledger.open_life(2, "here", at("12:00"))
    assert history.stretches(at("11:30"), at("11:40")) == [
        Stretch(Kind.DOWN, at("11:00"), at("12:00"))
    ]


def test_a_daemon_that_died_was_down_from_its_last_heartbeat(book: Book, history: History) -> None:
    book.ledger.open_life(1, "here", at("10:00"))
    book.ledger.beat(at("10:30"))
    book.ledger.open_life(2, "here", at("12:00"))
    assert history.stretches(at("11:30"), at("11:40")) == [
        Stretch(Kind.DOWN, at("10:30"), at("12:00"))
    ]


def test_before_the_first_life_there_was_none(book: Book, history: History) -> None:
    book.ledger.open_life(1, "here", at("10:00"))
    assert history.stretches(at("09:00"), at("09:01")) == [Stretch(Kind.DOWN, None, at("10:00"))]


def test_before_the_oldest_life_that_is_kept_nothing_is_known(book: Book, history: History) -> None:
    book.ledger.open_life(1, "here", at("10:00"))
    book.ledger.open_life(2, "here", at("12:00"))
    book.ledger._db.execute("DELETE FROM daemon WHERE id = 1")
    assert history.stretches(at("11:00"), at("11:01")) == []


def test_a_clock_set_back_between_two_lives_makes_no_time_down(
    book: Book, history: History
) -> None:
    book.ledger.open_life(1, "here", at("10:00"))
    book.ledger.close_life(at("12:00"))
    book.ledger.open_life(2, "here", at("11:00"))
    assert history.stretches(at("10:30"), at("13:00")) == []


def test_absences_tell_who_slept_and_how_the_clock_was_set(book: Book, history: History) -> None:
    book.ledger.was_away(Absence(at("11:00"), at("11:30")))
    book.ledger.was_away(Absence(at("12:00"), at("12:30"), machine=True))
    step = Absence(at("13:00"), at("14:00"), step=HOUR)
    book.ledger.set_clock(step, at("14:00"), [], [])
    assert history.stretches(at("10:00"), at("15:00")) == [
        Stretch(Kind.ASLEEP, at("11:00"), at("11:30")),
        Stretch(Kind.MACHINE, at("12:00"), at("12:30")),
        Stretch(Kind.STEP, at("13:00"), at("14:00"), HOUR),
    ]
    assert history.steps() == [Stretch(Kind.STEP, at("13:00"), at("14:00"), HOUR)]


def test_an_absence_elsewhere_is_left_out(book: Book, history: History) -> None:
    book.ledger.was_away(Absence(at("11:00"), at("11:30")))
    assert history.stretches(at("11:30"), at("12:00")) == []


# -- how fast -----------------------------------------------------------------------------------


@pytest.mark.parametrize(
    "name",
    [
        "one_entry", "fires_between", "gaps_between", "newest_fires", "fire_before", "fire_after",
        "gap_before",
    ],
)  # fmt: skip
def test_no_question_about_a_fire_walks_over_all_runs(book: Book, name: str) -> None:
    values = dict.fromkeys(("id", "since", "until", "moment", "limit"), 1) | {"job": "sweep"}
    explain: Callable[..., list[tuple[object, ...]]] = book.ledger._db.execute
    plan = [str(row[3]) for row in explain(f"EXPLAIN QUERY PLAN {queries()[name]}", values)]
    runs = [line for line in plan if "run" in line.split()]
    assert runs
    assert all(line.startswith("SEARCH") for line in runs), plan
    assert not any("TEMP B-TREE" in line for line in plan), plan


def test_a_gap_has_the_reason_it_was_entered_with(book: Book, past: Past) -> None:
    book.claim(gaps=(gap("11:00", "13:00", 3, Reason.OVERLAP),))
    (found,) = past.gaps(at("12:00"), at("12:01"))
    assert (found.state, found.reason, found.count) == ("skipped", "overlap", 3)
