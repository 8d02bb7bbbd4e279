"""The run this process is carrying out, for callbacks that ask."""

from __future__ import annotations

from inisched.model.current import CurrentRun

_current: CurrentRun | None = None


def current_run() -> CurrentRun | None:
    """The run the caller is part of, in every thread of it; None outside of one."""
    return _current


class carrying_out:  # noqa: N801 - it is only ever entered
    """Makes `run` the current one for a while."""

    __slots__ = ("_before", "_run")

    def __init__(self, run: CurrentRun) -> None:
        self._run = run

    def __enter__(self) -> None:
        global _current
        self._before, _current = _current, self._run

    def __exit__(self, *error: object) -> None:
        global _current
        _current = self._before
