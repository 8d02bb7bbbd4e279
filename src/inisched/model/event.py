"""An event: something that happened to a job, with the same fields in good times and bad."""

from __future__ import annotations

from collections.abc import Mapping
from datetime import UTC, date, datetime, timedelta
from enum import Enum
from typing import Any

from msgspec import Struct

from inisched.model.run import Reason, State, Trigger


class Kind(Enum):
    """What an event tells. People can ask for the first six, and for `slow` by `warn_after`."""

    __hash__ = object.__hash__  # as State's

    FAILURE = "failure"
    RECOVERY = "recovery"
    SUCCESS = "success"
    WARNING = "warning"
    LATE = "late"
    SKIPPED = "skipped"
    SLOW = "slow"
    STARTED = "started"
    INTERRUPTED = "interrupted"
    TEST = "test"


class Event(Struct, frozen=True, kw_only=True):
    """What happened, whole: nobody needs the ledger to tell it. Moments are aware UTC.

    None: there is no such thing, as a late fire has no run. `at` is the moment it happened.
    `stdout` and `stderr` are the last lines of what was kept, secrets masked; `result` is what a
    callback returned as text. `incident` is the id of the incident it belongs to, open since
    `since` with so many `failures`; `late_since` is the fire whose start was awaited in vain. A
    `reminder` tells once more what has been told. `changed` says in sentences what is different
    from when the job last worked; `again` is the command that repeats the run. `zone` is where
    people read its times.
    """

    kind: Kind
    at: datetime
    job: str
    description: str = ""
    zone: str = "UTC"
    run: int | None = None
    fire_at: datetime | None = None
    fire_until: datetime | None = None
    count: int = 1
    state: State | None = None
    reason: Reason | None = None
    trigger: Trigger | None = None
    attempt: int = 1
    started_at: datetime | None = None
    ended_at: datetime | None = None
    duration: timedelta | None = None
    exit_code: int | None = None
    message: str = ""
    stdout: str = ""
    stderr: str = ""
    result: str = ""
    period_start: date | None = None
    period_end: date | None = None
    override: bool = False
    incident: int | None = None
    since: datetime | None = None
    late_since: datetime | None = None
    failures: int = 0
    reminder: bool = False
    changed: tuple[str, ...] = ()
    again: str = ""
    file: str = ""
    host: str = ""

    def as_json(self) -> dict[str, Any]:
        """All fields as JSON holds them: moments as ISO-8601 UTC text, durations in seconds."""
        found = {name: _plain(getattr(self, name)) for name in self.__struct_fields__}
        found["event"] = found.pop("kind")
        found["duration_s"] = found.pop("duration")
        return found

    @classmethod
    def from_json(cls, packed: Mapping[str, Any]) -> Event:
        """The event again. A field this version does not know is left out."""
        known = cls.__struct_fields__
        found = {name: value for name, value in packed.items() if name in known}
        found |= {"kind": packed["event"], "duration": packed["duration_s"]}
        return cls(**{name: _READERS.get(name, _as_is)(value) for name, value in found.items()})


def _plain(value: object) -> object:
    match value:
        case Enum():
            return value.value
        case datetime():
            text = value.astimezone(UTC).isoformat(timespec="milliseconds")
            return text.replace(".000", "").replace("+00:00", "Z")
        case date():
            return value.isoformat()
        case timedelta():
            return round(value.total_seconds(), 3)
        case tuple():
            return list(value)
    return value


def _as_is(value: Any) -> Any:
    return value


def _moment(text: str | None) -> datetime | None:
    return None if text is None else datetime.fromisoformat(text).astimezone(UTC)


def _day(text: str | None) -> date | None:
    return None if text is None else date.fromisoformat(text)


def _maybe(kind: type[Enum]) -> Any:
    return lambda value: None if value is None else kind(value)


_READERS: dict[str, Any] = {
    "kind": Kind,
    "state": _maybe(State),
    "reason": _maybe(Reason),
    "trigger": _maybe(Trigger),
    "duration": lambda value: None if value is None else timedelta(seconds=value),
    "changed": tuple,
    **dict.fromkeys(
        ("at", "fire_at", "fire_until", "started_at", "ended_at", "since", "late_since"), _moment
    ),
    **dict.fromkeys(("period_start", "period_end"), _day),
}
