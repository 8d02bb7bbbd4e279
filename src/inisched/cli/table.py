"""Plain aligned tables, and the names that stand in them made safe to print."""

from __future__ import annotations

import json
import os
import re
import sys
from collections.abc import Sequence
from typing import Any

import click

from inisched.config.drawing import column_width, escaped

_STEERING = "[\x7f-\x9f\u00ad\u061c\u200b-\u200f\u2028-\u202e\u2060-\u206f\ufeff]"
"""Control and format characters that JSON leaves as they are."""


def print_table(heads: Sequence[str], rows: Sequence[Sequence[str]]) -> None:
    """Columns as wide as their widest cell; the last one is not padded."""
    lines = [list(heads), *([escaped(cell) for cell in row] for row in rows)]
    widths = [max(width(line[column]) for line in lines) for column in range(len(heads))]
    for number, line in enumerate(lines):
        cells = [pad(cell, widths[column]) for column, cell in enumerate(line)]
        text = "  ".join(cells).rstrip()
        click.echo(click.style(text, bold=True) if number == 0 and colour() else text)


def print_json(value: Any) -> None:
    """JSON for programs."""
    click.echo(as_json(value, indent=2))


def as_json(value: Any, *, indent: int | None = None) -> str:
    """A value as JSON text; what could steer a terminal is escaped."""
    return re.sub(_STEERING, _escape, json.dumps(value, indent=indent, ensure_ascii=False))


def _escape(match: re.Match[str]) -> str:
    return json.dumps(match[0])[1:-1]


def colour() -> bool:
    """Whether to style: on a terminal, unless NO_COLOR is set."""
    return sys.stdout.isatty() and not os.environ.get("NO_COLOR")


def width(text: str) -> int:
    """Columns the text takes on a terminal."""
    return len(text) if text.isascii() else sum(map(column_width, text))


def pad(text: str, columns: int) -> str:
    return text + " " * (columns - width(text))
