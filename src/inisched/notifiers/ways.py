"""Which way a parcel goes: a function that sends one message of it."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from contextlib import contextmanager

from inisched.model.notifier import Mail, Ping, Pipe, Relay, Sentry, Webhook
from inisched.notifiers.deadline import Deadline
from inisched.notifiers.message import Message
from inisched.notifiers.wire import Parcel

Send = Callable[[Message], str]
"""Sends a message and says what is to be remarked; raises Undelivered."""


@contextmanager
def opened(parcel: Parcel, deadline: Deadline) -> Iterator[Send]:
    """The way, ready to send; what only one way needs is imported by that way."""
    if isinstance(parcel.way, Mail):
        from inisched.notifiers import mail

        with mail.connected(parcel.way, deadline) as send:
            yield send
    else:
        yield lambda message: _send(parcel, deadline, message)


def _send(parcel: Parcel, deadline: Deadline, message: Message) -> str:
    match parcel.way:
        case Webhook() as way:
            from inisched.notifiers import asking, webhook

            webhook.send(way, message, limit=min(asking.LONGEST, deadline.left))
        case Ping() as way:
            from inisched.notifiers import asking, ping

            ping.send(way, message, limit=min(asking.LONGEST, deadline.left))
        case Pipe() as way:
            from inisched.notifiers import pipe

            pipe.send(way, message, folder=parcel.folder, deadline=deadline)
        case Relay() as way:
            from inisched.notifiers import relay

            relay.send(way, message)
        case Sentry() as way:
            from inisched.notifiers import asking, sentry

            limit = min(asking.LONGEST, deadline.left)
            sentry.send(way, message, ledger=parcel.ledger, limit=limit)
    return ""
