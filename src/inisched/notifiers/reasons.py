"""Why a connection failed, in the words of a sentence's end."""

from __future__ import annotations

import ssl
from http.client import HTTPException

from inisched.notifiers.deadline import Deadline

CLOSED = "the connection was closed"
"""By whatever sign the other side gave; which one it was, is a matter of luck."""


def network_reason(error: Exception, deadline: Deadline) -> str:
    """ "Connection refused", "no answer within 5 s", "its certificate is not trusted: …"."""
    if isinstance(error, TimeoutError) or deadline.passed:
        return f"no answer within {deadline.shown}"
    if isinstance(error, ssl.SSLCertVerificationError):
        return f"its certificate is not trusted: {error.verify_message}"
    if isinstance(error, ssl.SSLError):
        return f"TLS failed: {(error.reason or str(error)).replace('_', ' ').lower()}"
    if isinstance(error, BrokenPipeError | ConnectionResetError):
        return CLOSED
    if isinstance(error, HTTPException):
        return "its answer is not HTTP"
    if isinstance(error, OSError):
        return error.strerror or str(error) or type(error).__name__
    return f"{type(error).__name__}: {error}"
