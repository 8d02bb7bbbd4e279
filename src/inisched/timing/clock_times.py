"""Reads `at` and `on_day`: the times of a day, an hour or a minute, and the day of a month."""

from __future__ import annotations

import re

from inisched.model.diagnostic import Unreadable
from inisched.model.schedule import LAST_DAY, Every, Unit

_TIME_OF_DAY = re.compile(r"([0-9]{1,2}):([0-9]{2})(?::([0-9]{2}))?")


def read_times(text: str, every: Every) -> tuple[int, ...]:
    """Read `at`: seconds into the day (hour, minute) that `every` counts, ascending, each once.

    Raises Unreadable where `every` takes no time or a time has the wrong shape for it.
    """
    if every.never:
        raise Unreadable("a job that is never due takes no 'at'", expected="no 'at' here")
    if every.unit is Unit.SECOND:
        raise Unreadable("'every' counts seconds and takes no 'at'", expected="no 'at' here")
    if every.latest is not None and every.unit in (Unit.MINUTE, Unit.HOUR):
        raise Unreadable(
            "a random interval takes no 'at'", expected="one number in 'every', or no 'at' here"
        )
    times = {_time(item, start, every.unit) for item, start in _items(text)}
    if not times:
        raise Unreadable("'at' is empty", expected=_times_expected(every.unit))
    return tuple(sorted(times))


def _items(text: str) -> list[tuple[str, int]]:
    return [
        (match[0].strip(), match.start() + len(match[0]) - len(match[0].lstrip()))
        for match in re.finditer(r"[^,\n]+", text)
        if match[0].strip()
    ]


def _times_expected(unit: Unit | None) -> str:
    forms = {Unit.HOUR: ":MM or MM:SS", Unit.MINUTE: ":SS"}
    usual = "a time of day, HH:MM or HH:MM:SS, from 00:00 to 23:59:59"
    return forms.get(unit, usual) if unit else usual


def _time(item: str, start: int, unit: Unit | None) -> int:
    seconds = None
    if unit is Unit.MINUTE:
        seconds = _second(item)
    elif unit is Unit.HOUR:
        seconds = _minute_and_second(item)
    else:
        seconds = _time_of_day(item)
    if seconds is not None:
        return seconds
    raise Unreadable(
        f"'{item}' is not {_time_name(unit)}",
        start=start,
        length=len(item),
        expected=_times_expected(unit),
        hint=_time_hint(item, unit),
    )


def _time_name(unit: Unit | None) -> str:
    names = {Unit.MINUTE: "a second of the minute", Unit.HOUR: "a minute of the hour"}
    return names.get(unit, "a time of day") if unit else "a time of day"


def _second(item: str) -> int | None:
    match = re.fullmatch(r":([0-9]{2})", item)
    return int(match[1]) if match and int(match[1]) < 60 else None


def _minute_and_second(item: str) -> int | None:
    match = re.fullmatch(r"([0-9]{1,2})?:([0-9]{2})", item)
    if not match:
        return None
    minute, second = (int(match[1]), int(match[2])) if match[1] else (int(match[2]), 0)
    return minute * 60 + second if minute < 60 and second < 60 else None


def _time_of_day(item: str) -> int | None:
    match = _TIME_OF_DAY.fullmatch(item)
    if not match:
        return None
    hour, minute, second = int(match[1]), int(match[2]), int(match[3] or 0)
    if hour > 23 or minute > 59 or second > 59:
        return None
    return hour * 3600 + minute * 60 + second


def _time_hint(item: str, unit: Unit | None) -> str:
    if unit in (Unit.MINUTE, Unit.HOUR) and _time_of_day(item) is not None:
        return "a time of day goes with day, week, month or a weekday in 'every'"
    if item.startswith("24:"):
        return "midnight is 00:00"
    dotted = re.fullmatch(r"([0-9]{1,2})[.hH]([0-9]{2})", item)
    if dotted and unit not in (Unit.MINUTE, Unit.HOUR):
        return f"did you mean '{dotted[1]}:{dotted[2]}'?"
    half = re.fullmatch(r"([0-9]{1,2})(?::([0-9]{2}))?\s*([ap])\.?m\.?", item, re.IGNORECASE)
    if half and int(half[1]) in range(1, 13):
        hour = int(half[1]) % 12 + (12 if half[3] in "pP" else 0)
        return f"did you mean '{hour:02}:{half[2] or '00'}'?"
    return ""


def read_on_day(text: str) -> int:
    """Read `on_day`: 1 to 31, or LAST_DAY for `last`."""
    if text.lower() == "last":
        return LAST_DAY
    if re.fullmatch("[0-9]+", text) and len(text) <= 2 and 1 <= int(text) <= 31:
        return int(text)
    raise Unreadable(f"'{text}' is not a day of a month", expected="1 to 31, or last")
