"""A connection to a mail server, as safe as its URL asks for and a password needs."""

from __future__ import annotations

import smtplib
import socket
import ssl
from ipaddress import ip_address

from inisched.model.notifier import Smtp
from inisched.notifiers.deadline import Deadline
from inisched.notifiers.replies import reply, smtp_reason
from inisched.notifiers.undelivered import Undelivered

_NO_STARTTLS = "the server does not offer STARTTLS"


def greet(smtp: Smtp, deadline: Deadline) -> smtplib.SMTP:
    """A server that has greeted us, with TLS and login done; raises Undelivered."""
    server: smtplib.SMTP | None = None
    try:
        server = _connected(smtp, deadline)
        _secure(server, smtp)
        if smtp.user:
            _log_in(server, smtp)
        server.ehlo_or_helo_if_needed()
    except (OSError, UnicodeError) as error:
        if server is not None:
            server.close()
        text = error.args[0] if isinstance(error, _Unsafe) else smtp_reason(error, deadline)
        raise Undelivered(f"{place(smtp)}: {text}", unreachable=True) from None
    return server


def place(smtp: Smtp) -> str:
    """ "localhost:2525"."""
    host = f"[{smtp.host}]" if ":" in smtp.host else smtp.host
    return f"{host}:{smtp.port}"


def is_loopback(host: str) -> bool:
    """Whether nobody can listen on the way there."""
    if host.lower().rstrip(".") == "localhost":
        return True
    try:
        return ip_address(host.strip("[]")).is_loopback
    except ValueError:
        return False


class _Unsafe(smtplib.SMTPException):
    """Said whole: what the server lacks, or did not like."""


def _connected(smtp: Smtp, deadline: Deadline) -> smtplib.SMTP:
    host, port, me = smtp.host.strip("[]"), smtp.port, _own_name()
    if not smtp.tls:
        return smtplib.SMTP(host, port, me, timeout=deadline.left)
    context = _context(checked=not is_loopback(smtp.host))
    return smtplib.SMTP_SSL(host, port, me, timeout=deadline.left, context=context)


def _secure(server: smtplib.SMTP, smtp: Smtp) -> None:
    """TLS where it is demanded, needed for a password, or simply to be had."""
    if smtp.tls:
        return
    server.ehlo_or_helo_if_needed()
    far = not is_loopback(smtp.host)
    if server.has_extn("starttls"):
        demanded = smtp.starttls or bool(smtp.user)
        server.starttls(context=_context(checked=demanded and far))
    elif smtp.starttls:
        raise _Unsafe(f"{_NO_STARTTLS}, which smtp+starttls:// demands")
    elif smtp.user and far:
        raise _Unsafe(f"{_NO_STARTTLS}, and a password is not sent in clear: try smtps://")


def _log_in(server: smtplib.SMTP, smtp: Smtp) -> None:
    try:
        server.login(smtp.user, smtp.password)
    except smtplib.SMTPAuthenticationError as error:
        raise _Unsafe(f"the login is refused: {reply(error)}") from None
    except smtplib.SMTPNotSupportedError:
        raise _Unsafe("the server offers no login") from None
    except UnicodeError:
        raise _Unsafe("user and password can be ASCII only") from None
    except smtplib.SMTPException as error:
        if isinstance(error, smtplib.SMTPServerDisconnected | smtplib.SMTPResponseException):
            raise
        raise _Unsafe("the server offers no login that is known here") from None


def _context(*, checked: bool) -> ssl.SSLContext:
    context = ssl.create_default_context()
    if not checked:
        context.check_hostname = False
        context.verify_mode = ssl.CERT_NONE
    return context


def _own_name() -> str:
    """What we are called in EHLO, without asking a name server that may not answer."""
    name = socket.gethostname()
    return name if "." in name and name.isascii() else "[127.0.0.1]"
