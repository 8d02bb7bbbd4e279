"""Collects what is wrong with a file, and shows lines of it without their secrets."""

from __future__ import annotations

import re
from array import array
from collections.abc import Iterator
from functools import cached_property
from weakref import ref

from msgspec.structs import replace

from inisched.config.document import DEFAULT, Document, Entry
from inisched.config.ini import read_ini
from inisched.config.keys import is_key, is_reserved
from inisched.config.masking import MASK, is_secret, password_span, secret_start, shortened
from inisched.model.diagnostic import Diagnostic, Level
from inisched.model.place import Place

_LEVELS = tuple(Level)


class Lines:
    """The lines of a file as a diagnostic may show them."""

    def __init__(self, document: Document) -> None:
        self.file, self.text = document.file, document.text
        self._document = ref(document)
        self._secret = _continued_secrets(document)

    @property
    def document(self) -> Document:
        """What stands in the file, read again if nobody has it at hand: it is ten times as large
        as its text."""
        return self._document() or read_ini(self.text, self.file, is_key)

    @cached_property
    def _ends(self) -> array[int]:
        """Where each line ends."""
        ends = (match.start() for match in re.finditer("\n", self.text))
        return array("l", (*ends, len(self.text)))

    def _line(self, number: int) -> str:
        """A line, counted from 1."""
        start = self._ends[number - 2] + 1 if number > 1 else 0
        return self.text[start : self._ends[number - 1]]

    def complete(self, diagnostic: Diagnostic) -> Diagnostic:
        """Add the source line, masked, and cut what the message quotes at length.

        Line 0 stands for the file as a whole.
        """
        number = diagnostic.place.line
        source = self._line(number) if 0 < number <= len(self._ends) else None
        place, length = diagnostic.place, max(diagnostic.length, 1)
        if source is not None:
            source, place, length = _without_password(source, place, length)
            source, hidden = self._masked(number, source)
            if hidden is not None and place.column > hidden:
                place, length = Place(place.file, number, hidden + 1), len(MASK)
        elif number == 0:
            place = Place(place.file, 1, 1)
        job = diagnostic.job
        return replace(
            diagnostic,
            place=place,
            length=length,
            source=source,
            job=None if job is None or job == DEFAULT or is_reserved(job) else job,
            message=shortened(diagnostic.message),
            hint=shortened(diagnostic.hint),
        )

    def masked(self) -> Iterator[tuple[str, str]]:
        """Each line without the secret that stands in it, and as it is."""
        for number, line in enumerate(self.text.split("\n"), start=1):
            yield self._masked(number, line)[0], line

    def _masked(self, number: int, line: str) -> tuple[str, int | None]:
        """The line, and where a secret that was masked in it starts, counted from 0."""
        if number in self._secret:
            start = len(line) - len(line.lstrip())
        else:
            start = secret_start(line)
        if not line[start:].strip():
            return line, None
        return line[:start] + MASK, start


def _continued_secrets(document: Document) -> frozenset[int]:
    """Numbers of the second and later lines of secret values."""
    return frozenset(
        line for entry in document.continued if is_secret(entry.key) for line, _ in entry.more
    )


class Report:
    """The diagnostics of one file. The same thing at the same place is said once."""

    def __init__(self, document: Document) -> None:
        self.file = document.file
        self.lines = Lines(document)
        self._said: dict[tuple[Place, str, str], Diagnostic] = {}
        for problem in document.problems:
            self.add(problem)

    def __len__(self) -> int:
        """How much has been said."""
        return len(self._said)

    def add(self, diagnostic: Diagnostic) -> None:
        key = (diagnostic.place, diagnostic.code, diagnostic.message)
        if key not in self._said:
            self._said[key] = self.lines.complete(diagnostic)

    def at(
        self,
        line: int,
        column: int,
        length: int,
        code: str,
        message: str,
        *,
        level: Level = Level.ERROR,
        job: str | None = None,
        key: str | None = None,
        expected: str = "",
        hint: str = "",
    ) -> None:
        """Say something about `length` characters from a place on."""
        self.add(
            Diagnostic(
                place=Place(self.file, line, column),
                code=code,
                message=message,
                level=level,
                length=length,
                job=job,
                key=key,
                expected=expected,
                hint=hint,
            )
        )

    def at_key(
        self,
        entry: Entry,
        code: str,
        message: str,
        *,
        level: Level = Level.ERROR,
        job: str | None = None,
        expected: str = "",
        hint: str = "",
    ) -> None:
        """Say something about a key."""
        self.at(
            entry.line, entry.column, len(entry.key), code, message,
            level=level, job=job, key=entry.key, expected=expected, hint=hint,
        )  # fmt: skip

    def finished(self) -> tuple[Diagnostic, ...]:
        """All diagnostics in file order."""
        return tuple(sorted(self._said.values(), key=_order))


def _order(diagnostic: Diagnostic) -> tuple[int, int, int]:
    """In file order, and at one place the worst first."""
    _, line, column = diagnostic.place
    return line, column, _LEVELS.index(diagnostic.level)


def _without_password(line: str, place: Place, length: int) -> tuple[str, Place, int]:
    """The line with a URL's password masked, and what is pointed at in it then."""
    span = password_span(line)
    if span is None:
        return line, place, length
    start, end = span
    shorter = end - start - len(MASK)
    column, last = place.column - 1, place.column - 1 + length
    column = column if column <= start else max(start, column - shorter)
    last = last if last <= start else max(start + len(MASK), last - shorter)
    masked = line[:start] + MASK + line[end:]
    return masked, Place(place.file, place.line, column + 1), max(last - column, 1)
