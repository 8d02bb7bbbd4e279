"""The way of `ping`: a watcher elsewhere hears of starts, successes and failures.

It notices by itself when nothing comes any more, which no daemon can do for itself.
"""

from __future__ import annotations

from urllib.parse import urlsplit, urlunsplit

from inisched.model.event import Kind
from inisched.model.notifier import Ping
from inisched.notifiers.asking import LONGEST, ask
from inisched.notifiers.message import Message

_WORDS = {
    Kind.STARTED: "start",
    Kind.SUCCESS: "",
    Kind.WARNING: "",
    Kind.RECOVERY: "",
    Kind.SKIPPED: "",
    Kind.FAILURE: "fail",
    Kind.INTERRUPTED: "fail",
}


def send(way: Ping, message: Message, *, limit: float = LONGEST) -> None:
    """Ping for each event that is a start or an end; a watcher has no use for others."""
    for event in message.events:
        if event.kind in _WORDS and not event.reminder:
            ask("GET", address(way.url, _WORDS[event.kind]), limit=limit, final=_is_final)


def address(prefix: str, word: str) -> str:
    """The prefix with a word behind its path: "https://hc.example/ID/fail?x=1"."""
    parts = urlsplit(prefix)
    path = f"{parts.path.rstrip('/')}/{word}" if word else parts.path
    return urlunsplit(parts._replace(path=path))


def _is_final(status: int) -> bool:
    return 400 <= status <= 499 and status not in (408, 429)
