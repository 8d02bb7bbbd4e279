"""Opens the file: only a regular one of a fair size, and only as UTF-8 text."""

from __future__ import annotations

import codecs
import os
import stat
from pathlib import Path

from inisched.config.masking import MASK, secret_start
from inisched.model.diagnostic import Diagnostic
from inisched.model.place import Place

LARGEST = 16 * 1024 * 1024
"""Bytes; more is hardly a file of jobs."""

_OTHER_ENCODINGS = (
    (codecs.BOM_UTF32_LE, "UTF-32"),
    (codecs.BOM_UTF32_BE, "UTF-32"),
    (codecs.BOM_UTF16_LE, "UTF-16"),
    (codecs.BOM_UTF16_BE, "UTF-16"),
)
_NO_FILES = (
    (stat.S_ISDIR, "a folder"),
    (stat.S_ISFIFO, "a named pipe"),
    (stat.S_ISSOCK, "a socket"),
    (stat.S_ISCHR, "a device"),
    (stat.S_ISBLK, "a device"),
)
_READABLE = "a file that can be read"
_SAVE_AS_UTF8 = "save the file as UTF-8"


class Refused(Exception):
    """The file cannot be read as text, for the reason the diagnostic gives."""

    def __init__(self, diagnostic: Diagnostic) -> None:
        super().__init__(diagnostic.message)
        self.diagnostic = diagnostic


def read_text(path: Path, shown: str) -> str:
    """The text of a file without its byte order mark; `shown` is the path as the user typed it.

    Raises Refused; never waits for a pipe or a device.
    """
    try:
        data = _read_bytes(path, shown)
    except FileNotFoundError:
        hint = "name the file with -P"
        raise _refused(shown, "no-file", "there is no such file", hint=hint) from None
    except PermissionError:
        message = "this file may not be read by this user"
        raise _refused(shown, "no-permission", message, expected=_READABLE) from None
    except (OSError, ValueError) as error:
        reason = getattr(error, "strerror", None) or "the path cannot be the name of a file"
        message = f"the file cannot be read: {reason}"
        raise _refused(shown, "unreadable", message, expected=_READABLE) from None
    return _decode(data, shown)


def _read_bytes(path: Path, shown: str) -> bytes:
    """Look at what stands there before opening it, and without waiting when opening it."""
    _refuse_other_than_file(path.stat(), shown)
    with os.fdopen(os.open(path, os.O_RDONLY | os.O_NONBLOCK | os.O_CLOEXEC), "rb") as file:
        status = os.fstat(file.fileno())
        _refuse_other_than_file(status, shown)
        data = file.read(LARGEST + 1)
    if len(data) > LARGEST:
        size = max(status.st_size, len(data)) // 1024**2
        raise _refused(
            shown, "too-large", f"the file is {size} MiB long", expected="at most 16 MiB"
        )
    return data


def _refuse_other_than_file(status: os.stat_result, shown: str) -> None:
    kind = no_file(status.st_mode)
    if kind:
        raise _refused(shown, "no-regular-file", f"this is {kind}", expected="an INI file")


def no_file(mode: int) -> str:
    """What stands in a file's place, by its mode: "a folder"; "" for a file."""
    return next((kind for is_such, kind in _NO_FILES if is_such(mode)), "")


def _decode(data: bytes, shown: str) -> str:
    for mark, name in _OTHER_ENCODINGS:
        if data.startswith(mark):
            raise _other_encoding(shown, name)
    if data.count(0) * 10 > len(data):
        raise _other_encoding(shown, "UTF-16 or no text at all")
    try:
        return data.removeprefix(codecs.BOM_UTF8).decode()
    except UnicodeDecodeError as error:
        raise _not_utf8(data.removeprefix(codecs.BOM_UTF8), error.start, shown) from None


def _other_encoding(shown: str, name: str) -> Refused:
    message = f"this file is {name}"
    return _refused(shown, "not-utf8", message, expected="UTF-8 text", hint=_SAVE_AS_UTF8)


def _not_utf8(data: bytes, position: int, shown: str) -> Refused:
    """Point at the first byte that is not UTF-8; the line is shown read as Latin-1."""
    start = data.rfind(b"\n", 0, position) + 1
    end = data.find(b"\n", position)
    before = data[start:position].decode()
    rest = data[position : end if end >= 0 else None].rstrip(b"\r").decode("latin-1")
    column, source = len(before) + 1, before + rest
    hint = f"in Latin-1 this byte is '{rest[0]}': {_SAVE_AS_UTF8}"
    # A line that continues a value may continue a secret one.
    hidden = 0 if source[:1].isspace() else secret_start(source)
    if hidden < column or not rest[0].isprintable():
        hint = _SAVE_AS_UTF8
    if hidden < len(source):
        column, source = min(column, hidden + 1), source[:hidden] + MASK
    return Refused(
        Diagnostic(
            place=Place(shown, data.count(b"\n", 0, position) + 1, column),
            code="not-utf8",
            message=f"the byte 0x{data[position]:02x} is not UTF-8",
            expected="UTF-8 text",
            hint=hint,
            source=source,
        )
    )


def _refused(shown: str, code: str, message: str, *, expected: str = "", hint: str = "") -> Refused:
    place = Place(shown, 1, 1)
    return Refused(
        Diagnostic(place=place, code=code, message=message, expected=expected, hint=hint)
    )
