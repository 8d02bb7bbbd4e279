"""What people read: the subject and the text of a notice, and of several told together."""

from __future__ import annotations

import re
from collections.abc import Iterator, Sequence

from inisched.config.drawing import escaped
from inisched.model.duration import show_duration
from inisched.model.event import Event, Kind
from inisched.model.run import Trigger
from inisched.notifiers.moments import brief, full
from inisched.notifiers.subjects import digest_subject, failures, missed_fire, subject
from inisched.notifiers.undelivered import shortened

__all__ = ["body", "digest_body", "digest_subject", "subject"]

MOST_LINES = 40
"""Lines of each stream that are told: its last."""
LONGEST_LINE = 500
MOST_LISTED = 200
MOST_WHOLE = 20
"""Events of a digest that are listed, and that are told whole."""
_COLOURS = re.compile(r"\x1b\[[0-9;?]*[ -/]*[@-~]")


def body(event: Event) -> str:
    """All there is to say of an event; lines without something to say are missing."""
    parts = (_opening(event), _facts(event), _incident(event), _changed(event), *_output(event))
    again = f"To run it again:\n\n    {_clean(event.again)}" if event.again else ""
    return "\n\n".join(filter(None, (*parts, again, _ending(event)))) + "\n"


def digest_body(events: Sequence[Event]) -> str:
    """What happened, a line each, and then each whole."""
    if len(events) == 1:
        return body(events[0])
    lines = [f"{brief(events[-1], event.at)}  {subject(event)}" for event in events[:MOST_LISTED]]
    if len(events) > MOST_LISTED:
        lines.append(f"… and {len(events) - MOST_LISTED:,} more")
    if len(events) > MOST_WHOLE:
        lines += ["", f"The first {MOST_WHOLE} of them in full:"]
    rule = "\n" + "-" * 72 + "\n\n"
    return rule.join(["\n".join(lines) + "\n", *map(body, events[:MOST_WHOLE])])


def _opening(event: Event) -> str:
    if event.kind is Kind.TEST:
        return "This is a trial notice from inisched: what it has to tell will come this way."
    return subject(event)


def _facts(event: Event) -> str:
    """What ran, when and how it ended, as a table."""
    rows = [(name, text) for name, text in _rows(event) if text]
    width = max((len(name) for name, _ in rows), default=0) + 3
    lines = []
    for name, text in rows:
        first, *more = _lines(text)
        lines.append(f"{name + ':':<{width}}{first}")
        lines += [" " * width + line for line in more]
    return "\n".join(lines)


def _rows(event: Event) -> Iterator[tuple[str, str]]:
    yield "job", event.job
    yield "about", event.description
    yield "run", _run(event)
    yield "fire", _fire(event)
    yield "started", full(event, event.started_at) if event.started_at else ""
    yield "ended", full(event, event.ended_at) if event.ended_at else ""
    yield "took", show_duration(event.duration) if event.duration is not None else ""
    yield "exit code", "" if event.exit_code is None else str(event.exit_code)
    yield "period", _period(event)
    yield "message", event.message.strip()
    yield "returned", event.result.strip()


def _run(event: Event) -> str:
    if event.run is None:
        return ""
    marks = []
    if event.trigger not in (None, Trigger.SCHEDULE):
        marks.append(event.trigger.value)
    if event.attempt > 1:
        marks.append(f"attempt {event.attempt}")
    return str(event.run) + (f" ({', '.join(marks)})" if marks else "")


def _fire(event: Event) -> str:
    fire = event.fire_at or (missed_fire(event) if event.kind is Kind.LATE else None)
    if fire is None:
        return ""
    until = f" to {full(event, event.fire_until)}" if event.fire_until else ""
    return full(event, fire) + until + (f" ({event.count:,} fires)" if event.count > 1 else "")


def _period(event: Event) -> str:
    if event.period_start is None or event.period_end is None:
        return ""
    whole = f"{event.period_start} to {event.period_end}"
    text = str(event.period_start) if event.period_start == event.period_end else whole
    return text + (", although its data was not ready" if event.override else "")


def _incident(event: Event) -> str:
    """What is or was wrong, and since when."""
    lines = []
    if event.failures:
        since = f" since {full(event, event.since)}" if event.since else ""
        lines.append(f"{failures(event)}{since}")
    if event.late_since:
        lines.append(f"nothing started for its fire of {full(event, event.late_since)}")
    return "\n".join(f"Incident: {line}" for line in lines)


def _changed(event: Event) -> str:
    if not event.changed:
        return ""
    bullets = [f"- {' '.join(_lines(each))}" for each in event.changed]
    return "\n".join(["What is different since it last worked:", *bullets])


def _output(event: Event) -> Iterator[str]:
    """The ends of both streams; only where both have something it is said which is which."""
    streams = (("Standard output:", event.stdout), ("Standard error:", event.stderr))
    found = [(heading, text) for heading, text in streams if text.strip()]
    for heading, text in found:
        shown = "\n".join(f"    {line}".rstrip() for line in _last_lines(text))
        yield f"{heading}\n\n{shown}" if len(found) > 1 else shown


def _last_lines(text: str) -> list[str]:
    return _lines(text.strip("\r\n"))[-MOST_LINES:]


def _lines(text: str) -> list[str]:
    return [_clean(line) for line in text.split("\n")]


def _clean(line: str) -> str:
    """A line as a terminal leaves it: what was overwritten and all colours are gone."""
    left = _COLOURS.sub("", line.rstrip("\r").rpartition("\r")[2])
    return shortened(escaped(left.expandtabs()), LONGEST_LINE).rstrip()


def _ending(event: Event) -> str:
    where = " at ".join(filter(None, (_clean(event.file), _clean(event.host))))
    return f"-- \n{where}" if where else ""
