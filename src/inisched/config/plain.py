"""Plain values read from text: numbers, yes and no, days, moments, durations, none.

Each raises Unreadable whose `problem` is the end of a sentence that begins with the value.
"""

from __future__ import annotations

from datetime import date, datetime, timedelta
from decimal import Decimal, InvalidOperation

from inisched.model.diagnostic import Unreadable
from inisched.model.duration import read_duration

TRUE = frozenset({"yes", "true", "on", "1"})
FALSE = frozenset({"no", "false", "off", "0"})
NOTHING = frozenset({"none", "null"})


def wrong(problem: str, expected: str) -> Unreadable:
    return Unreadable(problem, expected=expected)


def read_int(text: str) -> int:
    try:
        return int(text)
    except ValueError:
        raise wrong("is not a whole number", "int") from None


def read_float(text: str) -> float:
    try:
        return float(text)
    except ValueError:
        raise wrong("is not a number", "float") from None


def read_decimal(text: str) -> Decimal:
    try:
        return Decimal(text)
    except InvalidOperation:
        raise wrong("is not a number", "Decimal") from None


def read_bool(text: str) -> bool:
    word = text.lower()
    if word in TRUE or word in FALSE:
        return word in TRUE
    raise wrong("is neither yes nor no", "yes or no")


def read_date(text: str) -> date:
    try:
        return date.fromisoformat(text)
    except ValueError:
        raise wrong("is not a date", "a date such as 2026-01-31") from None


def read_datetime(text: str, zone: str) -> datetime:
    from zoneinfo import ZoneInfo

    try:
        moment = datetime.fromisoformat(text)
    except ValueError:
        raise wrong("is not a date-time", "a date-time such as 2026-01-31T09:30") from None
    return moment if moment.tzinfo else moment.replace(tzinfo=ZoneInfo(zone))


def read_timedelta(text: str) -> timedelta:
    try:
        return read_duration(text)
    except Unreadable as error:
        expected = error.expected.removeprefix("expected ")
        raise Unreadable("is not a duration", expected=expected, hint=error.hint) from None


def read_nothing(text: str) -> None:
    if text and text.lower() not in NOTHING:
        raise wrong("is not none", "none")
