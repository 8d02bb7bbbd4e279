"""What no view shows: values of keys whose name speaks of a secret, and endless quotes."""

from __future__ import annotations

import re
from functools import lru_cache

from inisched.config.problem import LONGEST_SHOWN
from inisched.config.problem import is_secret as is_secret_name

MASK = "***"
is_secret = lru_cache(maxsize=65536)(is_secret_name)
_QUOTE = re.compile(rf"'([^']{{{LONGEST_SHOWN + 1},}})'")
_LONGEST_MESSAGE = 400
_USERINFO = re.compile(r"(?<=://)([^/\s:@]*:)?([^@/\s]+)(?=@)")
"""What stands before the @ of a URL: a password; where there is none the user, maybe a key."""

ADDRESSES = frozenset({"smtp", "url", "webhook", "ping", "sentry_dsn"})
"""Keys whose values are URLs, perhaps misspelt ones: there anything before an @ is masked."""

_MISSPELT = re.compile(r"=\s*(?:[A-Za-z+]*:?/+)?([^/\s:@]*:)?([^@]+)(?=@)")


def secret_start(line: str) -> int:
    """Where the value of a line starts whose key names a secret; the line's end for no secret."""
    if line.lstrip()[:1] == "[":
        return len(line)
    equals = line.find("=")
    for sign in (line.find(":", 0, equals if equals >= 0 else None), equals):
        if sign >= 0 and is_secret(line[:sign]):
            value = line[sign + 1 :]
            return sign + 1 + len(value) - len(value.lstrip())
    return len(line)


def shortened(message: str) -> str:
    """A message whose quotes are at most 80 characters long."""
    if len(message) <= LONGEST_SHOWN:
        return message
    message = _QUOTE.sub(lambda quote: f"'{quote[1][: LONGEST_SHOWN - 1]}…'", message)
    return message if len(message) <= _LONGEST_MESSAGE else message[: _LONGEST_MESSAGE - 1] + "…"


def without_password(text: str) -> str:
    """The text with *** for the password of a URL such as smtp://user:password@host."""
    return _USERINFO.sub(rf"\1{MASK}", text) if "://" in text and "@" in text else text


def password_span(line: str) -> tuple[int, int] | None:
    """From where to where the password of a URL stands in a line; None where there is none."""
    if "@" not in line:
        return None
    match = _USERINFO.search(line)
    if match is None and line.partition("=")[0].strip().lower() in ADDRESSES:
        match = _MISSPELT.search(line)
    return match.span(2) if match is not None else None
