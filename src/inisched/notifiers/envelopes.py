"""How Sentry's envelopes get there: one request each, whose end is known.

The SDK's own transport sends from a thread, tries again by itself, and does not say what became
of it.
"""

from __future__ import annotations

import gzip
from typing import Any

from sentry_sdk import Client
from sentry_sdk.consts import EndpointType
from sentry_sdk.envelope import Envelope
from sentry_sdk.transport import Transport

from inisched.notifiers.asking import ask
from inisched.notifiers.ourselves import AGENT, RELEASE
from inisched.notifiers.undelivered import Undelivered


class Envelopes(Transport):
    """Sends at once, and keeps what went wrong."""

    def __init__(self, options: dict[str, Any], limit: float) -> None:
        super().__init__(options)
        self._limit = limit
        self._sent = 0
        self._failure: Exception | None = None

    def capture_envelope(self, envelope: Envelope) -> None:
        assert self.parsed_dsn is not None
        auth = self.parsed_dsn.to_auth(AGENT)
        headers = {
            "Content-Type": "application/x-sentry-envelope",
            "Content-Encoding": "gzip",
            "X-Sentry-Auth": auth.to_header(),
        }
        data = gzip.compress(envelope.serialize())
        url = auth.get_api_url(EndpointType.ENVELOPE)
        try:
            ask("POST", url, data=data, headers=headers, limit=self._limit)
        except Exception as error:
            self._failure = error
        else:
            self._sent += 1

    def check(self) -> None:
        """Raise what went wrong with the one item since the last check."""
        failure, sent = self._failure, self._sent
        self._failure, self._sent = None, 0
        if failure is not None:
            raise failure
        if not sent:
            raise Undelivered("sentry_sdk did not send it", final=True)


def client_for(dsn: str, limit: float) -> tuple[Client, Envelopes]:
    """A client that knows nothing of this process; raises BadDsn."""
    envelopes = Envelopes({"dsn": dsn}, limit)
    client = Client(
        dsn=dsn,
        transport=envelopes,
        release=RELEASE,
        environment="production",
        default_integrations=False,
        auto_enabling_integrations=False,
        auto_session_tracking=False,
        enable_backpressure_handling=False,
        include_local_variables=False,
        include_source_context=False,
        max_breadcrumbs=0,
        max_value_length=100_000,
        send_client_reports=False,
        debug=False,
        spotlight=False,
    )
    return client, envelopes
