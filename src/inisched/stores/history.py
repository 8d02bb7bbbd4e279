"""The ledger's reading side: what the faces ask. Never writes, never blocks the daemon."""

from __future__ import annotations

import sqlite3
from collections.abc import Iterable
from datetime import UTC, datetime, timedelta
from pathlib import Path
from typing import Any

from msgspec import Struct

from inisched.model.event import Kind
from inisched.stores.job_state import JobState, read_job_states
from inisched.stores.life import Life, read_life
from inisched.stores.moments import from_ms, maybe_moment, to_ms
from inisched.stores.past import MOST, Entry, Past, read_entry
from inisched.stores.post import Incident, read_incidents
from inisched.stores.queries import queries
from inisched.stores.reading import Reading
from inisched.stores.stretches import Stretch, read_absence, read_down
from inisched.stores.switches import (
    AuditEntry,
    Hold,
    Switch,
    read_audit,
    read_hold,
    read_switches,
)

COLUMNS = (
    "id", "job", "fire_at", "fire_until", "count", "state", "reason", "trigger", "attempt",
    "started_at", "ended_at", "duration_s", "exit_code", "message", "period_start", "period_end",
    "override",
)  # fmt: skip
"""The columns of `history --json`, in order."""

FAILED = ("failure", "timeout", "interrupted")

Row = dict[str, Any]
"""One row of v_runs: the public columns, moments as ISO-8601 UTC text."""


class Whole(Struct, frozen=True):
    """One run with its output. Totals count every byte there was."""

    row: Row
    stdout: bytes
    stderr: bytes
    result: str


class History:
    """What the database tells, or nothing where there is none yet.

    Everything here raises Unusable where there is a file that cannot be read.
    """

    def __init__(self, path: Path) -> None:
        self.path = path
        self._reading = Reading(path)
        self._sql = queries()

    def close(self) -> None:
        self._reading.close()

    @property
    def id(self) -> str | None:
        """The database's own identity; None where there is none."""
        row = self._one("SELECT value FROM meta WHERE key = 'id'")
        return None if row is None else str(row[0])

    def jobs(self) -> dict[str, JobState]:
        """Every job the ledger knows, by name."""
        return read_job_states(
            self._all(self._sql["all_jobs"]), self._all(self._sql["fires_ahead"])
        )

    def rows(
        self,
        job: str | None = None,
        *,
        limit: int | None = None,
        failed: bool = False,
        since: datetime | None = None,
    ) -> list[Row]:
        """Rows, newest first; of one job, failures only, or those since a moment (by fire)."""
        where, values = _conditions(job, failed, since)
        ids = f"SELECT id FROM run {where} ORDER BY id DESC LIMIT {-1 if limit is None else limit}"
        query = f"SELECT {', '.join(COLUMNS)} FROM v_runs WHERE id IN ({ids}) ORDER BY id DESC"
        return [_public(row) for row in self._all(query, values)]

    def misfires(self, ids: Iterable[int]) -> dict[int, int]:
        """For how many misfires each of these runs stands, where it is more than one."""
        listed = ", ".join(str(int(run_id)) for run_id in ids)
        query = f"SELECT id, misfires FROM run WHERE id IN ({listed}) AND misfires > 1"
        return {row["id"]: row["misfires"] for row in self._all(query)}

    def run(self, run_id: int) -> Whole | None:
        """One run whole; None where there is no such run."""
        row = self._one(self._sql["one_run"], {"id": run_id})
        if row is None:
            return None
        return Whole(_public(row), row["stdout"] or b"", row["stderr"] or b"", row["result"] or "")

    def last_runs(self) -> dict[str, Row]:
        """The newest run of each job that was started, by job."""
        return {row["job"]: _public(row) for row in self._all(self._sql["last_runs"])}

    def lengths(self, name: str, *, limit: int) -> list[timedelta]:
        """How long the job's newest runs took, failures and timeouts too; newest first."""
        rows = self._all(self._sql["lengths_of_job"], {"name": name, "limit": limit})
        return [timedelta(milliseconds=row["length"]) for row in rows]

    def overlapped(self) -> dict[str, int]:
        """How many fires a job's latest run has cost by being still under way, by job."""
        return {row["name"]: int(row["count"]) for row in self._all(self._sql["last_overlaps"])}

    def open_rows(self) -> list[Row]:
        """What waits or runs, oldest first, with what its waiting depends on: `not_before`,
        `taken_at`, `first_at` and `asked_at` are moments or None, `asked` a number."""
        return [_open(row) for row in self._all(self._sql["open_view"])]

    def switches(self) -> dict[str, Switch]:
        """Everything that people switched, by job."""
        return read_switches(
            self._all(self._sql["all_switches"]), self._all(self._sql["former_rhythms"])
        )

    def cleared(self) -> dict[str, datetime]:
        """When a person last had a failure of a job forgotten, by job."""
        return {row["job"]: from_ms(row["at"]) for row in self._all(self._sql["cleared"])}

    def held(self) -> Hold | None:
        """Whether nothing may start, since when and why."""
        return read_hold(self._all(self._sql["the_hold"]))

    def audit(self, job: str | None = None, *, limit: int | None = None) -> list[AuditEntry]:
        """Who switched what, newest first; of one job, or of all with what concerns them all."""
        values = {"job": job, "limit": -1 if limit is None else limit}
        return [read_audit(row) for row in self._all(self._sql["audit"], values)]

    def incidents(self) -> list[Incident]:
        """What is wrong with jobs and has been told, the oldest first: failures and lateness."""
        found = read_incidents(self._post("open_incidents"))
        return [one for one in found if one.kind in (Kind.FAILURE, Kind.LATE)]

    def outbox(self) -> int:
        """How many letters are on their way."""
        return sum(row["number"] for row in self._post("outbox_size"))

    def dropped(self) -> int:
        """How many letters were given up, ever."""
        return sum(int(row["value"]) for row in self._post("dropped"))

    def _post(self, query: str) -> list[sqlite3.Row]:
        """Nothing where the database is of the version before, which knew of no letters."""
        known = self._one("SELECT 1 FROM sqlite_master WHERE name = 'outbox'")
        return [] if known is None else self._named(query, {})

    def last_life(self) -> Life | None:
        """The newest life of a daemon; None where there was none."""
        return read_life(self._one(self._sql["last_life"]))

    def past(self, job: str) -> Past:
        """What the ledger holds of one job, by its fires."""
        return Past(job, self._named)

    def entry(self, run_id: int) -> Entry | None:
        """One row; None where there is none of that id."""
        return next(map(read_entry, self._named("one_entry", {"id": run_id})), None)

    def ended_at(self, job: str, moment: datetime, *, before: int) -> int | None:
        """The run of the job, older than another, that had just ended at the moment."""
        values = {"job": job, "moment": to_ms(moment), "before": before}
        return next((row["id"] for row in self._named("just_ended", values)), None)

    def stretches(self, since: datetime, until: datetime) -> list[Stretch]:
        """When nobody looked between the two moments, and the clock was set, in order."""
        values = {"since": to_ms(since), "until": to_ms(until), "limit": MOST}
        found = [read_down(row) for row in self._named("down_between", values)]
        found += [read_absence(row) for row in self._named("absences_between", values)]
        return sorted(found, key=lambda stretch: stretch.until)

    def steps(self) -> list[Stretch]:
        """How the clock was set under a daemon, the latest first."""
        return [read_absence(row) for row in self._named("steps", {"limit": MOST})]

    def _named(self, query: str, values: dict[str, Any]) -> list[sqlite3.Row]:
        return self._all(self._sql[query], values)

    def _all(self, query: str, values: dict[str, Any] | None = None) -> list[sqlite3.Row]:
        return self._reading.all(query, values)

    def _one(self, query: str, values: dict[str, Any] | None = None) -> sqlite3.Row | None:
        rows = self._all(query, values)
        return rows[0] if rows else None


def _conditions(
    job: str | None, failed: bool, since: datetime | None
) -> tuple[str, dict[str, Any]]:
    conditions: list[str] = []
    values: dict[str, Any] = {}
    if job is not None:
        conditions.append("job_id = (SELECT id FROM job WHERE name = :job)")
        values["job"] = job
    if failed:
        # As the index of failures has it, or SQLite does not use that.
        conditions.append(f"({' OR '.join(f'state = {state!r}' for state in FAILED)})")
    if since is not None:
        conditions.append("coalesce(fire_until, fire_at) >= :since")
        values["since"] = to_ms(since)
    return ("WHERE " + " AND ".join(conditions) if conditions else ""), values


def _public(row: sqlite3.Row) -> Row:
    public = {column: row[column] for column in COLUMNS}
    public["override"] = bool(public["override"])
    return public


def _open(row: sqlite3.Row) -> Row:
    moments = ("not_before", "taken_at", "first_at", "asked_at")
    found = {name: maybe_moment(row[name]) for name in moments}
    return _public(row) | found | {"asked": row["asked"]}


def parse(text: str) -> datetime:
    """A moment of a row back as aware UTC."""
    return datetime.fromisoformat(text).astimezone(UTC)
