"""A schedule given in place of the file's: what it replaces, and how errors read."""

from __future__ import annotations

from datetime import timedelta

import pytest

from inisched.config.rescheduled import check_jitter, reschedule
from inisched.model.diagnostic import Unreadable
from inisched.model.schedule import Every, Schedule, Unit

WRITTEN = Schedule(
    zone="Europe/Paris",
    text="month on the last day at 22:00",
    every=Every(Unit.MONTH),
    at=(79200,),
    on_day=0,
    jitter=timedelta(minutes=5),
)


def refused(**keys: str) -> tuple[str, str, str]:
    """The problem, what was expected, and the cure."""
    with pytest.raises(Unreadable) as caught:
        reschedule(WRITTEN, keys)
    return caught.value.problem, caught.value.expected, caught.value.hint


@pytest.mark.parametrize(
    ("keys", "text"),
    [
        ({"every": "2 hours", "at": ":30"}, "2 hours at :30"),
        ({"every": "day", "at": "18:00, 6:00"}, "day at 06:00, 18:00"),
        ({"every": "month", "on_day": "last", "at": "22:00"}, "month on the last day at 22:00"),
        ({"every": "monday, thursday"}, "monday, thursday"),
        ({"every": "never"}, "never"),
        ({"every": "hour", "from_end": "yes"}, "hour"),
        ({"cron": "*/5 * * * *"}, "*/5 * * * *"),
        ({"cron": "@reboot"}, "@reboot"),
    ],
    ids=str,
)
def test_a_new_schedule_reads_as_in_the_file(keys: dict[str, str], text: str) -> None:
    assert reschedule(WRITTEN, keys).text == text


def test_zone_and_jitter_stay() -> None:
    new = reschedule(WRITTEN, {"every": "hour"})
    assert (new.zone, new.jitter) == ("Europe/Paris", timedelta(minutes=5))


def test_what_is_not_given_is_gone() -> None:
    new = reschedule(WRITTEN, {"every": "month"})
    assert (new.at, new.on_day, new.cron, new.from_end) == ((), None, None, False)


@pytest.mark.parametrize(
    ("keys", "problem", "expected", "hint"),
    [
        (
            {"every": "dya"},
            "--every: 'dya' is not a unit of time",
            "second, minute, hour, day, week, month or a weekday",
            "did you mean 'day'?",
        ),
        (
            {"every": "day at 06:00"},
            "--every: 'at' is not understood here",
            "a form such as 10 minutes, day, 5 to 10 minutes, monday, weekday or never",
            "give it as --at",
        ),
        (
            {"every": "month on 3"},
            "--every: 'on' is not understood here",
            "a form such as 10 minutes, day, 5 to 10 minutes, monday, weekday or never",
            "give it as --on-day",
        ),
        (
            {"every": "day", "at": "6.30"},
            "--at: '6.30' is not a time of day",
            "a time of day, HH:MM or HH:MM:SS, from 00:00 to 23:59:59",
            "did you mean '6:30'?",
        ),
        (
            {"every": "month", "on_day": "32"},
            "--on-day: '32' is not a day of a month",
            "1 to 31, or last",
            "",
        ),
        (
            {"every": ""},
            "--every: the value is empty",
            "a form such as 10 minutes, day, monday or never",
            "",
        ),
        (
            {"every": "day", "on_day": "3"},
            "--on-day goes with months",
            "--every to count months",
            "",
        ),
        (
            {"every": "day", "from_end": "yes"},
            "--from-end does not go with 'day'",
            "seconds, minutes or hours without --at",
            "",
        ),
        ({"cron": "@daily", "at": "06:00"}, "--at goes with --every, not with --cron", "", ""),
        ({"cron": "@daily", "on_day": "3"}, "--on-day goes with --every, not with --cron", "", ""),
        ({}, "a schedule has either --every or --cron", "", ""),
        ({"every": "day", "cron": "@daily"}, "a schedule has either --every or --cron", "", ""),
    ],
    ids=str,
)
def test_a_mistake_is_told_with_its_option(
    keys: dict[str, str], problem: str, expected: str, hint: str
) -> None:
    assert refused(**keys) == (problem, expected, hint)


def test_a_jitter_that_reaches_the_following_fire_is_refused() -> None:
    with pytest.raises(Unreadable) as caught:
        check_jitter(reschedule(WRITTEN, {"every": "minute"}))
    assert (caught.value.problem, caught.value.expected) == (
        "the job's jitter of 5 min reaches the following fire",
        "a schedule with more than that between two fires, not 'minute'",
    )
