"""How much of the past is kept."""

from __future__ import annotations

from dataclasses import dataclass
from datetime import timedelta


@dataclass(frozen=True, slots=True, kw_only=True)
class Retention:
    """How long rows and output are kept after their end, and how many rows of a job at most."""

    history: timedelta = timedelta(days=90)
    runs: int = 10_000
    output: timedelta = timedelta(days=14)
