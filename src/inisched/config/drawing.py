"""Diagnostics as text for a terminal and as JSON."""

from __future__ import annotations

import unicodedata
from collections.abc import Iterable, Sequence
from itertools import islice

from inisched.model.diagnostic import Diagnostic, Level

MOST_SHOWN = 100
"""Diagnostics in a text; JSON has them all."""

WIDEST_LINE = 200
"""Characters of a source line that are shown around the caret."""

_ESCAPED = frozenset({"Cc", "Cf", "Cs", "Co", "Cn", "Zl", "Zp"})


def draw(diagnostics: Iterable[Diagnostic], *, most: int = MOST_SHOWN) -> str:
    """The diagnostics one below the other, each with its line and caret; "" for none."""
    diagnostics = list(diagnostics)
    texts = [draw_one(diagnostic) for diagnostic in diagnostics[:most]]
    if len(diagnostics) > most:
        texts.append(f"… and {len(diagnostics) - most} more\n")
    return "".join(texts)


def draw_one(diagnostic: Diagnostic) -> str:
    """One diagnostic; one without a line to show is about the file as a whole."""
    place, source = diagnostic.place, diagnostic.source
    where = f"{escaped(place.file)}:{place.line}:{place.column}"
    lines = [f"{where}: {diagnostic.level.value}: {escaped(diagnostic.message)}"]
    if source is not None:
        lines += _draw_source(source, place.line, place.column - 1, diagnostic.length)
    if diagnostic.expected:
        lines.append(f"    expected {escaped(diagnostic.expected)}")
    if diagnostic.hint:
        lines.append(f"    hint: {escaped(diagnostic.hint)}")
    return "\n".join(lines) + "\n"


def summary(diagnostics: Iterable[Diagnostic], *, file: str, jobs: int, fine: int) -> str:
    """One line that counts: "1 problem in shop.ini; 1 of 2 jobs is fine"."""
    levels = [diagnostic.level for diagnostic in diagnostics]
    errors, warnings = levels.count(Level.ERROR), levels.count(Level.WARNING)
    state = f"{fine} of {_count(jobs, 'job')} {'is' if 1 in (fine, jobs) else 'are'} fine"
    found = f"{_count(errors, 'problem')} in {escaped(file)}"
    if warnings and errors:
        found += f" and {_count(warnings, 'warning')}"
    elif warnings:
        found = f"no problems, {_count(warnings, 'warning')} in {escaped(file)}"
    return f"{found}; {state if jobs else 'no jobs'}\n"


def as_json(diagnostic: Diagnostic) -> dict[str, object]:
    """The diagnostic as the contract has it in JSON."""
    file, line, column = diagnostic.place
    return {
        "file": file,
        "line": line,
        "column": column,
        "level": diagnostic.level.value,
        "code": diagnostic.code,
        "job": diagnostic.job,
        "key": diagnostic.key,
        "message": diagnostic.message,
        "expected": diagnostic.expected,
        "hint": diagnostic.hint,
    }


def escaped(text: str) -> str:
    """The text with control and other invisible characters spelled out."""
    return text if text.isascii() and text.isprintable() else "".join(map(_cell, text))


def _count(number: int, noun: str) -> str:
    return f"1 {noun}" if number == 1 else f"{number or 'no'} {noun}s"


def _cell(character: str) -> str:
    """What stands for one character of the file; a tab is drawn as one space."""
    if character == "\t":
        return " "
    if unicodedata.category(character) not in _ESCAPED:
        return character
    code = ord(character)
    if code < 0x100:
        return f"\\x{code:02x}"
    return f"\\u{code:04x}" if code < 0x10000 else f"\\U{code:08x}"


def column_width(cell: str) -> int:
    """Columns a character, or what stands for one, takes on a terminal."""
    if len(cell) > 1 or cell.isascii():
        return len(cell)
    if unicodedata.combining(cell) or unicodedata.category(cell) in ("Mn", "Me"):
        return 0
    return 2 if unicodedata.east_asian_width(cell) in "WF" else 1


def _draw_source(source: str, line: int, start: int, length: int) -> Sequence[str]:
    """The line with its number, cut around the caret, and the caret under it."""
    start = min(start, len(source))
    first, last = _window(source, start, length)
    cells = list(map(_cell, source[first:last]))
    under = cells[start - first : start - first + length]
    before, after = ("…" if first else ""), ("…" if last < len(source) else "")
    indent = len(before) + sum(map(column_width, cells[: start - first]))
    carets = "^" * max(sum(map(column_width, under)), 1)
    number = f"{line:>5}"
    shown = f"{before}{''.join(cells)}{after}".rstrip()
    return [f"{number} | {shown}", f"{' ' * len(number)} | {' ' * indent}{carets}"]


def _window(source: str, start: int, length: int) -> tuple[int, int]:
    """The part of a line to be shown: grown around the caret until its cells fill the width."""
    marks = 2
    room = WIDEST_LINE - marks
    if len(source) <= WIDEST_LINE and len(escaped(source)) <= WIDEST_LINE:
        return 0, len(source)
    after = list(islice(_running(source[start : start + room]), room))
    inside = _fitting(after, room if length >= room else room * 3 // 4)
    last = start + max(inside, 1)
    before = list(_running(source[max(start - room, 0) : start][::-1]))
    left = _fitting(before, room - (after[inside - 1] if inside else 0))
    return start - left, min(last, len(source))


def _running(text: str) -> Iterable[int]:
    """How long the text is, drawn, up to each of its characters."""
    total = 0
    for character in text:
        total += len(_cell(character))
        yield total


def _fitting(lengths: Sequence[int], room: int) -> int:
    """How many characters fit."""
    return sum(1 for length in lengths if length <= room)
