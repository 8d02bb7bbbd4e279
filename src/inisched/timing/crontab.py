"""Schedules in the words of others: as five cron fields, or as an interval."""

from __future__ import annotations

from inisched.model.schedule import Schedule, Unit

_MINUTES = {Unit.MINUTE: 1, Unit.HOUR: 60}


def as_crontab(schedule: Schedule) -> str | None:
    """Five fields with the same fires; None where no five fields have them."""
    every = schedule.every
    if every is None:
        return schedule.cron if schedule.cron and len(schedule.cron.split()) == 5 else None
    if every.latest is not None or every.never or not schedule.at:
        return None
    if every.weekdays:
        days = ",".join(map(str, sorted((day + 1) % 7 for day in every.weekdays)))
        return _with_times(schedule.at, f"* * {days}")
    if every.interval != 1:
        return None
    if every.unit is Unit.DAY:
        return _with_times(schedule.at, "* * *")
    if every.unit is Unit.HOUR and all(at % 60 == 0 for at in schedule.at):
        return f"{','.join(str(at // 60) for at in schedule.at)} * * * *"
    if every.unit is Unit.MONTH and schedule.on_day is not None and 1 <= schedule.on_day <= 28:
        return _with_times(schedule.at, f"{schedule.on_day} * *")
    return None


def _with_times(at: tuple[int, ...], days: str) -> str | None:
    """None where the times are no product of minutes and hours, or lie between minutes."""
    if any(second % 60 for second in at):
        return None
    minutes, hours = {s // 60 % 60 for s in at}, {s // 3600 for s in at}
    if len(minutes) * len(hours) != len(at):
        return None
    return f"{_listed(minutes)} {_listed(hours)} {days}"


def _listed(numbers: set[int]) -> str:
    return ",".join(map(str, sorted(numbers)))


def as_interval(schedule: Schedule) -> tuple[int, str] | None:
    """A number and a unit from minute to month; None where fires lie closer, or at random."""
    every = schedule.every
    if every is None or every.latest is not None or every.unit is None:
        return None
    if every.unit is Unit.SECOND:
        return (every.interval // 60, "minute") if every.interval % 60 == 0 else None
    return every.interval, every.unit.value
