"""One thing wrong in the file: where, what, what was expected, and the likely cure."""

from __future__ import annotations

from enum import Enum

from msgspec import Struct

from inisched.model.place import Place


class Level(Enum):
    """How much a diagnostic matters: an error breaks its job, a warning and a note do not."""

    ERROR = "error"
    WARNING = "warning"
    NOTE = "note"


class Diagnostic(Struct, frozen=True, kw_only=True):
    """One problem. `length` is how many characters the caret underlines, at least 1.

    `code` is a stable word for programs ("unknown-key"). `job` and `key` are None where the
    problem belongs to none. `source` is the line of the file, already masked where it holds a
    secret; None where there is no line to show (a missing file).
    """

    place: Place
    code: str
    message: str
    level: Level = Level.ERROR
    length: int = 1
    job: str | None = None
    key: str | None = None
    expected: str = ""
    hint: str = ""
    source: str | None = None


class Unreadable(ValueError):
    """A value's text cannot be read; [start, start + length) of the text is at fault.

    A length of None means up to the end of the text.
    """

    def __init__(
        self,
        problem: str,
        *,
        start: int = 0,
        length: int | None = None,
        expected: str = "",
        hint: str = "",
    ) -> None:
        super().__init__(problem)
        self.problem = problem
        self.start = start
        self.length = length
        self.expected = expected
        self.hint = hint
