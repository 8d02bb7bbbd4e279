"""What people switched while the daemon was up or down: as values, and the door that enters it.

Each change is one transaction with its entry in the audit. The last one wins.
"""

from __future__ import annotations

import json
import sqlite3
from collections.abc import Callable, Iterable, Iterator, Mapping
from contextlib import AbstractContextManager, contextmanager
from datetime import datetime, timedelta
from types import MappingProxyType
from typing import Any

from msgspec import Struct, field
from msgspec.structs import replace

from inisched.stores.moments import from_ms, to_ms
from inisched.timing.recurrence import Anchor

ENABLED, PAUSED, SCHEDULE = "enabled", "paused", "schedule"
"""The kinds of switches a job has."""

Keys = Mapping[str, str]
"""A new schedule: those of every, at, on_day, cron and from_end that were given, as text."""


class Mark(Struct, frozen=True):
    """Who threw a switch, when, and why."""

    by: str
    since: datetime
    note: str = ""


class FormerRhythm(Struct, frozen=True):
    """Where the rhythm of the file's schedule stood when another one came into force.

    `shift` is by how much the clock has been set under it, for elapsed intervals.
    """

    meaning: str
    anchor: Anchor
    shift: timedelta


class Switch(Struct, frozen=True, kw_only=True):
    """All that is switched of one job; None where the file has its way.

    It has been `enabled`, or not, since `enabled_from`. A pause lasts from `paused_from` until
    `paused_until`, not included; one that is over is still told, for fires that came due in it may
    not have been looked at yet. `marks` are by kind.
    """

    job: str
    enabled: bool | None = None
    enabled_from: datetime | None = None
    paused_from: datetime | None = None
    paused_until: datetime | None = None
    schedule: Keys | None = None
    marks: Mapping[str, Mark] = field(default_factory=lambda: MappingProxyType({}))
    former: FormerRhythm | None = None

    def in_force(self, now: datetime) -> Switch | None:
        """Without a pause that is over; None where nothing is switched then."""
        current = self if self.is_paused(now) else self._without_pause()
        return current if current.marks else None

    def is_paused(self, now: datetime) -> bool:
        return self.paused_until is not None and now < self.paused_until

    @property
    def latest(self) -> Mark:
        """Who threw a switch of the job last; there must be one."""
        return max(self.marks.values(), key=lambda mark: mark.since)

    def _without_pause(self) -> Switch:
        marks = {kind: mark for kind, mark in self.marks.items() if kind != PAUSED}
        return replace(self, paused_from=None, paused_until=None, marks=marks)


class Hold(Struct, frozen=True):
    """Nothing starts, since `begun`; the mark is that of whoever said so last."""

    begun: datetime
    mark: Mark


class Release(Struct, frozen=True):
    """A hold from `begun` to `at` whose waiting fires are still to be run or skipped."""

    begun: datetime
    at: datetime
    run: bool


class AuditEntry(Struct, frozen=True, kw_only=True):
    """Who switched what, and when. `job` is None where all jobs are meant."""

    id: int
    at: datetime
    by: str
    action: str
    job: str | None
    detail: str
    note: str


Run = Callable[..., list[sqlite3.Row]]
"""Runs a statement of `queries.sql` by its name."""


class Switches:
    """The switches of one ledger, through its connection. Raises what that raises."""

    def __init__(self, together: Callable[[], AbstractContextManager[None]], run: Run) -> None:
        self._run = run
        self._transaction = together
        self.kept: list[tuple[str, dict[str, Any]]] = []
        """How to enter what is switched once more, where a database has lost it."""

    def all(self) -> dict[str, Switch]:
        """Everything that is switched, by job."""
        self.kept = self._entered()
        return read_switches(self._run("all_switches"), self._run("former_rhythms"))

    def held(self) -> Hold | None:
        """Whether nothing may start."""
        return read_hold(self._run("the_hold"))

    def releasing(self) -> Release | None:
        """A release of which the waiting fires have not heard yet."""
        for row in self._run("the_hold"):
            if row["released"] is not None:
                at = from_ms(row["released_at"])
                return Release(from_ms(row["begun"]), at, row["released"] == "run")
        return None

    # -- of one job ----------------------------------------------------------------------------

    def enable(self, job: str, mark: Mark) -> None:
        """Switch a job on, whatever the file says."""
        with self._together():
            job_id = self._id(job)
            former = self._value(job_id, ENABLED)
            if former is not None and not former["value"]:
                self._run("look_on", job_id=job_id, now=to_ms(mark.since))
            self._throw(job_id, ENABLED, True, mark, begun=_begun(former, True))
            self._enter("enable", job, "", mark)

    def disable(self, job: str, mark: Mark) -> None:
        """Switch a job off, whatever the file says."""
        with self._together():
            job_id = self._id(job)
            former = self._value(job_id, ENABLED)
            self._throw(job_id, ENABLED, False, mark, begun=_begun(former, False))
            self._enter("disable", job, "", mark)

    def pause(self, job: str, until: datetime, mark: Mark) -> None:
        """Let a job rest until that moment; a pause that lasts is made longer or shorter."""
        with self._together():
            job_id = self._id(job)
            former, begun = self._value(job_id, PAUSED), to_ms(mark.since)
            if former is not None and former["value"] > begun:
                begun = former["begun"]
            self._throw(job_id, PAUSED, to_ms(until), mark, begun=begun)
            self._enter("pause", job, f"until {_iso(until)}", mark)

    def resume(self, job: str, mark: Mark) -> bool:
        """End a pause now; whether there was one."""
        with self._together():
            job_id, now = self._id(job), to_ms(mark.since)
            former = self._value(job_id, PAUSED)
            paused = former is not None and former["value"] > now
            if paused:
                self._run("end_pause", job_id=job_id, now=now)
            self._enter("resume", job, "" if paused else "was not paused", mark)
            return paused

    def reschedule(self, job: str, keys: Keys, shown: str, mark: Mark) -> None:
        """Give a job another schedule; `shown` is how it reads."""
        with self._together():
            job_id = self._id(job)
            self._run("keep_rhythm", job_id=job_id)
            self._throw(job_id, SCHEDULE, json.dumps(dict(keys)), mark)
            self._enter("reschedule", job, shown, mark)

    def unschedule(self, job: str, mark: Mark) -> bool:
        """Let the file's schedule have its way again; whether it had not."""
        with self._together():
            job_id = self._id(job)
            had = self._value(job_id, SCHEDULE) is not None
            self._run("drop_switch", job_id=job_id, kind=SCHEDULE)
            self._enter("reschedule", job, "clear" if had else "was not rescheduled", mark)
            return had

    def clear(self, job: str, mark: Mark) -> None:
        """Have a failure of the job forgotten: later periods of a report go on."""
        with self._together():
            self._run("stop_line", job_id=self._id(job), run=None)
            self._run("close_incidents_of_job", job_id=self._id(job), now=to_ms(mark.since))
            self._enter("clear", job, "", mark)

    # -- of all jobs ---------------------------------------------------------------------------

    def hold(self, mark: Mark) -> None:
        """Let nothing start."""
        with self._together():
            self._run("hold", by=mark.by, since=to_ms(mark.since), note=mark.note)
            self._enter("hold", None, "", mark)

    def release(self, mark: Mark, *, run: bool) -> bool:
        """End a hold; whether there was one. What waits is told by whoever has it in hand."""
        with self._together():
            word = "run" if run else "skip"
            rows = self._run("release", released=word, now=to_ms(mark.since))
            held = bool(rows)
            self._enter("release", None, f"{word} pending" if held else "nothing was held", mark)
            return held

    def released(self) -> None:
        """What waited during the hold knows what becomes of it."""
        with self._together():
            self._run("end_hold")

    # -- rows ----------------------------------------------------------------------------------

    @contextmanager
    def _together(self) -> Iterator[None]:
        """One transaction, and a memory of what is switched afterwards."""
        with self._transaction():
            yield
            kept = self._entered()
        self.kept = kept

    def _entered(self) -> list[tuple[str, dict[str, Any]]]:
        tables = {
            "the_switches": "switch_again",
            "the_former_rhythms": "former_rhythm_again",
            "the_hold": "hold_again",
        }
        return [(again, dict(row)) for rows, again in tables.items() for row in self._run(rows)]

    def _id(self, job: str) -> int:
        self._run("know_job", name=job)
        return int(self._run("job_named", name=job)[0]["id"])

    def _value(self, job_id: int, kind: str) -> sqlite3.Row | None:
        rows = self._run("switch_of_job", job_id=job_id, kind=kind)
        return rows[0] if rows else None

    def _throw(
        self, job_id: int, kind: str, value: object, mark: Mark, *, begun: int | None = None
    ) -> None:
        since = to_ms(mark.since)
        begun = since if begun is None else begun
        who = {"by": mark.by, "since": since, "note": mark.note}
        self._run("throw_switch", job_id=job_id, kind=kind, value=value, begun=begun, **who)

    def _enter(self, action: str, job: str | None, detail: str, mark: Mark) -> None:
        values: dict[str, Any] = {"by": mark.by, "at": to_ms(mark.since), "note": mark.note}
        self._run("enter_audit", action=action, job=job, detail=detail, **values)


def read_switches(rows: Iterable[sqlite3.Row], former: Iterable[sqlite3.Row]) -> dict[str, Switch]:
    """Rows of `switch` and `former_rhythm` as values by job."""
    found: dict[str, Switch] = {}
    for row in rows:
        switch = found.get(row["job"], Switch(job=row["job"]))
        found[switch.job] = _with(switch, row)
    for row in former:
        switch = found.get(row["job"], Switch(job=row["job"]))
        anchor = Anchor(from_ms(row["anchor"]), bool(row["anchor_counts"]))
        shift = timedelta(milliseconds=row["shift"])
        found[switch.job] = replace(switch, former=FormerRhythm(row["meaning"], anchor, shift))
    return found


def _with(switch: Switch, row: sqlite3.Row) -> Switch:
    marks = {**switch.marks, row["kind"]: _mark(row)}
    if row["kind"] == ENABLED:
        since = from_ms(row["begun"])
        return replace(switch, marks=marks, enabled=bool(row["value"]), enabled_from=since)
    if row["kind"] == PAUSED:
        begun, until = from_ms(row["begun"]), from_ms(row["value"])
        return replace(switch, marks=marks, paused_from=begun, paused_until=until)
    return replace(switch, marks=marks, schedule=json.loads(row["value"]))


def read_hold(rows: Iterable[sqlite3.Row]) -> Hold | None:
    """The row of `hold` as a value; None where nothing is held."""
    for row in rows:
        if row["released"] is None:
            return Hold(from_ms(row["begun"]), _mark(row))
    return None


def read_audit(row: sqlite3.Row) -> AuditEntry:
    """A row of `audit` as a value."""
    facts = {name: row[name] for name in ("id", "by", "action", "job", "detail", "note")}
    return AuditEntry(at=from_ms(row["at"]), **facts)


def _begun(former: sqlite3.Row | None, value: bool) -> int | None:
    """Since when it has been so, where that is nothing new."""
    return former["begun"] if former is not None and bool(former["value"]) is value else None


def _mark(row: sqlite3.Row) -> Mark:
    return Mark(row["by"], from_ms(row["since"]), row["note"])


def _iso(moment: datetime) -> str:
    form = "milliseconds" if moment.microsecond else "seconds"
    return moment.isoformat(timespec=form).replace("+00:00", "Z")
