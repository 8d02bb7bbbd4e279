"""Who hears of events, and by which way: what `[notify:NAME]` and `[inisched]` ask for."""

from __future__ import annotations

from datetime import timedelta
from typing import ClassVar

from msgspec import Struct

from inisched.model.event import Kind
from inisched.model.guarded import Guarded


class Smtp(Guarded, frozen=True, kw_only=True):
    """A mail server. `tls`: from the first byte on; `starttls`: must be had before anything else.

    Without either, STARTTLS is used where the server offers it.
    """

    hidden: ClassVar = frozenset({"password"})

    host: str
    port: int
    tls: bool = False
    starttls: bool = False
    user: str = ""
    password: str = ""


class Mail(Struct, frozen=True, kw_only=True):
    """To these addresses, through a server. `sender` "": inisched at this host."""

    to: tuple[str, ...]
    smtp: Smtp
    sender: str = ""


class Addressed(Guarded, frozen=True):
    """By a URL, which may hold a secret."""

    hidden: ClassVar = frozenset({"url"})

    url: str


class Relay(Addressed, frozen=True):
    """By an Apprise URL."""


class Webhook(Addressed, frozen=True):
    """The event as JSON, by POST."""


class Pipe(Struct, frozen=True):
    """The event as JSON on the standard input of a line or script for /bin/sh."""

    script: str


class Ping(Addressed, frozen=True):
    """A URL prefix that hears of starts, successes and failures of one job."""


class Sentry(Guarded, frozen=True):
    """Errors and check-ins, for a DSN."""

    hidden: ClassVar = frozenset({"dsn"})

    dsn: str


Way = Mail | Relay | Webhook | Pipe | Ping | Sentry


class Notifier(Guarded, frozen=True, kw_only=True):
    """One `[notify:NAME]`.

    `on` None: whatever a job tells. `usual`: hears of every job that names no notifier. `repeat`:
    so long after an incident was told it is told again, while it lasts. `digest`: events are
    collected so long and told together. `secrets` no text may show.
    """

    hidden: ClassVar = frozenset({"secrets"})

    name: str
    way: Way
    on: frozenset[Kind] | None = None
    usual: bool = True
    repeat: timedelta | None = None
    digest: timedelta | None = None
    secrets: tuple[str, ...] = ()


class Notices(Guarded, frozen=True, kw_only=True):
    """What a job says of who hears of it.

    `to` None: every usual notifier. `on` None: failure and recovery, or what the notifier asks
    for. None elsewhere: not asked for.
    """

    hidden: ClassVar = frozenset({"ping"})

    to: tuple[str, ...] | None = None
    on: frozenset[Kind] | None = None
    warn_after: timedelta | None = None
    expect_within: timedelta | None = None
    ping: str | None = None
