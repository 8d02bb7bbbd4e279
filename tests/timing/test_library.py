"""Our children of the `schedule` library: its words, its loop, a clock that is handed in."""

from __future__ import annotations

from datetime import UTC, datetime, timedelta

import pytest
import schedule as their_schedule

from inisched.timing import library
from inisched.timing.library import HooksMoved, Scheduler, check_hooks, register
from inisched.timing.recurrence import Anchor
from inisched.timing.rhythm import rhythm
from inisched.timing.words import read_expression

NOON = datetime(2026, 11, 21, 12, 0, tzinfo=UTC)


class World:
    """A clock that goes where it is told, a scheduler on it, and the names that rang."""

    def __init__(self) -> None:
        self.now = NOON
        self.rang: list[str] = []
        self.scheduler = Scheduler(lambda: self.now)

    def add(self, words: str, name: str = "") -> library.Job:
        beat = rhythm(name or words, read_expression(words, "UTC"), Anchor(NOON))
        return register(self.scheduler, beat, NOON, self.rang.append)

    def at(self, clock: str) -> list[str]:
        """Who rings at that moment of the day."""
        self.now = datetime.fromisoformat(f"2026-11-21T{clock}+00:00")
        self.rang.clear()
        self.scheduler.run_pending()
        return list(self.rang)


@pytest.fixture
def world() -> World:
    return World()


# -- the loop


def test_a_job_rings_when_it_is_due_and_not_before(world: World) -> None:
    world.add("hour")
    assert [world.at("12:59:59"), world.at("13:00")] == [[], ["hour"]]


def test_a_late_look_rings_once(world: World) -> None:
    world.add("second")
    assert [world.at("18:00"), world.at("18:00")] == [["second"], []]


def test_after_a_late_look_the_rhythm_is_the_old_one(world: World) -> None:
    job = world.add("10 minutes")
    world.at("12:34:56")
    assert job.due == NOON + timedelta(minutes=40)


def test_the_earliest_rings_first(world: World) -> None:
    world.add("3 minutes")
    world.add("2 minutes")
    world.add("minute")
    assert world.at("12:03:30") == ["minute", "2 minutes", "3 minutes"]


def test_jobs_due_together_ring_in_the_order_of_registration(world: World) -> None:
    for name in ("b", "c", "a"):
        world.add("minute", name)
    assert world.at("12:01") == ["b", "c", "a"]


def test_the_scheduler_knows_the_earliest_due_moment(world: World) -> None:
    world.add("hour")
    world.add("10 minutes")
    world.add("never")
    assert world.scheduler.due == NOON + timedelta(minutes=10)


def test_the_idle_time_is_that_to_the_earliest_due_moment(world: World) -> None:
    world.add("10 minutes")
    world.now += timedelta(minutes=4)
    assert world.scheduler.idle_seconds == 360


def test_with_nothing_to_come_nothing_is_due(world: World) -> None:
    world.add("never")
    assert (world.scheduler.due, world.scheduler.idle_seconds, world.scheduler.next_run) == (
        None,
        None,
        None,
    )


def test_a_rescheduled_job_rings_at_its_new_moment_only(world: World) -> None:
    job = world.add("10 minutes")
    job.following(rhythm("moved", read_expression("15 minutes", "UTC"), Anchor(NOON)), NOON)
    job.reschedule()
    assert [world.at("12:10"), world.at("12:15")] == [[], ["10 minutes"]]


# -- trouble


def fail(name: str) -> None:
    raise ValueError(name)


def test_what_a_job_raises_reaches_the_caller(world: World) -> None:
    world.scheduler.every().minute.do(fail, "broken")
    world.now += timedelta(minutes=1)
    with pytest.raises(ValueError, match=r"\Abroken\Z"):
        world.scheduler.run_pending()


def test_a_job_that_raised_is_not_due_again_at_once(world: World) -> None:
    job = world.scheduler.every().minute.do(fail, "broken")
    world.now += timedelta(minutes=1)
    with pytest.raises(ValueError):
        world.scheduler.run_pending()
    assert job.due == NOON + timedelta(minutes=2)


def test_a_job_that_raised_leaves_the_others_due(world: World) -> None:
    world.scheduler.every().minute.do(fail, "broken")
    world.add("minute", "sound")
    world.now += timedelta(minutes=1)
    with pytest.raises(ValueError):
        world.scheduler.run_pending()
    assert world.at("12:01") == ["sound"]


# -- cancelling


def test_a_cancelled_job_rings_no_more(world: World) -> None:
    job = world.add("minute")
    world.scheduler.cancel_job(job)
    assert (world.at("12:05"), world.scheduler.due, world.scheduler.jobs) == ([], None, [])


def test_a_job_cancelled_twice_is_cancelled(world: World) -> None:
    job = world.add("minute")
    world.scheduler.cancel_job(job)
    world.scheduler.cancel_job(job)
    assert world.at("12:05") == []


def test_a_cancelled_job_is_not_woken_by_rescheduling(world: World) -> None:
    job = world.add("minute")
    world.scheduler.cancel_job(job)
    job.reschedule()
    assert world.at("12:05") == []


def test_a_job_may_cancel_itself_while_it_rings(world: World) -> None:
    job = world.scheduler.every().minute
    job.do(lambda: world.scheduler.cancel_job(job))
    world.at("12:01")
    assert world.scheduler.due is None


def test_a_job_that_returns_cancel_job_is_cancelled(world: World) -> None:
    world.scheduler.every().minute.do(lambda: their_schedule.CancelJob)
    world.at("12:01")
    assert (world.scheduler.jobs, world.scheduler.due) == ([], None)


def test_clear_cancels_all_jobs_with_a_tag(world: World) -> None:
    world.add("minute")
    world.add("* * * * *")
    world.scheduler.clear("cron")
    assert world.at("12:01") == ["minute"]


# -- the library's words


@pytest.mark.parametrize(
    ("words", "shown"),
    [
        ("10 minutes", ("minutes", 10, None, None, None)),
        ("5 to 10 minutes", ("minutes", 5, 10, None, None)),
        ("day at 09:30, 18:00", ("days", 1, None, None, "09:30:00")),
        ("2 hours at :15", ("hours", 2, None, None, "00:15:00")),
        ("minute at :45", ("minutes", 1, None, None, "00:00:45")),
        ("monday at 09:30", ("weeks", 1, None, "monday", "09:30:00")),
        ("monday, friday at 09:30", ("weeks", 1, None, None, None)),
        ("month at 09:30", ("months", 1, None, None, None)),
        ("* * * * *", (None, 1, None, None, None)),
        ("never", (None, 1, None, None, None)),
    ],
)
def test_a_job_says_its_schedule_as_far_as_the_library_has_words(
    world: World, words: str, shown: tuple[object, ...]
) -> None:
    job = world.add(words)
    at = job.at_time and job.at_time.isoformat()
    assert (job.unit, job.interval, job.latest, job.start_day, at) == shown


@pytest.mark.parametrize("words", ["monday at 09:30", "2 hours", "hour at :30", "day at 06:00"])
def test_words_alone_are_followed_as_the_rhythm_would_be(world: World, words: str) -> None:
    registered = world.add(words)
    entry = world.scheduler.every(registered.interval)
    library._say(entry, read_expression(words, "UTC"))
    assert entry.do(print).due == registered.due


# -- hooks

MOVED = (
    "the installed package 'schedule' (1.2.99) works differently from the one this program was "
    "built on; install a version from 1.2.2 up to, not including, 2"
)


def test_the_installed_library_calls_our_hooks() -> None:
    check_hooks()


def stays_silent(job: library.Job) -> None:
    job.due = None


def raises(job: library.Job) -> None:
    raise AttributeError


def does_nothing(scheduler: Scheduler) -> None:
    pass


@pytest.mark.parametrize(
    ("owner", "hook", "moved"),
    [
        (library.Job, "_schedule_next_run", stays_silent),
        (library.Job, "_schedule_next_run", raises),
        (Scheduler, "run_pending", does_nothing),
    ],
)
def test_a_moved_hook_is_said(
    monkeypatch: pytest.MonkeyPatch, owner: type, hook: str, moved: object
) -> None:
    monkeypatch.setattr(owner, hook, moved)
    monkeypatch.setattr("importlib.metadata.version", lambda name: "1.2.99")
    with pytest.raises(HooksMoved) as caught:
        check_hooks()
    assert str(caught.value) == MOVED
