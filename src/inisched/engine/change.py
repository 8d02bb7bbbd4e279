"""A switch that somebody throws, on its way to the ledger: by the daemon's hand or a command's."""

from __future__ import annotations

from datetime import UTC, datetime
from enum import Enum
from typing import Any

from msgspec import Struct

from inisched.config.rescheduled import KEYS, reschedule
from inisched.model.schedule import Schedule
from inisched.stores.switches import Keys, Mark, Switches

LONGEST_NOTE = 1000
"""Characters."""

LONGEST_NAME = 80
"""Characters of a login name that are kept."""


class Action(Enum):
    """What can be switched, as the command is called."""

    ENABLE = "enable"
    DISABLE = "disable"
    RESCHEDULE = "reschedule"
    PAUSE = "pause"
    RESUME = "resume"
    CLEAR = "clear"
    HOLD = "hold"
    RELEASE = "release"


_OF_ALL = (Action.HOLD, Action.RELEASE)


class Change(Struct, frozen=True, kw_only=True):
    """Who wants what switched, and why.

    `until` goes with PAUSE. With RESCHEDULE a `schedule` of None lets the file have its way again.
    `run` goes with RELEASE: whether what waits runs or is skipped.
    """

    action: Action
    by: str
    note: str = ""
    job: str | None = None
    until: datetime | None = None
    schedule: Keys | None = None
    run: bool = False

    def __str__(self) -> str:
        """As a line of the log has it."""
        detail = ""
        if self.action is Action.RESCHEDULE:
            detail = f" to {shown(self.schedule)}" if self.schedule else " back to the file's"
        elif self.action is Action.PAUSE and self.until is not None:
            detail = f" until {self.until.isoformat(timespec='seconds')}"
        elif self.action is Action.RELEASE:
            detail = f", {'run' if self.run else 'skip'} pending"
        what = f"{self.job}: " if self.job else ""
        note = f": {self.note}" if self.note else ""
        return f"{what}{self.action.value}{detail} by {self.by}{note}"

    def enter(self, switches: Switches, now: datetime) -> bool:
        """Write it into the ledger; whether anything was there to be switched."""
        job, mark = self.job or "", Mark(self.by, now, self.note)
        match self.action:
            case Action.ENABLE:
                switches.enable(job, mark)
            case Action.DISABLE:
                switches.disable(job, mark)
            case Action.CLEAR:
                switches.clear(job, mark)
            case Action.HOLD:
                switches.hold(mark)
            case Action.PAUSE:
                assert self.until is not None
                switches.pause(job, self.until, mark)
            case Action.RESUME:
                return switches.resume(job, mark)
            case Action.RELEASE:
                return switches.release(mark, run=self.run)
            case Action.RESCHEDULE if self.schedule is None:
                return switches.unschedule(job, mark)
            case Action.RESCHEDULE:
                switches.reschedule(job, self.schedule, shown(self.schedule), mark)
        return True

    def packed(self) -> dict[str, Any]:
        """As JSON takes it."""
        return {
            "action": self.action.value,
            "by": self.by,
            "note": self.note,
            "job": self.job,
            "until": self.until.isoformat() if self.until else None,
            "schedule": dict(self.schedule) if self.schedule is not None else None,
            "run": self.run,
        }

    @classmethod
    def unpacked(cls, packed: dict[str, Any]) -> Change:
        """Raises ValueError, KeyError or TypeError for what `packed` did not make."""
        action, job, until = Action(packed["action"]), packed["job"], packed["until"]
        if (job is None) != (action in _OF_ALL) or (until is None) == (action is Action.PAUSE):
            raise ValueError(f"{action.value} of {job!r} until {until!r}")
        return cls(
            action=action,
            by=_text(packed["by"])[:LONGEST_NAME],
            note=_text(packed["note"])[:LONGEST_NOTE],
            job=None if job is None else _text(job),
            until=None if until is None else _moment(until),
            schedule=_keys(packed["schedule"]),
            run=packed["run"] is True,
        )


def shown(keys: Keys) -> str:
    """How a new schedule reads. Raises Unreadable."""
    return reschedule(Schedule(zone="UTC", text=""), keys).text


def _text(value: object) -> str:
    """Text that a database takes; raises ValueError for what no terminal could have typed."""
    if not isinstance(value, str) or "\0" in value:
        raise ValueError(f"{value!r} is no text")
    value.encode()
    return value


def _moment(text: str) -> datetime:
    moment = datetime.fromisoformat(text)
    if moment.tzinfo is None:
        raise ValueError("a moment needs an offset")
    return moment.astimezone(UTC)


def _keys(value: object) -> Keys | None:
    if value is None:
        return None
    if not isinstance(value, dict):
        raise TypeError(f"{value!r} is no schedule")
    keys = {name: _text(text) for name, text in value.items()}
    if not keys.keys() <= set(KEYS):
        raise ValueError(f"{value!r} is no schedule")
    shown(keys)
    return keys
