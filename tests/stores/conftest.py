"""A ledger with one job in it."""

from __future__ import annotations

from collections.abc import Iterator
from pathlib import Path

import pytest

from inisched.stores.job_state import Beginning
from inisched.stores.ledger import Ledger
from inisched.timing.recurrence import Anchor
from stores.book import LOOK, Book


@pytest.fixture
def book(tmp_path: Path) -> Iterator[Book]:
    path = tmp_path / "x.db"
    ledger = Ledger(path, full=False)
    state = ledger.seat([Beginning("sweep", "meant", Anchor(LOOK), LOOK)], LOOK)["sweep"]
    yield Book(path, ledger, state)
    ledger.close()
