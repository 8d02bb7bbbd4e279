"""Who hears of events, and by which way: what `[notify:NAME]` and `[inisched]` ask for."""

from __future__ import annotations

from dataclasses import dataclass, field
from datetime import timedelta

from inisched.model.event import Kind


@dataclass(frozen=True, slots=True, kw_only=True)
class Smtp:
    """A mail server. `tls`: from the first byte on; `starttls`: must be had before anything else.

    Without either, STARTTLS is used where the server offers it.
    """

    host: str
    port: int
    tls: bool = False
    starttls: bool = False
    user: str = ""
    password: str = field(default="", repr=False)


@dataclass(frozen=True, slots=True, kw_only=True)
class Mail:
    """To these addresses, through a server. `sender` "": inisched at this host."""

    to: tuple[str, ...]
    smtp: Smtp
    sender: str = ""


@dataclass(frozen=True, slots=True)
class Relay:
    """By an Apprise URL."""

    url: str = field(repr=False)


@dataclass(frozen=True, slots=True)
class Webhook:
    """The event as JSON, by POST."""

    url: str = field(repr=False)


@dataclass(frozen=True, slots=True)
class Pipe:
    """The event as JSON on the standard input of a line or script for /bin/sh."""

    script: str


@dataclass(frozen=True, slots=True)
class Ping:
    """A URL prefix that hears of starts, successes and failures of one job."""

    url: str = field(repr=False)


@dataclass(frozen=True, slots=True)
class Sentry:
    """Errors and check-ins, for a DSN."""

    dsn: str = field(repr=False)


Way = Mail | Relay | Webhook | Pipe | Ping | Sentry


@dataclass(frozen=True, slots=True, kw_only=True)
class Notifier:
    """One `[notify:NAME]`.

    `on` None: whatever a job tells. `usual`: hears of every job that names no notifier. `repeat`:
    so long after an incident was told it is told again, while it lasts. `digest`: events are
    collected so long and told together. `secrets` no text may show.
    """

    name: str
    way: Way
    on: frozenset[Kind] | None = None
    usual: bool = True
    repeat: timedelta | None = None
    digest: timedelta | None = None
    secrets: tuple[str, ...] = field(default=(), repr=False)


@dataclass(frozen=True, slots=True, kw_only=True)
class Notices:
    """What a job says of who hears of it.

    `to` None: every usual notifier. `on` None: failure and recovery, or what the notifier asks
    for. None elsewhere: not asked for.
    """

    to: tuple[str, ...] | None = None
    on: frozenset[Kind] | None = None
    warn_after: timedelta | None = None
    expect_within: timedelta | None = None
    ping: str | None = field(default=None, repr=False)
