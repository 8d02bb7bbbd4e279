"""A parcel as JSON."""

from __future__ import annotations

import pytest

from inisched.model.notifier import Mail, Ping, Pipe, Relay, Sentry, Smtp, Way, Webhook
from inisched.notifiers.wire import Parcel, pack, unpack
from notifiers.samples import letter

WAYS: list[Way] = [
    Mail(to=("a@x", "b@x"), smtp=Smtp(host="h", port=25, user="u", password="p"), sender="c@x"),
    Relay("json://localhost"),
    Webhook("http://localhost"),
    Pipe("cat\ntrue"),
    Ping("http://localhost"),
    Sentry("http://key@localhost/1"),
]


@pytest.mark.parametrize("way", WAYS, ids=lambda way: type(way).__name__)
def test_a_parcel_comes_out_as_it_went_in(way: Way) -> None:
    letters = (letter(1), letter(2, monitor={"timezone": "UTC"}))
    parcel = Parcel(way=way, letters=letters, digest=True, folder="/", ledger="L", limit=2.5)
    assert unpack(pack(parcel)) == parcel


def test_secrets_stand_in_no_repr() -> None:
    shown = [repr(way) for way in WAYS[3:] + WAYS[:1]]
    assert not any("password" in text or "key@" in text for text in shown)
