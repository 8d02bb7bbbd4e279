"""Editions of a file tell what was changed in a section, and no secrets."""

from __future__ import annotations

import pytest

from inisched.config.editions import changes, without_secrets
from inisched.config.ini import read_ini
from inisched.config.keys import is_key
from inisched.config.report import Lines


def edition(text: str) -> str:
    return without_secrets(Lines(read_ini(text, "jobs.ini", is_key)), "salt")


def job(lines: str) -> str:
    return edition(f"[DEFAULT]\ngrace = 5\n[a]\ncommand = true\n{lines}\n[b]\nevery = day\n")


@pytest.mark.parametrize(
    ("old", "new", "told"),
    [
        ("every = day", "every = day", []),
        ("every = day", "every = hour", ["'every' was 'day', it is 'hour'"]),
        ("every = day", "every = day\nat = 02:30", ["'at' was added: '02:30'"]),
        ("every = day\nat = 02:30", "every = day", ["'at' was taken out; it was '02:30'"]),
        ("grace = 6", "", ["'grace' was '6', it is '5'"]),
        ("api_key = one", "api_key = two", ["'api_key' was changed"]),
        ("", "api_key = two", ["'api_key' was added: ***"]),
        ("x = http://a:b@c", "x = http://a:d@c", ["'x' was changed"]),
        ("x = ${env:A}", "x = ${env:B}", ["'x' was '${env:A}', it is '${env:B}'"]),
    ],
)
def test_changes_of_a_section_are_told_key_by_key(old: str, new: str, told: list[str]) -> None:
    assert list(changes("a", job(old), job(new))) == told


def test_a_section_that_is_new_is_told_as_such() -> None:
    assert list(changes("c", job(""), edition("[c]\nevery = day\n"))) == [
        "the section was not in the file"
    ]


@pytest.mark.parametrize(
    "text",
    ["[a]\npassword = hunter2\n", "[a]\nmy_token =\n  hunter2\n", "[a]\nurl = x://u:hunter2@h/\n"],
)
def test_an_edition_has_no_secrets(text: str) -> None:
    assert "hunter2" not in edition(text)
