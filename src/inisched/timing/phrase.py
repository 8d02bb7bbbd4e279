"""Reads the words of `every`, `at`, `on_day` and `cron`; shows a schedule in words again."""

from __future__ import annotations

import re
from datetime import UTC, date, datetime, timedelta
from difflib import get_close_matches
from typing import NoReturn
from zoneinfo import available_timezones

from inisched.model.diagnostic import Unreadable
from inisched.model.duration import LONGEST
from inisched.model.schedule import LAST_DAY, Every, Unit
from inisched.timing.cron import read_cron as read_cron
from inisched.timing.recurrence import shortest_gap as shortest_gap
from inisched.timing.zone import DAY, is_zone, zone
from inisched.timing.zone import host_zone as host_zone

WEEKDAYS = ("monday", "tuesday", "wednesday", "thursday", "friday", "saturday", "sunday")
_DAY_SETS = {name: (number,) for number, name in enumerate(WEEKDAYS)} | {
    "weekday": (0, 1, 2, 3, 4),
    "weekend": (5, 6),
}
_UNITS = {unit.value: unit for unit in Unit} | {f"{unit.value}s": unit for unit in Unit}
_SHORT_UNITS = {
    short: f"did you mean '{unit}'?"
    for unit, shorts in (
        ("seconds", ("s", "sec", "secs")),
        ("minutes", ("m", "min", "mins")),
        ("hours", ("h", "hr", "hrs")),
        ("days", ("d",)),
        ("weeks", ("w", "wk")),
    )
    for short in shorts
}
_UNIT_NAMES = "second, minute, hour, day, week, month or a weekday"
_FORMS = "a form such as 10 minutes, day, 5 to 10 minutes, monday, weekday or never"
_DAY_NAMES = "monday to sunday, weekday or weekend"
_TOKEN = re.compile(r"[^\s,]+|,")
_WHOLE = re.compile(r"[0-9]+")
_MONTH_AT_MOST = timedelta(days=31)


class _Token(str):
    """A word of the phrase and where it starts."""

    start: int


def read_every(text: str) -> Every:
    """Read the value of `every`: "10 minutes", "minute", "5 to 10 minutes", "monday", "never".

    Raises Unreadable at the first word that does not fit.
    """
    words = _tokens(text)
    if not words:
        raise Unreadable("'every' is empty", expected=_FORMS)
    if words[0].lower() == "never":
        _nothing_after(words, 1)
        return Every()
    if words[0].lower() in _DAY_SETS or "," in words:
        return Every(weekdays=_weekdays(words))
    return _interval(text, words)


def _tokens(text: str) -> list[_Token]:
    words = []
    for match in _TOKEN.finditer(text):
        for piece in re.finditer(r"[+-]?[0-9][0-9.]*|.+?(?=[0-9])|.+", match[0]):
            word = _Token(piece[0])
            word.start = match.start() + piece.start()
            words.append(word)
    return words


def _interval(text: str, words: list[_Token]) -> Every:
    numbers = [_number(words[0])] if words[0][0] in "+-0123456789." else []
    rest = words[len(numbers) :]
    if numbers and rest and rest[0].lower() == "to":
        if len(rest) < 2:
            raise _ends_early(text, "the upper end of the range")
        numbers.append(_number(rest[1]))
        rest = rest[2:]
    if not rest:
        raise _ends_early(text, "a unit of time")
    unit = _unit(rest[0], plural=bool(numbers) and numbers[-1] != 1)
    _nothing_after(rest, 1)
    interval, latest = (*numbers, None, None)[:2] if numbers else (1, None)
    assert interval is not None
    if latest is not None and latest < interval:
        raise Unreadable(
            f"the range from {interval} to {latest} runs backwards",
            expected=f"the smaller number first: {latest} to {interval}",
        )
    _not_too_long(text, latest or interval, unit)
    return Every(unit, interval, latest)


def _number(word: _Token) -> int:
    if word.startswith("-") or not word.strip("0"):
        _refuse(word, f"'{word}' is too small", expected="a whole number, 1 or more")
    if not _WHOLE.fullmatch(word):
        _refuse(word, f"'{word}' is not a whole number", expected="a whole number, 1 or more")
    if len(word) > 12:
        _refuse(word, f"'{word}' is more than a hundred years", expected="a smaller number")
    return int(word)


def _unit(word: _Token, *, plural: bool) -> Unit:
    unit = _UNITS.get(word.lower())
    if unit is not None:
        return unit
    if word.lower() in _DAY_SETS:
        _refuse(
            word,
            f"'{word}' takes no number",
            expected=f"'{word.lower()}' alone, or a number of weeks",
        )
    ending = "s" if plural else ""
    names = [unit.value + ending for unit in Unit] + list(_DAY_SETS)
    _refuse(
        word,
        f"'{word}' is not a unit of time",
        expected=_UNIT_NAMES,
        hint=_SHORT_UNITS.get(word.lower(), "") or did_you_mean(word, names),
    )


def _not_too_long(text: str, number: int, unit: Unit) -> None:
    length = unit.seconds or _MONTH_AT_MOST.total_seconds()
    if number * length > LONGEST.total_seconds():
        raise Unreadable(f"'{text}' is more than a hundred years", expected="a smaller number")


def _weekdays(words: list[_Token]) -> tuple[int, ...]:
    days: set[int] = set()
    for position, word in enumerate(words):
        if position % 2 == 1:
            if word != ",":
                _nothing_after(words, position)
            continue
        if word.lower() not in _DAY_SETS:
            _refuse(
                word,
                f"'{word}' is not a day of the week",
                expected=_DAY_NAMES,
                hint=did_you_mean(word, _DAY_SETS),
            )
        days.update(_DAY_SETS[word.lower()])
    if words[-1] == ",":
        _refuse(words[-1], "a day is missing after the comma", expected=_DAY_NAMES)
    return tuple(sorted(days))


def _nothing_after(words: list[_Token], position: int) -> None:
    if len(words) > position:
        word = words[position]
        hint = ""
        if word.lower() in ("at", "on"):
            key = {"at": "at", "on": "on_day"}[word.lower()]
            hint = f"write it on a line of its own: {key} = …"
        _refuse(word, f"'{word}' is not understood here", expected=_FORMS, hint=hint)


def _ends_early(text: str, missing: str) -> Unreadable:
    return Unreadable(f"'{text}' lacks {missing}", expected=_FORMS)


def _refuse(word: _Token, problem: str, *, expected: str = "", hint: str = "") -> NoReturn:
    raise Unreadable(problem, start=word.start, length=len(word), expected=expected, hint=hint)


def did_you_mean(word: str, names: object) -> str:
    """A hint where one of the names is close to the word; "" where none is."""
    known = {str(name).lower(): str(name) for name in names}  # type: ignore[attr-defined]
    close = get_close_matches(word.lower(), known, n=1, cutoff=0.6)
    return f"did you mean '{known[close[0]]}'?" if close else ""


# -- at, on_day --------------------------------------------------------------------------------

_TIME_FORMS = {
    Unit.HOUR: (re.compile(r":([0-9]{2})()|([0-9]{1,2}):([0-9]{2})"), ":MM or MM:SS"),
    Unit.MINUTE: (re.compile(r":([0-9]{2})"), ":SS"),
}
_TIME_OF_DAY = re.compile(r"([0-9]{1,2}):([0-9]{2})(?::([0-9]{2}))?")


def read_times(text: str, every: Every) -> tuple[int, ...]:
    """Read `at`: seconds into the day (hour, minute) that `every` counts, ascending, each once.

    Raises Unreadable where `every` takes no time or a time has the wrong shape for it.
    """
    if every.never:
        raise Unreadable("a job that is never due takes no 'at'", expected="no 'at' here")
    if every.unit is Unit.SECOND:
        raise Unreadable("'every' counts seconds and takes no 'at'", expected="no 'at' here")
    if every.latest is not None and every.unit in (Unit.MINUTE, Unit.HOUR):
        raise Unreadable(
            "a random interval takes no 'at'", expected="one number in 'every', or no 'at' here"
        )
    times = {_time(item, start, every.unit) for item, start in _items(text)}
    if not times:
        raise Unreadable("'at' is empty", expected=_times_expected(every.unit))
    return tuple(sorted(times))


def _items(text: str) -> list[tuple[str, int]]:
    return [
        (match[0].strip(), match.start() + len(match[0]) - len(match[0].lstrip()))
        for match in re.finditer(r"[^,\n]+", text)
        if match[0].strip()
    ]


def _times_expected(unit: Unit | None) -> str:
    form = _TIME_FORMS.get(unit) if unit else None
    return form[1] if form else "a time of day, HH:MM or HH:MM:SS, from 00:00 to 23:59:59"


def _time(item: str, start: int, unit: Unit | None) -> int:
    seconds = None
    if unit is Unit.MINUTE:
        seconds = _second(item)
    elif unit is Unit.HOUR:
        seconds = _minute_and_second(item)
    else:
        seconds = _time_of_day(item)
    if seconds is not None:
        return seconds
    raise Unreadable(
        f"'{item}' is not {_time_name(unit)}",
        start=start,
        length=len(item),
        expected=_times_expected(unit),
        hint=_time_hint(item, unit),
    )


def _time_name(unit: Unit | None) -> str:
    names = {Unit.MINUTE: "a second of the minute", Unit.HOUR: "a minute of the hour"}
    return names.get(unit, "a time of day") if unit else "a time of day"


def _second(item: str) -> int | None:
    match = re.fullmatch(r":([0-9]{2})", item)
    return int(match[1]) if match and int(match[1]) < 60 else None


def _minute_and_second(item: str) -> int | None:
    match = re.fullmatch(r"([0-9]{1,2})?:([0-9]{2})", item)
    if not match:
        return None
    minute, second = (int(match[1]), int(match[2])) if match[1] else (int(match[2]), 0)
    return minute * 60 + second if minute < 60 and second < 60 else None


def _time_of_day(item: str) -> int | None:
    match = _TIME_OF_DAY.fullmatch(item)
    if not match:
        return None
    hour, minute, second = int(match[1]), int(match[2]), int(match[3] or 0)
    if hour > 23 or minute > 59 or second > 59:
        return None
    return hour * 3600 + minute * 60 + second


def _time_hint(item: str, unit: Unit | None) -> str:
    if unit in (Unit.MINUTE, Unit.HOUR) and _time_of_day(item) is not None:
        return "a time of day goes with day, week, month or a weekday in 'every'"
    if item.startswith("24:"):
        return "midnight is 00:00"
    dotted = re.fullmatch(r"([0-9]{1,2})[.hH]([0-9]{2})", item)
    if dotted and unit not in (Unit.MINUTE, Unit.HOUR):
        return f"did you mean '{dotted[1]}:{dotted[2]}'?"
    half = re.fullmatch(r"([0-9]{1,2})(?::([0-9]{2}))?\s*([ap])\.?m\.?", item, re.IGNORECASE)
    if half and int(half[1]) in range(1, 13):
        hour = int(half[1]) % 12 + (12 if half[3] in "pP" else 0)
        return f"did you mean '{hour:02}:{half[2] or '00'}'?"
    return ""


def read_on_day(text: str) -> int:
    """Read `on_day`: 1 to 31, or LAST_DAY for `last`."""
    if text.lower() == "last":
        return LAST_DAY
    if _WHOLE.fullmatch(text) and len(text) <= 2 and 1 <= int(text) <= 31:
        return int(text)
    raise Unreadable(f"'{text}' is not a day of a month", expected="1 to 31, or last")


# -- moments and zones -------------------------------------------------------------------------

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
    if re.fullmatch(r"[0-9]{4}-[0-9]{1,2}-[0-9]{1,2}.*", text, re.DOTALL):
        hint = "month and day have two digits and must exist"
    raise Unreadable(f"'{text}' is not a date or date-time", expected=_MOMENT, hint=hint)


def read_zone(text: str) -> str:
    """Read the IANA name of a zone this machine knows."""
    if text and is_zone(text):
        return text
    names = available_timezones()
    folded = {name.lower(): name for name in names}
    places = {name.rpartition("/")[2].lower(): name for name in sorted(names, reverse=True)}
    plain = text.lower().replace(" ", "_")
    exact = folded.get(plain) or places.get(plain)
    hint = f"did you mean '{exact}'?" if exact else did_you_mean(text, names)
    raise Unreadable(
        f"'{text}' is not a time zone", expected="an IANA name such as Europe/Paris", hint=hint
    )


# -- showing -----------------------------------------------------------------------------------


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
            if every.weekdays == _DAY_SETS[name]:
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
