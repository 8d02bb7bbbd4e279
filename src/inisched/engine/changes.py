"""What is different since a job last worked: its section, its duration, the daemon."""

from __future__ import annotations

from collections.abc import Iterator
from datetime import datetime, timedelta
from zoneinfo import ZoneInfo

from inisched.config.editions import changes, digest, without_secrets
from inisched.config.loader import Config
from inisched.model.duration import show_duration
from inisched.model.job import Job
from inisched.stores.ledger import Ledger, LedgerDown

MOST = 10
"""Changed keys that are told, and runs a duration is compared with."""

FACTOR, LEAST = 3, timedelta(seconds=1)
"""A run was unlike others that took so many times as long or as short, by more than so much."""


def note_edition(ledger: Ledger, config: Config, now: datetime) -> None:
    """Keep the file as it is read now, to compare with later. Raises LedgerDown."""
    if config.lines is not None:
        lines, salt = config.lines, ledger.id
        ledger.post.note_edition(digest(lines.text), lambda: without_secrets(lines, salt), now)


def changed(
    ledger: Ledger,
    config: Config,
    job: Job,
    worked: datetime | None,
    took: timedelta | None,
    *,
    started: datetime,
) -> tuple[str, ...]:
    """In sentences, what is different since a job last `worked`; `took` is how long its run took.

    The daemon has been up since `started`.
    """
    if worked is None:
        return ("it has never worked before",)
    try:
        found = [*_section(ledger, config, job, worked), *_length(ledger, job, took)]
    except LedgerDown:
        found = []
    if started > worked:
        clock = started.astimezone(ZoneInfo(job.schedule.zone)).isoformat(" ", "seconds")
        found.append(f"the daemon was started again at {clock}")
    return tuple(found)


def _section(ledger: Ledger, config: Config, job: Job, worked: datetime) -> Iterator[str]:
    old = ledger.post.edition(worked)
    if old is None or config.lines is None:
        return
    found = list(changes(job.name, old, without_secrets(config.lines, ledger.id)))
    yield from found[:MOST]
    if len(found) > MOST:
        yield f"and {len(found) - MOST} more keys were changed"


def _length(ledger: Ledger, job: Job, took: timedelta | None) -> Iterator[str]:
    lengths = ledger.post.lengths(job.name, limit=MOST)
    if took is None or not lengths:
        return
    from statistics import median  # slow to import

    usual = timedelta(seconds=median(length.total_seconds() for length in lengths))
    longer = took > usual * FACTOR and took - usual > LEAST
    shorter = took * FACTOR < usual and usual - took > LEAST
    if longer or shorter:
        yield f"it took {show_duration(took)}; runs that worked took about {show_duration(usual)}"
