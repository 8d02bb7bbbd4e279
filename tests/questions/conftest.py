"""Watched worlds."""

from __future__ import annotations

import sqlite3
from collections.abc import Callable, Iterator
from contextlib import suppress
from pathlib import Path

import pytest

from questions.watched import Watched


@pytest.fixture
def world(tmp_path: Path) -> Iterator[Callable[[str], Watched]]:
    worlds: list[Watched] = []

    def make(text: str) -> Watched:
        worlds.append(Watched(tmp_path, text))
        return worlds[-1]

    yield make
    for one in worlds:
        with suppress(sqlite3.Error):
            one.ledger.close()
