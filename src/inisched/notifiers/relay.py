"""The way of `url`: whatever Apprise can reach."""

from __future__ import annotations

import logging
from collections.abc import Iterator
from typing import Any
from urllib.parse import parse_qsl, unquote, urlsplit

from inisched.model.event import Kind
from inisched.model.notifier import Relay
from inisched.notifiers.message import Message
from inisched.notifiers.undelivered import Undelivered, sentence

MISSING = "the extra is not installed: pip install 'inisched[notify]'"
_SHORTEST_PIECE = 6
_TYPES = {
    Kind.FAILURE: "failure",
    Kind.INTERRUPTED: "failure",
    Kind.LATE: "warning",
    Kind.SLOW: "warning",
    Kind.SKIPPED: "warning",
    Kind.WARNING: "warning",
    Kind.RECOVERY: "success",
    Kind.SUCCESS: "success",
}


def send(way: Relay, message: Message) -> None:
    """Hand the message to Apprise; what it logs when it fails is the error."""
    try:
        import apprise
    except ImportError:
        raise Undelivered(MISSING) from None
    scheme = way.url.partition(":")[0]
    relay = apprise.Apprise(asset=apprise.AppriseAsset(app_id="inisched", app_desc="a scheduler"))
    with _log(apprise) as log:
        if not relay.add(way.url):
            raise Undelivered(f"{scheme}: Apprise does not understand the URL", final=True)
        sent = relay.notify(
            title=message.subject,
            body=message.text,
            notify_type=_type(apprise, message),
            body_format=apprise.NotifyFormat.TEXT,
        )
        said = "; ".join(line.strip() for line in log.getvalue().splitlines() if line.strip())
    if not sent:
        why = sentence(said, _pieces(way.url)) or "Apprise does not say why it failed"
        raise Undelivered(f"{scheme}: {why}")


def _log(apprise: Any) -> Any:
    return apprise.LogCapture(level=logging.WARNING, fmt="%(message)s")


def _type(apprise: Any, message: Message) -> Any:
    """How bad it is; of a digest, its last event."""
    return apprise.NotifyType(_TYPES.get(message.events[-1].kind, "info"))


def _pieces(url: str) -> Iterator[str]:
    """The URL and whatever of it may be a token: Apprise has them everywhere, also in the host."""
    parts = urlsplit(url)
    login, _, host = parts.netloc.rpartition("@")
    found = (url, *login.split(":"), host, host.partition(":")[0], *parts.path.split("/"))
    values = (value for _, value in parse_qsl(parts.query))
    for piece in (*found, *values):
        yield from (form for form in (piece, unquote(piece)) if len(form) >= _SHORTEST_PIECE)
