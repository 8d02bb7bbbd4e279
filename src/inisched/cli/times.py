"""Moments given on the command line."""

from __future__ import annotations

import re
from datetime import UTC, datetime, timedelta

import click

from inisched.cli.exits import Exit, Trouble
from inisched.model.diagnostic import Unreadable
from inisched.model.duration import read_duration
from inisched.questions.moments import read_time


class Duration(click.ParamType[timedelta]):
    """A duration on the command line."""

    name = "duration"

    def convert(
        self, value: object, param: click.Parameter | None, ctx: click.Context | None
    ) -> timedelta:
        if isinstance(value, timedelta):
            return value
        try:
            return read_duration(str(value))
        except Unreadable as error:
            self.fail(f"{error.problem}, expected {error.expected}", param, ctx)


MOST_DAYS = 36_500


class Days(click.ParamType[timedelta]):
    """A number of days on the command line."""

    name = "days"

    def convert(
        self, value: object, param: click.Parameter | None, ctx: click.Context | None
    ) -> timedelta:
        text = str(value)
        if re.fullmatch(r"[0-9]+(\.[0-9]+)?", text) and 0 < float(text) <= MOST_DAYS:
            return timedelta(days=float(text))
        expected = f"a number above 0 and not above {MOST_DAYS:,}, such as 7 or 0.5"
        self.fail(f"'{text}' is not a number of days, expected {expected}", param, ctx)


def now() -> datetime:
    """The present moment, aware UTC."""
    return datetime.now(UTC)


def time_from(text: str | None, zone: str, present: datetime, *, ahead: bool = False) -> datetime:
    """A T of the command line; the present where there is none. A wrong one is misuse."""
    if text is None:
        return present
    try:
        return read_time(text, zone, present, ahead=ahead)
    except Unreadable as error:
        raise Trouble(f"{error.problem}, expected {error.expected}", Exit.MISUSE) from None
