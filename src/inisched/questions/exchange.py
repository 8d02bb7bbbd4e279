"""Fires gained and lost where one definition of a job takes the place of another."""

from __future__ import annotations

from collections.abc import Iterator
from datetime import datetime
from enum import Enum
from itertools import takewhile

from inisched.model.job import Job
from inisched.questions.coming import fires


class Side(Enum):
    """Which definition has a fire."""

    OLD = "old"
    BOTH = "both"
    NEW = "new"


def exchange(
    old: Job | None, new: Job | None, since: datetime, until: datetime
) -> Iterator[tuple[datetime, Side]]:
    """The fires of both definitions in (since, until], by moment, as if first looked at `since`.

    None stands for a job that is not there or broken. Nothing comes where the two are due at the
    same moments anyway.
    """
    if old is not None and new is not None and _due_alike(old, new):
        return
    olds, news = _moments(old, since, until), _moments(new, since, until)
    one, other = next(olds, None), next(news, None)
    while one is not None or other is not None:
        if other is None or (one is not None and one < other):
            assert one is not None
            yield one, Side.OLD
            one = next(olds, None)
        elif one is None or other < one:
            yield other, Side.NEW
            other = next(news, None)
        else:
            yield one, Side.BOTH
            one, other = next(olds, None), next(news, None)


def _due_alike(old: Job, new: Job) -> bool:
    """Whether it can be told without walking that two definitions have the same fires."""
    one, other = old.schedule, new.schedule
    return (
        old.active == new.active
        and one.meaning() == other.meaning()
        and (one.active_until, one.jitter) == (other.active_until, other.jitter)
    )


def _moments(job: Job | None, since: datetime, until: datetime) -> Iterator[datetime]:
    if job is None or not job.active:
        return iter(())
    return takewhile(lambda at: at <= until, (fire.at for fire in fires(job, None, since)))
