"""Where the fields of one section are read, one after the other, and errors do not stop it."""

from __future__ import annotations

import re
from collections.abc import Callable, Mapping
from typing import Any, TypeVar

from inisched.config.fields import Field, Fields
from inisched.config.kinds import LONGEST_VALUE, Kind
from inisched.config.masking import MASK
from inisched.config.report import Report
from inisched.model.diagnostic import Level, Unreadable

T = TypeVar("T")
Reader = Callable[[str], Any]

_NOTHING: Any = object()

NOT_IN_FORCE = "not in force in this version"
_OWN_LINE = "a comment stands on a line of its own"
_TRAILING_COMMENT = re.compile(r"(?<=\s)[#;]|^[#;](?=\s)")


class Desk:
    """Reads fields and reports what is wrong with them; `broken` says that something was.

    `failed` are the keys that could not be read. `name` is the job's, None where the section is
    no job.
    """

    def __init__(self, name: str | None, fields: Fields, report: Report) -> None:
        self.name = name
        self.fields = fields
        self.known = fields.known
        self.report = report
        self.broken = False
        self.failed: set[str] = set()

    def get(self, name: str) -> Field | None:
        return self.known.get(name)

    def has(self, name: str) -> bool:
        return name in self.known

    def read(self, name: str, otherwise: T, reader: Reader | None = None) -> T:
        """The value of a key, read by its kind or by `reader`.

        `otherwise` where the key is not given, cannot be read, or its value is not in force.
        """
        if name not in self.known:
            return otherwise
        field, value = self._value(name, reader)
        if field is None:
            return otherwise
        typed: T = value
        return typed if self._in_force(field, value) else otherwise

    def given(self, names: Mapping[str, str]) -> dict[str, Any]:
        """The values that are given, can be read and are in force, each under the name it has in
        `names`; what is not given costs nothing."""
        found = {}
        for name in self.known.keys() & names.keys():
            value = self.read(name, _NOTHING)
            if value is not _NOTHING:
                found[names[name]] = value
        return found

    def check(self, name: str) -> None:
        """Read a key only to find what is wrong with it."""
        self._value(name, None)

    def read_later_keys(self) -> None:
        """Check the keys this version does not carry out yet, and say so of each."""
        for name, field in self.known.items():
            if field.key is not None and not field.key.in_force:
                self.read(name, None)

    def _value(self, name: str, reader: Reader | None) -> tuple[Field | None, Any]:
        """A field and its value; no field where there is none or it cannot be read."""
        field = self.known.get(name)
        if field is None or field.key is None:
            return None, None
        if field.text is None or field.wrong:
            self.broken |= field.wrong
            self.failed.add(name)
            return None, None
        try:
            value = read_value(field.text, field.key.kind, reader)
        except Unreadable as error:
            self.refuse_value(field, error)
            return None, None
        if not field.key.verbatim:
            self.warn_of_comment(field)
        return field, value

    def _in_force(self, field: Field, value: object) -> bool:
        """Whether this version carries a value out; it says so where it does not."""
        key, written = field.key, field.entry.key
        assert key is not None
        if key.in_force and value in key.later:
            written = f"{written} = {field.shown}"
        elif key.in_force:
            return True
        self.warn(field, "not-in-force", f"'{written}' is {NOT_IN_FORCE}")
        return False

    # -- saying what is wrong

    def fail(
        self, field: Field, code: str, message: str, *, expected: str = "", hint: str = ""
    ) -> None:
        """Report an error at a key."""
        self.broken = True
        self.report.at_key(
            field.entry, code, message, job=self._job(field), expected=expected, hint=hint
        )

    def warn(self, field: Field, code: str, message: str, *, hint: str = "") -> None:
        """Report a warning at a key."""
        self.report.at_key(
            field.entry, code, message, level=Level.WARNING, job=self._job(field), hint=hint
        )

    def warn_value(
        self, field: Field, start: int, length: int, code: str, message: str, *, hint: str = ""
    ) -> None:
        """Report a warning at a piece of a value; at the whole of one that must not be shown."""
        end = start + length
        if field.opaque:
            start, end = 0, len(field.entry.value)
        self._at_value(field, start, end, code, message, hint=hint, level=Level.WARNING)

    def refuse_value(self, field: Field, error: Unreadable, code: str = "bad-value") -> None:
        """Report an error in a value; what must not be quoted is not."""
        self.broken = True
        self.failed.add(field.name)
        entry = field.entry
        problem, start, expected, hint = error.problem, error.start, error.expected, error.hint
        if not entry.value:
            return self.fail(field, "empty-value", f"'{entry.key}' has no value", expected=expected)
        end = len(entry.value) if error.length is None else start + error.length
        comment = _TRAILING_COMMENT.search(entry.value)
        if comment and end > comment.start():
            hint = _OWN_LINE
        if field.opaque:
            problem, start, end, hint = _without_quoting(field), 0, len(entry.value), ""
            expected = field.key.kind.expected if field.key else ""
        self._at_value(field, start, end, code, problem, expected=expected, hint=hint)

    def warn_of_comment(self, field: Field) -> None:
        """Report what looks like a comment after a value."""
        value = field.entry.value
        comment = "#" in value or ";" in value
        match = _TRAILING_COMMENT.search(value) if comment else None
        if match:
            message = f"'{match[0]}' starts no comment here, it belongs to the value"
            self._at_value(
                field, match.start(), len(value), "trailing-comment", message,
                hint=_OWN_LINE, level=Level.WARNING,
            )  # fmt: skip

    def _at_value(
        self,
        field: Field,
        start: int,
        end: int,
        code: str,
        message: str,
        *,
        expected: str = "",
        hint: str = "",
        level: Level = Level.ERROR,
    ) -> None:
        entry = field.entry
        line, column = entry.spot(start)
        line_end = entry.value.find("\n", start)
        length = min(end, line_end if line_end >= 0 else end) - start
        self.report.at(
            line, column, length, code, message,
            level=level, job=self._job(field), key=entry.key, expected=expected, hint=hint,
        )  # fmt: skip

    def _job(self, field: Field) -> str | None:
        return None if field.from_default else self.name


def _without_quoting(field: Field) -> str:
    """What is wrong with a value no message may show."""
    wrong = "cannot be read" if (field.text or "").strip() else "is empty"
    if field.shown == MASK:
        return f"the value of '{field.entry.key}' {wrong}"
    return f"what '{field.shown}' stands for {wrong}"


def read_value(text: str, kind: Kind, reader: Reader | None = None) -> Any:
    """What the text of a key means, by its kind or by `reader`. Raises Unreadable."""
    reader = reader or kind.read
    if not text.strip() and not kind.may_be_empty:
        raise Unreadable("the value is empty", expected=kind.expected)
    if len(text) > LONGEST_VALUE and not kind.long:
        problem = f"the value is {len(text)} characters long"
        raise Unreadable(problem, expected=kind.expected)
    return reader(text) if reader else text
