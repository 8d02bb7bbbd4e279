"""Fires as the daemon meets them: each moved by its jitter, none lost, none met twice."""

from __future__ import annotations

from datetime import UTC, datetime, timedelta

import pytest
from hypothesis import given
from hypothesis import strategies as st
from msgspec.structs import replace

from inisched.timing.recurrence import Anchor, Rule
from inisched.timing.rhythm import Rhythm, rhythm
from inisched.timing.words import read_expression

LOOK = datetime(2026, 11, 21, 10, 0, tzinfo=UTC)


def shaken(words: str, jitter: timedelta, *, job: str = "sweep", seed: str = "db") -> Rhythm:
    schedule = replace(read_expression(words, "Europe/London"), jitter=jitter)
    return rhythm(job, schedule, Anchor(LOOK), seed=seed)


def walked(beat: Rhythm, n: int) -> list[datetime]:
    fires = [LOOK]
    for _ in range(n):
        fire = beat.next(fires[-1])
        assert fire is not None
        fires.append(fire)
    return fires[1:]


def shifts(beat: Rhythm, n: int = 200) -> list[timedelta]:
    return [beat.moved(fire) - fire for fire in walked(beat, n)]


MINUTES_5 = timedelta(minutes=5)


def test_without_jitter_a_fire_stays_where_it_is() -> None:
    assert shifts(shaken("10 minutes", timedelta(0)), 3) == [timedelta(0)] * 3


def test_jitter_moves_a_fire_later_by_less_than_itself() -> None:
    found = shifts(shaken("10 minutes", MINUTES_5))
    assert min(found) >= timedelta(0)
    assert max(found) < MINUTES_5


def test_jitter_uses_its_whole_width() -> None:
    found = shifts(shaken("10 minutes", MINUTES_5))
    assert min(found) < timedelta(seconds=15)
    assert max(found) > timedelta(minutes=4, seconds=45)


def test_jitter_is_whole_milliseconds() -> None:
    assert {s % timedelta(milliseconds=1) for s in shifts(shaken("10 minutes", MINUTES_5))} == {
        timedelta(0)
    }


def test_jitter_is_the_same_on_every_look() -> None:
    assert shifts(shaken("10 minutes", MINUTES_5)) == shifts(shaken("10 minutes", MINUTES_5))


@pytest.mark.parametrize("other", [{"job": "other"}, {"seed": "other"}])
def test_jitter_depends_on_the_job_and_the_database(other: dict[str, str]) -> None:
    assert shifts(shaken("10 minutes", MINUTES_5)) != shifts(
        shaken("10 minutes", MINUTES_5, **other)
    )


def test_without_jitter_everything_up_to_now_has_come_due() -> None:
    assert shaken("10 minutes", timedelta(0)).upto(LOOK) == LOOK


def test_what_is_still_being_moved_has_not_come_due() -> None:
    beat = shaken("10 minutes", MINUTES_5)
    (fire,) = walked(beat, 1)
    moved = beat.moved(fire)
    assert beat.upto(moved - timedelta(milliseconds=1)) == fire - timedelta(microseconds=1)
    assert beat.upto(moved) == moved


_STEPS = st.lists(st.integers(1, 4000), min_size=1, max_size=60)
_WORDS = st.sampled_from(
    ["10 minutes", "6 to 9 minutes", "hour at :15, :45", "*/6 * * * *", "20 minutes at :07"]
)


@given(_WORDS, st.integers(0, 359), _STEPS)
def test_looks_at_any_moments_meet_every_fire_once(
    words: str, jitter: int, steps: list[int]
) -> None:
    beat = shaken(words, timedelta(seconds=jitter))
    now, looked = LOOK, LOOK
    met: list[datetime] = []
    for step in steps:
        now += timedelta(seconds=step, milliseconds=step % 1000)
        upto = beat.upto(now)
        fire = beat.next(looked)
        while fire is not None and fire <= upto:
            assert beat.moved(fire) <= now
            met.append(fire)
            fire = beat.next(fire)
        assert fire is not None
        assert beat.moved(fire) > now
        looked = max(looked, upto)
    assert met == walked(beat, len(met))


def unasked(beat: Rhythm) -> Rule:
    """The same rule, which has nothing in mind yet."""
    return Rule(beat.schedule, beat.anchor, job=beat.job)


def test_jobs_of_one_schedule_that_began_together_share_its_rule() -> None:
    one, other = (shaken("10 minutes", timedelta(0), job=name) for name in ("one", "other"))
    assert one.rule is other.rule


def test_random_intervals_are_each_jobs_own() -> None:
    one, other = (shaken("5 to 10 minutes", timedelta(0), job=name) for name in ("one", "other"))
    assert one.rule is not other.rule


_ASKED = st.lists(st.tuples(st.integers(0, 400_000), st.booleans()), min_size=1, max_size=30)


@given(_WORDS, _ASKED)
def test_answers_do_not_depend_on_the_order_of_questions(
    words: str, asked: list[tuple[int, bool]]
) -> None:
    beat = shaken(words, timedelta(0))
    moment = LOOK
    for seconds, close in asked:
        begin, later = (moment, seconds % 900) if close else (LOOK, seconds)
        moment = begin + timedelta(seconds=later)
        assert beat.rule.latest(LOOK, moment) == unasked(beat).latest(LOOK, moment)
        assert beat.next(moment) == unasked(beat).after(moment)


@given(st.integers(0, 40), st.lists(st.integers(0, 400_000), min_size=1, max_size=20))
def test_random_intervals_do_not_depend_on_the_order_of_questions(
    first: int, asked: list[int]
) -> None:
    moments = [LOOK + timedelta(seconds=s) for s in asked]
    beat = shaken("5 to 10 minutes", timedelta(0), job=f"job {first}")
    for moment in moments:
        latest = unasked(beat).latest(LOOK, moment)
        assert beat.rule.latest(LOOK, moment) == latest
        assert beat.next(moment) == unasked(beat).after(latest or LOOK)


def test_steps_from_fire_to_fire_are_taken_once(monkeypatch: pytest.MonkeyPatch) -> None:
    beat = shaken("*/6 * * * *", timedelta(0))
    fires = walked(beat, 3)
    monkeypatch.setattr(Rule, "_find_after", lambda rule, moment: pytest.fail("asked anew"))
    assert [beat.next(LOOK + timedelta(minutes=7)), beat.next(fires[1])] == fires[1:]
    assert beat.rule.latest(LOOK, fires[2] - timedelta(seconds=1)) == fires[1]
