"""What the rows of one fire say: how it ran, or why it did not, in sentences."""

from __future__ import annotations

import re
from collections.abc import Iterator, Sequence
from dataclasses import replace
from datetime import datetime, timedelta

from inisched.model.duration import show_duration
from inisched.model.job import Misfire
from inisched.questions import absences
from inisched.questions.account import ON_TIME
from inisched.questions.case import Case, Tale
from inisched.questions.sentences import counted, listed, sentence, whole_seconds
from inisched.questions.waiting import waiting
from inisched.stores.past import Entry

_INTO = re.compile(r"coalesced into run ([0-9]+)")
_LONGEST_CHAIN = 100

TRIGGERS = {
    "manual": "asked for by a person",
    "start": "at the start of the daemon",
    "then": "after another job",
}

SKIPPED = {
    "misfire": "as a misfire",
    "should_run": "for should_run said no",
    "not_ready": "for its data was not ready in time",
    "dependency": "for a job it follows did not succeed in time",
    "held": "for all jobs were on hold",
    "paused": "for the job was paused",
    "disabled": "for the job was switched off while it waited",
    "removed": "for the job left the file while it waited",
    "pool": "for want of a place in its pool",
}
"""Why a fire was skipped, where its row has no better words."""


def told(case: Case, rows: Sequence[Entry], fire: datetime) -> Tale:
    """The tale of a fire by its rows of one era: its attempts, or the gap around it."""
    last = rows[-1]
    if last.state == "skipped" and last.started_at is None:
        return _skipped(case, last, fire)
    if last.state == "waiting":
        return _waiting(case, rows, fire)
    return _ran(case, rows, fire)


# -- it did not run ------------------------------------------------------------------------------


def _skipped(case: Case, row: Entry, fire: datetime) -> Tale:
    if row.reason == "coalesced":
        return _coalesced(case, row, fire)
    runs = [] if row.is_gap else [row.id]
    if row.reason == "overlap":
        because, why = _overlap(case, row, fire), []
    else:
        because, why = _because(case, row), _whose_fault(case, row, fire)
    head = sentence(f"{case.name} at {case.speaker.time(fire)}: skipped", because)
    return Tale("skipped", row.reason, runs, [head, *why])


def _because(case: Case, row: Entry) -> str:
    if row.reason == "misfire" and row.is_gap and case.job is not None:
        rule = {
            Misfire.SKIP: " (misfire = skip)",
            Misfire.ALL: f" (beyond max_catchup = {case.job.max_catchup})",
        }
        return SKIPPED["misfire"] + rule.get(case.job.misfire, "")
    plain = SKIPPED.get(row.reason or "", f"({row.reason})")
    return f"{plain}: {row.message}" if row.message and not row.is_gap else plain


def _whose_fault(case: Case, row: Entry, fire: datetime) -> list[str]:
    """Why it came to be a misfire."""
    if row.reason != "misfire" or not row.is_gap:
        return []
    grace = case.job.grace if case.job is not None else timedelta(0)
    found = case.absences(fire, fire + max(grace, timedelta(minutes=1)))
    around = [one for one in found if (one.since or fire) <= fire] or found[:1]
    return list(absences.told(around, case.speaker))


def _overlap(case: Case, row: Entry, fire: datetime) -> str:
    """Which run was in the way."""
    for other in case.past.newest(fire):
        if other.id == row.id or other.is_gap or other.state == "skipped":
            continue
        if other.ended_at is not None and other.ended_at < fire:
            continue
        if other.started_at is not None and other.started_at <= fire:
            since = case.speaker.time(other.started_at)
            return f"because run {other.id} was still going since {since}"
        if other.attempt > 1 and other.taken_at is not None and other.taken_at <= fire:
            older = case.speaker.time(other.fire_at)
            return f"because attempt {other.attempt} at {older} (run {other.id}) was still to come"
    return "because the run before it was still going"


def _coalesced(case: Case, row: Entry, fire: datetime) -> Tale:
    run = _into(case, row)
    head = f"{case.name} at {case.speaker.time(fire)}: coalesced into"
    if isinstance(run, int):
        return Tale("skipped", "coalesced", [run], [sentence(head, f"run {run}")])
    if run is None or run.is_gap:
        return _into_nothing(case, row, fire, head)
    where = f"run {run.id} ({case.speaker.time(run.fire_at)})"
    until = run.taken_at or run.started_at or run.fire_at
    why = ["While it waited, a newer fire took its place."]
    if row.is_gap:
        why = list(absences.told(case.absences(fire, until), case.speaker))
    return Tale("skipped", "coalesced", [run.id], [sentence(head, where), *why])


def _into(case: Case, row: Entry) -> Entry | int | None:
    """The run a fire went into in the end; its id where the row is no more, None where none is
    named."""
    for _ in range(_LONGEST_CHAIN):
        found = _INTO.match(row.message)
        if found is None:
            return None
        next_row = case.history.entry(int(found[1]))
        if next_row is None:
            return int(found[1])
        row = next_row
        if row.reason != "coalesced":
            break
    return row


def _into_nothing(case: Case, row: Entry, fire: datetime, head: str) -> Tale:
    """The fire it was folded into did not run either."""
    until = row.fire_until or row.fire_at
    later = case.past.after(until + timedelta(milliseconds=1))
    where = f"the fire at {case.speaker.time(later)}" if later is not None else "a later fire"
    text = [sentence(head, f"{where}, which did not run either")]
    why = list(absences.told(case.absences(fire, later or until), case.speaker))
    return Tale("skipped", "coalesced", [], text + why)


# -- it waits ------------------------------------------------------------------------------------


def _waiting(case: Case, rows: Sequence[Entry], fire: datetime) -> Tale:
    last = rows[-1]
    gate = _gate(case, last)
    words = f"{case.name} at {case.speaker.time(fire)}: waiting"
    text = [sentence(words + _for(case, last, gate), _period(last)), *_attempts(case, rows[:-1])]
    if len(rows) == 1:
        text += _delays(case, last)
    if not case.presence.looks:
        text += [_aside(case, "it waits until one looks again")]
    return Tale("waiting", gate, [row.id for row in rows], text)


def _gate(case: Case, row: Entry) -> str | None:
    """What a waiting row waits for, in the words of `status`: the daemon knows best."""
    if row.not_before is not None and row.not_before > case.now:
        return "retry" if row.trigger == "retry" else None
    told = case.gates().get(row.id) if case.presence.looks else None
    if told is not None:
        return told
    opened = waiting(case.history.open_rows(), case.config)
    return next((gate for open_row, gate in opened if open_row["id"] == row.id), None)


def _for(case: Case, row: Entry, gate: str | None) -> str:
    kind, _, name = (gate or "").partition(":")
    ahead = row.not_before is not None and row.not_before > case.now
    moment = case.speaker.time(row.not_before) if row.not_before is not None and ahead else ""
    words = {
        "retry": f"attempt {row.attempt} comes at {moment}" if moment else "its next attempt",
        "line": "the fires of its job before it",
        "overlap": "the run of its job before it",
        "pool": f"a place in the pool {name}",
        "max_running": f"a place (max_running = {case.config.settings.max_running})",
        "hold": "the release of the hold",
        "after": f"{name}, which it follows",
        "ready": "its data",
    }
    if kind == "retry" and moment:
        return f": {words[kind]}"
    if kind in words:
        return f" for {words[kind]}"
    return f" for its moment, {TRIGGERS.get(row.trigger, row.trigger)}" if moment else ""


# -- it ran, or runs -----------------------------------------------------------------------------


def _ran(case: Case, rows: Sequence[Entry], fire: datetime) -> Tale:
    last = rows[-1]
    head = f"{case.name} at {case.speaker.time(fire)}: {last.state} in run {last.id}"
    if last.period is not None:
        head = f"{head} {_period(last)}"
    head = ", ".join([head, *_by_whom(rows[0])])
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


def _by_whom(first: Entry) -> Iterator[str]:
    if first.trigger == "catchup":
        yield f"a catch-up for {first.misfires} misfires" if first.misfires > 1 else "a catch-up"
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
    if row.period is None:
        return ""
    first, last = row.period
    return f"for the period {last}" if first == last else f"for the period {first} to {last}"


def in_a_stretch(case: Case, gap: Entry, moment: datetime) -> Tale:
    """Of a moment in a gap that no schedule known now tells to be a fire."""
    assert gap.fire_until is not None
    tale = told(case, [gap], moment)
    stretch = case.speaker.stretch(gap.fire_at, gap.fire_until)
    when, number = case.speaker.time(moment), counted(gap.count, "fire")
    fate = tale.text[0].removeprefix(f"{case.name} at {when}: ")
    head = f"{when} lies in a stretch of {number} of {case.name}, {stretch}: {fate}"
    return replace(tale, text=[head, *tale.text[1:]])
