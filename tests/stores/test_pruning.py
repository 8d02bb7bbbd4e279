"""What a pass over the account forgets, and what it never does."""

from __future__ import annotations

import sqlite3
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from datetime import datetime, timedelta
from pathlib import Path
from tempfile import TemporaryDirectory
from typing import Any

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from inisched.model.retention import Retention
from inisched.model.run import Fire, Gap, Outcome, Reason, State, Trigger
from inisched.stores import pieces
from inisched.stores.claims import Absence, Claimed
from inisched.stores.job_state import Beginning, JobState
from inisched.stores.ledger import Ledger, LedgerDown
from inisched.stores.pruning import Pruning
from inisched.stores.queries import queries
from inisched.timing.recurrence import Anchor
from stores.book import LOOK, Book, at, fire, gap

DAY = timedelta(days=1)
LATER = LOOK + timedelta(days=100)
ALL = Retention(history=timedelta(days=10_000), runs=10_000, output=timedelta(days=10_000))


def keeping(**changed: Any) -> Retention:
    """Everything is kept but for what is said."""
    usual = {"history": ALL.history, "runs": ALL.runs, "output": ALL.output}
    return Retention(**usual | changed)


def beginning(book: Book, keep: Retention, now: datetime = LATER) -> Pruning:
    return book.ledger.pruning(keep, now, stopwatch=lambda: 0.0)


def prune(book: Book, keep: Retention, now: datetime = LATER) -> tuple[int, int]:
    """A whole pass: how many rows and outputs have gone."""
    whole = beginning(book, keep, now)
    for _ in whole.steps():
        pass
    return whole.rows, whole.outputs


def _fire(job: JobState, when: datetime, trigger: Trigger = Trigger.SCHEDULE) -> Fire:
    return Fire(job=job.name, at=when, moved=when, trigger=trigger)


def run(
    book: Book,
    when: datetime,
    state: State = State.SUCCESS,
    *,
    trigger: Trigger = Trigger.SCHEDULE,
    stdout: bytes = b"",
    job: JobState | None = None,
    took: timedelta = timedelta(0),
) -> int:
    """A run that begins and ends at the moment, or later by so much."""
    job = job or book.job
    (claimed,) = book.claim(_fire(job, when, trigger), now=when, job=job)
    outcome = Outcome(state=state, stdout=stdout, stdout_total=len(stdout))
    book.ledger.finish(claimed, outcome, when + took)
    return claimed.run_id


def daily(book: Book, days: int, state: State = State.SUCCESS, **more: Any) -> list[int]:
    return [run(book, LOOK + number * DAY, state, **more) for number in range(days)]


def ids(book: Book) -> list[int]:
    return [row["id"] for row in book.rows()]


@contextmanager
def inside(book: Book) -> Iterator[sqlite3.Connection]:
    connection = sqlite3.connect(book.path)
    connection.row_factory = sqlite3.Row
    yield connection
    connection.commit()
    connection.close()


def stored(book: Book, query: str) -> list[tuple[Any, ...]]:
    with inside(book) as connection:
        return [tuple(row) for row in connection.execute(query)]


# -- by age


def test_a_run_goes_once_its_end_is_older_than_history_keep(book: Book) -> None:
    daily(book, 5)
    assert prune(book, keeping(history=2 * DAY), LOOK + 4 * DAY) == (2, 0)
    assert ids(book) == [3, 4, 5]


def test_a_run_that_ended_long_after_its_fire_is_as_old_as_its_end(book: Book) -> None:
    run(book, LOOK, took=3 * DAY)
    run(book, LOOK + DAY)
    run(book, LOOK + 4 * DAY)
    assert prune(book, keeping(history=2 * DAY), LOOK + 4 * DAY) == (1, 0)
    assert ids(book) == [1, 3]


def test_a_gap_goes_once_its_last_fire_is_older_than_history_keep(book: Book) -> None:
    book.claim(gaps=(gap("11:00", "12:00", 2),))
    book.claim(gaps=(gap("13:00", "17:00", 5, Reason.OVERLAP),))
    run(book, at("18:00"))
    assert prune(book, keeping(history=timedelta(hours=3)), at("18:30")) == (1, 0)
    assert ids(book) == [2, 3]


def test_an_old_gap_entered_late_goes_all_the_same(book: Book) -> None:
    run(book, at("18:00"))
    book.claim(gaps=(gap("11:00", "12:00", 2),))
    run(book, at("18:01"))
    assert prune(book, keeping(history=timedelta(hours=3)), at("18:30")) == (1, 0)
    assert ids(book) == [1, 3]


def test_a_skipped_fire_is_as_old_as_its_moment(book: Book) -> None:
    (waiting,) = book.claim(wait=(fire("11:00"),))
    book.ledger.skip(waiting.run_id, Reason.COALESCED, "")
    run(book, at("12:00"))
    assert prune(book, keeping(history=timedelta(0)), at("13:00")) == (1, 0)


# -- by number


def test_beyond_the_newest_of_a_job_the_older_rows_go(book: Book) -> None:
    daily(book, 20)
    assert prune(book, keeping(runs=3)) == (17, 0)
    assert ids(book) == [18, 19, 20]


def test_a_job_with_just_as_many_rows_as_are_kept_loses_none(book: Book) -> None:
    daily(book, 3)
    assert prune(book, keeping(runs=3)) == (0, 0)


def test_each_job_keeps_as_many_of_its_own(book: Book) -> None:
    other = book.seat("other")
    for number in range(4):
        run(book, LOOK + number * DAY)
        run(book, LOOK + number * DAY, job=other)
    assert prune(book, keeping(runs=2)) == (4, 0)
    assert [row["job"] for row in book.rows()] == ["sweep", "other", "sweep", "other"]


def test_a_job_found_to_have_few_is_counted_again_once_it_may_have_more(book: Book) -> None:
    spared: dict[int, int] = {}

    def again() -> int:
        whole = book.ledger.pruning(keeping(runs=5), LATER, stopwatch=lambda: 0.0, spared=spared)
        for _ in whole.steps():
            pass
        return whole.rows

    daily(book, 4)
    assert (again(), spared) == (0, {book.job.id: 5})
    run(book, LOOK + 4 * DAY)
    assert again() == 0
    run(book, LOOK + 5 * DAY)
    assert again() == 1


# -- what never goes


def test_the_newest_row_of_a_job_stays(book: Book) -> None:
    book.claim(gaps=(gap("11:00", "12:00", 2),))
    assert prune(book, keeping(history=timedelta(0))) == (0, 0)


@pytest.mark.parametrize(
    ("states", "kept"),
    [
        (("success", "failure", "interrupted", "stopped"), [1, 2, 4]),
        (("success", "success", "stopped", "stopped"), [2, 4]),
        (("warning", "timeout", "skipped", "skipped"), [1, 2, 4]),
        (("failure", "failure", "failure", "success"), [4]),
        (("failure", "stopped", "failure", "stopped"), [3, 4]),
    ],
)
def test_the_newest_that_ended_well_and_that_ended_by_itself_stay(
    book: Book, states: tuple[str, ...], kept: list[int]
) -> None:
    for number, state in enumerate(states):
        run(book, LOOK + number * DAY, State(state))
    prune(book, keeping(history=timedelta(0)))
    assert ids(book) == kept


def test_the_newest_that_was_started_stays(book: Book) -> None:
    run(book, LOOK, State.STOPPED)
    run(book, LOOK + DAY, State.STOPPED)
    book.claim(gaps=(gap("11:00", "12:00", 2),))
    prune(book, keeping(history=timedelta(0)))
    assert ids(book) == [2, 3]


def test_a_success_is_found_behind_any_number_of_failures(book: Book) -> None:
    run(book, LOOK)
    for number in range(1, 50):
        run(book, LOOK + number * DAY, State.FAILURE)
    prune(book, keeping(runs=1))
    assert ids(book) == [1, 50]


def test_what_waits_or_runs_stays(book: Book) -> None:
    book.claim(fire("11:00"), wait=(fire("12:00"),))
    run(book, at("13:00"))
    assert prune(book, keeping(history=timedelta(0), runs=1)) == (0, 0)


def test_an_open_fire_keeps_all_its_attempts(book: Book) -> None:
    (first,) = book.claim(fire("11:00"))
    failed = Outcome(state=State.FAILURE)
    second, _ = book.ledger.finish(first, failed, at("11:00"), again=at("11:01"))
    assert second is not None
    book.ledger.finish(second, failed, at("11:01"), again=LATER)
    for hour in ("12", "13", "14"):
        run(book, at(f"{hour}:00"))
    assert prune(book, keeping(history=timedelta(0))) == (2, 0)
    assert book.told("fire_at", "attempt") == [
        ("2026-11-21T11:00:00Z", 1),
        ("2026-11-21T11:00:00Z", 2),
        ("2026-11-21T11:00:00Z", 3),
        ("2026-11-21T14:00:00Z", 1),
    ]


def test_a_fire_that_lies_ahead_since_the_clock_was_set_back_keeps_its_row(book: Book) -> None:
    for hour in ("11", "12", "13", "14"):
        run(book, at(f"{hour}:00"))
    back = Absence(at("14:00"), at("11:30"), step=-timedelta(hours=2, minutes=30))
    book.ledger.set_clock(back, at("11:30"), [], [])
    assert prune(book, keeping(runs=1)) == (1, 0)
    assert ids(book) == [2, 3, 4]


def test_a_job_that_is_only_triggered_is_pruned_although_it_is_never_looked_at(book: Book) -> None:
    for number in range(3):
        when = LOOK + number * DAY
        entry = book.ledger.enter(book.job, _fire(book.job, when, Trigger.MANUAL), when)
        book.ledger.begin([entry], when)
        book.ledger.finish(entry, Outcome(state=State.SUCCESS), when)
    assert prune(book, keeping(runs=1)) == (2, 0)


# -- uniqueness


def test_the_fires_of_pruned_runs_count_as_done_for_ever(book: Book) -> None:
    daily(book, 5)
    prune(book, keeping(runs=2))
    assert book.ledger.jobs()["sweep"].pruned == (LOOK, LOOK + 2 * DAY)


def test_the_stretch_of_pruned_runs_only_grows(book: Book) -> None:
    daily(book, 5)
    prune(book, keeping(runs=4))
    assert book.ledger.jobs()["sweep"].pruned == (LOOK, LOOK)
    prune(book, keeping(runs=2))
    assert book.ledger.jobs()["sweep"].pruned == (LOOK, LOOK + 2 * DAY)


def test_a_pruned_fire_does_not_run_again_when_the_clock_is_set_back_behind_it(book: Book) -> None:
    daily(book, 5)
    prune(book, keeping(runs=2))
    back = Absence(LOOK + 4 * DAY, LOOK - DAY, step=-5 * DAY)
    book.ledger.set_clock(back, LOOK - DAY, [], [])
    ahead = book.ledger.jobs()["sweep"].ahead
    assert all(LOOK + number * DAY in ahead for number in range(5))
    assert LOOK + 5 * DAY not in ahead


@pytest.mark.parametrize("trigger", [Trigger.MANUAL, Trigger.START])
def test_what_somebody_asked_for_is_no_fire_of_the_rhythm(book: Book, trigger: Trigger) -> None:
    daily(book, 3, trigger=trigger)
    assert prune(book, keeping(runs=1)) == (2, 0)
    assert book.ledger.jobs()["sweep"].pruned is None


def test_nothing_is_deleted_where_its_fires_cannot_be_remembered(
    book: Book, monkeypatch: pytest.MonkeyPatch
) -> None:
    daily(book, 3)
    monkeypatch.setitem(queries(), "widen_pruned", "UPDATE nowhere SET x = :job_id")
    with pytest.raises(LedgerDown):
        prune(book, keeping(runs=1))
    assert ids(book) == [1, 2, 3]


# -- output


def test_output_goes_once_its_run_ended_longer_ago_than_output_keep(book: Book) -> None:
    daily(book, 4, stdout=b"text")
    assert prune(book, keeping(output=DAY), LOOK + 3 * DAY) == (0, 2)
    assert stored(book, "SELECT run_id FROM output") == [(3,), (4,)]
    assert ids(book) == [1, 2, 3, 4]


def test_output_of_a_row_that_stays_for_good_goes_too(book: Book) -> None:
    run(book, LOOK, stdout=b"text")
    assert prune(book, keeping(history=timedelta(0), output=timedelta(0))) == (0, 1)
    assert ids(book) == [1]


def test_output_of_a_run_behind_one_that_took_long_goes(book: Book) -> None:
    run(book, LOOK, stdout=b"text", took=3 * DAY)
    run(book, LOOK + DAY, stdout=b"text")
    assert prune(book, keeping(output=DAY), LOOK + 3 * DAY) == (0, 1)
    assert stored(book, "SELECT run_id FROM output") == [(1,)]


def test_output_behind_a_run_of_a_clock_that_was_wrong_goes(book: Book) -> None:
    run(book, LOOK + 36_500 * DAY, stdout=b"text")
    run(book, LOOK, stdout=b"text")
    assert prune(book, keeping(output=DAY), LOOK + 3 * DAY) == (0, 1)


def test_a_deleted_row_takes_its_output_along_which_is_not_counted(book: Book) -> None:
    daily(book, 3, stdout=b"text")
    assert prune(book, keeping(runs=1)) == (2, 0)
    assert stored(book, "SELECT run_id FROM output") == [(3,)]


def test_no_more_than_a_mebibyte_of_output_goes_at_a_time(book: Book) -> None:
    daily(book, 4, stdout=b"x" * 600_000)
    whole = beginning(book, keeping(output=timedelta(0)))
    counts = sorted({whole.outputs for _ in whole.steps()})
    assert counts == [0, 1, 2, 3, 4]


# -- everything else


def test_old_lives_go_but_for_the_newest(book: Book) -> None:
    for number in range(3):
        book.ledger.open_life(number, "host", LOOK + number * DAY)
    prune(book, keeping(history=timedelta(0)))
    assert stored(book, "SELECT pid FROM daemon") == [(2,)]


def test_a_life_of_late_stays(book: Book) -> None:
    for number in range(3):
        book.ledger.open_life(number, "host", LOOK + number * DAY)
    prune(book, keeping(history=DAY), LOOK + 2 * DAY)
    assert stored(book, "SELECT pid FROM daemon") == [(1,), (2,)]


def test_old_absences_go(book: Book) -> None:
    for number in range(3):
        since = LOOK + number * DAY
        book.ledger.was_away(Absence(since, since + timedelta(hours=1)))
    prune(book, keeping(history=2 * DAY), LOOK + 3 * DAY)
    assert stored(book, "SELECT id FROM absence") == [(2,), (3,)]


def test_old_rests_go_but_for_those_that_last(book: Book) -> None:
    book.seat("other")
    anew = [Beginning("sweep", "meant", Anchor(LOOK), LOOK)]
    book.ledger.seat([], LOOK, resting={"sweep": "removed", "other": "removed"})
    book.ledger.seat(anew, LOOK + DAY)
    prune(book, keeping(history=timedelta(0)))
    assert stored(book, "SELECT name, reason FROM rest JOIN job ON job.id = job_id") == [
        ("other", "removed")
    ]


def test_a_rest_that_reaches_into_what_is_kept_stays(book: Book) -> None:
    anew = Beginning("sweep", "meant", Anchor(LOOK), LOOK + 2 * DAY)
    book.ledger.seat([], LOOK, resting={"sweep": "inactive"})
    book.ledger.seat([anew], LOOK + 2 * DAY)
    prune(book, keeping(history=DAY), LOOK + 2 * DAY)
    assert stored(book, "SELECT reason FROM rest") == [("inactive",)]


def test_a_whole_pass_is_remembered(book: Book) -> None:
    assert book.ledger.last_pruned() is None
    prune(book, ALL, LATER)
    assert book.ledger.last_pruned() == LATER


def test_a_file_that_is_mostly_free_becomes_smaller(book: Book) -> None:
    daily(book, 40, stdout=b"x" * 65_536)
    before = stored(book, "SELECT page_count FROM pragma_page_count")[0][0]
    prune(book, keeping(output=timedelta(0)))
    after = stored(book, "SELECT page_count FROM pragma_page_count")[0][0]
    assert before > 600
    assert after < 350


# -- piece by piece


def test_a_piece_begins_small_and_grows_to_five_hundred_rows_while_it_is_quick(
    book: Book,
) -> None:
    for number in range(1600):
        run(book, LOOK + number * timedelta(minutes=1), trigger=Trigger.MANUAL)
    whole = beginning(book, keeping(runs=1))
    counts = sorted({whole.rows for _ in whole.steps()})
    assert counts == [0, 16, 48, 112, 240, 496, 996, 1496, 1599]


def test_a_piece_becomes_smaller_where_it_took_long(book: Book) -> None:
    ticks = iter(range(10_000))
    for number in range(50):
        run(book, LOOK + number * DAY)
    whole = book.ledger.pruning(keeping(runs=1), LATER, stopwatch=lambda: float(next(ticks)))
    counts = sorted({whole.rows for _ in whole.steps()})
    assert counts == [0, 16, 32, 48, 49]


def test_a_pass_may_be_left_in_the_middle(book: Book) -> None:
    daily(book, 40)
    steps = beginning(book, keeping(runs=1)).steps()
    assert any(steps)
    assert len(ids(book)) == 24
    assert prune(book, keeping(runs=1)) == (23, 0)


@pytest.mark.parametrize(
    ("query", "index"),
    [
        ("row_down", "run_of_job"),
        ("number_down", "run_of_job"),
        ("rows_down", "run_of_job"),
        ("rows_beyond", "run_of_job"),
        ("rows_before", "sqlite_autoindex_run_1"),
        ("open_fires", "run_open"),
        ("outputs_after", "PRIMARY KEY"),
        ("jobs_after", "PRIMARY KEY"),
    ],
)
def test_a_look_goes_by_an_index_and_sorts_nothing(book: Book, query: str, index: str) -> None:
    named = dict.fromkeys(("id", "job_id", "n", "last", "before", "fire_at", "era", "attempt"), 1)
    with inside(book) as connection:
        plan = connection.execute(f"EXPLAIN QUERY PLAN {queries()[query]}", named).fetchall()
    told = [row["detail"] for row in plan]
    assert index in told[0]
    assert not any("TEMP B-TREE" in line for line in told)


# -- whatever has happened

OPEN = ("waiting", "running")


class Story:
    """Two jobs, one after another fire, end and gap; `book` holds what came of it."""

    def __init__(self, folder: Path) -> None:
        ledger = Ledger(folder / "x.db", full=False)
        state = ledger.seat([Beginning("sweep", "meant", Anchor(LOOK), LOOK)], LOOK)["sweep"]
        self.book = Book(folder / "x.db", ledger, state)
        self.jobs = [state, self.book.seat("other")]
        self.now = LOOK
        self.open: list[Claimed] = []

    def do(self, act: str, job: JobState, hours: int) -> None:
        self.now += timedelta(hours=hours, minutes=1)
        getattr(self, f"_{act}")(job)

    def _fire(self, job: JobState) -> None:
        self.open += self.book.claim(self._now(job), now=self.now, job=job)

    def _wait(self, job: JobState) -> None:
        self.open += self.book.claim(wait=(self._now(job),), now=self.now, job=job)

    def _ask(self, job: JobState) -> None:
        ahead = self.now + timedelta(hours=30)
        self.open.append(self.book.ledger.enter(job, _fire(job, ahead, Trigger.MANUAL), self.now))

    def _now(self, job: JobState) -> Fire:
        return _fire(job, self.now)

    def _gap(self, job: JobState) -> None:
        first = self.now - timedelta(hours=20)
        last = first + timedelta(hours=5)
        told = Gap(job=job.name, first=first, last=last, count=3, reason=Reason.MISFIRE)
        self.book.claim(gaps=(told,), now=self.now, job=job)

    def _end(self, job: JobState, state: State = State.SUCCESS, again: bool = False) -> None:
        mine = [entry for entry in self.open if entry.fire.job == job.name]
        if not mine:
            return
        self.open.remove(mine[0])
        later = self.now + timedelta(hours=1) if again else None
        outcome = Outcome(state=state, stdout=b"text", stdout_total=4)
        retry, _ = self.book.ledger.finish(mine[0], outcome, self.now, again=later)
        self.open += [retry] if retry else []

    def _fail(self, job: JobState) -> None:
        self._end(job, State.FAILURE)

    def _retry(self, job: JobState) -> None:
        self._end(job, State.FAILURE, again=True)

    def _stop(self, job: JobState) -> None:
        self._end(job, State.STOPPED)

    def rows(self) -> list[dict[str, Any]]:
        """Everything there is to know of each row, oldest first."""
        query = """SELECT run.*, job.looked, output.run_id IS NOT NULL AS told FROM run
                   JOIN job ON job.id = job_id LEFT JOIN output ON run_id = run.id
                   ORDER BY run.id"""
        with inside(self.book) as connection:
            return [dict(row) for row in connection.execute(query)]


def ms(duration: timedelta) -> int:
    return duration // timedelta(milliseconds=1)


def goes(row: dict[str, Any], rows: list[dict[str, Any]], now: int, keep: Retention) -> bool:
    """Whether the row need not be kept, by the words of the reference."""
    mine = [other for other in rows if other["job_id"] == row["job_id"]]
    newer = [other for other in mine if other["id"] > row["id"]]
    ended = max(row["fire_at"], row["ended_at"] or row["fire_until"] or row["fire_at"])
    if ended >= now - ms(keep.history) and len(newer) < keep.runs:
        return False
    fire = [other for other in mine if other["fire_at"] == row["fire_at"]]
    if not newer or any(other["state"] in OPEN for other in fire):
        return False
    merits: list[Callable[[dict[str, Any]], bool]] = [
        lambda one: one["started_at"] is not None,
        lambda one: one["state"] in ("success", "warning"),
        lambda one: one["state"] in ("success", "warning", "failure", "timeout"),
    ]
    return not any(merit(row) and not any(map(merit, newer)) for merit in merits)


ACTS = ("fire", "wait", "ask", "gap", "end", "end", "fail", "retry", "stop", "prune")
STEP = st.tuples(st.sampled_from(ACTS), st.integers(0, 1), st.integers(0, 40))
KEEP = st.builds(
    Retention,
    history=st.integers(0, 200).map(lambda hours: timedelta(hours=hours)),
    runs=st.integers(1, 8),
    output=st.integers(0, 100).map(lambda hours: timedelta(hours=hours)),
)


@settings(max_examples=100, deadline=None)
@given(steps=st.lists(STEP, min_size=10, max_size=60), keep=KEEP)
def test_just_what_need_not_be_kept_goes_whatever_has_happened(
    steps: list[tuple[str, int, int]], keep: Retention
) -> None:
    with TemporaryDirectory() as folder, pytest.MonkeyPatch.context() as patch:
        patch.setattr(pieces, "LEAST", 1)
        patch.setattr(pieces, "MOST", 3)
        story = Story(Path(folder))
        for act, job, hours in [*steps, ("prune", 0, 1)]:
            if act != "prune":
                story.do(act, story.jobs[job], hours)
                continue
            before, now = story.rows(), ms(story.now - datetime.fromtimestamp(0, LOOK.tzinfo))
            left = [row for row in before if not goes(row, before, now, keep)]
            young = now - ms(keep.output)
            told = [row["id"] for row in left if row["told"] and row["ended_at"] >= young]
            prune(story.book, keep, story.now)
            assert [row["id"] for row in story.rows()] == [row["id"] for row in left]
            assert [row["id"] for row in story.rows() if row["told"]] == told
            assert prune(story.book, keep, story.now) == (0, 0)
        story.book.ledger.close()
