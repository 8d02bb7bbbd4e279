"""Moments as people type and read them: T on the command line, and times on the screen."""

from __future__ import annotations

import re
from datetime import UTC, datetime, timedelta
from zoneinfo import ZoneInfo

from inisched.model.diagnostic import Unreadable
from inisched.model.duration import read_duration
from inisched.timing.moment import read_moment

EXPECTED = "a date or date-time, HH:MM, or a duration such as 2h"
_CLOCK = re.compile(r"([0-9]{1,2}):([0-9]{2})(?::([0-9]{2}))?")


def read_time(text: str, zone: str, now: datetime, *, ahead: bool = False) -> datetime:
    """Read a T: aware UTC. `ahead` looks forward: the next HH:MM, a duration from now.

    Without an offset it is local to the zone. Raises Unreadable.
    """
    text = text.strip()
    clock = _CLOCK.fullmatch(text)
    if clock:
        return _nearest(clock, zone, now, ahead=ahead)
    try:
        length = read_duration(text)
    except Unreadable:
        pass
    else:
        return now + length if ahead else now - length
    try:
        return read_moment(text, zone)
    except Unreadable as error:
        if re.match(r"[0-9]{4}-", text):
            raise
        raise Unreadable(f"'{text}' is not a time", expected=EXPECTED) from error


def _nearest(clock: re.Match[str], zone: str, now: datetime, *, ahead: bool) -> datetime:
    hour, minute, second = int(clock[1]), int(clock[2]), int(clock[3] or 0)
    if hour > 23 or minute > 59 or second > 59:
        raise Unreadable(f"'{clock[0]}' is not a time of day", expected=EXPECTED)
    today = now.astimezone(ZoneInfo(zone)).date()
    for day in (0, 1) if ahead else (0, -1):
        date = today + timedelta(days=day)
        text = f"{date.isoformat()} {hour:02}:{minute:02}:{second:02}"
        moment = read_moment(text, zone)
        if (moment > now) if ahead else (moment <= now):
            return moment
    return moment


def iso_utc(moment: datetime) -> str:
    """As JSON tells it: ISO-8601 UTC, milliseconds only where there are any."""
    form = "milliseconds" if moment.microsecond else "seconds"
    return moment.astimezone(UTC).isoformat(timespec=form).replace("+00:00", "Z")


def show_moment(moment: datetime, zone: str, now: datetime, *, utc: bool = False) -> str:
    """As a table tells it: "Sat 06:00 +01:00" within six days of now, else with its date."""
    local = moment.astimezone(UTC if utc else ZoneInfo(zone))
    offset = local.strftime("%z")
    offset = f"{offset[:3]}:{offset[3:5]}"
    seconds = ":%S" if local.second else ""
    near = abs(moment - now) < timedelta(days=6)
    day = "%a " if near else "%Y-%m-%d "
    return f"{local.strftime(day + '%H:%M' + seconds)} {offset}"
