"""A whole schedule in one line: "monday at 09:30", "10 minutes", "0 5 * * 1-5"."""

from __future__ import annotations

import re

from inisched.model.diagnostic import Unreadable
from inisched.model.schedule import Schedule
from inisched.timing.clock_times import read_times
from inisched.timing.cron import REBOOT, read_cron
from inisched.timing.phrase import read_every
from inisched.timing.shown import show_schedule


def read_expression(text: str, zone: str) -> Schedule:
    """Read `every` with its `at` in one line (a leading "every" may stand), or a cron expression.

    Raises Unreadable.
    """
    text = text.strip()
    phrase, *times = re.split(r"\s+at\s+", text, maxsplit=1, flags=re.IGNORECASE)
    fields = text.split()
    if text.startswith(("@", "*")) or (text[:1].isdigit() and len(fields) in (5, 6) and not times):
        cron = read_cron(text)
        if cron == REBOOT:
            raise Unreadable("'@reboot' has no coming fires", expected="a schedule")
        return Schedule(zone=zone, text=cron, cron=cron)
    every = read_every(re.sub(r"^every\s+", "", phrase, flags=re.IGNORECASE))
    at = read_times(times[0], every) if times else ()
    return Schedule(zone=zone, text=show_schedule(every, None, at, None), every=every, at=at)
