"""A T as a stretch of time: as long as the precision it was typed with."""

from __future__ import annotations

import re
from datetime import UTC, date, datetime, timedelta
from zoneinfo import ZoneInfo

from msgspec import Struct

from inisched.model.diagnostic import Unreadable
from inisched.model.duration import read_duration
from inisched.questions.moments import read_time
from inisched.timing.moment import read_moment

_MILLISECOND = timedelta(milliseconds=1)
_LENGTHS = {
    2: ("hour", timedelta(hours=1)),
    4: ("minute", timedelta(minutes=1)),
    6: ("second", timedelta(seconds=1)),
}
"""By the number of digits a time of day was typed with."""

_CLOCK = re.compile(r"[0-9]{1,2}:[0-9]{2}(:[0-9]{2})?")
_OFFSET = re.compile(r"(Z|[+-][0-9]{2}(:?[0-9]{2}){0,2})$", re.IGNORECASE)
_FRACTION = re.compile(r"(:[0-9]{2}:[0-9]{2}|[0-9]{6})[.,]([0-9]{1,6})")


class Span(Struct, frozen=True):
    """The moments [begin, end), aware UTC. `what` names it: day, hour, minute, second, moment."""

    begin: datetime
    end: datetime
    what: str

    def __contains__(self, moment: datetime) -> bool:
        return self.begin <= moment < self.end


def read_span(text: str, zone: str, now: datetime) -> tuple[Span, ...]:
    """Read a T: two spans where the clock in the zone shows it twice. Raises Unreadable.

    A duration means the minute so long ago.
    """
    text = text.strip()
    if _is_duration(text):
        begin = read_time(text, zone, now).replace(second=0, microsecond=0)
        return (Span(begin, begin + timedelta(minutes=1), "minute"),)
    if _is_date(text):
        begin = read_moment(text, zone)
        last = read_moment(text, zone, last=True)
        return (Span(begin, last + timedelta(microseconds=1), "day"),)
    fraction = _FRACTION.search(text)
    whole = text if fraction is None else text[: fraction.start(2) - 1] + text[fraction.end(2) :]
    begin = read_time(whole, zone, now)
    if fraction is not None:
        begin += (
            timedelta(microseconds=int(fraction[2].ljust(6, "0"))) // _MILLISECOND * _MILLISECOND
        )
    what, length = ("moment", _MILLISECOND) if fraction else _precision(whole)
    local = _CLOCK.fullmatch(text) is not None or _OFFSET.search(_time_of(text)) is None
    passes = (begin, _second_pass(begin, zone)) if local else (begin,)
    return tuple(Span(at, at + length, what) for at in passes if at is not None)


def _is_duration(text: str) -> bool:
    try:
        read_duration(text)
    except Unreadable:
        return False
    return True


def _is_date(text: str) -> bool:
    try:
        date.fromisoformat(text)
    except ValueError:
        return False
    return True


def _time_of(text: str) -> str:
    """What follows the date."""
    return re.split(r"[T ]", text, maxsplit=1)[-1]


def _precision(text: str) -> tuple[str, timedelta]:
    if _CLOCK.fullmatch(text):
        return _LENGTHS[6 if text.count(":") == 2 else 4]
    digits = re.sub(r"[^0-9]", "", _OFFSET.sub("", _time_of(text)))
    return _LENGTHS.get(len(digits), _LENGTHS[6])


def _second_pass(moment: datetime, zone: str) -> datetime | None:
    """When the clock shows once more what it shows at the moment; None where it does not."""
    local = moment.astimezone(ZoneInfo(zone))
    again = local.replace(fold=1).astimezone(UTC)
    return again if local.fold == 0 and again > moment else None
