"""Shows a schedule in the words of the file."""

from __future__ import annotations

from inisched.model.schedule import LAST_DAY, Every, Unit

WEEKDAYS = ("monday", "tuesday", "wednesday", "thursday", "friday", "saturday", "sunday")
DAY_SETS = {name: (number,) for number, name in enumerate(WEEKDAYS)} | {
    "weekday": (0, 1, 2, 3, 4),
    "weekend": (5, 6),
}
"""What `every` may name in place of a unit; Monday is 0."""


def show_schedule(
    every: Every | None, cron: str | None, times: tuple[int, ...], on_day: int | None
) -> str:
    """A schedule in the words of the file: "day at 06:00", "5 to 10 minutes", "0 * * * *"."""
    if every is None:
        return cron or "never"
    shown = _show_every(every)
    if on_day is not None:
        shown += " on the last day" if on_day == LAST_DAY else f" on day {on_day}"
    if times:
        shown += " at " + ", ".join(show_time(time, every.unit) for time in times)
    return shown


def _show_every(every: Every) -> str:
    if every.never:
        return "never"
    if every.unit is None:
        for name in ("weekday", "weekend"):
            if every.weekdays == DAY_SETS[name]:
                return name
        return ", ".join(WEEKDAYS[day] for day in every.weekdays)
    if every.latest is not None:
        return f"{every.interval} to {every.latest} {every.unit.value}s"
    return every.unit.value if every.interval == 1 else f"{every.interval} {every.unit.value}s"


def show_time(seconds: int, unit: Unit | None) -> str:
    """One time of `at` as written: "06:00" of a day, ":30" of an hour or a minute."""
    minutes, second = divmod(seconds, 60)
    if unit is Unit.MINUTE:
        return f":{second:02}"
    if unit is Unit.HOUR:
        return f"{minutes:02}:{second:02}" if second else f":{minutes:02}"
    hour, minute = divmod(minutes, 60)
    return f"{hour:02}:{minute:02}" + (f":{second:02}" if second else "")
