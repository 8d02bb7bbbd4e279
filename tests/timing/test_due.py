"""The one question: which fires lie between the last look and now, and what becomes of each."""

from __future__ import annotations

from datetime import UTC, datetime, timedelta

import pytest
from msgspec.structs import replace

from inisched.model.job import Command, Job, Misfire
from inisched.model.place import Place
from inisched.model.run import Fire, Gap, Reason, Trigger
from inisched.model.schedule import Schedule
from inisched.timing.due import Due, due, gap, grace_of
from inisched.timing.pattern import Elapsed
from inisched.timing.recurrence import Anchor
from inisched.timing.rhythm import Rhythm, rhythm
from inisched.timing.words import read_expression

LOOK = datetime(2026, 11, 21, 10, 0, tzinfo=UTC)


def at(clock: str) -> datetime:
    """A moment of 21 November 2026, UTC."""
    return datetime.fromisoformat(f"2026-11-21T{clock}+00:00")


def job(words: str, **changes: object) -> Job:
    schedule = read_expression(words, "UTC")
    named = {name: changes.pop(name) for name in list(changes) if hasattr(schedule, name)}
    made = Job(
        name="sweep",
        place=Place("x.ini", 1, 1),
        action=Command("true"),
        schedule=replace(schedule, **named),
    )
    return replace(made, **changes)


def beat_of(job: Job) -> Rhythm:
    return rhythm(job.name, job.schedule, Anchor(LOOK), seed="db")


def asked(job: Job, now: datetime, since: datetime = LOOK) -> Due:
    return due(job, beat_of(job), since, now)


def fire(moment: datetime, trigger: Trigger = Trigger.SCHEDULE) -> Fire:
    return Fire(job="sweep", at=moment, moved=moment, trigger=trigger)


def missed(first: datetime, last: datetime, count: int, reason: Reason) -> Gap:
    return Gap(job="sweep", first=first, last=last, count=count, reason=reason)


# -- on time


def test_nothing_is_due_before_its_moment() -> None:
    assert asked(job("hour"), at("10:59:59.999")) == Due(at("10:59:59.999"))


def test_a_fire_at_this_very_moment_is_due() -> None:
    assert asked(job("hour"), at("11:00")) == Due(at("11:00"), (fire(at("11:00")),))


def test_a_fire_the_last_look_met_is_not_due_again() -> None:
    assert asked(job("hour"), at("11:30"), since=at("11:00")) == Due(at("11:30"))


def test_a_fire_as_late_as_its_grace_is_on_time() -> None:
    assert asked(job("hour"), at("11:01")).run == (fire(at("11:00")),)


def test_a_fire_later_than_its_grace_is_a_misfire() -> None:
    assert asked(job("hour"), at("11:01:00.000001")).run == (fire(at("11:00"), Trigger.CATCHUP),)


def test_without_grace_only_the_very_moment_is_on_time() -> None:
    strict = job("hour", grace=timedelta(0))
    assert [asked(strict, now).run[0].trigger for now in (at("11:00"), at("11:00:00.001"))] == [
        Trigger.SCHEDULE,
        Trigger.CATCHUP,
    ]


def test_grace_is_at_most_half_the_way_to_the_following_fire() -> None:
    patient = job("minute", grace=timedelta(minutes=5))
    assert grace_of(patient, beat_of(patient), at("10:01")) == timedelta(seconds=30)


def test_grace_goes_by_the_gap_that_follows_this_fire() -> None:
    uneven = job("hour at :00, :02", grace=timedelta(minutes=5))
    beat = beat_of(uneven)
    assert [grace_of(uneven, beat, at(when)) for when in ("11:00", "11:02")] == [
        timedelta(minutes=1),
        timedelta(minutes=5),
    ]


def test_grace_has_no_cap_where_no_fire_follows() -> None:
    last = job("minute", grace=timedelta(minutes=5), active_until=at("10:01"))
    assert asked(last, at("10:06")).run == (fire(at("10:01")),)


def test_from_the_end_grace_is_at_most_half_the_interval() -> None:
    patient = job("2 minutes", grace=timedelta(minutes=5), from_end=True)
    assert grace_of(patient, beat_of(patient), at("10:02")) == timedelta(minutes=1)


# -- misfires


def test_coalesce_folds_all_misfires_into_the_latest() -> None:
    assert asked(job("hour"), at("14:30")) == Due(
        at("14:30"),
        (fire(at("14:00"), Trigger.CATCHUP),),
        (missed(at("11:00"), at("13:00"), 3, Reason.COALESCED),),
    )


def test_a_single_misfire_leaves_no_gap() -> None:
    assert asked(job("hour"), at("11:30")) == Due(
        at("11:30"), (fire(at("11:00"), Trigger.CATCHUP),)
    )


def test_a_fire_within_grace_has_its_own_run_beside_the_misfires() -> None:
    assert asked(job("hour"), at("13:00:30")) == Due(
        at("13:00:30"),
        (fire(at("12:00"), Trigger.CATCHUP), fire(at("13:00"))),
        (missed(at("11:00"), at("11:00"), 1, Reason.COALESCED),),
    )


def test_skip_runs_no_misfire() -> None:
    assert asked(job("hour", misfire=Misfire.SKIP), at("13:00:30")) == Due(
        at("13:00:30"),
        (fire(at("13:00")),),
        (missed(at("11:00"), at("12:00"), 2, Reason.MISFIRE),),
    )


def test_all_runs_each_oldest_first() -> None:
    assert asked(job("hour", misfire=Misfire.ALL), at("13:00:30")) == Due(
        at("13:00:30"),
        (
            fire(at("11:00"), Trigger.CATCHUP),
            fire(at("12:00"), Trigger.CATCHUP),
            fire(at("13:00")),
        ),
    )


def test_beyond_max_catchup_the_oldest_are_one_gap() -> None:
    assert asked(job("hour", misfire=Misfire.ALL, max_catchup=2), at("15:30")) == Due(
        at("15:30"),
        (fire(at("14:00"), Trigger.CATCHUP), fire(at("15:00"), Trigger.CATCHUP)),
        (missed(at("11:00"), at("13:00"), 3, Reason.MISFIRE),),
    )


def test_a_max_catchup_of_0_runs_no_misfire() -> None:
    assert asked(job("hour", misfire=Misfire.ALL, max_catchup=0), at("12:30")) == Due(
        at("12:30"), (), (missed(at("11:00"), at("12:00"), 2, Reason.MISFIRE),)
    )


@pytest.mark.parametrize("words", ["day at 09:30", "0,30 9 * * *", "monday", "hour at :15, :45"])
@pytest.mark.parametrize("misfire", Misfire)
def test_one_long_look_finds_the_fires_of_many_short_ones(words: str, misfire: Misfire) -> None:
    asking = job(words, misfire=misfire)
    beat, looked, short = beat_of(asking), LOOK, 0
    end = LOOK + timedelta(days=8)
    while looked < end:
        found = due(asking, beat, looked, min(looked + timedelta(minutes=37), end))
        short += len(found.run) + sum(gap.count for gap in found.gaps)
        looked = found.upto
    found = due(asking, beat, LOOK, end)
    assert len(found.run) + sum(gap.count for gap in found.gaps) == short


# -- a long absence


def test_a_month_of_missed_seconds_is_one_run_and_one_gap(monkeypatch: pytest.MonkeyPatch) -> None:
    steps = 0
    step = Elapsed.after

    def counted(self: Elapsed, moment: int) -> int | None:
        nonlocal steps
        steps += 1
        return step(self, moment)

    monkeypatch.setattr(Elapsed, "after", counted)
    now = LOOK + timedelta(days=30, seconds=0.9)
    seconds = 30 * 86400

    found = asked(job("second", grace=timedelta(seconds=0)), now)

    last = LOOK + timedelta(seconds=seconds)
    assert found == Due(
        now,
        (fire(last, Trigger.CATCHUP),),
        (
            missed(
                LOOK + timedelta(seconds=1),
                last - timedelta(seconds=1),
                seconds - 1,
                Reason.COALESCED,
            ),
        ),
    )
    assert steps < 10


def test_a_month_of_missed_labels_is_counted_without_a_walk(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    asking = job("minute at :00, :30")
    beat = beat_of(asking)
    monkeypatch.setattr(type(beat.rule), "after", None)
    assert beat.rule.count(LOOK, LOOK + timedelta(days=30)) == (2 * 30 * 24 * 60, True)


def test_beyond_a_hundred_thousand_cron_fires_are_a_lower_bound() -> None:
    asking = job("* * * * * *")
    found = gap("sweep", beat_of(asking), LOOK, LOOK + timedelta(days=2), Reason.MISFIRE)
    assert (found.count, found.exact) == (100_000, False)
    assert (found.first, found.last) == (LOOK + timedelta(seconds=1), LOOK + timedelta(days=2))


def test_up_to_a_hundred_thousand_cron_fires_are_exact() -> None:
    asking = job("* * * * * *")
    found = gap("sweep", beat_of(asking), LOOK, LOOK + timedelta(seconds=100_000), Reason.MISFIRE)
    assert (found.count, found.exact) == (100_000, True)


# -- jitter and bounds


def test_a_jittered_fire_is_due_at_its_moved_moment() -> None:
    shaken = job("hour", jitter=timedelta(minutes=30))
    moved = beat_of(shaken).moved(at("11:00"))
    assert at("11:00") < moved < at("11:30")
    before, then = (asked(shaken, now) for now in (moved - timedelta(milliseconds=1), moved))
    assert (before.run, before.upto) == ((), at("11:00") - timedelta(microseconds=1))
    assert (then.run, then.upto) == ((Fire(job="sweep", at=at("11:00"), moved=moved),), moved)


def test_a_jittered_gap_shows_moved_moments() -> None:
    shaken = job("hour", jitter=timedelta(minutes=30))
    moved = beat_of(shaken).moved
    (found,) = asked(shaken, at("14:45")).gaps
    assert (found.first, found.last, found.count) == (moved(at("11:00")), moved(at("13:00")), 3)


def test_no_fire_comes_after_active_until() -> None:
    ending = job("hour", active_until=at("11:30"))
    assert asked(ending, at("15:00")) == Due(at("15:00"), (fire(at("11:00"), Trigger.CATCHUP),))


def test_a_fire_at_active_until_counts() -> None:
    assert asked(job("hour", active_until=at("11:00")), at("11:00")).run == (fire(at("11:00")),)


def test_an_active_from_in_the_past_makes_a_backlog() -> None:
    schedule: Schedule = replace(read_expression("day at 06:00", "UTC"), active_from=LOOK)
    waiting = replace(job("day"), schedule=schedule, misfire=Misfire.ALL)
    beat = rhythm("sweep", schedule, Anchor(LOOK, inclusive=True))
    found = due(waiting, beat, LOOK - timedelta(milliseconds=1), LOOK + timedelta(days=2, hours=1))
    assert [f.at.isoformat() for f in found.run] == [
        "2026-11-22T06:00:00+00:00",
        "2026-11-23T06:00:00+00:00",
    ]


def test_from_the_end_only_one_fire_is_due_however_late() -> None:
    assert asked(job("minute", from_end=True), at("15:00")) == Due(
        at("15:00"), (fire(at("10:01"), Trigger.CATCHUP),)
    )
