"""Plain aligned tables, and the names that stand in them made safe to print."""

from __future__ import annotations

import json
import os
import sys
from collections.abc import Sequence
from typing import Any

import click

from inisched.config.drawing import column_width, escaped


def print_table(heads: Sequence[str], rows: Sequence[Sequence[str]]) -> None:
    """Columns as wide as their widest cell; the last one is not padded."""
    lines = [list(heads), *([escaped(cell) for cell in row] for row in rows)]
    widths = [max(width(line[column]) for line in lines) for column in range(len(heads))]
    for number, line in enumerate(lines):
        cells = [pad(cell, widths[column]) for column, cell in enumerate(line)]
        text = "  ".join(cells).rstrip()
        click.echo(click.style(text, bold=True) if number == 0 and colour() else text)


def print_json(value: Any) -> None:
    click.echo(json.dumps(value, indent=2, ensure_ascii=False))


def colour() -> bool:
    """Whether to style: on a terminal, unless NO_COLOR is set."""
    return sys.stdout.isatty() and not os.environ.get("NO_COLOR")


def width(text: str) -> int:
    """Columns the text takes on a terminal."""
    return sum(map(column_width, text))


def pad(text: str, columns: int) -> str:
    return text + " " * (columns - width(text))
