"""The way of `sentry_dsn`: errors with what is needed to understand them, and check-ins."""

from __future__ import annotations

import uuid
from collections.abc import Iterator
from typing import Any, cast

from inisched.model.event import Event, Kind
from inisched.model.notifier import Sentry
from inisched.notifiers.asking import LONGEST
from inisched.notifiers.message import Message
from inisched.notifiers.ourselves import RELEASE
from inisched.notifiers.slug import slug
from inisched.notifiers.undelivered import Undelivered
from inisched.notifiers.wire import Letter
from inisched.notifiers.words import MOST_LINES, subject

MISSING = "the extra is not installed: pip install 'inisched[sentry]'"
_SPACE = uuid.UUID("6f1c3a2e-5d0b-4c8e-9a57-1d2f7b40c913")
_STATUS = {
    Kind.STARTED: "in_progress",
    Kind.SUCCESS: "ok",
    Kind.WARNING: "ok",
    Kind.RECOVERY: "ok",
    Kind.SKIPPED: "ok",
    Kind.FAILURE: "error",
    Kind.INTERRUPTED: "error",
}
_LEVELS = {Kind.FAILURE: "error", Kind.TEST: "info"}
"""What is told as an event of its own; the rest is known by check-ins, or not at all."""


def send(way: Sentry, message: Message, *, ledger: str, limit: float = LONGEST) -> None:
    """Send what Sentry wants to know of each event; `limit` is seconds for each request.

    Ids are derived from `ledger` and the letter: what is sent twice is known as the same.
    """
    try:
        import sentry_sdk
    except ImportError:
        raise Undelivered(MISSING) from None
    from inisched.notifiers.envelopes import client_for

    try:
        client, envelopes = client_for(way.dsn, limit)
    except sentry_sdk.utils.BadDsn:
        raise Undelivered("the DSN is not one of Sentry's", final=True) from None
    for letter in message.letters:
        for item in items(letter, ledger):
            client.capture_event(cast(Any, item))
            envelopes.check()


def items(letter: Letter, ledger: str) -> Iterator[dict[str, Any]]:
    """What Sentry is told of an event: an error, a check-in, both or nothing."""
    event = letter.event
    if event.reminder:
        return
    if event.kind in _LEVELS:
        yield _error(event) | {"event_id": identity(ledger, "event", letter.key)}
    if letter.monitor is not None and event.kind in _STATUS:
        yield _check_in(letter, ledger)


def identity(ledger: str, kind: str, key: object) -> str:
    """The same 32 hexadecimal digits for the same thing, on every look."""
    return uuid.uuid5(_SPACE, f"{ledger}/{kind}/{key}").hex


def _error(event: Event) -> dict[str, Any]:
    packed = event.as_json()
    tags = {name: packed[name] for name in ("job", "run", "fire_at", "attempt", "exit_code")}
    run = ("state", "trigger", "started_at", "ended_at", "duration_s", "period_start", "period_end")
    more = ("message", "result", "again", "failures", "since", "changed", "description", "file")
    streams = {name: _tail(packed[name]) for name in ("stdout", "stderr")}
    return {
        "level": _LEVELS[event.kind],
        "logger": "inisched",
        "message": subject(event),
        "timestamp": packed["at"],
        "transaction": event.job,
        "server_name": event.host,
        "fingerprint": ["inisched", event.job],
        "tags": {name: str(value) for name, value in tags.items() if value not in (None, "")},
        "contexts": {"run": _said({name: packed[name] for name in run})},
        "extra": _said({name: packed[name] for name in more} | streams),
    }


def _check_in(letter: Letter, ledger: str) -> dict[str, Any]:
    event = letter.event
    ran = ("run", event.run) if event.run is not None else ("letter", letter.key)
    return {
        "type": "check_in",
        "check_in_id": identity(ledger, *ran),
        "monitor_slug": slug(event.job),
        "status": _STATUS[event.kind],
        "duration": event.duration.total_seconds() if event.duration else None,
        "monitor_config": dict(letter.monitor or {}),
        "environment": "production",
        "release": RELEASE,
    }


def _tail(text: str) -> str:
    return "\n".join(text.rstrip("\n").split("\n")[-MOST_LINES:])


def _said(fields: dict[str, Any]) -> dict[str, Any]:
    return {name: value for name, value in fields.items() if value not in (None, "", [], 0)}
