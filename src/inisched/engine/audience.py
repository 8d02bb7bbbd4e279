"""Who hears of which events of a job."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from datetime import datetime, timedelta

from msgspec import Struct, field

from inisched.model.event import Kind
from inisched.model.job import Job
from inisched.model.notifier import Notifier

USUAL = frozenset({Kind.FAILURE, Kind.RECOVERY})
"""What people hear of where neither job nor notifier says otherwise."""

Changed = Callable[[Job, datetime | None, timedelta | None], tuple[str, ...]]
"""What is different since a job last worked at a moment, its run having taken so long now."""


class Setting(Struct, frozen=True):
    """What the file says of who hears of things: its notifiers, and whether Sentry does.

    `path` and `host` are as letters have them; `changed` is asked when something breaks.
    """

    notifiers: Mapping[str, Notifier | None] = field(default_factory=dict)
    sentry: bool = False
    path: str = ""
    host: str = ""
    changed: Changed = lambda job, worked, took: ()

    def audience(self, job: Job, kind: Kind) -> tuple[str, ...]:
        """The notifiers that hear of such an event of a job, in the order of the file."""
        found = (one for one in self.notifiers.values() if one is not None)
        return tuple(one.name for one in found if hears(one, job, kind))


def hears(notifier: Notifier, job: Job, kind: Kind) -> bool:
    """Whether a notifier is told of such events of a job.

    Where only one of the two says what it wants, that counts; where both do, what both want. A
    job with `expect_within` or `warn_after` asks for what that brings; a notifier that has an
    `on` of its own hears of lateness by `late`, of slow runs by `warning` or `late`.
    """
    to = job.notices.to
    if notifier.name not in to if to is not None else not notifier.usual:
        return False
    asked, wanted = job.notices.on, notifier.on
    if kind is Kind.SLOW:
        return wanted is None or bool(wanted & {Kind.WARNING, Kind.LATE})
    if kind is Kind.LATE:
        return wanted is None or kind in wanted
    if asked is None and wanted is None:
        return kind in USUAL
    return all(kind in kinds for kinds in (asked, wanted) if kinds is not None)
