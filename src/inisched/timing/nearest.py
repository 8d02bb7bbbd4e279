"""The likely cure of a slip of the fingers."""

from __future__ import annotations

from collections.abc import Iterable


def nearest(word: str, words: Iterable[str], *, cutoff: float = 0.6) -> str | None:
    """The one of `words` most like `word`, case aside; None where none is.

    `cutoff` is how like it must be, from 0 to 1.
    """
    from difflib import get_close_matches  # slow to import, and wanted only when something is wrong

    by_lower = {w.lower(): w for w in words}
    found = get_close_matches(word.lower(), by_lower, n=1, cutoff=cutoff)
    return by_lower[found[0]] if found else None


def did_you_mean(word: str, words: Iterable[str], *, cutoff: float = 0.6) -> str:
    """A hint that names the nearest word, or nothing."""
    found = nearest(word, words, cutoff=cutoff)
    return f"did you mean '{found}'?" if found else ""
