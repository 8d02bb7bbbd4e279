"""What callbacks import from inisched. Each name is fetched when asked for: a run pays for none."""

from __future__ import annotations

from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from inisched.current import current_run
    from inisched.model.current import CurrentRun
    from inisched.model.result import STATUS, Result, Skip
    from inisched.registry import schedule

__version__ = "0.1.0"
__all__ = ["STATUS", "CurrentRun", "Result", "Skip", "__version__", "current_run", "schedule"]

_HOME = {
    "STATUS": "inisched.model.result",
    "Result": "inisched.model.result",
    "Skip": "inisched.model.result",
    "CurrentRun": "inisched.model.current",
    "current_run": "inisched.current",
    "schedule": "inisched.registry",
}


def __getattr__(name: str) -> object:
    if name not in _HOME:
        raise AttributeError(f"module 'inisched' has no attribute '{name}'")
    from importlib import import_module

    value = globals()[name] = getattr(import_module(_HOME[name]), name)
    return value


def __dir__() -> list[str]:
    return sorted({*globals(), *__all__})
