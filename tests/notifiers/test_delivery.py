"""Parcels: every letter is told of, whatever happens to it."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import pytest

from inisched.model.notifier import Pipe, Webhook
from inisched.notifiers import asking, message, webhook
from inisched.notifiers.undelivered import sentence
from notifiers.samples import delivered, letter, other
from notifiers.web import Site


def test_a_parcel_without_letters_does_nothing(site: Site) -> None:
    from inisched.notifiers.delivery import deliver
    from inisched.notifiers.wire import Parcel

    assert list(deliver(Parcel(way=Webhook(site.url), letters=()))) == []
    assert list(deliver(Parcel(way=Webhook(site.url), letters=(), digest=True))) == []
    assert site.asked == []


def test_what_nobody_expected_is_told_and_does_not_stop_the_next(
    site: Site, monkeypatch: pytest.MonkeyPatch
) -> None:
    sent = webhook.send

    def send(way: Webhook, one: message.Message, **options: Any) -> None:
        if one.key == "abc-1":
            raise ZeroDivisionError(f"no good: {way.url}")
        sent(way, one, **options)

    monkeypatch.setattr(webhook, "send", send)
    told = delivered(Webhook(f"{site.url}/token"), letter(1), other(2))
    assert told == [(1, False, "ZeroDivisionError: no good: ***", False), (2, True, "", False)]


def test_what_hangs_beyond_the_limit_is_left_to_itself(monkeypatch: pytest.MonkeyPatch) -> None:
    import threading

    over = threading.Event()
    monkeypatch.setattr(asking.socket, "getaddrinfo", lambda *_, **__: over.wait(10))
    told = delivered(Webhook("http://slow.example"), letter(1), letter(2), limit=0.1)
    over.set()
    assert told == [(1, False, "not done within 0.1 s", False), (2, False, "", False)]


def test_a_letter_is_not_begun_where_half_of_the_time_is_gone(tmp_path: Path) -> None:
    pipe = Pipe("echo x >> begun; sleep 0.6")
    told = delivered(pipe, letter(1), other(2), limit=1.0, folder=str(tmp_path))
    assert told == [(1, True, "", False), (2, False, "", False)]
    assert (tmp_path / "begun").read_text() == "x\n"


def test_a_younger_letter_of_a_job_does_not_overtake(site: Site) -> None:
    site.statuses = [500, 200]
    told = delivered(Webhook(site.url), letter(1), letter(2), other(3))
    error = f"{site.url}: answered 500 Internal Server Error"
    assert told == [(1, False, error, False), (2, False, "", False), (3, True, "", False)]


def test_a_letter_nobody_will_ever_take_holds_up_no_other(site: Site) -> None:
    site.statuses = [400, 200]
    told = delivered(Webhook(site.url), letter(1), letter(2))
    error = f"{site.url}: answered 400 Bad Request"
    assert told == [(1, False, error, True), (2, True, "", False)]


def test_secrets_are_masked_in_errors() -> None:
    script = "echo 'bad: hunter2-abc https://me:pw@example.com/' >&2; exit 1"
    told = delivered(Pipe(script), secrets=["hunter2-abc"])
    error = "the command ended with exit code 1: bad: *** https://***@example.com/"
    assert told == [(1, False, error, False)]


@pytest.mark.parametrize(
    ("text", "secrets", "expected"),
    [
        ("a pass word", ["pass word"], "a ***"),
        ("a pass%20word", ["pass word"], "a ***"),
        ("longer-secret", ["longer", "longer-secret"], "***"),
        ("a\nb\x00c", [], r"a b\x00c"),
        ("x" * 600, [], "x" * 499 + "…"),
        ("nothing", [""], "nothing"),
    ],
)
def test_an_error_is_one_line_without_secrets(text: str, secrets: list[str], expected: str) -> None:
    assert sentence(text, secrets) == expected
