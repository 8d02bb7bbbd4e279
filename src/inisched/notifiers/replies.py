"""What a mail server answered, and how its connection failed, in words."""

from __future__ import annotations

import smtplib
from collections.abc import Mapping

from inisched.notifiers.deadline import Deadline
from inisched.notifiers.reasons import CLOSED, network_reason


def reply(error: smtplib.SMTPResponseException) -> str:
    """ "554 5.7.1 no thank you"."""
    return f"{error.smtp_code} {_text(error.smtp_error)}".strip()


def refusals(refused: Mapping[str, tuple[int, bytes]]) -> list[str]:
    """ "ops@example.com is refused: 550 no such user", of each."""
    return [
        f"{address} is refused: {code} {_text(said)}" for address, (code, said) in refused.items()
    ]


def smtp_reason(error: Exception, deadline: Deadline) -> str:
    """Why there is no connection any more; smtplib hides the cause behind its own error."""
    cause = error.__context__
    if isinstance(error, smtplib.SMTPServerDisconnected):
        if isinstance(cause, OSError) and not isinstance(cause, smtplib.SMTPException):
            return network_reason(cause, deadline)
        return f"no answer within {deadline.shown}" if deadline.passed else CLOSED
    if isinstance(error, smtplib.SMTPResponseException):
        return reply(error)
    return network_reason(error, deadline)


def _text(said: bytes | str) -> str:
    text = said.decode(errors="replace") if isinstance(said, bytes) else said
    return " ".join(text.split())
