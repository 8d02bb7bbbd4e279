"""Reads ISO dates and date-times, and the names of time zones."""

from __future__ import annotations

import re
from datetime import UTC, date, datetime, timedelta
from zoneinfo import available_timezones

from inisched.model.diagnostic import Unreadable
from inisched.timing.nearest import did_you_mean
from inisched.timing.zone import DAY, is_zone, zone

_MOMENT = "a date or date-time such as 2026-11-21 or 2026-11-21 09:30"


def read_moment(text: str, zone_name: str, *, last: bool = False) -> datetime:
    """Read an ISO date or date-time as aware UTC; without an offset it is local to the zone.

    A date means its first moment, or with `last` its last. Fractions of a second are refused.
    """
    day: date | None
    try:
        day = date.fromisoformat(text)
        moment = datetime(day.year, day.month, day.day)
    except ValueError:
        day, moment = None, _date_time(text)
    if not 1970 <= moment.year <= 9990:
        raise Unreadable(f"the year {moment.year} is out of reach", expected="1970 to 9990")
    if moment.microsecond:
        raise Unreadable("fractions of a second cannot be kept", expected=_MOMENT)
    if moment.tzinfo is not None:
        return moment.astimezone(UTC)
    reading = int(moment.replace(tzinfo=UTC).timestamp())
    if day is not None and last:
        next_midnight = zone(zone_name).instant(reading + DAY)
        return datetime.fromtimestamp(next_midnight, UTC) - timedelta(microseconds=1)
    return datetime.fromtimestamp(zone(zone_name).instant(reading), UTC)


def _date_time(text: str) -> datetime:
    try:
        return datetime.fromisoformat(text)
    except ValueError:
        pass
    hint = ""
    day = re.match(r"[0-9]{4}-[0-9]{1,2}-[0-9]{1,2}(?![0-9])", text)
    if day and not _is_date(day[0]):
        hint = "month and day have two digits and must exist"
    raise Unreadable(f"'{text}' is not a date or date-time", expected=_MOMENT, hint=hint)


def _is_date(text: str) -> bool:
    try:
        date.fromisoformat(text)
    except ValueError:
        return False
    return True


def read_zone(text: str) -> str:
    """Read the IANA name of a zone this machine knows."""
    if text and is_zone(text):
        return text
    names = available_timezones()
    folded = {name.lower(): name for name in names}
    places = {name.rpartition("/")[2].lower(): name for name in sorted(names, reverse=True)}
    plain = text.lower().replace(" ", "_")
    exact = folded.get(plain) or places.get(plain)
    hint = f"did you mean '{exact}'?" if exact else did_you_mean(text, names, cutoff=0.75)
    raise Unreadable(
        f"'{text}' is not a time zone", expected="an IANA name such as Europe/Paris", hint=hint
    )
