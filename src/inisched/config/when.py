"""Makes a Schedule of a section's keys, and holds them against each other."""

from __future__ import annotations

from datetime import datetime, timedelta
from functools import lru_cache, partial
from itertools import pairwise

from inisched.config.desk import Desk, Reader
from inisched.config.remembered import remembered
from inisched.model.diagnostic import Unreadable
from inisched.model.duration import show_duration
from inisched.model.schedule import Every, Schedule, Unit
from inisched.timing.clock_times import read_times
from inisched.timing.moment import read_moment
from inisched.timing.recurrence import shortest_gap
from inisched.timing.shown import show_schedule

AT_START = "@reboot"
_PLAIN = {"jitter": "jitter", "from_end": "from_end"}

_schedule = lru_cache(maxsize=1024)(Schedule)
"""In a large file many jobs have the same schedule: they share it."""


def read_schedule(desk: Desk, zone: str | None) -> Schedule | None:
    """The schedule of a section with exactly one of `every` and `cron`.

    None where it cannot be known; `zone` is None where the file's own zone cannot be read.
    """
    every: Every | None = desk.read("every", None)
    cron: str | None = desk.read("cron", None)
    if cron == AT_START:
        every, cron = Every(), None
    at = _read_at(desk, every)
    on_day = _read_on_day(desk, every)
    said = desk.given(_PLAIN)
    start, end = _read_bounds(desk, zone)
    if zone is None or (every is None and cron is None):
        return None
    schedule = _schedule(
        zone=zone,
        text=_text(desk, every, cron, at, on_day),
        every=every,
        cron=cron,
        at=at,
        on_day=on_day,
        active_from=start,
        active_until=end,
        **said,
    )
    _check_from_end(desk, schedule)
    _check_jitter(desk, schedule)
    return schedule


def warn_of_silenced(default: Desk) -> None:
    """Warn of keys in [DEFAULT] that no job gets, since its own `every` or `cron` silences them."""
    if default.has("every") or default.has("cron"):
        return
    for name in ("at", "on_day", "from_end"):
        field = default.get(name)
        if field is not None:
            message = f"'{field.entry.key}' reaches no job without 'every' beside it"
            hint = "a section's own 'every' or 'cron' silences those of [DEFAULT]"
            default.warn(field, "no-effect", message, hint=hint)


def raw_text(desk: Desk) -> str:
    """The schedule as the file says it, for a job whose schedule cannot be told otherwise."""
    shown = {name: field.shown for name, field in desk.known.items()}
    text = shown.get("every", shown.get("cron", ""))
    if "on_day" in shown:
        text += f" on day {shown['on_day']}"
    if "at" in shown:
        text += f" at {shown['at']}"
    return " ".join(text.split())


def _text(
    desk: Desk, every: Every | None, cron: str | None, at: tuple[int, ...], on_day: int | None
) -> str:
    if any(desk.known[name].opaque for name in desk.known.keys() & _TOLD):
        return raw_text(desk)
    if cron is None and desk.has("cron"):
        return AT_START
    return _shown(every, cron, at, on_day)


_TOLD = {"every", "cron", "at", "on_day"}
_shown = lru_cache(maxsize=1024)(show_schedule)


def _read_at(desk: Desk, every: Every | None) -> tuple[int, ...]:
    """The times of `at`, which only `every` gives a meaning."""
    at = desk.get("at")
    if at is None or _refuse_beside_cron(desk, "at", "the time stands in the cron expression"):
        return ()
    return desk.read("at", (), _times(every)) if every is not None else ()


@lru_cache(maxsize=64)
def _times(every: Every) -> Reader:
    return remembered(partial(read_times, every=every))


def _read_on_day(desk: Desk, every: Every | None) -> int | None:
    on_day = desk.get("on_day")
    if on_day is None or _refuse_beside_cron(desk, "on_day", "the day stands in the expression"):
        return None
    value: int | None = desk.read("on_day", None)
    if every is not None and every.unit is not Unit.MONTH:
        expected = "'every' to count months"
        desk.fail(on_day, "on-day-without-months", "'on_day' goes with months", expected=expected)
    return value


def _refuse_beside_cron(desk: Desk, name: str, hint: str) -> bool:
    """Report a key that goes with `every` beside a `cron`."""
    field, cron = desk.get(name), desk.get("cron")
    if field is None or cron is None or desk.has("every"):
        return False
    message = f"'{field.entry.key}' goes with 'every', not with 'cron' of line {cron.entry.line}"
    desk.fail(field, "beside-cron", message, hint=hint)
    return True


_BOUNDS = {"active_from", "active_until"}


def _read_bounds(desk: Desk, zone: str | None) -> tuple[datetime | None, datetime | None]:
    """`active_from` and `active_until`; without a zone they are read as if in UTC."""
    if desk.known.keys().isdisjoint(_BOUNDS):
        return None, None
    name = zone or "UTC"
    start: datetime | None = desk.read(
        "active_from", None, lambda text: read_moment(text, name, last=False)
    )
    end: datetime | None = desk.read(
        "active_until", None, lambda text: read_moment(text, name, last=True)
    )
    if start is not None and end is not None and start > end:
        _refuse_bounds(desk)
    return start, end


def _refuse_bounds(desk: Desk) -> None:
    """Report, at the later line, that a job ends before it begins."""
    start, end = desk.get("active_from"), desk.get("active_until")
    assert start is not None
    assert end is not None
    if start.entry.line < end.entry.line:
        desk.fail(
            end,
            "never-active",
            f"'{end.entry.key}' lies before '{start.entry.key}' of line {start.entry.line}",
            expected="a later moment",
        )
    else:
        desk.fail(
            start,
            "never-active",
            f"'{start.entry.key}' lies after '{end.entry.key}' of line {end.entry.line}",
            expected="an earlier moment",
        )


def _check_from_end(desk: Desk, schedule: Schedule) -> None:
    field = desk.get("from_end")
    if schedule.from_end and field is not None and not schedule.elapsed:
        desk.fail(
            field,
            "from-end-not-elapsed",
            f"'{field.entry.key}' does not go with '{schedule.text}'",
            expected="seconds, minutes or hours without 'at'",
        )


def _check_jitter(desk: Desk, schedule: Schedule) -> None:
    """Jitter must not reach the following fire."""
    field = desk.get("jitter")
    if field is None or schedule.jitter < _surely_apart(schedule):
        return
    gap = shortest_gap(schedule)
    if gap is not None and schedule.jitter >= gap:
        desk.refuse_value(
            field,
            Unreadable(
                f"a jitter of {show_duration(schedule.jitter)} reaches the following fire",
                expected=f"less than {show_duration(gap)}, the shortest gap between two fires",
            ),
            "jitter-too-long",
        )


def _cron_apart(fields: list[str]) -> int:
    """Seconds no two fires of a cron expression are closer than, as its plain numbers tell."""
    second, minute, hour = fields[:3] if len(fields) == 6 else ("0", *fields[:2])
    if not second.isdigit():
        return 1
    if not minute.isdigit():
        return 60
    return 3600 if not hour.isdigit() else _DAY


_PERIODS = {Unit.SECOND: 1, Unit.MINUTE: 60, Unit.HOUR: 3600}
_DAY = 86400


def _surely_apart(schedule: Schedule) -> timedelta:
    """A time no two fires are closer than, cheaply; the shortest gap may be longer."""
    every = schedule.every
    if every is None:
        return timedelta(seconds=_cron_apart((schedule.cron or "").split()))
    period = _PERIODS.get(every.unit, _DAY) if every.unit else _DAY
    times = (*schedule.at, schedule.at[0] + period) if schedule.at else (0, period)
    return timedelta(seconds=min(b - a for a, b in pairwise(times)))
