"""The SQL of the .sql files: statements by name, and what makes a database ours."""

from __future__ import annotations

import re
from functools import cache
from pathlib import Path


@cache
def queries() -> dict[str, str]:
    """All statements by name."""
    text = _text("queries.sql") + "\n" + _text("post.sql")
    parts = re.split(r"^-- name: (\w+)\n", text, flags=re.MULTILINE)
    return dict(zip(parts[1::2], parts[2::2], strict=True))


_SCHEMAS = ("schema.sql", "schema_post.sql", "schema_cut.sql", "schema_failed.sql")
"""What each version brought, from 1 on."""

VERSION = len(_SCHEMAS)


def schema(*, since: int = 0, upto: int = VERSION) -> str:
    """The statements that lead from version `since` (0: an empty database) to `upto`."""
    return "\n".join(_text(name) for name in _SCHEMAS[since:upto])


def _text(name: str) -> str:
    return Path(__file__).with_name(name).read_text("utf-8")
