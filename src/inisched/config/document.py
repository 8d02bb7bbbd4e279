"""A file as it was read: sections and entries that know where they stood."""

from __future__ import annotations

from collections.abc import Iterator

from msgspec import Struct, field

from inisched.model.diagnostic import Diagnostic

DEFAULT = "DEFAULT"
"""The section whose keys are defaults for the jobs."""


class Entry(Struct, frozen=True, gc=False):
    """A key and its value. `more` holds line and column of the value's second and later lines."""

    key: str
    line: int
    column: int
    value: str
    value_column: int
    more: tuple[tuple[int, int], ...] = ()

    def spot(self, offset: int) -> tuple[int, int]:
        """Line and column in the file of one character of the value."""
        row = self.value.count("\n", 0, offset)
        if row == 0:
            return self.line, self.value_column + offset
        line, column = self.more[row - 1]
        return line, column + offset - self.value.rfind("\n", 0, offset) - 1

    @property
    def last_line(self) -> int:
        return self.more[-1][0] if self.more else self.line


class Section(Struct):
    """A header and the first entry of each key under it.

    `repeats` are the entries whose key was there before. `spoilt` names the keys an error stands
    on; it holds "" for an error that belongs to no key.
    """

    name: str
    line: int
    column: int
    entries: dict[str, Entry] = field(default_factory=dict)
    repeats: tuple[Entry, ...] = ()
    spoilt: frozenset[str] = frozenset()

    def all_entries(self) -> Iterator[Entry]:
        yield from self.entries.values()
        yield from self.repeats


def _no_default() -> Section:
    return Section(DEFAULT, line=0, column=1)


class Document(Struct, weakref=True):
    """What stands in a file, its `text` with LF at the ends of lines.

    `sections` are in file order, twins included, DEFAULT left out. `headless` says that text stands
    before the first header: then this is no INI file. `continued` are the entries whose value has
    more than one line.
    """

    file: str
    text: str
    sections: list[Section] = field(default_factory=list)
    default: Section = field(default_factory=_no_default)
    problems: list[Diagnostic] = field(default_factory=list)
    headless: bool = False
    continued: list[Entry] = field(default_factory=list)
