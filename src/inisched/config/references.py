"""`${env:NAME}`, `${env:NAME:-default}` and `${file:PATH}` replaced by what they stand for."""

from __future__ import annotations

import json
import os
import re
import stat
from collections.abc import Mapping
from pathlib import Path
from typing import NamedTuple

from msgspec import Struct, field

from inisched.model.diagnostic import Unreadable

LARGEST = 1024 * 1024
"""Bytes of a file a reference may bring in."""

SHORTEST_SECRET = 8
"""Characters; shorter values are not masked in captured output."""

_START = re.compile(r"\$\{(env|file):")
_NAME = re.compile(r"[A-Za-z_][A-Za-z0-9_]*")
_A_FILE = "a file of UTF-8 text, at most 1 MiB long"
_FORMS = "${env:NAME}, ${env:NAME:-default} or ${file:PATH}"


class Expanded(NamedTuple):
    """A value with its references replaced; `secrets` are the replaced values worth masking."""

    text: str
    secrets: tuple[str, ...]


class Unset(Unreadable):
    """A reference is well formed, but there is nothing behind it."""


class References(Struct):
    """Replaces references; each file is read once. `folder` is what their paths are relative to."""

    folder: Path
    environ: Mapping[str, str] = field(default_factory=lambda: os.environ)
    _files: dict[str, str | Unset] = field(default_factory=dict)
    _secrets: dict[str, None] = field(default_factory=dict)

    def expand(self, text: str) -> Expanded:
        """Replace every reference of a value.

        Raises Unreadable for a malformed reference, Unset for one with nothing behind it.
        """
        pieces, secrets, done = [], [], 0
        while match := _START.search(text, done):
            end = text.find("}", match.end())
            if end < 0:
                raise _malformed("the reference is not closed by '}'", match.start(), None)
            pieces.append(text[done : match.start()])
            try:
                value, is_secret = self._value(match[1], text[match.end() : end])
            except Unreadable as error:
                error.start, error.length = match.start(), end + 1 - match.start()
                raise
            pieces.append(value)
            if is_secret and len(value) >= SHORTEST_SECRET:
                secrets.append(value)
                self._secrets[value] = None
            done = end + 1
        return Expanded("".join(pieces) + text[done:], tuple(secrets))

    @property
    def secrets(self) -> tuple[str, ...]:
        """All values so far that no captured output may show, in every spelling."""
        return tuple(dict.fromkeys(text for secret in self._secrets for text in _spellings(secret)))

    def _value(self, source: str, inner: str) -> tuple[str, bool]:
        """What one reference stands for; False with a default, which the file shows anyway."""
        if source == "file":
            return self._file(inner.strip()), True
        name, has_default, default = inner.partition(":-")
        if not _NAME.fullmatch(name):
            raise _malformed(f"'{name}' cannot be the name of a variable", 0, 0)
        value = self.environ.get(name)
        if has_default and not value:
            return default, False
        if value is None:
            hint = f"set it where inisched is started, or give a default: ${{env:{name}:-…}}"
            raise Unset(f"the environment has no '{name}'", hint=hint)
        return value, True

    def _file(self, path: str) -> str:
        if not path or "\0" in path:
            raise _malformed("the reference names no file", 0, 0)
        if path not in self._files:
            try:
                self._files[path] = _content(self.folder / path, path)
            except Unset as error:
                self._files[path] = error
        content = self._files[path]
        if isinstance(content, Unset):
            raise Unset(content.problem, expected=content.expected, hint=content.hint)
        return content


def refers(text: str) -> re.Match[str] | None:
    """The start of the first reference in a text."""
    return _START.search(text)


def _content(path: Path, name: str) -> str:
    """A regular file's text without its final line end; only such a file is opened."""
    try:
        status = path.stat()
        if not stat.S_ISREG(status.st_mode):
            raise Unset(f"'{name}' is not a regular file", expected=_A_FILE)
        if status.st_size > LARGEST:
            raise Unset(f"'{name}' is larger than 1 MiB", expected=_A_FILE)
        with path.open("rb") as file:
            text = file.read(LARGEST).decode()
    except Unset:
        raise
    except FileNotFoundError as error:
        raise Unset(
            f"there is no file '{name}'", hint="the path counts from the INI file's folder"
        ) from error
    except UnicodeDecodeError as error:
        raise Unset(f"'{name}' is not UTF-8 text", expected=_A_FILE) from error
    except (OSError, ValueError) as error:
        reason = getattr(error, "strerror", None) or "its name"
        raise Unset(f"'{name}' cannot be read: {reason}", expected=_A_FILE) from error
    for ending in ("\r\n", "\n"):
        if text.endswith(ending):
            return text.removesuffix(ending)
    return text


def _spellings(secret: str) -> tuple[str, ...]:
    """A secret as it is, and as repr() and JSON print it: a key of several lines on one."""
    if secret.isascii() and secret.isalnum():
        return (secret,)
    escaped = (repr(secret), json.dumps(secret), json.dumps(secret, ensure_ascii=False))
    return (secret, *(text[1:-1] for text in escaped))


def _malformed(problem: str, start: int, length: int | None) -> Unreadable:
    return Unreadable(problem, start=start, length=length, expected=_FORMS)
