"""Reads INI text, keeping the place of every word.

Agrees with RawConfigParser(delimiters=("=",), strict=True), keys left in their case, on every
text in which it finds no error. What keys and values mean is left to others.
"""

from __future__ import annotations

from bisect import bisect_right
from collections.abc import Callable

from msgspec.structs import replace

from inisched.config.document import DEFAULT, Document, Entry, Section
from inisched.model.diagnostic import Diagnostic, Level
from inisched.model.place import Place

A_HEADER = "a line such as [name]"
KEEP_ONE = "keep one of the two"


def read_ini(text: str, file: str, is_key: Callable[[str], bool]) -> Document:
    """Read a text whose lines end with LF or CRLF.

    `is_key` says whether a word is a key of inisched: an indented line that starts with one and
    "=" was hardly meant to continue the value above.
    """
    if "\r" in text:
        text = text.replace("\r\n", "\n")
    document = Document(file, text)
    _Reader(document, is_key).read()
    if "\r" in text or "\0" in text:
        _refuse_strange_characters(document)
    return document


class _Reader:
    """One pass over the lines: it knows the open section, and in it the open entry.

    Where the value of the open entry goes on, `pieces` are its lines and `more` their places.
    """

    def __init__(self, document: Document, is_key: Callable[[str], bool]) -> None:
        self.document = document
        self.is_key = is_key
        self.section: Section | None = None
        self.first: dict[str, Section] = {}
        self.open: Entry | None = None
        self.pieces: list[str] = []
        self.more: list[tuple[int, int]] = []

    def read(self) -> None:
        """Read line by line. One that starts further to the right than column `level` goes on with
        the open entry; the empty lines before it belong to the value then, and only then."""
        level, blanks = 1, 0
        words: dict[str, str] = {}
        for number, line in enumerate(self.document.text.split("\n"), start=1):
            text = line.strip()
            if not text:
                blanks += 1
                continue
            first = text[0]
            if first in "#;":
                continue
            column = 1 if text is line else line.find(first) + 1
            if column <= level or self.open is None:
                level = column
            elif "=" not in text or not self.is_swallowed_key(number, column, text):
                self.continue_value(number, column, text, blanks)
                blanks = 0
                continue
            blanks = 0
            if first == "[":
                self.header(number, column, text)
                continue
            section = self.section
            if section is None:
                self.refuse_headless(number, column, text)
                break
            key, equals, value = text.partition("=")
            key = key.rstrip()
            if not (equals and key):
                self.close_value()
                key, value = self.refuse_line(number, column, text)
                if not key:
                    continue
            elif self.pieces:
                self.close_value()
            value = value.lstrip()
            key = words.setdefault(key, key)
            self.open = entry = Entry(key, number, column, value, column + len(text) - len(value))
            entries = section.entries
            if key in entries:
                self.refuse_repeat(section, entry)
            else:
                entries[key] = entry
        self.close_value()

    # -- entries

    def continue_value(self, line: int, column: int, text: str, blanks: int) -> None:
        if not self.pieces and self.open is not None:
            self.pieces.append(self.open.value)
        for _ in range(blanks):
            self.pieces.append("")
            self.more.append((line, column))
        self.pieces.append(text)
        self.more.append((line, column))

    def close_value(self) -> None:
        """Let no further line go on with the open entry, and give it its whole value."""
        entry, self.open = self.open, None
        if entry is None or self.section is None or not self.pieces:
            return
        whole = replace(entry, value="\n".join(self.pieces), more=tuple(self.more))
        self.pieces, self.more = [], []
        self.document.continued.append(whole)
        if self.section.entries[entry.key] is entry:
            self.section.entries[entry.key] = whole
        else:
            self.section.repeats = (*self.section.repeats[:-1], whole)

    def is_swallowed_key(self, line: int, column: int, text: str) -> bool:
        """Report a key that is indented into the value above; True where it is read as a key."""
        key = text.partition("=")[0].rstrip()
        if self.open is None or self.section is None or not self.is_key(key):
            return False
        if self.open.key.lower() == "command":
            self.warn_of_key_in_command(key, line, column)
            return False
        self.refuse_indented_key(key, line, column)
        return True

    # -- headers

    def header(self, line: int, column: int, text: str) -> None:
        """Open the section `[name]`. As in configparser, a name may hold "]" and outer spaces."""
        self.close_value()
        end = text.find("]")
        if end + 1 != len(text) and not text[end + 1 : end + 2].isspace():
            end = text.rfind("]")
        name = text[1:end] if end > 0 else text[1:]
        self.open_section(Section(name, line, column + 1))
        if end < 0:
            self.refuse_header("unclosed-header", "']' is missing", line, column, text)
        elif not name.strip():
            self.refuse_header("empty-section", "the section has no name", line, column, text)
        elif end + 1 < len(text):
            self.refuse_text_after(line, column, text, end + 1)

    def open_section(self, section: Section) -> None:
        """Make it the one that gets the entries; a second [DEFAULT] goes on with the first."""
        if section.name == DEFAULT:
            self.section = default = self.document.default
            default.line = default.line or section.line
            return
        self.section = section
        self.document.sections.append(section)
        first = self.first.setdefault(section.name, section)
        if first is not section:
            first.spoilt |= {""}
            self.refuse_twin(section, first.line)

    # -- what is wrong

    def refuse_headless(self, line: int, column: int, text: str) -> None:
        self.document.headless = True
        message = "there is text before the first section"
        expected = "a line such as [name], which starts a job"
        self.problem("no-section", message, line, column, len(text), expected=expected)

    def refuse_line(self, line: int, column: int, text: str) -> tuple[str, str]:
        """Report a line that has no key or no "="; `key: value` of a known key is read on as if it
        were right, by what comes back."""
        if "=" in text:
            message = "there is no key before '='"
            self.problem("empty-key", message, line, column, expected="key = value")
            return "", ""
        key, colon, value = text.partition(":")
        key = key.rstrip()
        like_key = bool(colon and key) and not any(map(str.isspace, key)) and value[:2] != "//"
        self.problem(
            "no-entry",
            f"'{key}' is followed by ':'" if like_key else "this line is no key with a value",
            line,
            column,
            len(key) if like_key else len(text),
            expected="key = value, or a comment that starts with # or ;",
            hint="write '=' instead of ':'" if like_key else "",
        )
        return (key, value) if like_key and self.is_key(key) else ("", "")

    def refuse_repeat(self, section: Section, entry: Entry) -> None:
        section.repeats += (entry,)
        key, line, first = entry.key, entry.line, section.entries[entry.key]
        message = f"'{key}' is there twice, first on line {first.line}"
        self.problem("duplicate-key", message, line, entry.column, len(key), key=key, hint=KEEP_ONE)

    def refuse_twin(self, section: Section, first_line: int) -> None:
        name = section.name
        message = f"section '{name}' is there twice, first on line {first_line}"
        self.problem(
            "duplicate-section",
            message,
            section.line,
            section.column,
            len(name),
            hint="rename one of the two, or put their keys together",
        )

    def refuse_indented_key(self, key: str, line: int, column: int) -> None:
        message = f"'{key}' is indented and so belongs to the value above"
        hint = "move it to the left, under the other keys"
        self.problem("indented-key", message, line, column, len(key), key=key, hint=hint)

    def warn_of_key_in_command(self, key: str, line: int, column: int) -> None:
        message = f"'{key}' looks like a key, but is indented and so belongs to the command"
        hint = "if it is meant as a key, move it to the left"
        self.problem(
            "key-in-command", message, line, column, len(key), hint=hint, level=Level.WARNING
        )

    def refuse_header(self, code: str, message: str, line: int, column: int, text: str) -> None:
        self.problem(code, message, line, column, len(text), expected=A_HEADER)

    def refuse_text_after(self, line: int, column: int, text: str, end: int) -> None:
        rest = text[end:].lstrip()
        column += len(text) - len(rest)
        hint = "a comment stands on a line of its own" if rest[0] in "#;" else ""
        message = "there is text after ']'"
        self.problem(
            "text-after-header", message, line, column, len(rest), expected=A_HEADER, hint=hint
        )

    def problem(
        self,
        code: str,
        message: str,
        line: int,
        column: int,
        length: int = 1,
        *,
        key: str | None = None,
        expected: str = "",
        hint: str = "",
        level: Level = Level.ERROR,
    ) -> None:
        if self.section is not None and level is Level.ERROR:
            self.section.spoilt |= {key or ""}
        self.document.problems.append(
            Diagnostic(
                place=Place(self.document.file, line, column),
                code=code,
                message=message,
                level=level,
                length=length,
                job=self.section.name if self.section is not None else None,
                key=key,
                expected=expected,
                hint=hint,
            )
        )


_STRANGE = {
    "\r": (
        "lone-cr",
        "a carriage return stands here without a line feed",
        "save the file with LF or CRLF line ends",
    ),
    "\0": ("nul", "a NUL character stands here", "remove it"),
}


def _refuse_strange_characters(document: Document) -> None:
    """Report the first lone CR and NUL of each line; the key it stands in is spoilt."""
    owners = _owners(document)
    starts = [line for line, _, _ in owners]
    for number, line in enumerate(document.text.split("\n"), start=1):
        for character, (code, message, hint) in _STRANGE.items():
            column = line.find(character) + 1
            if not column:
                continue
            _, section, entry = owners[bisect_right(starts, number) - 1]
            key = entry.key if entry is not None and number <= entry.last_line else None
            section.spoilt |= {key or ""}
            document.problems.append(
                Diagnostic(
                    place=Place(document.file, number, column),
                    code=code,
                    message=message,
                    job=section.name,
                    key=key,
                    hint=hint,
                )
            )


def _owners(document: Document) -> list[tuple[int, Section, Entry | None]]:
    """Where sections and entries begin, by line; what comes before the first is DEFAULT's."""
    owners: list[tuple[int, Section, Entry | None]] = [(0, document.default, None)]
    for section in (document.default, *document.sections):
        owners.append((section.line, section, None))
        owners.extend((entry.line, section, entry) for entry in section.all_entries())
    return sorted(owners, key=lambda owner: owner[0])
