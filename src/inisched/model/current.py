"""What a callback can learn of the run it is part of."""

from __future__ import annotations

from datetime import date, datetime

from msgspec import Struct


class CurrentRun(Struct, frozen=True, kw_only=True):
    """The run under way, as `inisched.current_run()` tells of it.

    `scheduled_for` is the moment of the fire as the ledger shows it, aware, in the job's zone.
    `attempt` counts from 1. The period is inclusive at both ends and None where the job has no
    `report_period`.
    """

    id: int
    job: str
    scheduled_for: datetime
    attempt: int = 1
    period_start: date | None = None
    period_end: date | None = None
    override: bool = False
