"""Editions of a file: its text without secrets, to tell later what was changed in a section."""

from __future__ import annotations

from collections.abc import Iterator
from hashlib import blake2b

from inisched.config.document import Section
from inisched.config.ini import read_ini
from inisched.config.keys import is_key
from inisched.config.masking import MASK, without_password
from inisched.config.problem import quoted
from inisched.config.report import Lines


def digest(text: str) -> str:
    """The same for the same text."""
    return blake2b(text.encode(errors="surrogateescape"), digest_size=16).hexdigest()


def without_secrets(lines: Lines, salt: str) -> str:
    """The text with *** for secrets, each with a mark that tells whether it was changed.

    The mark has two bytes: nobody learns a secret from it.
    """
    return "\n".join(_masked(shown, line, salt) for shown, line in lines.masked())


def _masked(shown: str, line: str, salt: str) -> str:
    shown = without_password(shown)
    if shown == line:
        return line
    mark = blake2b(f"{salt}\0{line}".encode(errors="surrogateescape"), digest_size=2).hexdigest()
    return shown.replace(MASK, f"{MASK}{mark}")


def changes(job: str, old: str, new: str) -> Iterator[str]:
    """What a section says otherwise in the new text, with what it has from [DEFAULT], in sentences.

    Both texts are without secrets.
    """
    before, after = _said(job, old), _said(job, new)
    if before is None:
        yield "the section was not in the file"
        return
    for key in (after or {}) | before:
        was, now = before.get(key), (after or {}).get(key)
        if was == now:
            continue
        if was is None:
            yield f"{quoted(key)} was added: {_shown(now)}"
        elif now is None:
            yield f"{quoted(key)} was taken out; it was {_shown(was)}"
        elif MASK in was + now:
            yield f"{quoted(key)} was changed"
        else:
            yield f"{quoted(key)} was {_shown(was)}, it is {_shown(now)}"


def _shown(value: str | None) -> str:
    return MASK if value is not None and MASK in value else quoted(value or "")


def _said(job: str, text: str) -> dict[str, str] | None:
    document = read_ini(text, "", is_key)
    for section in document.sections:
        if section.name == job:
            return {**_values(document.default), **_values(section)}
    return None


def _values(section: Section) -> dict[str, str]:
    return {key: entry.value for key, entry in section.entries.items()}
