"""How much of the past is kept."""

from __future__ import annotations

from datetime import timedelta

from msgspec import Struct


class Retention(Struct, frozen=True, kw_only=True):
    """How long rows and output are kept after their end, and how many rows of a job at most."""

    history: timedelta = timedelta(days=90)
    runs: int = 10_000
    output: timedelta = timedelta(days=14)
