"""Readers that keep what they have read."""

from __future__ import annotations

from collections.abc import Callable
from typing import TypeVar

from inisched.model.diagnostic import Unreadable

T = TypeVar("T")

_MOST = 2_000
"""Texts kept by one reader: more than a day has minutes."""


def remembered(reader: Callable[[str], T]) -> Callable[[str], T]:
    """A reader that reads each text once: in a large file many jobs say the same."""
    known: dict[str, T | Unreadable] = {}

    def read(text: str) -> T:
        found = known.get(text)
        if found is None:
            if len(known) >= _MOST:
                known.clear()
            try:
                found = reader(text)
            except Unreadable as error:
                found = error
            known[text] = found
        if isinstance(found, Unreadable):
            raise _again(found)
        return found

    return read


def _again(error: Unreadable) -> Unreadable:
    """The same error anew: raising one twice would make its traceback grow."""
    return Unreadable(
        error.problem,
        start=error.start,
        length=error.length,
        expected=error.expected,
        hint=error.hint,
    )
