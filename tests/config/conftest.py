"""Ways to load a file written on the spot."""

from collections.abc import Callable
from pathlib import Path
from textwrap import dedent

import pytest

from inisched.config.loader import Config, load

Load = Callable[..., Config]


@pytest.fixture
def load_text(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Load:
    """Load a text (its common indentation taken off) or bytes as `jobs.ini` in an empty folder."""
    monkeypatch.chdir(tmp_path)

    def load_it(content: str | bytes, *, strict: bool = True) -> Config:
        data = content if isinstance(content, bytes) else dedent(content).encode()
        (tmp_path / "jobs.ini").write_bytes(data)
        return load("jobs.ini", strict_references=strict)

    return load_it
