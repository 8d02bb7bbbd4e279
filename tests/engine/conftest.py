"""Worlds for the engine's tests."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from pathlib import Path

import pytest

from engine.world import World


@pytest.fixture
def world(tmp_path: Path) -> Iterator[Callable[[str], World]]:
    worlds: list[World] = []

    def make(text: str) -> World:
        worlds.append(World(tmp_path, text))
        return worlds[-1]

    yield make
    for one in worlds:
        one.ledger.close()
