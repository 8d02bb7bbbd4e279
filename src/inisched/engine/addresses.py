"""Where letters go, by what the file says now: a mended file mends what waits."""

from __future__ import annotations

from collections.abc import Callable, Iterable, Mapping
from datetime import timedelta
from typing import Protocol
from urllib.parse import urlsplit

from inisched.config.loader import Config
from inisched.engine.herald import PING, SENTRY, Herald
from inisched.engine.monitor import monitor
from inisched.engine.seat import Seat
from inisched.model.notifier import Notifier, Ping, Relay, Sentry, Way, Webhook
from inisched.notifiers import wire
from inisched.stores.post import Post, Waiting

_NOTIFY = "notify:"


class Jobs(Protocol):
    """The engine, as far as addresses go."""

    seats: dict[str, Seat]


class Addresses:
    """The addresses of one daemon's letters."""

    def __init__(self, engine: Jobs, herald: Herald, config: Callable[[], Config]) -> None:
        self._engine = engine
        self._herald = herald
        self._config = config

    def way_of(self, letter: Waiting) -> str | None:
        """The way a letter takes, pings of one host together; None where it leads nowhere now."""
        if letter.way == PING:
            url = self._ping(letter)
            return None if url is None else f"{PING} {urlsplit(url).netloc.rpartition('@')[2]}"
        if letter.way == SENTRY:
            return SENTRY if self._config().settings.sentry_dsn else None
        return letter.way if letter.way.removeprefix(_NOTIFY) in self._notifiers else None

    def of(self, letter: Waiting) -> Way | None:
        """Where a letter goes; None where that cannot be read in the file now."""
        if letter.way == PING:
            url = self._ping(letter)
            return None if url is None else Ping(url)
        if letter.way == SENTRY:
            dsn = self._config().settings.sentry_dsn
            return None if dsn is None else Sentry(dsn)
        notifier = self._notifier(letter)
        return None if notifier is None else notifier.way

    def digest(self, letter: Waiting) -> timedelta | None:
        """How long letters of its way are collected; None: not at all."""
        notifier = self._notifier(letter)
        return None if notifier is None else notifier.digest

    def parcel(
        self, letters: Iterable[Waiting], address: Way, post: Post, *, ledger: str, limit: float
    ) -> bytes:
        """What the process is handed that delivers these letters to one address."""
        letters, written = list(letters), []
        for letter in letters:
            event = post.event(letter.id)
            if event is not None:
                key = f"{ledger}.{letter.id}"
                checked = self._monitor(letter)
                written.append(wire.Letter(id=letter.id, key=key, event=event, monitor=checked))
        parcel = wire.Parcel(
            way=address,
            letters=written,
            digest=self.digest(letters[0]) is not None and len(written) > 1,
            folder=str(self._config().real_path.parent),
            ledger=ledger,
            limit=limit,
            secrets=_secrets(address, self._notifier(letters[0])),
        )
        return wire.pack(parcel)

    @property
    def _notifiers(self) -> Mapping[str, Notifier | None]:
        return self._herald.setting.notifiers

    def _notifier(self, letter: Waiting) -> Notifier | None:
        if not letter.way.startswith(_NOTIFY):
            return None
        return self._notifiers.get(letter.way.removeprefix(_NOTIFY))

    def _ping(self, letter: Waiting) -> str | None:
        seat = self._engine.seats.get(letter.job)
        return seat.job.notices.ping if seat is not None else None

    def _monitor(self, letter: Waiting) -> Mapping[str, object] | None:
        seat = self._engine.seats.get(letter.job) if letter.way == SENTRY else None
        return monitor(seat.job) if seat is not None else None


def _secrets(address: Way, notifier: Notifier | None) -> tuple[str, ...]:
    """What no error may show: what stands behind references, and addresses that are secrets."""
    found = notifier.secrets if notifier is not None else ()
    match address:
        case Relay(url) | Webhook(url) | Ping(url) | Sentry(url):
            return (*found, url)
    return found
