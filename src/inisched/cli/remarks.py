"""What is said of switches wherever jobs are shown: what, who, since when, and why."""

from __future__ import annotations

from collections.abc import Iterator
from datetime import datetime

from inisched.config.loader import JobSection
from inisched.questions.moments import show_moment
from inisched.stores.switches import ENABLED, PAUSED, SCHEDULE, Hold, Mark, Switch


def switch_remarks(
    section: JobSection, switch: Switch | None, present: datetime, *, utc: bool
) -> Iterator[str]:
    """A line for each switch of a job; not of one that says what the file says anyway."""
    if switch is None:
        return
    words = {}
    if switch.enabled is False:
        words[ENABLED] = "disabled"
    elif switch.enabled and not section.active:
        words[ENABLED] = "enabled"
    if switch.paused_until is not None:
        until = show_moment(switch.paused_until, section.zone, present, utc=utc)
        words[PAUSED] = f"paused until {until}"
    if switch.schedule is not None:
        words[SCHEDULE] = f"rescheduled, in the file it is {section.schedule_text or 'not said'}"
    for kind, what in words.items():
        marked = _marked(what, switch.marks[kind], section.zone, present, utc=utc)
        yield f"{section.name}: {marked}"


def hold_remark(hold: Hold, zone: str, present: datetime, *, utc: bool) -> str:
    """That nothing starts, and why."""
    return _marked("held", hold.mark, zone, present, utc=utc)


def _marked(what: str, mark: Mark, zone: str, present: datetime, *, utc: bool) -> str:
    since = show_moment(mark.since, zone, present, utc=utc)
    note = f": {mark.note}" if mark.note else ""
    return f"{what} (by {mark.by}, {since}){note}"
