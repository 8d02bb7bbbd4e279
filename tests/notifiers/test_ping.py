"""Pings: which address hears of what."""

from __future__ import annotations

import pytest

from inisched.model.event import Kind
from inisched.model.notifier import Ping
from inisched.notifiers.ping import address
from notifiers.samples import delivered, letter
from notifiers.web import Site, free_port


@pytest.mark.parametrize(
    ("kind", "paths"),
    [
        ("started", ["GET /id/start"]),
        ("success", ["GET /id"]),
        ("warning", ["GET /id"]),
        ("recovery", ["GET /id"]),
        ("failure", ["GET /id/fail"]),
        ("interrupted", ["GET /id/fail"]),
        ("late", []),
        ("slow", []),
        ("skipped", ["GET /id"]),
    ],
)
def test_starts_and_ends_are_pinged(kind: str, paths: list[str], site: Site) -> None:
    assert delivered(Ping(f"{site.url}/id"), letter(kind=Kind(kind))) == [(1, True, "", False)]
    assert site.paths == paths


def test_a_reminder_is_no_second_failure(site: Site) -> None:
    delivered(Ping(f"{site.url}/id"), letter(reminder=True))
    assert site.paths == []


@pytest.mark.parametrize(
    ("prefix", "word", "expected"),
    [
        ("https://hc.example/id", "fail", "https://hc.example/id/fail"),
        ("https://hc.example/id/", "fail", "https://hc.example/id/fail"),
        ("https://hc.example/id/", "", "https://hc.example/id/"),
        ("https://hc.example/id?create=1", "start", "https://hc.example/id/start?create=1"),
        ("https://hc.example", "start", "https://hc.example/start"),
    ],
)
def test_the_word_goes_behind_the_path(prefix: str, word: str, expected: str) -> None:
    assert address(prefix, word) == expected


@pytest.mark.parametrize(
    ("status", "words", "final"),
    [
        (404, "404 Not Found", True),
        (403, "403 Forbidden", True),
        (429, "429 Too Many Requests", False),
        (500, "500 Internal Server Error", False),
        (301, "301 Moved Permanently, and redirects are not followed", False),
    ],
)
def test_4xx_other_than_429_is_final(status: int, words: str, final: bool, site: Site) -> None:
    site.statuses = [status]
    told = delivered(Ping(f"{site.url}/secret-id"))
    assert told == [(1, False, f"{site.url}: answered {words}", final)]


def test_nobody_there_is_told_without_the_path() -> None:
    port = free_port()
    told = delivered(Ping(f"http://127.0.0.1:{port}/secret-id"))
    assert told == [(1, False, f"http://127.0.0.1:{port}: Connection refused", False)]
