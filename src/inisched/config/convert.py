"""The text of an argument made into the value a parameter's annotation asks for.

Raises Unreadable whose `problem` is only the end of a sentence ("is not a whole number"): whoever
reports it puts the value in front, or three stars where the value is a secret.
"""

from __future__ import annotations

import collections.abc as abc
import json
import re
import types
import typing
from collections.abc import Callable
from datetime import date, datetime, timedelta
from decimal import Decimal
from enum import Enum
from inspect import Parameter
from pathlib import Path, PurePath

from inisched.config.plain import (
    FALSE,
    NOTHING,
    TRUE,
    read_bool,
    read_date,
    read_datetime,
    read_decimal,
    read_float,
    read_int,
    read_nothing,
    read_timedelta,
    wrong,
)
from inisched.model.diagnostic import Unreadable
from inisched.timing.nearest import did_you_mean

Reader = Callable[[str], object]

_WHOLE = re.compile(r"-?[0-9]+")
_DECIMAL = re.compile(r"-?[0-9]+\.[0-9]+")
_SEPARATOR = re.compile(r"[,\n]")
_LISTS: dict[object, type] = {
    list: list, set: set, frozenset: frozenset, tuple: tuple,
    abc.Sequence: list, abc.MutableSequence: list, abc.Iterable: list, abc.Collection: list,
    abc.Set: set, abc.MutableSet: set,
}  # fmt: skip
_MAPPINGS = frozenset({dict, abc.Mapping, abc.MutableMapping})


def convert(text: str, annotation: object, *, zone: str) -> object:
    """Read `text` as `annotation` says; an annotation not known here counts as none."""
    return _reader(annotation, zone)(text)


def guess(text: str) -> object:
    """Read a value nobody annotated.

    Whole numbers and decimals that survive the round trip, true and false, and JSON objects and
    arrays are converted; the rest, "007" and "1e5" among it, stays text.
    """
    if text.lower() in ("true", "false"):
        return text.lower() == "true"
    for pattern, kind in ((_WHOLE, int), (_DECIMAL, float)):
        # Longer than any number whose round trip could be asked of Python.
        if len(text) < 400 and pattern.fullmatch(text):
            value = kind(text)
            return value if str(value) == text else text
    found = _json(text) if text.startswith(("{", "[")) else None
    return text if found is None else found


def _reader(annotation: object, zone: str) -> Reader:
    annotation = _plain(annotation)
    origin = typing.get_origin(annotation) or annotation
    if origin is datetime:
        return lambda text: read_datetime(text, zone)
    if isinstance(annotation, type) and issubclass(annotation, (Enum, PurePath)):
        return _enum(annotation) if issubclass(annotation, Enum) else annotation
    if _hashable(origin):
        if origin in _SIMPLE:
            return _SIMPLE[origin]
        if origin in _LISTS and _one_kind(annotation):
            return lambda text: _list(text, annotation, _LISTS[origin], zone)
        if origin in _MAPPINGS:
            return _object
    if origin is typing.Literal:
        return lambda text: _literal(text, typing.get_args(annotation))
    if origin is typing.Union or origin is types.UnionType:
        return lambda text: _union(text, typing.get_args(annotation), zone)
    return guess


def _plain(annotation: object) -> object:
    """The type behind Annotated, NewType and `type X = ...`."""
    while True:
        if typing.get_origin(annotation) is typing.Annotated:
            annotation = typing.get_args(annotation)[0]
        elif isinstance(annotation, typing.NewType):
            annotation = annotation.__supertype__
        elif type(annotation).__name__ == "TypeAliasType":
            annotation = getattr(annotation, "__value__", None)
        else:
            return annotation


def _hashable(value: object) -> bool:
    try:
        hash(value)
    except Exception:
        return False
    return True


def _one_kind(annotation: object) -> bool:
    """False for a tuple whose places each have a type of their own."""
    args = typing.get_args(annotation)
    return len(args) < 2 or args[1] is Ellipsis


def _object(text: str) -> object:
    found = _json(text)
    if not isinstance(found, dict):
        raise wrong("is not a JSON object", 'a JSON object such as {"a": 1}')
    return found


_SIMPLE: dict[object, Reader] = {
    str: str, int: read_int, float: read_float, bool: read_bool, Decimal: read_decimal, Path: Path,
    date: read_date, timedelta: read_timedelta, None: read_nothing, type(None): read_nothing,
    Parameter.empty: guess, object: guess, typing.Any: guess,
}  # fmt: skip


def _enum(kind: type[Enum]) -> Reader:
    def read(text: str) -> object:
        if text in kind.__members__:
            return kind.__members__[text]
        for member in kind:
            if str(member.value) == text:
                return member
        raise _choice(text, f"is not a {kind.__name__}", list(kind.__members__))

    return read


def _choice(text: str, problem: str, allowed: list[str]) -> Unreadable:
    expected = f"one of {', '.join(allowed)}"
    return Unreadable(problem, expected=expected, hint=did_you_mean(text, allowed))


def _literal(text: str, allowed: tuple[object, ...]) -> object:
    for value in allowed:
        if _means(text, value):
            return value
    shown = [v.name if isinstance(v, Enum) else str(v) for v in allowed]
    raise _choice(text, "is none of the values it may have", shown)


def _means(text: str, value: object) -> bool:
    if isinstance(value, Enum):
        return text == value.name
    if isinstance(value, bool):
        return text.lower() in (TRUE if value else FALSE)
    if value is None:
        return text.lower() in NOTHING
    return text == str(value)


def _union(text: str, members: tuple[object, ...], zone: str) -> object:
    """The first member that can read the text; the word none comes before them all."""
    optional = type(None) in members
    if optional and text.lower() in NOTHING:
        return None
    expected: dict[str, str] = {}
    for member in members:
        try:
            return convert(text, member, zone=zone)
        except Unreadable as error:
            expected[error.expected] = error.problem
    problem = "fits none of its types"
    if len(expected) - optional == 1:
        problem = next(iter(expected.values()))
    raise wrong(problem, " or ".join(expected))


def _list(text: str, annotation: object, make: type, zone: str) -> object:
    args = typing.get_args(annotation)
    read = _reader(args[0] if args else Parameter.empty, zone)
    found = _json(text) if text.startswith("[") else None
    if isinstance(found, list):
        values = found if read is guess else _json_items(text, read)
    elif text.startswith("[") and text.endswith("]"):
        raise wrong("is not a list in JSON", "values with commas between, or JSON")
    else:
        values = _items(text, read)
    try:
        return make(values)
    except TypeError:
        raise wrong("holds what cannot be in a set", "plain values") from None


def _items(text: str, read: Reader) -> list[object]:
    """Read what stands between commas and line ends; a problem points at its own piece."""
    values, start = [], 0
    for piece in _SEPARATOR.split(text):
        word = piece.strip()
        try:
            if word:
                values.append(read(word))
        except Unreadable as error:
            error.start, error.length = start + piece.index(word), len(word)
            raise
        start += len(piece) + 1
    return values


def _json_items(text: str, read: Reader) -> list[object]:
    """Read each item by its text, so that 1.10 reaches a Decimal as it was written."""
    values = []
    for number, item in enumerate(json.loads(text, parse_float=str), start=1):
        try:
            values.append(read(item if isinstance(item, str) else json.dumps(item)))
        except Unreadable as error:
            raise wrong(f"cannot be read: item {number} {error.problem}", error.expected) from None
    return values


def _json(text: str) -> object:
    """The JSON object or array in the text, else None."""
    try:
        return json.loads(text)
    except (ValueError, RecursionError):
        return None
