"""Whether a daemon is up on a database, since when, and how it is."""

from __future__ import annotations

import os
from collections.abc import Callable
from datetime import datetime, timedelta
from pathlib import Path

from msgspec import Struct, field

from inisched.config.judged import errors
from inisched.config.loader import Config
from inisched.engine.holder import LASTING, Holder, read_holder
from inisched.questions.judgements import as_remembered
from inisched.questions.switched import standing
from inisched.questions.waiting import Told, Waiter, waiting
from inisched.stores.history import History, Row
from inisched.stores.post import Incident
from inisched.stores.switches import Hold

STALE = timedelta(seconds=90)
"""A heartbeat older than this is no sign of health."""


class Health(Struct, frozen=True, kw_only=True):
    """The answer of `status`.

    `problems` counts the errors in the file, `jobs` those that have fires of their own, `outbox`
    the notices on their way and `dropped` those given up. What waits does so also while no daemon
    is up.
    """

    holder: Holder | None
    since: datetime | None
    heartbeat_age: timedelta | None
    file_ok: bool
    problems: int
    writable: bool
    running: list[Row]
    waiting: list[Waiter]
    hold: Hold | None
    jobs: int = 0
    incidents: list[Incident] = field(default_factory=list)
    outbox: int = 0
    dropped: int = 0

    @property
    def up(self) -> bool:
        return self.holder is not None

    @property
    def healthy(self) -> bool:
        beats = self.heartbeat_age is not None and self.heartbeat_age < STALE
        return self.up and beats and self.file_ok and self.writable


def daemon(database: Path) -> Holder | None:
    """The daemon that has the database; None where none lives, or only a command has it."""
    holder = read_holder(database.with_suffix(".lock"))
    lasts = holder is not None and holder.role in LASTING and holder.alive
    return holder if lasts else None


def health(
    config: Config, history: History, now: datetime, told: Told, outage: Callable[[], bool]
) -> Health:
    """How the daemon of this file does.

    `told` asks it what is waited for, `outage` whether it cannot write its ledger.
    """
    holder = daemon(config.database)
    life = history.last_life()
    rows = history.open_rows()
    judged, _ = as_remembered(config, history)
    found = errors(judged.config.diagnostics)
    return Health(
        holder=holder,
        since=life.started if holder and life else None,
        heartbeat_age=now - life.heartbeat if holder and life else None,
        file_ok=not config.fatal and not found,
        problems=len(found),
        writable=os.access(config.database, os.W_OK) and not (holder and outage()),
        running=[row for row in rows if holder and row["state"] == "running"],
        waiting=waiting(rows, judged.config, history, now, told=told if holder else None),
        hold=history.held(),
        incidents=history.incidents(),
        outbox=history.outbox(),
        dropped=history.dropped(),
        jobs=sum(job.active for job in standing(judged.config.jobs, history, now).jobs.values()),
    )
