"""A schedule that somebody gives a job in place of the file's, read as the file would be."""

from __future__ import annotations

from collections.abc import Mapping
from datetime import timedelta
from typing import Any

from msgspec.structs import replace

from inisched.config.desk import read_value
from inisched.config.keys import JOB
from inisched.config.when import AT_START
from inisched.model.diagnostic import Unreadable
from inisched.model.duration import show_duration
from inisched.model.schedule import Every, Schedule, Unit
from inisched.timing.clock_times import read_times
from inisched.timing.recurrence import shortest_gap
from inisched.timing.shown import show_schedule

KEYS = ("every", "at", "on_day", "cron", "from_end")
"""What a new schedule replaces, and nothing else."""

_AS_A_LINE = "write it on a line of its own: "


def reschedule(schedule: Schedule, keys: Mapping[str, str]) -> Schedule:
    """The schedule with all of KEYS replaced by those that are given.

    Raises Unreadable; the problem names options as the command line has them.
    """
    every, cron = _rhythm(keys)
    at = _value(keys, "at", every) if "at" in keys else ()
    on_day = _value(keys, "on_day")
    text = AT_START if "cron" in keys and cron is None else show_schedule(every, cron, at, on_day)
    new = replace(
        schedule,
        text=text,
        every=every,
        cron=cron,
        at=at,
        on_day=on_day,
        from_end=bool(_value(keys, "from_end")),
    )
    if on_day is not None and (every is None or every.unit is not Unit.MONTH):
        raise Unreadable("--on-day goes with months", expected="--every to count months")
    if new.from_end and not new.elapsed:
        expected = "seconds, minutes or hours without --at"
        raise Unreadable(f"--from-end does not go with '{text}'", expected=expected)
    return new


def check_jitter(schedule: Schedule) -> None:
    """Raises Unreadable where the job's jitter reaches the following fire."""
    gap = shortest_gap(schedule) if schedule.jitter else None
    if gap is not None and schedule.jitter >= gap:
        raise Unreadable(
            f"the job's jitter of {show_duration(schedule.jitter)} reaches the following fire",
            expected=f"a schedule with more than that between two fires, not '{schedule.text}'",
        )


def without_reach(schedule: Schedule) -> Schedule:
    """The schedule without a jitter that is too long for it: the file's may change."""
    try:
        check_jitter(schedule)
    except Unreadable:
        return replace(schedule, jitter=timedelta(0))
    return schedule


def _rhythm(keys: Mapping[str, str]) -> tuple[Every | None, str | None]:
    if ("every" in keys) == ("cron" in keys):
        raise Unreadable("a schedule has either --every or --cron")
    cron: str | None = _value(keys, "cron")
    if cron is None:
        return _value(keys, "every"), None
    for name in ("at", "on_day", "from_end"):
        if name in keys:
            raise Unreadable(f"{_option(name)} goes with --every, not with --cron")
    return (Every(), None) if cron == AT_START else (None, cron)


def _value(keys: Mapping[str, str], name: str, every: Every | None = None) -> Any:
    """The value of a key; None where it is not given."""
    if name not in keys:
        return None
    key = JOB.find(name)
    assert key is not None
    reader = None if every is None else lambda text: read_times(text, every)
    try:
        return read_value(keys[name], key.kind, reader)
    except Unreadable as error:
        problem, hint = f"{_option(name)}: {error.problem}", error.hint
        if hint.startswith(_AS_A_LINE):
            hint = f"give it as {_option(hint.removeprefix(_AS_A_LINE).split()[0])}"
        raise Unreadable(problem, expected=error.expected, hint=hint) from None


def _option(name: str) -> str:
    return "--" + name.replace("_", "-")
