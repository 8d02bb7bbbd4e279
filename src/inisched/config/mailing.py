"""Mail servers and addresses as a file gives them."""

from __future__ import annotations

import re
from urllib.parse import unquote

from inisched.config.lists import refuse, some
from inisched.model.diagnostic import Unreadable
from inisched.model.notifier import Smtp
from inisched.timing.nearest import did_you_mean

A_SERVER = "a mail server such as smtp://localhost or smtps://user:password@mail.example.org"
ADDRESSES = "one or more mail addresses, split by commas"

_SERVER = re.compile(
    r"""(?P<scheme>[A-Za-z+]+)://
        (?:(?P<user>[^:@/\s]*)(?::(?P<password>[^@/\s]*))?@)?
        (?P<host>\[[0-9A-Fa-f:.]+\]|[^\[\]:@/?\#\s]+)
        (?::(?P<port>[0-9]{1,5}))?/?""",
    re.VERBOSE,
)
_SCHEMES = {"smtp": (25, 587), "smtp+starttls": (587, 587), "smtps": (465, 465)}
"""By scheme: the usual port, and that with a login."""

_ADDRESS = re.compile(r"[^@\s<>,]+(@[^@\s<>,]+)?")
_NAMED = re.compile(r"[^<>]*<([^<>]*)>")


def read_server(text: str) -> Smtp:
    """Read `smtp://host`, `smtp+starttls://user:password@host:port` or `smtps://host`.

    No message quotes the text: it may hold a password. `%40` in user and password is an @.
    """
    match = _SERVER.fullmatch(text)
    if match is None:
        raise Unreadable("this is not the address of a mail server", expected=A_SERVER)
    scheme = match["scheme"].lower()
    if scheme not in _SCHEMES:
        expected = "smtp://, smtp+starttls:// or smtps://"
        problem, hint = f"'{scheme}' is no way to send mail", did_you_mean(scheme, _SCHEMES)
        raise Unreadable(problem, length=len(scheme), expected=expected, hint=hint)
    usual, with_login = _SCHEMES[scheme]
    port = int(match["port"]) if match["port"] else with_login if match["user"] else usual
    if not 0 < port < 65536:
        expected = "a port from 1 to 65535"
        start, end = match.span("port")
        raise Unreadable(
            f"there is no port {port}", start=start, length=end - start, expected=expected
        )
    if not (match["user"] or "").isascii() or not (match["password"] or "").isascii():
        raise Unreadable("user and password can be ASCII only", expected=A_SERVER)
    return Smtp(
        host=match["host"].strip("[]"),
        port=port,
        tls=scheme == "smtps",
        starttls=scheme == "smtp+starttls",
        user=unquote(match["user"] or ""),
        password=unquote(match["password"] or ""),
    )


def read_addresses(text: str) -> tuple[str, ...]:
    """Addresses as a mail server takes them; a name before `<address>` is left out.

    A word without @ is a mailbox of the mail server's own host.
    """
    return tuple(_address(item, start) for item, start in some(text))


def read_sender(text: str) -> str:
    """One address."""
    return _address(text.strip(), 0)


def _address(item: str, start: int) -> str:
    named = _NAMED.fullmatch(item)
    address = named[1].strip() if named else item
    if not _ADDRESS.fullmatch(address) or not address.isprintable():
        problem = f"'{item}' is not a mail address"
        raise refuse(item, problem, start, expected="an address such as ops@example.org")
    return address
