"""What people are told of jobs: incidents that last, letters on their way, editions of the file."""

from __future__ import annotations

import json
import sqlite3
import zlib
from collections.abc import Callable, Iterable, Sequence
from contextlib import AbstractContextManager
from datetime import datetime, timedelta

from msgspec import Struct, field

from inisched.model.event import Event, Kind
from inisched.stores.moments import from_ms, maybe_moment, to_ms

MOST_WAITING = 1000
"""Letters of one way that wait; beyond that the oldest are dropped."""

MOST_EDITIONS = 20


class Incident(Struct):
    """What is wrong with a job since `opened`; `told` is when each notifier last heard of it."""

    id: int
    job: str
    kind: Kind
    opened: datetime
    failures: int = 0
    fire_at: datetime | None = None
    told: dict[str, datetime] = field(default_factory=dict)


class Letter(Struct, frozen=True):
    """An event for one way: notify:NAME, ping or sentry."""

    way: str
    event: Event


class Report(Struct):
    """What is to be written of what happened at a moment, in the transaction that enters it."""

    at: datetime
    opened: list[Incident] = field(default_factory=list)
    failed_again: list[int] = field(default_factory=list)
    closed: list[int] = field(default_factory=list)
    told: list[tuple[int, str]] = field(default_factory=list)
    letters: list[Letter] = field(default_factory=list)

    def __bool__(self) -> bool:
        return bool(self.opened or self.failed_again or self.closed or self.told or self.letters)


class Waiting(Struct, frozen=True):
    """A letter that waits. `pid` names the process that has it in hand, None where none has."""

    id: int
    way: str
    job: str
    entered: datetime
    tries: int
    not_before: datetime
    pid: int | None
    pid_started: int | None


Run = Callable[..., list[sqlite3.Row]]
"""Runs a statement of the .sql files by its name."""


class Post:
    """Incidents and letters of one ledger, through its connection. Raises what that raises.

    `changed`: letters have been entered, or taken back, since they were last looked at.
    """

    def __init__(self, together: Callable[[], AbstractContextManager[None]], run: Run) -> None:
        self._together = together
        self._run = run
        self.changed = True

    # -- what happened -------------------------------------------------------------------------

    def enter(self, report: Report) -> None:
        """Write a report by itself."""
        if report:
            with self._together():
                self.write(report)

    def write(self, report: Report | None) -> None:
        """Write a report, if there is one, as part of a transaction that is under way."""
        if not report:
            return
        moment = to_ms(report.at)
        for new in report.opened:
            fire_at = to_ms(new.fire_at) if new.fire_at else None
            values = {"id": new.id, "job": new.job, "kind": new.kind.value, "fire_at": fire_at}
            opened = to_ms(new.opened)
            self._run("open_incident", opened=opened, failures=new.failures, **values)
        for incident in report.failed_again:
            self._run("count_failure", id=incident)
        for incident in report.closed:
            self._run("close_incident", id=incident, now=moment)
        for incident, notifier in report.told:
            self._run("note_told", id=incident, notifier=notifier, now=moment)
        for letter in report.letters:
            event = json.dumps(letter.event.as_json(), ensure_ascii=False)
            self._run("enter_letter", way=letter.way, job=letter.event.job, event=event, now=moment)
        for way in {letter.way for letter in report.letters}:
            crowded_out = len(self._run("crowd_out", way=way, most=MOST_WAITING))
            self._drop(crowded_out)
            if crowded_out:
                import logging  # a reader of incidents has no use for it

                logging.getLogger("inisched").error(
                    "%s: %d of the oldest notices dropped, for %d wait",
                    way,
                    crowded_out,
                    MOST_WAITING,
                )
        self.changed |= bool(report.letters)

    def incidents(self) -> list[Incident]:
        """Those that last, the oldest first."""
        return read_incidents(self._run("open_incidents"))

    def newest_incident(self) -> int:
        """The highest id there has been; 0 before the first."""
        return int(self._run("newest_incident")[0]["id"])

    def move(self, step: timedelta) -> None:
        """The clock was set, in the transaction that is under way."""
        milliseconds = step // timedelta(milliseconds=1)
        self._run("move_post", step=milliseconds)
        self._run("move_outbox", step=milliseconds)
        self.changed = True

    # -- letters -------------------------------------------------------------------------------

    def waiting(self) -> list[Waiting]:
        """Every letter on its way, the oldest first."""
        found = [_read_waiting(row) for row in self._run("letters")]
        self.changed = False
        return found

    def event(self, letter: int) -> Event | None:
        """What a letter tells; None for one that is gone."""
        rows = self._run("letter", id=letter)
        return Event.from_json(json.loads(rows[0]["event"])) if rows else None

    def hand_out(self, letters: Iterable[int], pid: int, started: int) -> None:
        """A process has these in hand from now on."""
        with self._together():
            for letter in letters:
                self._run("hand_out", id=letter, pid=pid, pid_started=started)

    def take_back(self, letters: Iterable[int]) -> None:
        """Nobody has these in hand any more, and they were not delivered as far as is known."""
        self.changed = True
        with self._together():
            for letter in letters:
                self._run("take_back", id=letter)

    def hasten(self, letters: Iterable[int]) -> None:
        """These may be tried at once: what hindered them may be over."""
        self.changed = True
        with self._together():
            for letter in letters:
                self._run("hasten", id=letter)

    def settle(
        self,
        delivered: Iterable[int],
        *,
        later: Iterable[tuple[int, datetime]] = (),
        lost: Sequence[int] = (),
        left: Iterable[int] = (),
    ) -> None:
        """What became of letters: delivered, to be tried again at a moment, given up, not tried."""
        self.changed = True
        with self._together():
            for letter in left:
                self._run("take_back", id=letter)
            for letter in delivered:
                self._run("delete_letter", id=letter)
            for letter, moment in later:
                self._run("put_off_letter", id=letter, not_before=to_ms(moment))
            self._drop(sum(len(self._run("delete_letter", id=letter)) for letter in lost))

    def size(self) -> int:
        """How many letters are on their way."""
        return int(self._run("outbox_size")[0]["number"])

    def dropped(self) -> int:
        """How many letters were given up or crowded out, ever."""
        rows = self._run("dropped")
        return int(rows[0]["value"]) if rows else 0

    def _drop(self, number: int) -> None:
        if number:
            self._run("count_dropped", number=number)

    # -- the file ------------------------------------------------------------------------------

    def note_edition(self, digest: str, text: Callable[[], str], now: datetime) -> None:
        """Keep the file's text, unless it is that of the newest edition."""
        rows = self._run("edition")
        if rows and rows[0]["digest"] == digest:
            return
        packed = zlib.compress(text().encode(errors="surrogateescape"), 1)
        with self._together():
            self._run("enter_edition", now=to_ms(now), digest=digest, text=packed)
            self._run("forget_editions", most=MOST_EDITIONS)

    def edition(self, moment: datetime) -> str | None:
        """The file's text as it was in force at the moment; None where that is not known."""
        rows = self._run("edition_at", moment=to_ms(moment))
        return zlib.decompress(rows[0]["text"]).decode(errors="surrogateescape") if rows else None

    def lengths(self, job: str, *, limit: int) -> list[timedelta]:
        """How long the newest runs took that worked, the newest first."""
        rows = self._run("worked_lengths", name=job, limit=limit)
        return [timedelta(milliseconds=row["length"]) for row in rows]

    def rested_until(self, job: str) -> datetime | None:
        """When the job last began to have fires again; None where it always had."""
        return maybe_moment(self._run("last_rest", name=job)[0]["until"])


def read_incidents(rows: Iterable[sqlite3.Row]) -> list[Incident]:
    """Rows of `open_incidents` as values."""
    found: dict[int, Incident] = {}
    for row in rows:
        incident = found.setdefault(
            row["id"],
            Incident(
                row["id"],
                row["job"],
                Kind(row["kind"]),
                from_ms(row["opened"]),
                row["failures"],
                maybe_moment(row["fire_at"]),
            ),
        )
        if row["notifier"] is not None:
            incident.told[row["notifier"]] = from_ms(row["at"])
    return list(found.values())


def _read_waiting(row: sqlite3.Row) -> Waiting:
    return Waiting(
        row["id"],
        row["way"],
        row["job"],
        from_ms(row["entered"]),
        row["tries"],
        from_ms(row["not_before"]),
        row["pid"],
        row["pid_started"],
    )
