"""Rows of the ledger as people and programs read them."""

from __future__ import annotations

from collections.abc import Callable
from datetime import datetime, timedelta

from inisched.config.loader import Config
from inisched.model.duration import show_duration
from inisched.stores.history import Row, Whole, parse

ON_TIME = timedelta(seconds=1)
"""Later than this is worth a word."""


def zone_of(config: Config, job: str | None) -> str:
    """The zone a job's times are shown in: its own, else the file's."""
    zones = (section.zone for section in config.sections if section.name == job)
    return next(zones, config.settings.timezone)


def took(row: Row) -> str:
    """How long the run took; "-" where it has not ended or never began."""
    seconds = row["duration_s"]
    return "-" if seconds is None else show_duration(timedelta(seconds=seconds))


def in_words(row: Row, show: Callable[[datetime], str], *, misfires: int = 0) -> str:
    """What is worth saying of a row beside its columns; `show` shows moments as they do.

    `misfires` is for how many of them the run stands.
    """
    parts = []
    if row["fire_until"] is not None:
        parts.append(row["reason"] if not row["message"] else "")
        if row["count"] > 1:
            parts.append(f"{row['count']} fires up to {show(parse(row['fire_until']))}")
    if row["trigger"] != "schedule":
        parts.append(row["trigger"])
    if misfires > 1:
        parts.append(f"for {misfires} misfires")
    late = _late(row)
    if late > ON_TIME and row["trigger"] == "schedule":
        parts.append(f"{show_duration(late)} late")
    parts.append(row["message"])
    return ", ".join(part for part in parts if part)


def _late(row: Row) -> timedelta:
    if row["started_at"] is None or row["trigger"] not in ("schedule", "catchup"):
        return timedelta(0)
    late = parse(row["started_at"]) - parse(row["fire_at"])
    return timedelta(seconds=int(late.total_seconds()))


def whole_as_json(found: Whole) -> Row:
    """`show --json`: the row, its output, and the result in the callback's own words."""
    row = found.row
    status = row["state"] if row["state"] in ("success", "warning", "failure", "skipped") else None
    return row | {
        "stdout": found.stdout.decode(errors="backslashreplace"),
        "stderr": found.stderr.decode(errors="backslashreplace"),
        "result": {"status": status, "message": row["message"], "output": found.result},
    }
