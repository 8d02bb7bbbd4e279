"""One HTTP request: no redirects, little of the answer, and an end to it."""

from __future__ import annotations

import base64
import socket
import ssl
from collections.abc import Callable, Mapping
from contextlib import suppress
from http import HTTPStatus
from http.client import HTTPConnection, HTTPException, HTTPResponse, HTTPSConnection
from urllib.parse import SplitResult, quote, unquote, urlsplit

from inisched.notifiers.deadline import Deadline
from inisched.notifiers.ourselves import AGENT
from inisched.notifiers.reasons import network_reason
from inisched.notifiers.undelivered import Undelivered, shortened

LONGEST = 5.0
"""Seconds a request may take, its connection included."""
LARGEST_ANSWER = 64 * 1024
"""Bytes of an answer that are read at most."""

_LONGEST_PHRASE = 80
_SAFE = "/%:@!$&'()*+,;=~?"
_UNWANTED = frozenset({400, 410, 413, 415, 422})


def is_unwanted(status: int) -> bool:
    """Whether an answer says that this very message will never be taken."""
    return status in _UNWANTED


def ask(
    method: str,
    url: str,
    *,
    data: bytes | None = None,
    headers: Mapping[str, str] | None = None,
    limit: float = LONGEST,
    final: Callable[[int], bool] = is_unwanted,
) -> None:
    """Have a request answered with 2xx; everything else raises Undelivered.

    `limit` is seconds for all of it but the look-up of the host's name. `final` tells by which
    status trying again is useless. Errors show scheme and host only: the rest may be a secret.
    """
    deadline = Deadline(limit)
    parts, where = _parts(url)
    connection = _connected(parts, where, deadline)
    try:
        with deadline.cutting(connection.sock):
            asked = {"User-Agent": AGENT, "Connection": "close", **_login(parts), **(headers or {})}
            status, phrase = _exchange(connection, method, _target(parts), data, asked, deadline)
    except (OSError, HTTPException) as error:
        raise Undelivered(f"{where}: {network_reason(error, deadline)}") from None
    finally:
        connection.close()
    if not 200 <= status <= 299:
        answer = f"{status} {_phrase(status, phrase)}".strip()
        more = ", and redirects are not followed" if 300 <= status <= 399 else ""
        raise Undelivered(f"{where}: answered {answer}{more}", final=final(status))


def _parts(url: str) -> tuple[SplitResult, str]:
    """The URL taken apart, and as much of it as may be shown."""
    try:
        parts = urlsplit(url)
        host, port = parts.hostname, parts.port
    except ValueError:
        host, port, parts = None, None, urlsplit("")
    if parts.scheme not in ("http", "https") or not host:
        raise Undelivered("the URL is not an http:// or https:// one", final=True)
    host = f"[{host}]" if ":" in host else host
    return parts, f"{parts.scheme}://{host}" + (f":{port}" if port else "")


def _connected(parts: SplitResult, where: str, deadline: Deadline) -> HTTPConnection:
    """A connection that stands, its TLS included."""
    host, secure = parts.hostname or "", parts.scheme == "https"
    port = parts.port or (443 if secure else 80)
    try:
        plain = _socket(host, port, deadline)
        if not secure:
            connection = HTTPConnection(host, port)
            connection.sock = plain
            return connection
        context = ssl.create_default_context()
        connection = HTTPSConnection(host, port, context=context)
        connection.sock = _secured(plain, context, host, deadline)
        return connection
    except (OSError, UnicodeError) as error:
        reason = f"{where}: {network_reason(error, deadline)}"
        raise Undelivered(reason, unreachable=True) from None


def _socket(host: str, port: int, deadline: Deadline) -> socket.socket:
    """The first address that answers; all of them share the time."""
    failed: OSError = OSError("the host has no address")
    for *_, address in socket.getaddrinfo(host, port, type=socket.SOCK_STREAM):
        try:
            made = socket.create_connection((str(address[0]), port), timeout=deadline.left)
        except OSError as error:
            failed = error
        else:
            made.setsockopt(socket.IPPROTO_TCP, socket.TCP_NODELAY, 1)
            return made
    raise failed


def _secured(
    plain: socket.socket, context: ssl.SSLContext, host: str, deadline: Deadline
) -> ssl.SSLSocket:
    secured = context.wrap_socket(plain, server_hostname=host, do_handshake_on_connect=False)
    try:
        with deadline.cutting(secured):
            secured.do_handshake()
    except BaseException:
        secured.close()
        raise
    return secured


def _exchange(
    connection: HTTPConnection,
    method: str,
    target: str,
    data: bytes | None,
    headers: Mapping[str, str],
    deadline: Deadline,
) -> tuple[int, str]:
    """Status and phrase of the answer, also of one that came before all was sent."""
    with suppress(BrokenPipeError, ConnectionResetError):
        connection.request(method, target, body=data, headers=dict(headers))
    response: HTTPResponse = connection.getresponse()
    with response:
        if deadline.passed:  # cut within its headers, which then look like all of them
            raise TimeoutError
        with suppress(OSError, HTTPException):
            response.read(LARGEST_ANSWER)
        return response.status, response.reason


def _target(parts: SplitResult) -> str:
    query = f"?{parts.query}" if parts.query else ""
    return quote((parts.path or "/") + query, safe=_SAFE)


def _login(parts: SplitResult) -> dict[str, str]:
    if parts.username is None:
        return {}
    words = f"{unquote(parts.username)}:{unquote(parts.password or '')}"
    return {"Authorization": f"Basic {base64.b64encode(words.encode()).decode()}"}


def _phrase(status: int, phrase: str) -> str:
    try:
        known = HTTPStatus(status).phrase
    except ValueError:
        known = ""
    return shortened(phrase, _LONGEST_PHRASE) or known
