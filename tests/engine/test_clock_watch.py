"""What the watch over the clocks makes of them."""

from __future__ import annotations

from datetime import timedelta

import pytest

from engine.clock_world import START, FakeClock
from inisched.engine.clock_watch import ClockWatch
from inisched.stores.claims import Absence


def seconds(number: float) -> timedelta:
    return timedelta(seconds=number)


@pytest.fixture
def clock() -> FakeClock:
    return FakeClock(START)


@pytest.fixture
def watch(clock: FakeClock) -> ClockWatch:
    return ClockWatch(clock)


def test_a_sleep_as_long_as_it_was_meant_to_be_is_nothing(
    clock: FakeClock, watch: ClockWatch
) -> None:
    clock.go(30)
    assert watch.look(30) == (START + seconds(30), [])


def test_a_clock_set_forward_is_a_step_from_what_it_showed_last(
    clock: FakeClock, watch: ClockWatch
) -> None:
    clock.go(3)
    clock.set(seconds(60))
    clock.go(7)
    now = START + seconds(70)
    assert watch.look(30) == (now, [Absence(START, now, step=seconds(60))])


def test_a_clock_set_back_is_a_step_back(clock: FakeClock, watch: ClockWatch) -> None:
    clock.go(10)
    clock.set(seconds(-3600))
    now = START + seconds(10 - 3600)
    assert watch.look(30) == (now, [Absence(START, now, step=seconds(-3600))])


def test_a_step_is_told_once(clock: FakeClock, watch: ClockWatch) -> None:
    clock.set(seconds(-3600))
    watch.look(0)
    clock.go(1)
    assert watch.look(1) == (START + seconds(1 - 3600), [])


def test_a_clock_that_is_slewed_was_not_set(clock: FakeClock, watch: ClockWatch) -> None:
    for _ in range(1000):
        clock.go(30)
        clock.set(seconds(0.4))
        assert watch.look(30)[1] == []


@pytest.mark.parametrize("step", [0.5, -0.5])
def test_half_a_second_at_once_is_a_step(clock: FakeClock, watch: ClockWatch, step: float) -> None:
    clock.go(1)
    clock.set(seconds(step))
    assert [found.step for found in watch.look(1)[1]] == [seconds(step)]


def test_a_suspended_machine_slept(clock: FakeClock, watch: ClockWatch) -> None:
    clock.go(2)
    clock.go(3600, suspended=True)
    until = START + seconds(3602)
    assert watch.look(30) == (until, [Absence(START, until, machine=True)])


def test_a_process_that_was_stopped_is_no_machine_that_slept(
    clock: FakeClock, watch: ClockWatch
) -> None:
    clock.go(3600)
    until = START + seconds(3600)
    assert watch.look(30) == (until, [Absence(START, until)])


def test_a_little_longer_than_meant_is_not_worth_an_entry(
    clock: FakeClock, watch: ClockWatch
) -> None:
    clock.go(35)
    assert watch.look(30)[1] == []


def test_a_clock_set_during_a_suspend_is_both(clock: FakeClock, watch: ClockWatch) -> None:
    clock.go(3600, suspended=True)
    clock.set(seconds(-600))
    now = START + seconds(3000)
    assert watch.look(30) == (
        now,
        [
            Absence(START, START + seconds(3600), machine=True),
            Absence(START, now, step=seconds(-600)),
        ],
    )


def test_a_clock_set_there_and_back_between_two_looks_was_not_set(
    clock: FakeClock, watch: ClockWatch
) -> None:
    clock.set(timedelta(days=400))
    clock.go(5)
    clock.set(timedelta(days=-400))
    assert watch.look(30) == (START + seconds(5), [])


def test_all_clocks_running_backwards_are_a_wall_clock_that_was_set(
    clock: FakeClock, watch: ClockWatch
) -> None:
    clock.go(-20)
    now = START - seconds(20)
    assert watch.look(30) == (now, [Absence(START, now, step=seconds(-20))])


def test_seventy_years_are_a_step_like_any_other(clock: FakeClock, watch: ClockWatch) -> None:
    clock.set(timedelta(days=70 * 365))
    assert [found.step for found in watch.look(0)[1]] == [timedelta(days=70 * 365)]
    clock.set(timedelta(days=-70 * 365))
    assert [found.step for found in watch.look(0)[1]] == [timedelta(days=-70 * 365)]


class Halting(FakeClock):
    """Its process is stopped for five seconds after the first reading of the wall."""

    halts = 1

    def now(self):  # type: ignore[no-untyped-def]
        wall = super().now()
        if self.halts:
            self.halts -= 1
            self.go(5)
        return wall


def test_a_process_stopped_between_two_readings_reads_again() -> None:
    clock = Halting(START)
    clock.halts = 0
    watch = ClockWatch(clock)
    clock.halts = 1
    assert watch.look(5) == (START + seconds(5), [])
