"""The period a report is about: the one that ended on the day before its fire."""

from __future__ import annotations

from datetime import date, datetime, timedelta
from zoneinfo import ZoneInfo

from inisched.model.job import Period
from inisched.timing.pattern import EPOCH_DAY, day_in_month, month_of

_DAY = timedelta(days=1)


def period_of(period: Period, fire: datetime, zone: str) -> tuple[date, date]:
    """The first and the last day, both inclusive, of the period before the (unmoved) fire.

    A day: the day before. A week: the seven days before. A month: from the same day of the month
    before, or that month's last day where it is too short, to the day before.
    """
    today = fire.astimezone(ZoneInfo(zone)).date()
    if period is Period.DAY:
        return today - _DAY, today - _DAY
    if period is Period.WEEK:
        return today - 7 * _DAY, today - _DAY
    month = month_of(today.toordinal() - EPOCH_DAY) - 1
    start = day_in_month(month, today.day)
    assert start is not None
    return date.fromordinal(start + EPOCH_DAY), today - _DAY
