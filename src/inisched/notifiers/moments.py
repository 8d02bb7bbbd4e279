"""Moments as notices show them: in the zone their reader lives in."""

from __future__ import annotations

from datetime import UTC, datetime, tzinfo
from zoneinfo import ZoneInfo

from inisched.model.event import Event


def brief(event: Event, moment: datetime) -> str:
    """ "02:10", or "2026-11-20 02:10" where that is not the day of the event."""
    zone = zone_of(event)
    local = moment.astimezone(zone)
    same_day = local.date() == event.at.astimezone(zone).date()
    return f"{local:%H:%M}" if same_day else f"{local:%Y-%m-%d %H:%M}"


def full(event: Event, moment: datetime) -> str:
    """ "2026-11-21 02:30:00 +01:00"."""
    text = moment.astimezone(zone_of(event)).isoformat(sep=" ", timespec="seconds")
    return f"{text[:19]} {text[19:]}"


def zone_of(event: Event) -> tzinfo:
    """The event's zone; UTC where this host does not know it."""
    try:
        return ZoneInfo(event.zone)
    except (OSError, ValueError, LookupError):
        return UTC
