"""Durations as people write them: "90", "5m", "1h30m", "1 hour 30 minutes"."""

from __future__ import annotations

import re
from datetime import timedelta

from inisched.model.diagnostic import Unreadable

LONGEST = timedelta(days=36525)
"""A hundred years: beyond it a duration is taken for a slip of the hand."""

EXPECTED = "a duration such as 90, 90 s, 5m, 1h30m or 2 days"

_UNITS = {
    "s": 1, "sec": 1, "secs": 1, "second": 1, "seconds": 1,
    "m": 60, "min": 60, "mins": 60, "minute": 60, "minutes": 60,
    "h": 3600, "hr": 3600, "hrs": 3600, "hour": 3600, "hours": 3600,
    "d": 86400, "day": 86400, "days": 86400,
    "w": 604800, "week": 604800, "weeks": 604800,
}  # fmt: skip

_PART = re.compile(r"\s*([0-9]+)\s*([^\W\d_]+)?\s*")


def read_duration(text: str) -> timedelta:
    """Read a duration; a bare number counts seconds.

    Raises Unreadable at the first part that is not a number with a unit, for a month or a year
    (their length varies), and for more than a hundred years.
    """
    total = position = 0
    parts = 0
    while position < len(text):
        part = _PART.match(text, position)
        if part is None:
            raise _not_a_duration(text, position)
        number, unit = part.groups()
        if unit is None and (parts or part.end() < len(text)):
            raise _not_a_duration(text, part.start(1))
        total += _seconds(number, unit, part)
        position = part.end()
        parts += 1
    if not parts:
        raise Unreadable("the duration is empty", expected=EXPECTED)
    if total > LONGEST.total_seconds():
        raise Unreadable("longer than a hundred years", expected=EXPECTED)
    return timedelta(seconds=total)


def _seconds(number: str, unit: str | None, part: re.Match[str]) -> int:
    if len(number) > 12:
        raise Unreadable("longer than a hundred years", expected=EXPECTED)
    if unit is None:
        return int(number)
    size = _UNITS.get(unit.lower())
    if size is None:
        start, end = part.span(2)
        raise Unreadable(
            f"'{unit}' is not a unit of a duration",
            start=start,
            length=end - start,
            expected="s, m, h, d or w, or second, minute, hour, day or week",
            hint="months and years vary in length: say it in days" if unit[:1] in "yMm" else "",
        )
    return int(number) * size


def _not_a_duration(text: str, start: int) -> Unreadable:
    hint = "a duration is never negative" if text[start:].lstrip().startswith("-") else ""
    return Unreadable(f"'{text}' is not a duration", expected=EXPECTED, hint=hint)


def show_duration(length: timedelta) -> str:
    """A duration at a glance: "0.01 s", "12 s", "2 min 5 s", "3 h 4 min", "2 d 3 h"."""
    seconds = length.total_seconds()
    if seconds < 10 and seconds != int(seconds):
        return f"{seconds:.2f} s"
    whole = round(seconds)
    for size, name, below, below_name in (
        (86400, "d", 3600, "h"),
        (3600, "h", 60, "min"),
        (60, "min", 1, "s"),
    ):
        if whole >= size:
            rest = whole % size // below
            return (
                f"{whole // size} {name} {rest} {below_name}" if rest else f"{whole // size} {name}"
            )
    return f"{whole} s"
