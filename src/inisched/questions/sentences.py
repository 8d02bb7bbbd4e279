"""Moments, lengths and lists as sentences tell them."""

from __future__ import annotations

from collections.abc import Sequence
from datetime import UTC, datetime, timedelta, tzinfo
from zoneinfo import ZoneInfo

from msgspec import Struct

from inisched.questions.spans import Span

NEAR = timedelta(days=6)
"""So far away a moment is told by its weekday."""


class Speaker(Struct, frozen=True):
    """Tells moments as people would, at `now`: in the zone, or with `utc` in UTC."""

    zone: str
    now: datetime
    utc: bool = False

    def time(self, moment: datetime) -> str:
        """Today "11:00", within six days "Sat 06:00", else "2026-11-20 06:00"; with seconds where
        there are any, and with its offset where the clock shows it twice."""
        local = moment.astimezone(self._place)
        seconds = ":%S" if local.second else ""
        return local.strftime(f"{self._day(local)}%H:%M{seconds}") + self._suffix(local)

    def _day(self, local: datetime) -> str:
        if local.date() == self.now.astimezone(self._place).date():
            return ""
        return "%a " if abs(local - self.now) < NEAR else "%Y-%m-%d "

    def _suffix(self, local: datetime) -> str:
        if self.utc:
            return " UTC"
        twice = local.replace(fold=0).utcoffset() != local.replace(fold=1).utcoffset()
        offset = local.strftime("%z")
        return f" {offset[:3]}:{offset[3:5]}" if twice else ""

    @property
    def _place(self) -> tzinfo:
        return UTC if self.utc else ZoneInfo(self.zone)

    def day(self, moment: datetime) -> str:
        return moment.astimezone(ZoneInfo(self.zone)).strftime("%Y-%m-%d")

    def stretch(self, since: datetime, until: datetime) -> str:
        return f"from {self.time(since)} to {self.time(until)}"


def listed(words: Sequence[str]) -> str:
    """ "a", "a and b", "a, b and c"."""
    return " and ".join(word for word in (", ".join(words[:-1]), *words[-1:]) if word)


def counted(number: int, noun: str) -> str:
    return f"1 {noun}" if number == 1 else f"{number} {noun}s"


def sentence(*parts: str) -> str:
    """The parts that are there as one sentence: with a stop at its end."""
    text = " ".join(part for part in parts if part)
    return text if text.endswith((".", "!", "?")) else f"{text}."


def whole_seconds(length: timedelta) -> timedelta:
    return timedelta(seconds=int(length.total_seconds()))


def others(number: int, most: int, spans: Sequence[Span]) -> str:
    """That more fires lie in what was asked for."""
    what = spans[0].what
    if number >= most:
        return f"More than {most} more fires lie in that {what}."
    return f"{counted(number, 'more fire')} {'lies' if number == 1 else 'lie'} in that {what}."
