"""What the process that delivers is asked for, as JSON on its standard input."""

from __future__ import annotations

import json
from collections.abc import Mapping, Sequence
from typing import Any, ClassVar

from msgspec import Struct, to_builtins

from inisched.model.event import Event
from inisched.model.guarded import Guarded
from inisched.model.notifier import Mail, Ping, Pipe, Relay, Sentry, Smtp, Way, Webhook

Json = dict[str, Any]

_WAYS: dict[str, type[Relay | Webhook | Pipe | Ping | Sentry]] = {
    "url": Relay,
    "webhook": Webhook,
    "command": Pipe,
    "ping": Ping,
    "sentry": Sentry,
}


class Letter(Struct, frozen=True, kw_only=True):
    """One event on its way.

    `key` is the same however often it is sent. `monitor` is what Sentry is told of the job's
    schedule; None: the job is no monitor.
    """

    id: int
    key: str
    event: Event
    monitor: Mapping[str, Any] | None = None


class Parcel(Guarded, frozen=True, kw_only=True):
    """Letters that go one way, in order; with `digest` all of them as one message.

    `folder` is where commands run, `ledger` the database's id, `limit` seconds for all of it.
    `secrets` no error may show.
    """

    hidden: ClassVar = frozenset({"secrets"})

    way: Way
    letters: Sequence[Letter]
    digest: bool = False
    folder: str = "."
    ledger: str = ""
    limit: float = 10.0
    secrets: Sequence[str] = ()


def pack(parcel: Parcel) -> bytes:
    """The parcel as one JSON object."""
    packed = {name: getattr(parcel, name) for name in ("digest", "folder", "ledger", "limit")}
    packed["way"] = pack_way(parcel.way)
    packed["letters"] = [
        {"id": each.id, "key": each.key, "event": each.event.as_json(), "monitor": each.monitor}
        for each in parcel.letters
    ]
    packed["secrets"] = list(parcel.secrets)
    return json.dumps(packed).encode()


def unpack(data: bytes) -> Parcel:
    """The parcel again. Raises ValueError, KeyError or TypeError for what is none."""
    packed = json.loads(data)
    letters = tuple(
        Letter(**{**each, "event": Event.from_json(each["event"])}) for each in packed["letters"]
    )
    secrets = tuple(packed["secrets"])
    way = unpack_way(packed["way"])
    return Parcel(**{**packed, "way": way, "letters": letters, "secrets": secrets})


def pack_way(way: Way) -> Json:
    """A way with its kind under "way"."""
    names = {kind: name for name, kind in _WAYS.items()}
    return {"way": "mail" if isinstance(way, Mail) else names[type(way)], **to_builtins(way)}


def unpack_way(packed: Mapping[str, Any]) -> Way:
    rest = {name: value for name, value in packed.items() if name != "way"}
    if packed["way"] == "mail":
        return Mail(**{**rest, "to": tuple(rest["to"]), "smtp": Smtp(**rest["smtp"])})
    return _WAYS[packed["way"]](**rest)
