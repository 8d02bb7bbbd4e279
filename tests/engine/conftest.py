"""Worlds for the engine's tests."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from pathlib import Path

import pytest

from engine.clock_world import ClockWorld
from engine.world import World


@pytest.fixture
def world(tmp_path: Path) -> Iterator[Callable[..., World]]:
    worlds: list[World] = []

    def make(text: str, **more: str) -> World:
        worlds.append(World(tmp_path, text, **more))  # type: ignore[arg-type]
        return worlds[-1]

    yield make
    for one in worlds:
        one.ledger.close()


@pytest.fixture
def clocked(tmp_path: Path) -> Iterator[Callable[..., ClockWorld]]:
    """Worlds whose wall clock can be set."""
    worlds: list[ClockWorld] = []

    def make(text: str, **more: object) -> ClockWorld:
        worlds.append(ClockWorld(tmp_path, text, **more))  # type: ignore[arg-type]
        return worlds[-1]

    yield make
    for one in worlds:
        one.ledger.close()
