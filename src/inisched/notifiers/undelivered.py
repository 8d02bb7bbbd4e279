"""What a way raises when an event did not get through, and what may be said of it."""

from __future__ import annotations

import re
from collections.abc import Iterable
from urllib.parse import quote, urlsplit

from inisched.config.drawing import escaped
from inisched.config.masking import MASK
from inisched.model.notifier import Mail, Pipe, Sentry, Way

_LONGEST = 500
_SHORTEST_SECRET = 4
_SHORTEST_PIECE = 8
"""Shorter pieces of a URL are words that errors may hold by chance."""
_USERINFO = re.compile(r"//[^/\s@]*@")


class Undelivered(Exception):
    """Why something was not delivered, in one sentence.

    `final`: trying again is useless. `unreachable`: there was no connection at all, so that
    nothing else would get through just now.
    """

    def __init__(self, message: str, *, final: bool = False, unreachable: bool = False) -> None:
        super().__init__(message)
        self.final = final
        self.unreachable = unreachable


def own_secrets(way: Way) -> tuple[str, ...]:
    """What no text may show of a way, whoever has asked for it."""
    match way:
        case Mail():
            found: Iterable[str] = (way.smtp.password,)
        case Pipe():
            found = ()
        case Sentry():
            found = (way.dsn, urlsplit(way.dsn).netloc.rpartition("@")[0])
        case _:
            found = _behind_the_host(way.url)
    return tuple(each for each in found if len(each) >= _SHORTEST_SECRET)


def _behind_the_host(url: str) -> tuple[str, ...]:
    """What of a URL may be a token: all but scheme and host."""
    parts = urlsplit(url)
    path = parts.path.strip("/")
    whole = (url,) if path or parts.query or "@" in parts.netloc else ()
    pieces = (path, parts.query, *parts.netloc.rpartition("@")[0].split(":"))
    return (*whole, *(piece for piece in pieces if len(piece) >= _SHORTEST_PIECE))


def sentence(text: str, secrets: Iterable[str] = ()) -> str:
    """An error as it may be kept and shown: one line, not endless, without secrets."""
    wanted = {form for each in secrets if each for form in (each, quote(each, safe=""))}
    if wanted:
        longest_first = sorted(wanted, key=len, reverse=True)
        text = re.sub("|".join(map(re.escape, longest_first)), MASK, text)
    text = _USERINFO.sub(f"//{MASK}@", text)
    return shortened(escaped(" ".join(text.split())), _LONGEST)


def shortened(text: str, most: int) -> str:
    """The text, or its beginning and an ellipsis."""
    return text if len(text) <= most else text[: most - 1] + "…"
