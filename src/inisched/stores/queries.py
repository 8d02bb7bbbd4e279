"""The SQL of `queries.sql`, one statement per name."""

from __future__ import annotations

import re
from functools import cache
from importlib.resources import files


@cache
def queries() -> dict[str, str]:
    """All statements by name."""
    text = files("inisched.stores").joinpath("queries.sql").read_text("utf-8")
    parts = re.split(r"^-- name: (\w+)\n", text, flags=re.MULTILINE)
    return dict(zip(parts[1::2], parts[2::2], strict=True))


def schema() -> str:
    """The statements that make an empty database ours."""
    return files("inisched.stores").joinpath("schema.sql").read_text("utf-8")
