"""Keys that need a package which is installed by an extra."""

from __future__ import annotations

from importlib.util import find_spec

from inisched.config.desk import Desk


def check_extra(desk: Desk, name: str, module: str, extra: str) -> None:
    """Report that a key's extra is not installed; what else the section says stays in force."""
    field = desk.get(name)
    if field is None or find_spec(module) is not None:
        return
    desk.report.at_key(
        field.entry,
        "extra-missing",
        f"'{field.entry.key}' needs an extra that is not installed",
        hint=f"pip install 'inisched[{extra}]'",
    )
