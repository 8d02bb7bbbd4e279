"""Of fires that ran, run or wait: when, how late and why, how long, and for what."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from datetime import datetime, timedelta

from inisched.model.duration import show_duration
from inisched.questions import absences
from inisched.questions.account import ON_TIME
from inisched.questions.case import Case, Tale
from inisched.questions.sentences import listed, sentence, whole_seconds
from inisched.questions.waits import period_in_words, waiter_of, what_else, what_for
from inisched.stores.past import Entry

TRIGGERS = {
    "manual": "asked for by a person",
    "start": "at the start of the daemon",
    "then": "after another job",
}


def waits(case: Case, rows: Sequence[Entry], fire: datetime) -> Tale:
    last = rows[-1]
    waiter = waiter_of(case, last)
    words = f"{case.name} at {case.speaker.time(fire)}: waiting"
    words += _for_its_moment(case, last) if waiter is None else what_for(case, waiter)
    stands_still = waiter is not None and waiter.failed is not None
    words = sentence(words, "" if stands_still else _period(last))
    text = [words, *_attempts(case, rows[:-1])]
    if waiter is not None:
        text += what_else(case, waiter)
    if len(rows) == 1:
        text += _delays(case, last)
    if not case.presence.looks:
        text += [_aside(case, "it waits until one looks again")]
    gate = waiter.gate if waiter is not None else None
    return Tale("waiting", gate, [row.id for row in rows], text)


def _for_its_moment(case: Case, row: Entry) -> str:
    if row.not_before is None or row.not_before <= case.now:
        return ""
    return f" for its moment, {', '.join(_by_whom(case, row))}"


# -- it ran, or runs -----------------------------------------------------------------------------


def ran(case: Case, rows: Sequence[Entry], fire: datetime) -> Tale:
    last = rows[-1]
    head = f"{case.name} at {case.speaker.time(fire)}: {last.state} in run {last.id}"
    if last.period is not None:
        head = f"{head} {_period(last)}"
    head = ", ".join([head, *_by_whom(case, rows[0])])
    text = [sentence(": ".join([head, *_said(last)])), *_course(case, rows)]
    if last.state == "running" and not case.presence.looks:
        text += [_aside(case, _unknown(case))]
    return Tale(last.state, last.reason, [row.id for row in rows], text)


def _unknown(case: Case) -> str:
    if case.presence.state == "down":
        return "how the run ended is not known, and the next daemon will call it interrupted"
    return "whether the run has ended is not known"


def _aside(case: Case, consequence: str) -> str:
    told = case.presence.told(case.speaker)
    return sentence(f"{told[:1].upper()}{told[1:]}: {consequence}")


def _by_whom(case: Case, first: Entry) -> Iterator[str]:
    if first.trigger == "catchup":
        yield f"a catch-up for {first.misfires} misfires" if first.misfires > 1 else "a catch-up"
    elif first.trigger == "then" and (run := case.run_before(first)) is not None:
        yield f"after run {run.id} of {run.job}"
    elif first.trigger in TRIGGERS:
        yield TRIGGERS[first.trigger]
    if first.override:
        yield "although its data was not ready"


def _said(row: Entry) -> Iterator[str]:
    """The message, and the exit code where that says something more."""
    if row.message:
        yield row.message
    if row.exit_code and str(row.exit_code) not in row.message:
        yield f"exit code {row.exit_code}"


def _course(case: Case, rows: Sequence[Entry]) -> Iterator[str]:
    """When it started, how late and why, how long it took, and of several attempts each."""
    first, last = rows[0], rows[-1]
    if len(rows) == 1 and last.started_at is not None:
        yield sentence(_start(case, last), _took(case, last)).replace(",.", ".")
    if first.attempt == 1:
        yield from _delays(case, first)
    if len(rows) > 1:
        yield from _attempts(case, rows)


def _start(case: Case, row: Entry) -> str:
    assert row.started_at is not None
    late = row.started_at - row.fire_at
    if abs(late) <= ON_TIME:
        return "It started on time"
    start = f"It started at {case.speaker.time(row.started_at)}"
    return f"{start}, {show_duration(whole_seconds(late))} late," if late > ON_TIME else start


def _took(case: Case, row: Entry) -> str:
    if row.state == "running" and row.started_at is not None:
        going = max(timedelta(0), case.now - row.started_at)
        return f"and has been going for {show_duration(whole_seconds(going))}"
    if row.took is None or row.state == "interrupted":
        return ""
    return f"and took {show_duration(row.took)}"


def _delays(case: Case, row: Entry) -> Iterator[str]:
    """Why it was taken up late, and that it waited for its turn then."""
    if row.taken_at is None:
        return
    if row.trigger in ("schedule", "catchup") and row.taken_at - row.fire_at > ON_TIME:
        yield from absences.told(case.absences(row.fire_at, row.taken_at), case.speaker)
    begin = max(row.taken_at, row.not_before or row.taken_at)
    if row.started_at is not None and row.started_at - begin > ON_TIME:
        waited = show_duration(whole_seconds(row.started_at - begin))
        yield f"It waited {waited} for its turn."


def _attempts(case: Case, rows: Sequence[Entry]) -> list[str]:
    parts = []
    for row in rows:
        message = listed(list(_said(row)))
        said = f" ({message})" if message else ""
        started = f" at {case.speaker.time(row.started_at)}" if row.started_at is not None else ""
        parts.append(f"attempt {row.attempt}: {row.state}{said}{started}")
    text = "; ".join(parts)
    return [sentence(f"{text[:1].upper()}{text[1:]}")] if text else []


def _period(row: Entry) -> str:
    period = period_in_words(row.period)
    return f"for {period}" if period else ""
