"""Switches in the ledger: the last one wins, and all of them are in the audit."""

from __future__ import annotations

from datetime import datetime, timedelta

import pytest

from inisched.stores.claims import Absence, Held
from inisched.stores.history import History
from inisched.stores.job_state import Beginning
from inisched.stores.ledger import Ledger, LedgerDown
from inisched.stores.switches import (
    ENABLED,
    PAUSED,
    SCHEDULE,
    FormerRhythm,
    Hold,
    Mark,
    Release,
    Switch,
    Switches,
)
from inisched.timing.recurrence import Anchor
from stores.book import LOOK, Book, at

HOURLY = {"every": "hour"}


def by(who: str, clock: str = "10:00", note: str = "") -> Mark:
    return Mark(who, at(clock), note)


def switches(book: Book) -> Switches:
    return book.ledger.switches


def audit(book: Book, job: str | None = None) -> list[tuple[object, ...]]:
    """Oldest first: who did what to which job, and what else there is to say."""
    history = History(book.path)
    try:
        entries = history.audit(job)[::-1]
    finally:
        history.close()
    return [(e.by, e.action, e.job, e.detail, e.note) for e in entries]


# -- what a switch is


def test_where_nothing_was_switched_there_is_nothing(book: Book) -> None:
    assert switches(book).all() == {}
    assert switches(book).held() is None
    assert audit(book) == []


def test_a_disabled_job_says_who_when_and_why(book: Book) -> None:
    mark = by("ann", note="the disk is full")
    switches(book).disable("sweep", mark)
    assert switches(book).all() == {
        "sweep": Switch(job="sweep", enabled=False, enabled_from=at("10:00"), marks={ENABLED: mark})
    }


def test_the_last_switch_wins(book: Book) -> None:
    switches(book).disable("sweep", by("ann"))
    switches(book).enable("sweep", by("bob", "10:05"))
    switch = switches(book).all()["sweep"]
    assert (switch.enabled, switch.marks[ENABLED]) == (True, by("bob", "10:05"))


def test_every_switch_is_in_the_audit(book: Book) -> None:
    switches(book).disable("sweep", by("ann", note="full"))
    switches(book).enable("sweep", by("bob"))
    switches(book).pause("sweep", at("12:00"), by("ann"))
    switches(book).resume("sweep", by("bob", "11:00"))
    switches(book).reschedule("sweep", HOURLY, "hour", by("ann"))
    switches(book).unschedule("sweep", by("bob"))
    switches(book).clear("sweep", by("ann"))
    switches(book).hold(by("ann", note="moving"))
    switches(book).release(by("bob"), run=True)
    assert audit(book) == [
        ("ann", "disable", "sweep", "", "full"),
        ("bob", "enable", "sweep", "", ""),
        ("ann", "pause", "sweep", "until 2026-11-21T12:00:00Z", ""),
        ("bob", "resume", "sweep", "", ""),
        ("ann", "reschedule", "sweep", "hour", ""),
        ("bob", "reschedule", "sweep", "clear", ""),
        ("ann", "clear", "sweep", "", ""),
        ("ann", "hold", None, "", "moving"),
        ("bob", "release", None, "run pending", ""),
    ]


def test_the_audit_of_a_job_is_about_that_job_alone(book: Book) -> None:
    switches(book).disable("other", by("ann"))
    switches(book).disable("sweep", by("bob"))
    switches(book).hold(by("ann"))
    assert audit(book, "sweep") == [("bob", "disable", "sweep", "", "")]


def test_the_newest_entries_of_the_audit_come_first_and_may_be_few(book: Book) -> None:
    for number in range(3):
        switches(book).disable("sweep", by(f"user {number}"))
    history = History(book.path)
    assert [entry.by for entry in history.audit(limit=2)] == ["user 2", "user 1"]
    history.close()


def test_a_job_nobody_has_looked_at_can_be_switched(book: Book) -> None:
    switches(book).disable("new", by("ann"))
    assert switches(book).all()["new"].enabled is False
    assert book.ledger.jobs()["new"].looked is None


def test_readers_are_told_the_same(book: Book) -> None:
    switches(book).pause("sweep", at("12:00"), by("ann"))
    switches(book).reschedule("sweep", HOURLY, "hour", by("bob"))
    switches(book).hold(by("ann"))
    history = History(book.path)
    assert history.switches() == switches(book).all()
    assert history.held() == switches(book).held()
    history.close()


def test_switches_are_there_when_the_ledger_is_opened_again(book: Book) -> None:
    switches(book).disable("sweep", by("ann"))
    book.ledger.close()
    book.ledger = Ledger(book.path, full=False)
    assert switches(book).all()["sweep"].enabled is False


def test_what_cannot_be_entered_is_not_switched(
    book: Book, monkeypatch: pytest.MonkeyPatch
) -> None:
    def down(*_: object) -> None:
        raise LedgerDown("disk full")

    monkeypatch.setattr(switches(book), "_enter", down)
    with pytest.raises(LedgerDown):
        switches(book).disable("sweep", by("ann"))
    assert switches(book).all() == {}


# -- being off


def test_what_came_due_while_a_job_was_disabled_is_nobodys_concern(book: Book) -> None:
    switches(book).disable("sweep", by("ann", "11:00"))
    switches(book).enable("sweep", by("ann", "12:00"))
    assert book.ledger.jobs()["sweep"].looked == at("12:00")


def test_enabling_a_job_that_is_not_disabled_leaves_what_is_due_alone(book: Book) -> None:
    switches(book).enable("sweep", by("ann", "12:00"))
    assert book.ledger.jobs()["sweep"].looked == LOOK


def test_a_job_disabled_twice_has_been_off_since_the_first_time(book: Book) -> None:
    switches(book).disable("sweep", by("ann"))
    switches(book).disable("sweep", by("bob", "11:00"))
    switch = switches(book).all()["sweep"]
    assert (switch.enabled_from, switch.marks[ENABLED]) == (at("10:00"), by("bob", "11:00"))


# -- pauses


def test_a_pause_lasts_from_its_beginning_to_its_end(book: Book) -> None:
    switches(book).pause("sweep", at("12:00"), by("ann"))
    switch = switches(book).all()["sweep"]
    assert (switch.paused_from, switch.paused_until) == (at("10:00"), at("12:00"))
    assert switch.is_paused(at("11:59"))
    assert not switch.is_paused(at("12:00"))


def test_a_pause_that_is_over_is_not_in_force(book: Book) -> None:
    switches(book).pause("sweep", at("12:00"), by("ann"))
    assert switches(book).all()["sweep"].in_force(at("12:00")) is None


def test_what_else_is_switched_stays_in_force_after_a_pause(book: Book) -> None:
    switches(book).disable("sweep", by("ann"))
    switches(book).pause("sweep", at("12:00"), by("bob"))
    left = switches(book).all()["sweep"].in_force(at("12:00"))
    assert left is not None
    assert (left.enabled, left.paused_until, set(left.marks)) == (False, None, {ENABLED})


def test_a_pause_that_is_made_longer_began_when_the_first_one_did(book: Book) -> None:
    switches(book).pause("sweep", at("12:00"), by("ann"))
    switches(book).pause("sweep", at("14:00"), by("bob", "11:00"))
    switch = switches(book).all()["sweep"]
    assert (switch.paused_from, switch.paused_until) == (at("10:00"), at("14:00"))
    assert switch.marks[PAUSED] == by("bob", "11:00")


def test_a_pause_after_a_pause_that_is_over_begins_anew(book: Book) -> None:
    switches(book).pause("sweep", at("12:00"), by("ann"))
    switches(book).pause("sweep", at("14:00"), by("bob", "13:00"))
    assert switches(book).all()["sweep"].paused_from == at("13:00")


def test_a_pause_that_is_ended_was_one_until_then(book: Book) -> None:
    switches(book).pause("sweep", at("12:00"), by("ann"))
    assert switches(book).resume("sweep", by("bob", "11:00"))
    switch = switches(book).all()["sweep"]
    assert (switch.paused_from, switch.paused_until) == (at("10:00"), at("11:00"))


def test_a_job_that_is_not_paused_has_no_pause_to_end(book: Book) -> None:
    assert not switches(book).resume("sweep", by("bob"))
    assert audit(book) == [("bob", "resume", "sweep", "was not paused", "")]


# -- other schedules


def test_a_new_schedule_keeps_the_rhythm_of_the_file(book: Book) -> None:
    switches(book).reschedule("sweep", HOURLY, "hour", by("ann"))
    switch = switches(book).all()["sweep"]
    assert switch.schedule == HOURLY
    assert switch.former == FormerRhythm("meant", Anchor(LOOK), timedelta(0))
    assert switch.marks == {SCHEDULE: by("ann")}


def in_force(book: Book, meaning: str, moment: datetime, **more: object) -> None:
    """The daemon takes a schedule over."""
    beginning = Beginning("sweep", meaning, Anchor(moment), moment)
    book.ledger.seat([beginning], moment, **more)  # type: ignore[arg-type]


def test_the_rhythm_of_the_file_is_kept_through_a_second_new_schedule(book: Book) -> None:
    switches(book).reschedule("sweep", HOURLY, "hour", by("ann"))
    in_force(book, "hourly", at("11:00"))
    switches(book).reschedule("sweep", {"every": "day"}, "day", by("ann"))
    former = switches(book).all()["sweep"].former
    assert former == FormerRhythm("meant", Anchor(LOOK), timedelta(0))


def test_a_schedule_taken_back_is_out_of_force_and_the_former_rhythm_is_still_known(
    book: Book,
) -> None:
    switches(book).reschedule("sweep", HOURLY, "hour", by("ann"))
    assert switches(book).unschedule("sweep", by("ann"))
    switch = switches(book).all()["sweep"]
    assert (switch.schedule, switch.former is not None) == (None, True)
    assert switch.in_force(at("11:00")) is None


def test_a_former_rhythm_that_goes_on_is_the_rhythm(book: Book) -> None:
    switches(book).reschedule("sweep", HOURLY, "hour", by("ann"))
    in_force(book, "hourly", at("11:00"))
    switches(book).unschedule("sweep", by("ann"))
    in_force(book, "meant", LOOK, back=["sweep"])
    assert switches(book).all() == {}
    assert book.ledger.jobs()["sweep"].anchor == Anchor(LOOK)


def test_a_job_without_a_new_schedule_has_none_to_take_back(book: Book) -> None:
    assert not switches(book).unschedule("sweep", by("bob"))
    assert audit(book) == [("bob", "reschedule", "sweep", "was not rescheduled", "")]


def test_a_former_rhythm_moves_with_a_clock_that_is_set(book: Book) -> None:
    switches(book).reschedule("sweep", HOURLY, "hour", by("ann"))
    step = timedelta(hours=2)
    book.ledger.set_clock(Absence(at("11:00"), at("13:00"), step=step), at("13:00"), [], [])
    former = switches(book).all()["sweep"].former
    assert former is not None
    assert former.shift == step


# -- holds


def test_a_hold_says_who_when_and_why(book: Book) -> None:
    switches(book).hold(by("ann", note="moving"))
    assert switches(book).held() == Hold(at("10:00"), by("ann", note="moving"))


def test_of_two_holds_the_last_is_told_and_the_first_began_it(book: Book) -> None:
    switches(book).hold(by("ann"))
    switches(book).hold(by("bob", "11:00", "still moving"))
    assert switches(book).held() == Hold(at("10:00"), by("bob", "11:00", "still moving"))


@pytest.mark.parametrize("run", [True, False])
def test_a_release_is_remembered_until_it_is_carried_out(book: Book, run: bool) -> None:
    switches(book).hold(by("ann"))
    assert switches(book).release(by("bob", "11:00"), run=run)
    assert switches(book).held() is None
    assert switches(book).releasing() == Release(at("10:00"), at("11:00"), run)
    switches(book).released()
    assert switches(book).releasing() is None


def test_where_nothing_is_held_there_is_nothing_to_release(book: Book) -> None:
    assert not switches(book).release(by("bob"), run=False)
    assert switches(book).releasing() is None
    assert audit(book) == [("bob", "release", None, "nothing was held", "")]


def test_of_two_releases_the_first_says_what_becomes_of_what_waits(book: Book) -> None:
    switches(book).hold(by("ann"))
    switches(book).release(by("ann"), run=True)
    assert not switches(book).release(by("bob"), run=False)
    release = switches(book).releasing()
    assert release is not None
    assert release.run


def test_a_hold_before_a_release_is_carried_out_takes_it_back(book: Book) -> None:
    switches(book).hold(by("ann"))
    switches(book).release(by("ann"), run=True)
    switches(book).hold(by("bob", "11:00"))
    assert switches(book).releasing() is None
    assert switches(book).held() == Hold(at("10:00"), by("bob", "11:00"))


# -- a lost database


def test_a_database_that_begins_anew_has_the_switches_the_daemon_knew(book: Book) -> None:
    switches(book).disable("sweep", by("ann", note="full"))
    switches(book).reschedule("sweep", HOURLY, "hour", by("bob"))
    switches(book).hold(by("ann"))
    known, hold = switches(book).all(), switches(book).held()
    book.ledger._db.close()  # all that is in memory goes with it
    book.path.write_bytes(b"no database at all" * 1000)
    book.ledger.mend(Held([book.job], []))
    assert switches(book).all() == known
    assert switches(book).held() == hold
