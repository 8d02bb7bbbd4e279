"""The words of a schedule: what is understood, what is refused and how, and how it is shown."""

from __future__ import annotations

import pytest
from hypothesis import given
from hypothesis import strategies as st

from inisched.model.diagnostic import Unreadable
from inisched.model.schedule import LAST_DAY, Every, Unit
from inisched.timing.clock_times import read_on_day, read_times
from inisched.timing.moment import read_moment, read_zone
from inisched.timing.phrase import read_every
from inisched.timing.shown import show_schedule

FORMS = "a form such as 10 minutes, day, 5 to 10 minutes, monday, weekday or never"
UNITS = "second, minute, hour, day, week, month or a weekday"
DAYS = "monday to sunday, weekday or weekend"
WHOLE = "a whole number, 1 or more"
OF_DAY = "a time of day, HH:MM or HH:MM:SS, from 00:00 to 23:59:59"
MOMENT = "a date or date-time such as 2026-11-21 or 2026-11-21 09:30"
DIGITS = "month and day have two digits and must exist"


def said(error: Unreadable, text: str) -> str:
    """An error as one reads it: the text with what is at fault in brackets, then what is wrong."""
    end = len(text) if error.length is None else error.start + error.length
    marked = f"{text[: error.start]}[{text[error.start : end]}]{text[end:]}"
    lines = [
        marked,
        error.problem,
        error.expected and f"expected {error.expected}",
        error.hint and f"hint: {error.hint}",
    ]
    return "\n".join(line for line in lines if line)


# -- every


@pytest.mark.parametrize(
    ("text", "every"),
    [
        ("minute", Every(Unit.MINUTE)),
        ("1 second", Every(Unit.SECOND)),
        ("10 minutes", Every(Unit.MINUTE, 10)),
        ("10minutes", Every(Unit.MINUTE, 10)),
        ("2 HOURS", Every(Unit.HOUR, 2)),
        ("days", Every(Unit.DAY)),
        ("2 week", Every(Unit.WEEK, 2)),
        ("1178 months", Every(Unit.MONTH, 1178)),
        ("5 to 10 minutes", Every(Unit.MINUTE, 5, 10)),
        ("5to10 days", Every(Unit.DAY, 5, 10)),
        ("5 to 5 hours", Every(Unit.HOUR, 5, 5)),
        ("monday", Every(weekdays=(0,))),
        ("Sunday,Thursday", Every(weekdays=(3, 6))),
        ("monday, monday", Every(weekdays=(0,))),
        ("weekday", Every(weekdays=(0, 1, 2, 3, 4))),
        ("weekend", Every(weekdays=(5, 6))),
        ("weekend, monday", Every(weekdays=(0, 5, 6))),
        ("Never", Every()),
    ],
)
def test_every_form_of_every_is_understood(text: str, every: Every) -> None:
    assert read_every(text) == every


@pytest.mark.parametrize(
    ("text", "expected"),
    [
        ("", f"[]\n'every' is empty\nexpected {FORMS}"),
        ("never again", f"never [again]\n'again' is not understood here\nexpected {FORMS}"),
        ("10", f"[10]\n'10' lacks a unit of time\nexpected {FORMS}"),
        ("5 to 10", f"[5 to 10]\n'5 to 10' lacks a unit of time\nexpected {FORMS}"),
        ("5 to", f"[5 to]\n'5 to' lacks the upper end of the range\nexpected {FORMS}"),
        ("0 minutes", f"[0] minutes\n'0' is too small\nexpected {WHOLE}"),
        ("-5 minutes", f"[-5] minutes\n'-5' is too small\nexpected {WHOLE}"),
        ("1.5 hours", f"[1.5] hours\n'1.5' is not a whole number\nexpected {WHOLE}"),
        ("5 to x hours", f"5 to [x] hours\n'x' is not a whole number\nexpected {WHOLE}"),
        (
            "10 to 5 minutes",
            "[10 to 5 minutes]\nthe range from 10 to 5 runs backwards\n"
            "expected the smaller number first: 5 to 10",
        ),
        (
            "36526 days",
            "[36526 days]\n'36526 days' is more than a hundred years\nexpected a smaller number",
        ),
        (
            "1000000000000 days",
            "[1000000000000] days\n'1000000000000' is more than a hundred years\n"
            "expected a smaller number",
        ),
        ("5 foo", f"5 [foo]\n'foo' is not a unit of time\nexpected {UNITS}"),
        (
            "5 minuts",
            f"5 [minuts]\n'minuts' is not a unit of time\nexpected {UNITS}\n"
            "hint: did you mean 'minutes'?",
        ),
        (
            "5 m",
            f"5 [m]\n'm' is not a unit of time\nexpected {UNITS}\nhint: did you mean 'minutes'?",
        ),
        (
            "daily",
            f"[daily]\n'daily' is not a unit of time\nexpected {UNITS}\nhint: did you mean 'day'?",
        ),
        (
            "2 Monday",
            "2 [Monday]\n'Monday' takes no number\nexpected 'monday' alone, or a number of weeks",
        ),
        (
            "monday friday",
            f"monday [friday]\n'friday' is not understood here\nexpected {FORMS}\n"
            "hint: put a comma between days",
        ),
        ("monday,", f"monday[,]\na day is missing after the comma\nexpected {DAYS}"),
        ("monday,, friday", f"monday,[,] friday\n',' is not a day of the week\nexpected {DAYS}"),
        (
            "monday, tueday",
            f"monday, [tueday]\n'tueday' is not a day of the week\nexpected {DAYS}\n"
            "hint: did you mean 'tuesday'?",
        ),
        (
            "day at 09:30",
            f"day [at] 09:30\n'at' is not understood here\nexpected {FORMS}\n"
            "hint: write it on a line of its own: at = …",
        ),
        (
            "month on 5",
            f"month [on] 5\n'on' is not understood here\nexpected {FORMS}\n"
            "hint: write it on a line of its own: on_day = …",
        ),
    ],
)
def test_an_every_that_cannot_be_read_says_what_is_wrong(text: str, expected: str) -> None:
    with pytest.raises(Unreadable) as caught:
        read_every(text)
    assert said(caught.value, text) == expected


def test_a_hundred_years_are_allowed() -> None:
    assert read_every("36525 days") == Every(Unit.DAY, 36525)


# -- at


@pytest.mark.parametrize(
    ("every", "text", "seconds"),
    [
        ("day", "9:30", (34200,)),
        ("2 weeks", "23:59:59", (86399,)),
        ("monday", "09:30, 06:00\n06:00", (21600, 34200)),
        ("5 to 10 days", "00:00", (0,)),
        ("hour", ":30, :05", (300, 1800)),
        ("2 hours", "5:30", (330,)),
        ("hour", "59:59", (3599,)),
        ("minute", ":00, :45", (0, 45)),
    ],
)
def test_times_are_seconds_into_what_every_counts(
    every: str, text: str, seconds: tuple[int, ...]
) -> None:
    assert read_times(text, read_every(every)) == seconds


@pytest.mark.parametrize(
    ("every", "text", "expected"),
    [
        (
            "never",
            "09:00",
            "[09:00]\na job that is never due takes no 'at'\nexpected no 'at' here",
        ),
        (
            "5 seconds",
            ":30",
            "[:30]\n'every' counts seconds and takes no 'at'\nexpected no 'at' here",
        ),
        (
            "5 to 10 minutes",
            ":30",
            "[:30]\na random interval takes no 'at'\n"
            "expected one number in 'every', or no 'at' here",
        ),
        ("day", "", f"[]\n'at' is empty\nexpected {OF_DAY}"),
        ("hour", "", "[]\n'at' is empty\nexpected :MM or MM:SS"),
        ("minute", " , ", "[ , ]\n'at' is empty\nexpected :SS"),
        ("day", "25:10", f"[25:10]\n'25:10' is not a time of day\nexpected {OF_DAY}"),
        ("day", ":30", f"[:30]\n':30' is not a time of day\nexpected {OF_DAY}"),
        ("day", "noon", f"[noon]\n'noon' is not a time of day\nexpected {OF_DAY}"),
        (
            "day",
            "24:00",
            f"[24:00]\n'24:00' is not a time of day\nexpected {OF_DAY}\nhint: midnight is 00:00",
        ),
        (
            "monday",
            "10:00, 9.30",
            f"10:00, [9.30]\n'9.30' is not a time of day\nexpected {OF_DAY}\n"
            "hint: did you mean '9:30'?",
        ),
        (
            "day",
            "12 am",
            f"[12 am]\n'12 am' is not a time of day\nexpected {OF_DAY}\n"
            "hint: did you mean '00:00'?",
        ),
        (
            "day",
            "9:30 p.m.",
            f"[9:30 p.m.]\n'9:30 p.m.' is not a time of day\nexpected {OF_DAY}\n"
            "hint: did you mean '21:30'?",
        ),
        ("hour", ":60", "[:60]\n':60' is not a minute of the hour\nexpected :MM or MM:SS"),
        (
            "hour",
            "09:30:00",
            "[09:30:00]\n'09:30:00' is not a minute of the hour\nexpected :MM or MM:SS\n"
            "hint: a time of day goes with day, week, month or a weekday in 'every'",
        ),
        ("minute", "30", "[30]\n'30' is not a second of the minute\nexpected :SS"),
        (
            "minute",
            "09:30",
            "[09:30]\n'09:30' is not a second of the minute\nexpected :SS\n"
            "hint: a time of day goes with day, week, month or a weekday in 'every'",
        ),
    ],
)
def test_an_at_that_does_not_fit_says_what_is_wrong(every: str, text: str, expected: str) -> None:
    with pytest.raises(Unreadable) as caught:
        read_times(text, read_every(every))
    assert said(caught.value, text) == expected


# -- on_day


@pytest.mark.parametrize(
    ("text", "day"), [("1", 1), ("09", 9), ("31", 31), ("last", LAST_DAY), ("Last", LAST_DAY)]
)
def test_a_day_of_the_month_is_a_number_or_last(text: str, day: int) -> None:
    assert read_on_day(text) == day


@pytest.mark.parametrize("text", ["0", "32", "-1", "001", "first", "", "1.", "３"])
def test_what_is_no_day_of_a_month_is_refused(text: str) -> None:
    with pytest.raises(Unreadable) as caught:
        read_on_day(text)
    assert said(caught.value, text) == (
        f"[{text}]\n'{text}' is not a day of a month\nexpected 1 to 31, or last"
    )


# -- moments


@pytest.mark.parametrize(
    ("text", "moment"),
    [
        ("2026-11-21", "2026-11-20T23:00:00+00:00"),
        ("2026-11-21 09:30", "2026-11-21T08:30:00+00:00"),
        ("2026-07-01T09:30:15", "2026-07-01T07:30:15+00:00"),
        ("2026-11-21 09:30Z", "2026-11-21T09:30:00+00:00"),
        ("2026-11-21 09:30-05:00", "2026-11-21T14:30:00+00:00"),
    ],
)
def test_a_moment_without_offset_is_local_to_the_zone(text: str, moment: str) -> None:
    assert read_moment(text, "Europe/Paris").isoformat() == moment


@pytest.mark.parametrize(
    ("text", "moment"),
    [
        ("2026-11-21", "2026-11-21T22:59:59.999999+00:00"),
        ("2026-10-25", "2026-10-25T22:59:59.999999+00:00"),
        ("2026-11-21 09:30", "2026-11-21T08:30:00+00:00"),
    ],
)
def test_a_last_date_holds_its_whole_day(text: str, moment: str) -> None:
    assert read_moment(text, "Europe/Paris", last=True).isoformat() == moment


@pytest.mark.parametrize(
    ("text", "expected"),
    [
        ("", f"[]\n'' is not a date or date-time\nexpected {MOMENT}"),
        ("tomorrow", f"[tomorrow]\n'tomorrow' is not a date or date-time\nexpected {MOMENT}"),
        ("09:30", f"[09:30]\n'09:30' is not a date or date-time\nexpected {MOMENT}"),
        (
            "2026-1-1",
            f"[2026-1-1]\n'2026-1-1' is not a date or date-time\nexpected {MOMENT}\nhint: {DIGITS}",
        ),
        (
            "2026-02-30 09:30",
            f"[2026-02-30 09:30]\n'2026-02-30 09:30' is not a date or date-time\n"
            f"expected {MOMENT}\nhint: {DIGITS}",
        ),
        (
            "2026-11-21 25:00",
            f"[2026-11-21 25:00]\n'2026-11-21 25:00' is not a date or date-time\nexpected {MOMENT}",
        ),
        ("1969-12-31", "[1969-12-31]\nthe year 1969 is out of reach\nexpected 1970 to 9990"),
        (
            "9991-01-01 00:00Z",
            "[9991-01-01 00:00Z]\nthe year 9991 is out of reach\nexpected 1970 to 9990",
        ),
        (
            "2026-11-21 09:30:00.5",
            f"[2026-11-21 09:30:00.5]\nfractions of a second cannot be kept\nexpected {MOMENT}",
        ),
    ],
)
def test_a_moment_that_cannot_be_read_says_what_is_wrong(text: str, expected: str) -> None:
    with pytest.raises(Unreadable) as caught:
        read_moment(text, "Europe/Paris")
    assert said(caught.value, text) == expected


# -- zones


@pytest.mark.parametrize("name", ["Europe/Paris", "UTC", "America/Argentina/Ushuaia"])
def test_a_zone_is_its_iana_name(name: str) -> None:
    assert read_zone(name) == name


@pytest.mark.parametrize(
    ("text", "hint"),
    [
        ("", ""),
        ("xyzzy", ""),
        ("../../etc/passwd", ""),
        ("europe/paris", "\nhint: did you mean 'Europe/Paris'?"),
        ("Paris", "\nhint: did you mean 'Europe/Paris'?"),
        ("new york", "\nhint: did you mean 'America/New_York'?"),
        ("Europe/Pari", "\nhint: did you mean 'Europe/Paris'?"),
    ],
)
def test_a_zone_nobody_knows_is_refused_with_the_nearest(text: str, hint: str) -> None:
    with pytest.raises(Unreadable) as caught:
        read_zone(text)
    assert said(caught.value, text) == (
        f"[{text}]\n'{text}' is not a time zone\nexpected an IANA name such as Europe/Paris{hint}"
    )


# -- showing


@pytest.mark.parametrize(
    ("every", "cron", "times", "on_day", "shown"),
    [
        (None, "0 5 * * 1-5", (), None, "0 5 * * 1-5"),
        (Every(), None, (), None, "never"),
        (Every(Unit.DAY), None, (21600,), None, "day at 06:00"),
        (Every(Unit.MINUTE, 5, 10), None, (), None, "5 to 10 minutes"),
        (Every(Unit.HOUR, 2), None, (330, 1800), None, "2 hours at 05:30, :30"),
        (Every(Unit.MINUTE), None, (5,), None, "minute at :05"),
        (Every(weekdays=(0, 3)), None, (34215,), None, "monday, thursday at 09:30:15"),
        (Every(weekdays=(0, 1, 2, 3, 4)), None, (), None, "weekday"),
        (Every(weekdays=(5, 6)), None, (), None, "weekend"),
        (Every(Unit.MONTH), None, (0,), 15, "month on day 15 at 00:00"),
        (Every(Unit.MONTH, 3), None, (), LAST_DAY, "3 months on the last day"),
    ],
)
def test_a_schedule_is_shown_in_the_words_of_the_file(
    every: Every | None, cron: str | None, times: tuple[int, ...], on_day: int | None, shown: str
) -> None:
    assert show_schedule(every, cron, times, on_day) == shown


_NUMBERS = st.integers(1, 1000)
_EVERY = st.one_of(
    st.just(Every()),
    st.builds(Every, st.sampled_from(Unit), _NUMBERS),
    st.tuples(st.sampled_from(Unit), _NUMBERS, _NUMBERS).map(
        lambda parts: Every(parts[0], min(parts[1:]), max(parts[1:]))
    ),
    st.sets(st.integers(0, 6), min_size=1).map(lambda days: Every(weekdays=tuple(sorted(days)))),
)


@given(_EVERY)
def test_what_is_shown_of_every_reads_back_the_same(every: Every) -> None:
    assert read_every(show_schedule(every, None, (), None)) == every


@given(
    st.sampled_from([(Unit.MINUTE, 60), (Unit.HOUR, 3600), (Unit.DAY, 86400), (None, 86400)]),
    st.data(),
)
def test_what_is_shown_of_at_reads_back_the_same(
    counted: tuple[Unit | None, int], data: st.DataObject
) -> None:
    unit, length = counted
    every = Every(unit) if unit else Every(weekdays=(0,))
    times = tuple(sorted(data.draw(st.sets(st.integers(0, length - 1), min_size=1, max_size=5))))
    shown = show_schedule(every, None, times, None).partition(" at ")[2]
    assert read_times(shown, every) == times
