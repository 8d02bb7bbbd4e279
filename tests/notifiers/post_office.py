"""Real mail servers on loopback: what each of them gets, refuses, and does not answer."""

from __future__ import annotations

import asyncio
import ssl
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass, field
from email import message_from_bytes
from email.message import EmailMessage
from email.policy import default
from typing import Any

from aiosmtpd.controller import Controller
from aiosmtpd.smtp import SMTP, AuthResult, Envelope, LoginPassword, Session


@dataclass
class Office:
    """What arrived, and how the office treats it.

    `refuses`: answers to recipients by address. `answers`: to messages in turn, None for a good
    one, "hang" and "reset" for none at all. It `thinks` so many seconds over each message.
    """

    port: int = 0
    mails: list[EmailMessage] = field(default_factory=list)
    envelopes: list[Envelope] = field(default_factory=list)
    sessions: list[Session] = field(default_factory=list)
    refuses: dict[str, str] = field(default_factory=dict)
    answers: list[str | None] = field(default_factory=list)
    logins: list[tuple[str, str]] = field(default_factory=list)
    good_login: bool = True
    thinks: float = 0.0
    thinking: int = 0

    @property
    def subjects(self) -> list[str]:
        return [str(mail["Subject"]) for mail in self.mails]

    def text(self) -> str:
        """What the one mail says."""
        [mail] = self.mails
        return str(mail.get_content()).replace("\r\n", "\n")

    async def handle_RCPT(  # noqa: N802 - aiosmtpd's name
        self, server: SMTP, session: Session, envelope: Envelope, address: str, options: list[str]
    ) -> str:
        if address in self.refuses:
            return self.refuses[address]
        envelope.rcpt_tos.append(address)
        return "250 OK"

    async def handle_DATA(  # noqa: N802 - aiosmtpd's name
        self, server: SMTP, session: Session, envelope: Envelope
    ) -> str:
        self.thinking += 1
        await asyncio.sleep(self.thinks)
        answer = self.answers.pop(0) if self.answers else None
        if answer == "hang":
            await asyncio.sleep(30)
        if answer == "reset":
            server.transport.abort()
        if answer is not None:
            return answer
        self.sessions.append(session)
        self.envelopes.append(envelope)
        assert isinstance(envelope.content, bytes)
        self.mails.append(message_from_bytes(envelope.content, policy=default))  # type: ignore
        return "250 OK"

    def authenticate(self, server: Any, session: Any, envelope: Any, how: str, data: Any) -> Any:
        assert isinstance(data, LoginPassword)
        self.logins.append((data.login.decode(), data.password.decode()))
        return AuthResult(success=self.good_login, handled=False)


@contextmanager
def office(*, smtps: ssl.SSLContext | None = None, **options: Any) -> Iterator[Office]:
    """A server at a free port; `options` go to aiosmtpd."""
    here = Office()
    usual: dict[str, Any] = {"hostname": "127.0.0.1", "port": 0, "ssl_context": smtps}
    if options.pop("login", False):
        options |= {"authenticator": here.authenticate, "auth_require_tls": False}
    controller = _Controller(here, **usual | {"enable_SMTPUTF8": True} | options)
    controller.start()
    here.port = controller.port
    try:
        yield here
    finally:
        controller.stop()


class _Controller(Controller):
    """Starts at a port the system chooses, where aiosmtpd's own first call would not find it."""

    def _trigger_server(self) -> None:
        self.port = self.server.sockets[0].getsockname()[1]
        super()._trigger_server()
