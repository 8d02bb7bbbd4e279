"""Reads the words of `every`: "10 minutes", "5 to 10 minutes", "monday, thursday", "never"."""

from __future__ import annotations

import re
from datetime import timedelta
from typing import NoReturn

from inisched.model.diagnostic import Unreadable
from inisched.model.duration import LONGEST
from inisched.model.schedule import Every, Unit
from inisched.timing.nearest import did_you_mean
from inisched.timing.shown import DAY_SETS

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
    if words[0].lower() in DAY_SETS or "," in words:
        return Every(weekdays=_weekdays(words))
    return _interval(text, words)


def _tokens(text: str) -> list[_Token]:
    words = []
    for match in _TOKEN.finditer(text):
        for piece in re.finditer(r"^[+-]?[0-9][0-9.]*|[0-9][0-9.]*|.+?(?=[0-9])|.+", match[0]):
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
    if word.lower() in DAY_SETS:
        _refuse(
            word,
            f"'{word}' takes no number",
            expected=f"'{word.lower()}' alone, or a number of weeks",
        )
    if word in ("-", "–", ".."):
        _refuse(
            word, f"'{word}' is not understood here", expected="a range such as 5 to 10 minutes"
        )
    ending = "s" if plural else ""
    names = [unit.value + ending for unit in Unit] + list(DAY_SETS)
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
        if word.lower() not in DAY_SETS:
            _refuse(
                word,
                f"'{word}' is not a day of the week",
                expected=_DAY_NAMES,
                hint=did_you_mean(word, DAY_SETS),
            )
        days.update(DAY_SETS[word.lower()])
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
        elif word.lower() in DAY_SETS:
            hint = "put a comma between days"
        _refuse(word, f"'{word}' is not understood here", expected=_FORMS, hint=hint)


def _ends_early(text: str, missing: str) -> Unreadable:
    return Unreadable(f"'{text}' lacks {missing}", expected=_FORMS)


def _refuse(word: _Token, problem: str, *, expected: str = "", hint: str = "") -> NoReturn:
    raise Unreadable(problem, start=word.start, length=len(word), expected=expected, hint=hint)
