"""The run this process is carrying out, for callbacks that ask."""

from __future__ import annotations

from collections.abc import Iterator
from contextlib import contextmanager

from inisched.model.current import CurrentRun

_current: CurrentRun | None = None


def current_run() -> CurrentRun | None:
    """The run the caller is part of, in every thread of it; None outside of one."""
    return _current


@contextmanager
def carrying_out(run: CurrentRun) -> Iterator[None]:
    """Make `run` the current one for a while."""
    global _current
    before, _current = _current, run
    try:
        yield
    finally:
        _current = before
