"""Apprise: what arrives by it, and what is said where it is missing or fails."""

from __future__ import annotations

import json
import sys

import pytest

from inisched.model.event import Kind
from inisched.model.notifier import Relay
from notifiers.samples import delivered, letter, message
from notifiers.web import Site, free_port

pytestmark = pytest.mark.filterwarnings("default")  # what others' code warns of is theirs


def test_a_notice_arrives_by_an_apprise_url(site: Site) -> None:
    assert delivered(Relay(f"json://127.0.0.1:{site.port}/hook")) == [(1, True, "", False)]
    [asked] = site.asked
    posted = json.loads(asked.body)
    assert posted["title"] == "flaky failed: exit code 3"
    assert posted["message"].strip() == message().text.strip()
    assert posted["type"] == "failure"


@pytest.mark.parametrize(
    ("kind", "expected"),
    [("recovery", "success"), ("late", "warning"), ("test", "info"), ("failure", "failure")],
)
def test_a_notice_says_how_bad_it_is(kind: str, expected: str, site: Site) -> None:
    delivered(Relay(f"json://127.0.0.1:{site.port}"), letter(kind=Kind(kind)))
    assert json.loads(site.asked[0].body)["type"] == expected


def test_what_apprise_logs_is_the_error_without_the_url(site: Site) -> None:
    site.statuses = [500]
    [(_, ok, error, final)] = delivered(
        Relay(f"json://user:secret-1@127.0.0.1:{site.port}/token-22")
    )
    assert (ok, final) == (False, False)
    assert error.startswith("json: Failed to send JSON ")
    assert error.endswith("error=500.")
    assert not any(word in error for word in ("secret-1", "token-22", "127.0.0.1"))


def test_nobody_there_is_told() -> None:
    [(_, ok, error, _)] = delivered(Relay(f"json://127.0.0.1:{free_port()}/token-22"))
    assert not ok
    assert error.startswith("json: A Connection error occurred")


def test_a_url_apprise_does_not_know_is_final() -> None:
    told = delivered(Relay("nosuch://token-22"))
    assert told == [(1, False, "nosuch: Apprise does not understand the URL", True)]


def test_without_the_extra_it_is_said_how_to_get_it(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setitem(sys.modules, "apprise", None)
    error = "the extra is not installed: pip install 'inisched[notify]'"
    assert delivered(Relay("json://localhost")) == [(1, False, error, False)]
