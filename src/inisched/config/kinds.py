"""Kinds of values: how the text of a key is read, and what is expected of it.

A reader raises Unreadable. Kinds whose text can only be read together with another key (the
times of `at` need `every`) have no reader here; `when` reads them.
"""

from __future__ import annotations

import re
from collections.abc import Callable, Collection
from typing import Any
from urllib.parse import urlsplit

from msgspec import Struct

from inisched.config.lists import refuse, some
from inisched.config.mailing import A_SERVER, ADDRESSES, read_addresses, read_sender, read_server
from inisched.config.remembered import remembered
from inisched.model.address import LOOPBACK, Address
from inisched.model.diagnostic import Unreadable
from inisched.model.duration import EXPECTED as A_DURATION
from inisched.model.duration import read_duration
from inisched.timing.clock_times import read_on_day
from inisched.timing.cron import read_cron
from inisched.timing.moment import read_zone
from inisched.timing.nearest import did_you_mean
from inisched.timing.phrase import read_every

LONGEST_VALUE = 10_000
"""Characters; a longer value is refused unread, save where the kind is `long`."""

MOST_NAMES = 1_000
"""Names in one list."""

_TRUE = frozenset({"yes", "true", "on", "1"})
_FALSE = frozenset({"no", "false", "off", "0"})


class Kind(Struct, frozen=True):
    """`expected` completes the sentence "expected …". `long` values have no limit of length."""

    expected: str
    read: Callable[[str], Any] | None = None
    long: bool = False
    may_be_empty: bool = False
    choices: tuple[str, ...] = ()


# -- plain values


def _yes_no() -> Kind:
    def read(text: str) -> bool:
        word = text.lower()
        if word in _TRUE or word in _FALSE:
            return word in _TRUE
        raise Unreadable(f"'{text}' is neither yes nor no", expected="yes or no")

    return Kind("yes or no", read)


def whole(least: int, most: int | None = None) -> Kind:
    """A whole number from `least` to `most`, both inclusive."""
    bounds = f"from {least} to {most}" if most is not None else f"not below {least}"
    expected = f"a whole number {bounds}"

    def read(text: str) -> int:
        if not re.fullmatch(r"[+-]?[0-9]+", text):
            raise Unreadable(f"'{text}' is not a whole number", expected=expected)
        if len(text) > 12 or (most is not None and int(text) > most):
            raise Unreadable(f"'{text}' is too large", expected=expected)
        if int(text) < least:
            raise Unreadable(f"'{text}' is too small", expected=expected)
        return int(text)

    return Kind(expected, read)


def _factor() -> Kind:
    expected = "a number from 1 to 1000"

    def read(text: str) -> float:
        if re.fullmatch(r"[0-9]{1,4}(\.[0-9]{1,6})?", text) and 1 <= float(text) <= 1000:
            return float(text)
        raise Unreadable(f"'{text}' is not {expected}", expected=expected)

    return Kind(expected, read)


def choice(*names: str) -> Kind:
    """One of some words, in any case."""
    expected = f"{', '.join(names[:-1])} or {names[-1]}"

    def read(text: str) -> str:
        return _chosen(text, 0, names, expected)

    return Kind(expected, read, choices=names)


def choices(*names: str) -> Kind:
    """Several of some words."""
    expected = f"some of {', '.join(names)}"

    def read(text: str) -> tuple[str, ...]:
        return tuple(_chosen(item, start, names, expected) for item, start in some(text))

    return Kind(expected, read)


def _chosen(item: str, start: int, names: Collection[str], expected: str) -> str:
    if item.lower() in names:
        return item.lower()
    hint = did_you_mean(item, names)
    raise refuse(item, f"'{item}' is not known here", start, expected=expected, hint=hint)


_SIZE = re.compile(r"([0-9]+)\s*([a-z]*)", re.IGNORECASE)
_SIZE_UNITS = {"": 1, "b": 1} | {
    name: size
    for letter, size in (("k", 1024), ("m", 1024 * 1024), ("g", 1024 * 1024 * 1024))
    for name in (letter, f"{letter}b", f"{letter}ib")
}


def _size() -> Kind:
    expected = "a size such as 512, 64k, 4 KiB or 1 MiB, at most 1 GiB"

    def read(text: str) -> int:
        match = _SIZE.fullmatch(text)
        unit = _SIZE_UNITS.get(match[2].lower()) if match else None
        if match is None or unit is None:
            raise Unreadable(f"'{text}' is not a size", expected=expected)
        if len(match[1]) > 10 or int(match[1]) * unit > 1024**3:
            raise Unreadable(f"'{text}' is too large", expected=expected)
        return int(match[1]) * unit

    return Kind(expected, read)


def _exit_codes() -> Kind:
    expected = "exit codes from 0 to 255, split by commas"

    def read(text: str) -> tuple[int, ...]:
        codes = set()
        for item, start in some(text):
            if not re.fullmatch(r"[0-9]{1,3}", item) or int(item) > 255:
                raise refuse(item, f"'{item}' is not an exit code", start, expected=expected)
            codes.add(int(item))
        return tuple(sorted(codes))

    return Kind(expected, read)


# -- names, paths, addresses


def _target() -> Kind:
    expected = "a function such as package.module.function or package.module:function"

    def read(text: str) -> str:
        module, colon, name = text.partition(":")
        parts = [*module.split("."), *(name.split(".") if colon else ())]
        if len(parts) < 2:
            raise Unreadable(f"'{text}' names no function in a module", expected=expected)
        if not all(part.isidentifier() for part in parts):
            raise Unreadable(f"'{text}' is not the name of a function", expected=expected)
        return text

    return Kind(expected, read)


def _module() -> Kind:
    expected = "a module such as shop.settings"

    def read(text: str) -> str:
        if not all(part.isidentifier() for part in text.split(".")):
            raise Unreadable(f"'{text}' is not the name of a module", expected=expected)
        return text

    return Kind(expected, read)


def _names() -> Kind:
    def read(text: str) -> str:
        if sum(1 for _ in some(text)) > MOST_NAMES:
            raise Unreadable(f"these are more than {MOST_NAMES} names", expected="fewer names")
        return text

    return Kind("names split by commas", read, long=True)


def _mask() -> Kind:
    expected = "an octal mask such as 022 or 0077"

    def read(text: str) -> int:
        if re.fullmatch(r"0?[0-7]{3}", text):
            return int(text, 8)
        raise Unreadable(f"'{text}' is not an octal mask", expected=expected)

    return Kind(expected, read)


_ADDRESS = re.compile(r"(?:\[([0-9A-Fa-f:.]+)\]|([A-Za-z0-9_.-]*)):([0-9]{1,5})")


def _address() -> Kind:
    """Without a host, and as `localhost`, it is loopback alone."""
    expected = "an address such as 127.0.0.1:9090, [::1]:9090 or :9090"

    def read(text: str) -> Address:
        match = _ADDRESS.fullmatch(text)
        if match is None or not 0 < int(match[3]) < 65536:
            raise Unreadable(f"'{text}' is not host:port", expected=expected)
        host = match[1] or match[2]
        return Address(LOOPBACK if host.lower() in ("", "localhost") else host, int(match[3]))

    return Kind(expected, read)


def _url(schemes: str, example: str) -> Kind:
    """A URL of one of the schemes, a pattern. It may hold a secret: no message quotes it."""
    expected = f"an address such as {example}"

    def read(text: str) -> str:
        scheme, sign, rest = text.partition("://")
        if not sign or not re.fullmatch(r"[A-Za-z][A-Za-z0-9+.-]*", scheme) or not rest:
            raise Unreadable("this is not a URL", expected=expected)
        if not re.fullmatch(schemes, scheme.lower()):
            problem = f"'{scheme}://' leads nowhere here"
            raise Unreadable(problem, length=len(scheme), expected=expected)
        if not re.fullmatch(r"[!-~]+", rest):
            raise Unreadable("a URL has no blanks and only ASCII letters", expected=expected)
        _check_port(text, expected)
        return text

    return Kind(expected, read)


def _dsn() -> Kind:
    url = _url(r"https?", "https://key@sentry.example.org/1")

    def read(text: str) -> str:
        assert url.read is not None
        parts = urlsplit(url.read(text))
        if not parts.username or not parts.path.rpartition("/")[2].isdigit():
            problem = "a DSN has a key before its host, and ends in the number of a project"
            raise Unreadable(problem, expected=url.expected)
        return text

    return Kind(url.expected, read)


def _check_port(url: str, expected: str) -> None:
    try:
        right = urlsplit(url).port != 0
    except ValueError:
        right = False
    if not right:
        raise Unreadable("the port of this URL is none", expected=expected)


def _path() -> Kind:
    def read(text: str) -> str:
        if "\0" in text or "\n" in text:
            raise Unreadable("a path stands on one line", expected="a path")
        return text

    return Kind("a path", read)


def _paths() -> Kind:
    def read(text: str) -> tuple[str, ...]:
        return tuple(item for item, _ in some(text))

    return Kind("folders split by commas", read, long=True)


def _text(expected: str, *, may_be_empty: bool = False) -> Kind:
    return Kind(expected, str, long=True, may_be_empty=may_be_empty)


YES_NO = _yes_no()
DURATION = Kind(A_DURATION, remembered(read_duration))
FACTOR = _factor()
SIZE = _size()
EXIT_CODES = _exit_codes()
TARGET = _target()
MODULE = _module()
NAMES = _names()
MASK = _mask()
ADDRESS = _address()
URL = _url(r".+", "mailtos://user:password@example.org")
WEB = _url(r"https?", "https://example.org/path")
DSN = _dsn()
SERVER = Kind(A_SERVER, read_server)
RECIPIENTS = Kind(ADDRESSES, read_addresses)
SENDER = Kind("a mail address", read_sender)
PATH = _path()
PATHS = _paths()
TEXT = _text("some text", may_be_empty=True)
SCRIPT = _text("a command line")
EVERY = Kind("a form such as 10 minutes, day, monday or never", remembered(read_every))
CRON = Kind("five fields, six with seconds first, or a word such as @daily", remembered(read_cron))
ON_DAY = Kind("1 to 31, or last", read_on_day)
ZONE = Kind("an IANA name such as Europe/Paris", remembered(read_zone))
TIMES = Kind("one or more times, split by commas")
MOMENT = Kind("a date or date-time such as 2026-11-21 or 2026-11-21 09:30")
