"""Lists, split at commas and line ends."""

from __future__ import annotations

import re
from collections.abc import Iterator

from inisched.model.diagnostic import Unreadable


def listed(text: str) -> Iterator[tuple[str, int]]:
    """The items of a list split at commas and line ends, each with its offset."""
    for match in re.finditer(r"[^,\n]+", text):
        item = match[0].strip()
        if item:
            yield item, match.start() + match[0].index(item)


def refuse(item: str, problem: str, start: int, *, expected: str, hint: str = "") -> Unreadable:
    """An item of a list that cannot be read."""
    return Unreadable(problem, start=start, length=len(item), expected=expected, hint=hint)


def some(text: str) -> list[tuple[str, int]]:
    """The items of a list that must not be empty."""
    items = list(listed(text))
    if not items:
        raise Unreadable("the list is empty", expected="one name or more, split by commas")
    return items
