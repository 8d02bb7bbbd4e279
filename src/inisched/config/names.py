"""Warnings about the names of jobs: hard to see, or hard to tell from one another."""

from __future__ import annotations

import unicodedata
from collections.abc import Iterable

from inisched.config.document import Section
from inisched.config.report import Report
from inisched.model.diagnostic import Level


def warn_of_names(sections: Iterable[Section], report: Report) -> None:
    """Warn of names with invisible characters, and of twins that differ in case or spaces only."""
    seen: dict[str, Section] = {}
    for section in sections:
        name = section.name
        if not name.isprintable():
            _warn(report, section, "odd-name", "the name holds characters that cannot be seen")
        twin = seen.setdefault(_folded(name), section)
        if twin.name != name:
            message = f"'{name}' is hard to tell from '{twin.name}' on line {twin.line}"
            _warn(report, section, "twin-name", message)


def _folded(name: str) -> str:
    """What two names have in common that look alike."""
    if name.isascii():
        return name.strip().lower()
    return unicodedata.normalize("NFC", name.strip()).casefold()


def _warn(report: Report, section: Section, code: str, message: str) -> None:
    report.at(
        section.line,
        section.column,
        len(section.name),
        code,
        message,
        level=Level.WARNING,
        job=section.name,
    )
