"""The way of `mail`: through a server, several messages over one connection."""

from __future__ import annotations

import smtplib
from collections.abc import Callable, Iterator
from contextlib import contextmanager, suppress
from functools import partial

from inisched.model.notifier import Mail
from inisched.notifiers.deadline import Deadline
from inisched.notifiers.greeting import greet, place
from inisched.notifiers.letterhead import compose, envelope_address, sender_of
from inisched.notifiers.message import Message
from inisched.notifiers.replies import refusals, reply, smtp_reason
from inisched.notifiers.undelivered import Undelivered

_FAREWELL = 1.0
"""Seconds a server has to say goodbye."""


@contextmanager
def connected(way: Mail, deadline: Deadline) -> Iterator[Callable[[Message], str]]:
    """A function that sends one message and says what is to be remarked, "" for nothing.

    The deadline is that of the whole connection. Raises Undelivered, as the function does.
    """
    server = greet(way.smtp, deadline)
    try:
        assert server.sock is not None
        with deadline.cutting(server.sock):
            yield partial(_send, server, way, deadline)
    finally:
        _part(server, deadline)


def _send(server: smtplib.SMTP, way: Mail, deadline: Deadline, message: Message) -> str:
    where = place(way.smtp)
    utf8 = server.has_extn("smtputf8")
    sender = sender_of(way, message)
    to, unreachable = _reachable(way, sender, utf8)
    if not to:
        raise Undelivered(f"{where}: {_no_utf8(unreachable)}", final=True)
    data = compose(message, sender=sender, to=to, utf8=utf8)
    addresses = [envelope_address(each) for each in to]
    options = ["SMTPUTF8", "BODY=8BITMIME"] if utf8 and not _is_ascii(sender, *to) else []
    try:
        refused = server.sendmail(envelope_address(sender), addresses, data, options)
    except (OSError, ValueError) as error:
        raise _undelivered(error, where, deadline) from None
    remarks = [_no_utf8(unreachable)] if unreachable else []
    return "; ".join([*remarks, *refusals(refused)])


def _reachable(way: Mail, sender: str, utf8: bool) -> tuple[list[str], list[str]]:
    """Who can be written to, and who not by a server that knows ASCII only."""
    if utf8:
        return list(way.to), []
    if not _is_ascii(envelope_address(sender)):
        return [], [sender]
    good = [each for each in way.to if _is_ascii(envelope_address(each))]
    return good, [each for each in way.to if each not in good]


def _is_ascii(*addresses: str) -> bool:
    return all(address.isascii() for address in addresses)


def _no_utf8(addresses: list[str]) -> str:
    return f"{', '.join(addresses)} needs SMTPUTF8, which the server does not offer"


def _undelivered(error: Exception, where: str, deadline: Deadline) -> Undelivered:
    """What `sendmail` raised, told; a 421 is a server that hangs up."""
    match error:
        case smtplib.SMTPRecipientsRefused(recipients=recipients):
            codes = {code for code, _ in recipients.values()}
            text = "; ".join(refusals(recipients))
            final, gone = min(codes) >= 500, 421 in codes
        case smtplib.SMTPSenderRefused():
            text = f"the sender {error.sender} is refused: {reply(error)}"
            final, gone = error.smtp_code >= 500, error.smtp_code == 421
        case smtplib.SMTPResponseException():
            text = f"refused: {reply(error)}"
            final, gone = error.smtp_code >= 500, error.smtp_code == 421
        case _:
            text, final, gone = smtp_reason(error, deadline), False, True
    return Undelivered(f"{where}: {text}", final=final, unreachable=gone)


def _part(server: smtplib.SMTP, deadline: Deadline) -> None:
    """Say goodbye, where there is still somebody to hear it."""
    with suppress(OSError, ValueError):
        if server.sock is not None:
            server.sock.settimeout(min(deadline.left, _FAREWELL))
            server.quit()
    server.close()
