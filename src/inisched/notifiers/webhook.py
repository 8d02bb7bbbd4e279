"""The way of `webhook`: the event as JSON, by POST."""

from __future__ import annotations

from inisched.model.notifier import Webhook
from inisched.notifiers.asking import LONGEST, ask
from inisched.notifiers.message import Message


def send(way: Webhook, message: Message, *, limit: float = LONGEST) -> None:
    """Post the message; raises Undelivered where the answer is not 2xx."""
    headers = {
        "Content-Type": "application/json; charset=utf-8",
        "Idempotency-Key": message.key,
    }
    ask("POST", way.url, data=message.encode(), headers=headers, limit=limit)
