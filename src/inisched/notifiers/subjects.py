"""The one line of a notice: what a person reads first, and often nothing else."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from datetime import datetime

from inisched.config.drawing import escaped
from inisched.model.event import Event, Kind
from inisched.model.run import State
from inisched.notifiers.moments import brief
from inisched.notifiers.undelivered import shortened

_LONGEST = 200
_NAMES_SHOWN = 2


def subject(event: Event) -> str:
    """ "flaky failed: exit code 3", at most 200 characters on one line."""
    return _one_line(_SAID.get(event.kind, _plainly)(event))


def digest_subject(events: Sequence[Event]) -> str:
    """ "5 notices about flaky, backup and 2 other jobs"; of one event its own subject."""
    if len(events) == 1:
        return subject(events[0])
    names = list(dict.fromkeys(event.job for event in events if event.job))
    shown = names[:_NAMES_SHOWN] if len(names) > _NAMES_SHOWN + 1 else names
    left = len(names) - len(shown)
    listed = [*shown, f"{left} other jobs"] if left else shown
    about = " and ".join(filter(None, (", ".join(listed[:-1]), *listed[-1:])))
    return _one_line(f"{len(events)} notices" + (f" about {about}" if about else ""))


def failures(event: Event) -> str:
    """ "1 failure", "1440 failures"."""
    return "1 failure" if event.failures == 1 else f"{event.failures} failures"


def missed_fire(event: Event) -> datetime | None:
    """The fire for which nothing started."""
    return event.late_since or event.fire_at


def _recovery(event: Event) -> str:
    works = f"{event.job} works again"
    if event.failures:
        return f"{works}, after {failures(event)}{_since(event)}"
    if event.late_since:
        return f"{works}; it had been late since its fire of {brief(event, event.late_since)}"
    return works


def _failure(event: Event) -> str:
    if event.reminder:
        return f"{event.job} still fails: {failures(event)}{_since(event)}"
    if event.state is not State.TIMEOUT:
        return _with_message(f"{event.job} failed", event)
    if event.message.startswith("timed out"):
        return f"{event.job} {event.message}"
    return _with_message(f"{event.job} timed out", event)


def _late(event: Event) -> str:
    fire = missed_fire(event)
    late = f"{event.job} is still late" if event.reminder else f"{event.job} is late"
    return f"{late}: nothing started for its fire of {brief(event, fire)}" if fire else late


def _skipped(event: Event) -> str:
    why = event.message or (event.reason.value if event.reason else "")
    return f"{event.job} was skipped" + (f": {why}" if why else "")


def _plainly(event: Event) -> str:
    return _with_message(f"{event.job} {_WORDS[event.kind]}", event)


def _with_message(text: str, event: Event) -> str:
    return f"{text}: {event.message}" if event.message else text


def _since(event: Event) -> str:
    return f" since {brief(event, event.since)}" if event.since else ""


def _one_line(text: str) -> str:
    return shortened(escaped(" ".join(text.split())), _LONGEST)


_WORDS = {
    Kind.SUCCESS: "succeeded",
    Kind.WARNING: "ended with a warning",
    Kind.SLOW: "takes longer than expected",
    Kind.STARTED: "has started",
    Kind.INTERRUPTED: "was interrupted",
}
_SAID: dict[Kind, Callable[[Event], str]] = {
    Kind.RECOVERY: _recovery,
    Kind.FAILURE: _failure,
    Kind.LATE: _late,
    Kind.SKIPPED: _skipped,
    Kind.TEST: lambda event: "a trial notice from inisched",
}
