"""How a run ended, in the callback's own words. Public: `from inisched import Result, STATUS`."""

from __future__ import annotations

from enum import Enum

from msgspec import Struct


class STATUS(str, Enum):
    """How a callback says its run went."""

    SUCCESS = "success"
    WARNING = "warning"
    FAILURE = "failure"
    SKIPPED = "skipped"


class Result(Struct, frozen=True):
    """What a callback may return.

    `message` is one line for a user, `output` is for an administrator. The runner adds the
    job's name, the start and the end.
    """

    status: STATUS
    message: str = ""
    output: str = ""


class Skip(Exception):
    """Raise it in a callback: the run is recorded as skipped, with this reason as message."""
