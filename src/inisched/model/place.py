"""Text that knows where it stood in the file."""

from __future__ import annotations

from typing import NamedTuple

from msgspec import Struct


class Place(NamedTuple):
    """A position in a file; line and column count from 1, columns in characters."""

    file: str
    line: int
    column: int


class Word(Struct, frozen=True):
    """A piece of the file and the place of its first character."""

    text: str
    place: Place

    def part(self, start: int, length: int) -> Word:
        """The piece [start, start + length) of a word that stands on one line."""
        file, line, column = self.place
        return Word(self.text[start : start + length], Place(file, line, column + start))
