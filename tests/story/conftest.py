"""Sites for stories."""

from __future__ import annotations

from collections.abc import Callable
from pathlib import Path

import pytest

from story.site import Site


@pytest.fixture
def site(tmp_path: Path) -> Callable[..., Site]:
    def make(text: str = "", **modules: str) -> Site:
        return Site(tmp_path, text, **modules)

    return make
