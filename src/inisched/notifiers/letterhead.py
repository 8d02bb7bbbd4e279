"""A message as mail: its headers, and addresses as servers want them."""

from __future__ import annotations

import re
import socket
from collections.abc import Sequence
from email.message import EmailMessage
from email.policy import SMTP
from email.utils import format_datetime, parseaddr
from urllib.parse import quote

from inisched.config.drawing import escaped
from inisched.model.notifier import Mail
from inisched.notifiers.message import Message
from inisched.notifiers.moments import zone_of

_LONGEST_ID = 200


def compose(message: Message, *, sender: str, to: Sequence[str], utf8: bool) -> bytes:
    """The mail as it is sent; the same however often it is composed. `utf8`: also in headers."""
    last = message.events[-1]
    mail = EmailMessage(policy=SMTP.clone(utf8=utf8))
    mail["From"] = header_address(sender)
    mail["To"] = ", ".join(map(header_address, to))
    mail["Subject"] = message.subject
    mail["Date"] = format_datetime(last.at.astimezone(zone_of(last)))
    mail["Message-ID"] = f"<{_safe(quote(message.key, safe=''))}@{_safe(last.host) or 'inisched'}>"
    mail["Auto-Submitted"] = "auto-generated"
    if message.job:
        mail["X-Inisched-Job"] = escaped(message.job)
    mail.set_content(message.text, cte="quoted-printable")
    return mail.as_bytes()


def sender_of(way: Mail, message: Message) -> str:
    """Who writes: `mail_from`, or inisched at this host."""
    return way.sender or f"inisched@{message.events[-1].host or socket.gethostname()}"


def header_address(address: str) -> str:
    """The address with its name, if it has one, and its domain in ASCII."""
    bare = envelope_address(address)
    return address.replace(parseaddr(address)[1], bare) if parseaddr(address)[0] else bare


def envelope_address(address: str) -> str:
    """The bare address, its domain in ASCII; before the @ all is as it was."""
    local, at, domain = (parseaddr(address)[1] or address).rpartition("@")
    try:
        return local + at + (domain if domain.isascii() else domain.encode("idna").decode())
    except UnicodeError:
        return local + at + domain


def _safe(text: str) -> str:
    return re.sub(r"[^A-Za-z0-9._%-]", "-", text)[:_LONGEST_ID]
