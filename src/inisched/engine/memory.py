"""The memory of a process that lives for long."""

from __future__ import annotations

from contextlib import suppress


def give_back() -> None:
    """Give what is free back to the system: a file read takes more than what stays of it."""
    import ctypes

    with suppress(OSError, AttributeError):
        ctypes.CDLL(None).malloc_trim(0)
