"""Writes docs/reference/keys.md from the table of keys: `python3 dev.py docs`."""

from __future__ import annotations

from itertools import groupby
from pathlib import Path

from inisched.config import kinds
from inisched.config.keys import TABLES, Key, Table

PAGE = Path(__file__).parent / "reference" / "keys.md"

LATER = "*not in force in this version*"

INTRO = """\
# Keys

<!-- Written by `python3 dev.py docs` from src/inisched/config/keys.py: change it there. -->

Everything a section may say. Keys match in any case. How the file itself is read stands in
[files.md](files.md), what times and intervals mean in [time.md](time.md), what a fire passes
before it runs in [gates.md](gates.md), what becomes of words that are no key in
[python.md](python.md).

A key marked "not in force in this version" is read and checked like the others, and then earns a
warning instead of doing something. So does a single value that is marked so; the default holds in
its place.

A *duration* is written `90`, `90 s`, `5m`, `1h30m`, `2 days` or `1 hour 30 minutes`; a bare number
counts seconds. A *function* is named `package.module.function` or `package.module:function`. *Yes*
and *no* may also be written true, false, on, off, 1 and 0.
"""

SHORT = {kinds.DURATION: "a duration", kinds.TARGET: "a function"}
"""Values the introduction explains."""

NOTES = {
    "every job": "A section whose name is none of those below is a job, and its name is the job's.",
    "[inisched]": "Settings of the whole file. The section may be left out.",
    "[pool:NAME]": "Places that several jobs share.",
    "[notify:NAME]": "Where news of jobs goes: exactly one of the first four keys.",
}

AFTERWORDS = {
    "What to run": "Exactly one of `call`, `command` and `manage` says what a job runs.",
    "When": "Exactly one of `every` and `cron` says when.",
}


def page() -> str:
    """The whole page."""
    return "\n".join([INTRO, *(_table(table) for table in TABLES)])


def _table(table: Table) -> str:
    heading = table.heading[:1].upper() + table.heading[1:]
    parts = [f"## {heading}\n\n{NOTES[table.heading]}\n"]
    groups = [(name, list(keys)) for name, keys in groupby(table.keys, lambda key: key.group)]
    for name, keys in groups:
        title = f"### {name}\n\n" if len(groups) > 1 else ""
        rows = ["| key | default | value | meaning |", "|---|---|---|---|", *map(_row, keys)]
        after = f"\n{AFTERWORDS[name]}\n" if name in AFTERWORDS else ""
        parts.append(title + "\n".join(rows) + "\n" + after)
    return "\n".join(parts)


def _row(key: Key) -> str:
    names = f"`{key.name}`" + "".join(f", also `{alias}`" for alias in key.aliases)
    meaning = key.help
    if not key.in_force:
        meaning += f"; {LATER}"
    elif key.later:
        meaning += f"; {', '.join(f'`{value}`' for value in key.later)}: {LATER}"
    cells = (names, key.default or "–", SHORT.get(key.kind, key.kind.expected), meaning)
    return f"| {' | '.join(_cell(text) for text in cells)} |"


def _cell(text: str) -> str:
    return text.replace("|", "\\|")


if __name__ == "__main__":
    PAGE.write_text(page(), encoding="utf-8")
