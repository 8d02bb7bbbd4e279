"""Keys that need a package which may not be installed."""

from __future__ import annotations

from collections.abc import Callable
from importlib.util import find_spec

import pytest

from inisched.config import extras
from inisched.config.loader import Config
from inisched.model.address import Address
from inisched.model.diagnostic import Level

FILE = "[inisched]\nmetrics = :9090\n[a]\ncommand = true\nevery = day\n"


@pytest.fixture
def _no_prometheus(monkeypatch: pytest.MonkeyPatch) -> None:
    def look(name: str) -> object:
        return None if name == "prometheus_client" else find_spec(name)

    monkeypatch.setattr(extras, "find_spec", look)


@pytest.mark.usefixtures("_no_prometheus")
def test_a_missing_extra_is_an_error_at_its_key_with_the_cure(
    load_text: Callable[..., Config],
) -> None:
    [found] = load_text(FILE).diagnostics
    assert (found.level, found.code, found.place[1:]) == (Level.ERROR, "extra-missing", (2, 1))
    assert found.message == "'metrics' needs an extra that is not installed"
    assert found.hint == "pip install 'inisched[metrics]'"


@pytest.mark.usefixtures("_no_prometheus")
def test_a_missing_extra_breaks_neither_the_settings_nor_a_job(
    load_text: Callable[..., Config],
) -> None:
    config = load_text(FILE)
    assert not config.settings_broken
    assert config.settings.retention is not None
    assert [job.name for job in config.jobs] == ["a"]


def test_an_extra_that_is_there_is_not_worth_a_word(load_text: Callable[..., Config]) -> None:
    config = load_text(FILE)
    assert config.diagnostics == ()
    assert config.settings.metrics == Address("127.0.0.1", 9090)


@pytest.mark.usefixtures("_no_prometheus")
def test_who_does_not_ask_for_it_needs_no_extra(load_text: Callable[..., Config]) -> None:
    assert load_text("[a]\ncommand = true\nevery = day\n").diagnostics == ()
