"""The account: each fire claimed once, gaps that grow, ends that are noted, trouble that is said."""

from __future__ import annotations

import resource
import sqlite3
from collections.abc import Callable
from datetime import datetime, timedelta

import pytest
from msgspec.structs import replace

from inisched.model.run import Fire, Outcome, Reason, State, Trigger
from inisched.stores.claims import Claimed, OpenRun, Take
from inisched.stores.history import COLUMNS
from inisched.stores.job_state import Beginning, JobState
from inisched.stores.ledger import Ledger, LedgerDown
from inisched.stores.life import Life
from inisched.timing.recurrence import Anchor
from stores.book import LOOK, Book, at, fire, gap

DONE = Outcome(state=State.SUCCESS, exit_code=0)


# -- jobs


def test_a_seated_job_is_remembered_with_its_rhythm(book: Book) -> None:
    anchor = Anchor(at("06:00"), inclusive=True)
    given = book.ledger.seat([Beginning("report", "meant", anchor, at("05:59:59.999"))], LOOK)
    expected = JobState(
        id=2,
        name="report",
        meaning="meant",
        anchor=anchor,
        looked=at("05:59:59.999"),
        ended=None,
        era=0,
        judged=None,
        resting=False,
        stale=False,
    )
    assert given == {"report": expected}
    assert book.ledger.jobs()["report"] == expected


def test_a_job_whose_meaning_changed_begins_afresh_under_its_id(book: Book) -> None:
    state = book.ledger.seat([Beginning("sweep", "other", Anchor(at("12:00")), at("12:00"))], LOOK)
    assert (state["sweep"].id, state["sweep"].meaning) == (book.job.id, "other")
    assert (state["sweep"].anchor, state["sweep"].looked) == (Anchor(at("12:00")), at("12:00"))


def test_what_was_found_of_a_callback_is_remembered(book: Book) -> None:
    book.ledger.judged({"sweep": "good", "never seated": "bad"})
    jobs = book.ledger.jobs()
    assert {name: state.judged for name, state in jobs.items()} == {
        "sweep": "good",
        "never seated": "bad",
    }
    assert jobs["never seated"].anchor is None


# -- claiming


def test_a_claimed_fire_has_its_row_before_it_runs(book: Book) -> None:
    (claimed,) = book.claim(fire("11:00"), now=at("11:00:00.25"))
    assert (claimed.run_id, claimed.fire, claimed.start) == (1, fire("11:00"), True)
    assert book.told("id", "fire_at", "state", "trigger", "started_at") == [
        (1, "2026-11-21T11:00:00Z", "running", "schedule", "2026-11-21T11:00:00.250Z")
    ]


def test_a_fire_that_waits_has_a_row_too(book: Book) -> None:
    (claimed,) = book.claim(wait=(fire("11:00"),))
    assert claimed.start is False
    assert book.told("state", "started_at") == [("waiting", None)]


def test_a_fire_is_claimed_once(book: Book) -> None:
    book.claim(fire("11:00"))
    assert book.claim(fire("11:00"), fire("12:00"))[0].fire == fire("12:00")
    assert book.told("fire_at") == [("2026-11-21T11:00:00Z",), ("2026-11-21T12:00:00Z",)]


def test_a_fire_taken_up_late_is_not_claimed_beside_its_timely_self(book: Book) -> None:
    book.claim(fire("11:00"))
    assert book.claim(wait=(fire("11:00", Trigger.CATCHUP),)) == []


def test_two_jobs_may_fire_at_one_moment(book: Book) -> None:
    other = book.seat("other")
    book.claim(fire("11:00"))
    book.claim(fire("11:00", job="other"), job=other)
    assert book.told("job") == [("sweep",), ("other",)]


def test_claiming_notes_how_far_was_looked(book: Book) -> None:
    book.claim(now=at("11:30"))
    assert book.ledger.jobs()["sweep"].looked == at("11:30")


@pytest.mark.parametrize("trigger", [Trigger.MANUAL, Trigger.THEN, Trigger.START])
def test_a_fire_without_schedule_moves_by_a_millisecond_until_it_is_free(
    book: Book, trigger: Trigger
) -> None:
    book.claim(fire("11:00"))
    claimed = book.claim(fire("11:00", trigger), fire("11:00", trigger))
    assert [entry.fire for entry in claimed] == [
        fire("11:00:00.001", trigger),
        fire("11:00:00.002", trigger),
    ]
    assert book.told("fire_at") == [
        ("2026-11-21T11:00:00Z",),
        ("2026-11-21T11:00:00.001Z",),
        ("2026-11-21T11:00:00.002Z",),
    ]


def test_a_jittered_fire_is_shown_where_it_was_moved_to(book: Book) -> None:
    book.claim(Fire(job="sweep", at=at("11:00"), moved=at("11:04:30")))
    assert book.told("fire_at") == [("2026-11-21T11:04:30Z",)]
    assert book.ledger.open_runs()[0].claimed.fire.at == at("11:00")


# -- gaps


def test_a_gap_is_one_row_with_its_count(book: Book) -> None:
    book.claim(gaps=(gap("11:00", "13:00", 3),))
    columns = ("fire_at", "fire_until", "count", "state", "reason", "message")
    assert book.told(*columns) == [
        ("2026-11-21T11:00:00Z", "2026-11-21T13:00:00Z", 3, "skipped", "misfire", "")
    ]


def test_a_gap_of_one_fire_ends_where_it_begins(book: Book) -> None:
    book.claim(gaps=(gap("11:00", "11:00", 1),))
    assert book.told("fire_at", "fire_until", "count") == [
        ("2026-11-21T11:00:00Z", "2026-11-21T11:00:00Z", 1)
    ]


def test_a_lower_bound_says_so(book: Book) -> None:
    book.claim(gaps=(gap("11:00", "13:00", 100_000, exact=False),))
    assert book.told("count", "message") == [(100_000, "at least 100000 fires")]


def test_a_gap_grows_in_place(book: Book) -> None:
    book.claim(gaps=(gap("11:00", "13:00", 3),))
    book.claim(gaps=(gap("14:00", "15:00", 2),))
    assert book.told("fire_at", "fire_until", "count") == [
        ("2026-11-21T11:00:00Z", "2026-11-21T15:00:00Z", 5)
    ]


def test_a_gap_grows_until_its_reason_changes(book: Book) -> None:
    book.claim(gaps=(gap("11:00", "11:00", 1, Reason.OVERLAP),))
    book.claim(gaps=(gap("12:00", "12:00", 1),))
    book.claim(gaps=(gap("13:00", "13:00", 1, Reason.OVERLAP),))
    assert book.told("reason", "count") == [("overlap", 1), ("misfire", 1), ("overlap", 1)]


def test_a_gap_grows_until_a_run_starts(book: Book) -> None:
    book.claim(gaps=(gap("11:00", "11:00", 1, Reason.OVERLAP),))
    book.claim(fire("12:00"))
    book.claim(gaps=(gap("13:00", "13:00", 1, Reason.OVERLAP),))
    assert book.told("state", "count") == [("skipped", 1), ("running", 1), ("skipped", 1)]


def test_a_gap_grows_until_an_older_fire_that_waited_starts(book: Book) -> None:
    (waiting,) = book.claim(wait=(fire("11:00"),))
    book.claim(gaps=(gap("12:00", "12:00", 1, Reason.OVERLAP),))
    book.ledger.begin([waiting], at("12:30"))
    for clock in ("13:00", "14:00"):
        book.claim(gaps=(gap(clock, clock, 1, Reason.OVERLAP),))
    assert book.told("state", "count") == [("running", 1), ("skipped", 1), ("skipped", 2)]


def test_a_skipped_run_is_no_gap_that_could_grow(book: Book) -> None:
    (waiting,) = book.claim(wait=(fire("11:00"),))
    book.ledger.skip(waiting.run_id, Reason.OVERLAP, "")
    book.claim(gaps=(gap("12:00", "12:00", 1, Reason.OVERLAP),))
    assert book.told("fire_at", "count") == [
        ("2026-11-21T11:00:00Z", 1),
        ("2026-11-21T12:00:00Z", 1),
    ]


def test_gaps_of_two_jobs_grow_apart(book: Book) -> None:
    other = book.seat("other")
    for clock in ("11:00", "12:00"):
        book.claim(gaps=(gap(clock, clock, 1),))
        book.claim(gaps=(gap(clock, clock, 1),), job=other)
    assert book.told("job", "count") == [("sweep", 2), ("other", 2)]


def test_a_coalesced_gap_names_the_run_it_went_into(book: Book) -> None:
    book.claim(fire("13:00", Trigger.CATCHUP), gaps=(gap("11:00", "12:00", 2, Reason.COALESCED),))
    assert book.told("id", "state", "count", "message") == [
        (1, "skipped", 2, "coalesced into run 2"),
        (2, "running", 1, ""),
    ]


# -- runs


def test_a_waiting_fire_begins(book: Book) -> None:
    (waiting,) = book.claim(wait=(fire("11:00"),))
    book.ledger.begin([waiting], at("11:05"))
    assert book.told("state", "started_at") == [("running", "2026-11-21T11:05:00Z")]


def test_only_a_waiting_fire_begins(book: Book) -> None:
    (running,) = book.claim(fire("11:00"), now=at("11:00"))
    book.ledger.begin([running], at("11:05"))
    assert book.told("started_at") == [("2026-11-21T11:00:00Z",)]


def test_an_end_is_noted_with_its_outcome(book: Book) -> None:
    (run,) = book.claim(fire("11:00"), now=at("11:00"))
    ending = Outcome(state=State.SKIPPED, exit_code=0, message="no news", reason=Reason.SKIP)
    book.ledger.finish(run, ending, at("11:00:02.5"))
    columns = ("state", "reason", "ended_at", "duration_s", "exit_code", "message")
    assert book.told(*columns) == [
        ("skipped", "skip", "2026-11-21T11:00:02.500Z", 2.5, 0, "no news")
    ]


def test_an_end_is_remembered_of_the_job(book: Book) -> None:
    (run,) = book.claim(fire("11:00"))
    book.ledger.finish(run, DONE, at("11:07"))
    assert book.ledger.jobs()["sweep"].ended == at("11:07")


def test_a_fire_that_will_not_run_says_why(book: Book) -> None:
    (waiting,) = book.claim(wait=(fire("11:00"),))
    book.ledger.skip(waiting.run_id, Reason.REMOVED, "the job is no longer in the file")
    assert book.told("state", "reason", "message", "ended_at") == [
        ("skipped", "removed", "the job is no longer in the file", None)
    ]


def test_a_run_under_way_is_not_skipped(book: Book) -> None:
    (running,) = book.claim(fire("11:00"))
    book.ledger.skip(running.run_id, Reason.REMOVED, "")
    assert book.told("state") == [("running",)]


def test_what_was_left_open_is_found_again_oldest_first(book: Book) -> None:
    ended, running = book.claim(fire("11:00"), fire("12:00"))
    book.claim(wait=(fire("13:00", Trigger.CATCHUP),))
    book.ledger.note_processes({running.run_id: (4711, 99)})
    book.ledger.finish(ended, DONE, at("12:01"))
    book.ledger.close()

    ledger = Ledger(book.path)

    left = [
        Claimed(run_id=2, fire=fire("12:00"), taken_at=LOOK),
        Claimed(run_id=3, fire=fire("13:00", Trigger.CATCHUP), taken_at=LOOK),
    ]
    assert ledger.open_runs() == [
        OpenRun(left[0], State.RUNNING, 4711, 99),
        OpenRun(left[1], State.WAITING, None, None),
    ]
    ledger.close()


# -- the daemon's own life


def test_a_life_is_open_until_it_closes_in_order(book: Book) -> None:
    book.ledger.open_life(4711, "host", at("11:00"))
    book.ledger.beat(at("11:01"))
    alive = book.ledger.last_life()
    book.ledger.close_life(at("11:02"))
    assert [alive, book.ledger.last_life()] == [
        Life(4711, "host", at("11:00"), at("11:01"), None),
        Life(4711, "host", at("11:00"), at("11:02"), at("11:02")),
    ]


def test_a_ledger_without_lives_has_no_last_one(book: Book) -> None:
    assert book.ledger.last_life() is None


# -- the public view


def test_the_view_has_the_columns_of_the_history_and_the_era(book: Book) -> None:
    with sqlite3.connect(book.path) as connection:
        columns = [column[0] for column in connection.execute("SELECT * FROM v_runs").description]
    connection.close()
    assert columns == [
        "id", "job", "fire_at", "fire_until", "count", "state", "reason", "trigger", "attempt",
        "started_at", "ended_at", "duration_s", "exit_code", "message", "period_start",
        "period_end", "override", "era",
    ]  # fmt: skip
    assert columns == [*COLUMNS, "era"]


@pytest.mark.parametrize(
    ("moment", "text"),
    [
        ("2026-11-21T11:00:00+00:00", "2026-11-21T11:00:00Z"),
        ("2026-11-21T11:00:00.001+00:00", "2026-11-21T11:00:00.001Z"),
        ("2026-11-21T11:00:59.999+00:00", "2026-11-21T11:00:59.999Z"),
        ("2026-11-21T11:00:59.999999+00:00", "2026-11-21T11:00:59.999Z"),
        ("2026-11-21T12:00:00+01:00", "2026-11-21T11:00:00Z"),
        ("1970-01-01T00:00:00+00:00", "1970-01-01T00:00:00Z"),
        ("9998-12-31T23:59:59.999+00:00", "9998-12-31T23:59:59.999Z"),
    ],
)
def test_moments_of_the_view_are_utc_to_the_millisecond(book: Book, moment: str, text: str) -> None:
    when = datetime.fromisoformat(moment)
    book.claim(Fire(job="sweep", at=when, moved=when))
    assert book.told("fire_at") == [(text,)]


def test_a_gap_takes_the_moment_of_a_fire_somebody_asked_for(book: Book) -> None:
    book.ledger.enter(book.job, fire("11:00", Trigger.MANUAL), LOOK)
    book.claim(gaps=(gap("11:00", "12:00", 2),))
    assert [(row["fire_at"], row["count"]) for row in book.rows()] == [
        ("2026-11-21T11:00:00.001Z", 1),
        ("2026-11-21T11:00:00Z", 2),
    ]


# -- trouble

Writing = Callable[[Ledger, JobState], object]
WRITES: dict[str, Writing] = {
    "seat": lambda ledger, job: ledger.seat([Beginning("new", "", Anchor(LOOK), LOOK)], LOOK),
    "judged": lambda ledger, job: ledger.judged({"sweep": "good"}),
    "claim": lambda ledger, job: ledger.claim([Take(job, LOOK, [fire("11:00")])], LOOK),
    "begin": lambda ledger, job: ledger.begin(
        [Claimed(run_id=1, fire=fire("11:00"), taken_at=LOOK)], LOOK
    ),
    "note_processes": lambda ledger, job: ledger.note_processes({1: (2, 3)}),
    "finish": lambda ledger, job: ledger.finish(
        Claimed(run_id=1, fire=fire("11:00"), taken_at=LOOK), DONE, LOOK
    ),
    "skip": lambda ledger, job: ledger.skip(1, Reason.REMOVED, ""),
    "open_life": lambda ledger, job: ledger.open_life(1, "host", LOOK),
    "beat": lambda ledger, job: ledger.beat(LOOK),
    "close_life": lambda ledger, job: ledger.close_life(LOOK),
}
READS: dict[str, Writing] = {
    "id": lambda ledger, job: ledger.id,
    "jobs": lambda ledger, job: ledger.jobs(),
    "open_runs": lambda ledger, job: ledger.open_runs(),
    "last_life": lambda ledger, job: ledger.last_life(),
}


@pytest.mark.parametrize("name", WRITES)
def test_a_locked_database_is_said(book: Book, name: str) -> None:
    book.ledger._db.execute("PRAGMA busy_timeout = 0")  # a test need not wait five seconds
    other = sqlite3.connect(book.path, isolation_level=None)
    other.execute("BEGIN IMMEDIATE")
    with pytest.raises(LedgerDown, match=r"\Adatabase is locked\Z"):
        WRITES[name](book.ledger, book.job)
    other.close()


@pytest.mark.parametrize("name", READS)
def test_reading_does_not_mind_a_lock(book: Book, name: str) -> None:
    book.ledger._db.execute("PRAGMA busy_timeout = 0")
    other = sqlite3.connect(book.path, isolation_level=None)
    other.execute("BEGIN IMMEDIATE")
    READS[name](book.ledger, book.job)
    other.close()


@pytest.mark.parametrize("name", [*WRITES, *READS])
def test_a_broken_database_is_said(book: Book, name: str) -> None:
    book.ledger.open_life(1, "host", LOOK)
    book.ledger._db.execute("PRAGMA wal_checkpoint(TRUNCATE)")
    book.ledger._db.execute("PRAGMA shrink_memory")
    with open(book.path, "r+b") as file:
        file.seek(4096)
        file.write(b"\xaa" * (book.path.stat().st_size - 4096))
    book.ledger._grip.note_written()  # as if a disk had gone bad, with nobody having written
    with pytest.raises(LedgerDown, match=r"\Adatabase disk image is malformed\Z"):
        (WRITES | READS)[name](book.ledger, book.job)


def test_when_the_lock_is_gone_the_ledger_goes_on(book: Book) -> None:
    book.ledger._db.execute("PRAGMA busy_timeout = 0")
    other = sqlite3.connect(book.path, isolation_level=None)
    other.execute("BEGIN IMMEDIATE")
    with pytest.raises(LedgerDown):
        book.claim(fire("11:00"))
    other.execute("ROLLBACK")
    other.close()
    assert len(book.claim(fire("11:00"))) == 1


def test_a_claim_that_fails_half_way_has_not_happened(book: Book) -> None:
    nobody = replace(book.job, id=99, name="x")
    takes = [
        Take(book.job, at("11:00"), [fire("11:00")]),
        Take(nobody, at("11:00"), [fire("11:00", job="x")]),
    ]
    with pytest.raises(LedgerDown, match=r"\AFOREIGN KEY constraint failed\Z"):
        book.ledger.claim(takes, at("11:00"))
    assert book.rows() == []
    assert book.ledger.jobs()["sweep"].looked == LOOK


def test_a_full_disk_is_said_and_gone_when_there_is_room_again(book: Book) -> None:
    full = book.path.with_name("x.db-wal").stat().st_size
    before = resource.getrlimit(resource.RLIMIT_FSIZE)
    resource.setrlimit(resource.RLIMIT_FSIZE, (full, before[1]))
    try:
        with pytest.raises(LedgerDown):
            book.claim(fire("11:00"))
    finally:
        resource.setrlimit(resource.RLIMIT_FSIZE, before)
    assert book.rows() == []
    assert len(book.claim(fire("11:00"), now=LOOK + timedelta(hours=1))) == 1
    assert book.told("state") == [("running",)]


# -- attempts and rest


def test_a_next_attempt_is_entered_with_the_end_before_it(book: Book) -> None:
    (run,) = book.claim(fire("11:00"))
    failed = Outcome(state=State.FAILURE, exit_code=1)
    retry, _ = book.ledger.finish(run, failed, at("11:00:05"), again=at("11:01:05"))
    assert retry is not None
    assert (retry.attempt, retry.not_before) == (2, at("11:01:05"))
    assert book.told("state", "trigger", "attempt", "fire_at") == [
        ("failure", "schedule", 1, "2026-11-21T11:00:00Z"),
        ("waiting", "retry", 2, "2026-11-21T11:00:00Z"),
    ]


def test_a_job_ends_with_its_last_attempt(book: Book) -> None:
    (run,) = book.claim(fire("11:00"))
    failed = Outcome(state=State.FAILURE, exit_code=1)
    retry, _ = book.ledger.finish(run, failed, at("11:00:05"), again=at("11:01:05"))
    assert book.ledger.jobs()["sweep"].ended is None
    assert retry is not None
    book.ledger.finish(retry, DONE, at("11:02"))
    assert book.ledger.jobs()["sweep"].ended == at("11:02")


def test_a_cancelled_attempt_is_stopped(book: Book) -> None:
    (waiting,) = book.claim(wait=(fire("11:00"),))
    book.ledger.cancel(waiting.run_id, None, "stopped by ada", at("11:05"))
    assert book.told("state", "message", "ended_at") == [
        ("stopped", "stopped by ada", "2026-11-21T11:05:00Z")
    ]


def test_a_fire_asked_for_later_waits_for_its_moment(book: Book) -> None:
    entered = book.ledger.enter(book.job, fire("12:00", Trigger.MANUAL), at("11:00"))
    assert entered.not_before == at("12:00")


def test_a_job_rests_until_it_is_seated_again(book: Book) -> None:
    book.ledger.seat([], LOOK, resting={"sweep": "removed"})
    assert book.ledger.jobs()["sweep"].resting is True
    assert book.seat("sweep").resting is False
