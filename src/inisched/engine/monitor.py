"""What a monitor of cron jobs is told of a job's schedule."""

from __future__ import annotations

import math
from datetime import timedelta
from typing import Any

from inisched.model.job import Job
from inisched.timing.crontab import as_crontab, as_interval

_MINUTE = timedelta(minutes=1)


def monitor(job: Job) -> dict[str, Any] | None:
    """The schedule, time zone, margin and longest run time, the last two in minutes.

    None for a job without a rhythm of whole minutes: it cannot be monitored so.
    """
    schedule = job.schedule
    crontab, interval = as_crontab(schedule), as_interval(schedule)
    found: dict[str, Any] = {"timezone": schedule.zone}
    if crontab is not None:
        found["schedule"] = {"type": "crontab", "value": crontab}
    elif interval is not None:
        found["schedule"] = {"type": "interval", "value": interval[0], "unit": interval[1]}
    else:
        return None
    found["checkin_margin"] = _minutes(job.notices.expect_within or job.grace)
    if job.timeout is not None:
        found["max_runtime"] = _minutes(job.timeout + job.kill_after)
    return found


def _minutes(length: timedelta) -> int:
    """Rounded up, and at least one."""
    return max(1, math.ceil(length / _MINUTE))
