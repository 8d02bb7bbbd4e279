"""Events and letters to be sent."""

from __future__ import annotations

from datetime import UTC, datetime, timedelta
from typing import Any

from inisched.model.event import Event, Kind
from inisched.model.notifier import Mail, Smtp, Way
from inisched.model.run import State
from inisched.notifiers.delivery import deliver
from inisched.notifiers.message import Message
from inisched.notifiers.wire import Letter, Parcel

AT = datetime(2026, 11, 21, 1, 30, 12, tzinfo=UTC)
FIRE = datetime(2026, 11, 21, 1, 30, tzinfo=UTC)


def event(kind: Kind = Kind.FAILURE, **said: Any) -> Event:
    """A failure of a job in Paris, unless something else is said."""
    usual: dict[str, Any] = {"at": AT, "job": "flaky", "zone": "Europe/Paris", "host": "web1"}
    if kind is Kind.FAILURE:
        usual |= {"run": 17, "fire_at": FIRE, "started_at": FIRE, "ended_at": AT}
        usual |= {"duration": timedelta(seconds=12), "state": State.FAILURE, "exit_code": 3}
        usual |= {"message": "exit code 3"}
    return Event(kind=kind, **usual | said)


def letter(number: int = 1, **said: Any) -> Letter:
    monitor = said.pop("monitor", None)
    return Letter(id=number, key=f"abc-{number}", event=event(**said), monitor=monitor)


def other(number: int, **said: Any) -> Letter:
    """A letter of another job."""
    return letter(number, **{"job": f"job {number}", **said})


def message(*letters: Letter, digest: bool = False, **said: Any) -> Message:
    return Message(letters or [letter(**said)], digest=digest)


def mail(port: int, *to: str, host: str = "127.0.0.1", sender: str = "", **smtp: Any) -> Mail:
    server = Smtp(host=host, port=port, **smtp)
    return Mail(to=to or ("ops@example.com",), smtp=server, sender=sender)


def delivered(way: Way, *letters: Letter, **said: Any) -> list[tuple[int, bool, str, bool]]:
    """What became of each letter: id, ok, error, final. One that was not tried has no error."""
    parcel = Parcel(way=way, letters=letters or (letter(),), **{"ledger": "L", **said})
    return [(done.id, done.ok, done.error, done.final) for done in deliver(parcel)]
