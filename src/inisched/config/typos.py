"""Words that were hardly meant: keys one slip of the fingers away from a known one."""

from __future__ import annotations

from functools import lru_cache

from inisched.config.keys import Table

_SHORT = 5
"""Words up to this length may differ in one place and must begin alike; longer ones in two."""


@lru_cache(maxsize=65536)
def resembled(word: str, table: Table) -> str | None:
    """The key of the table that `word` closely resembles; None where it resembles none.

    Close is one letter added, left out, changed or swapped with its neighbour, two of these in
    longer words.
    """
    word = word.lower().replace("-", "_").replace(" ", "_")
    if table.find(word):
        return word
    best, least = None, 3
    for key in table.words:
        limit = 1 if min(len(key), len(word)) <= _SHORT else 2
        if abs(len(key) - len(word)) > limit or len(set(key) ^ set(word)) > 2 * limit:
            continue
        if limit == 1 and key[0] != word[0]:
            continue
        slips = _slips(word, key)
        if slips <= limit and slips < least:
            best, least = key, slips
    return best


def _slips(one: str, other: str) -> int:
    """How many slips lie between two words (optimal string alignment)."""
    before: list[int] = []
    row = list(range(len(other) + 1))
    for i, a in enumerate(one, start=1):
        above, row = row, [i]
        for j, b in enumerate(other, start=1):
            cost = min(above[j] + 1, row[j - 1] + 1, above[j - 1] + (a != b))
            if i > 1 and j > 1 and a == other[j - 2] and b == one[i - 2]:
                cost = min(cost, before[j - 2] + 1)
            row.append(cost)
        before = above
    return row[-1]
