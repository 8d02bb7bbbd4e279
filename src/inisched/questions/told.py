"""What the rows of one fire say, and why it did not run, in sentences."""

from __future__ import annotations

import re
from collections.abc import Sequence
from datetime import datetime, timedelta

from msgspec.structs import replace

from inisched.model.job import Misfire
from inisched.questions import absences
from inisched.questions.case import Case, Tale
from inisched.questions.ran import ran, waits
from inisched.questions.sentences import counted, sentence
from inisched.stores.past import Entry

_INTO = re.compile(r"coalesced into run ([0-9]+)")
_LONGEST_CHAIN = 100

SKIPPED = {
    "misfire": "as a misfire",
    "should_run": "for should_run said no",
    "not_ready": "for its data was not ready in time",
    "dependency": "for a job it follows did not run in time",
    "held": "for all jobs were on hold",
    "paused": "for the job was paused",
    "disabled": "for the job was switched off while it waited",
    "removed": "for the job left the file while it waited",
    "pool": "for want of a place in its pool",
}
"""Why a fire was skipped, where its row has no better words."""

TELLING = ("not_ready", "dependency", "disabled", "removed")
"""Reasons of which the row's own message tells the whole story."""


def told(case: Case, rows: Sequence[Entry], fire: datetime) -> Tale:
    """The tale of a fire by its rows of one era: its attempts, or the gap around it."""
    last = rows[-1]
    if last.state == "skipped" and last.started_at is None:
        return _skipped(case, last, fire)
    if last.state == "waiting":
        return waits(case, rows, fire)
    return ran(case, rows, fire)


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
    if row.reason in TELLING and row.message:
        return f"for {row.message}"
    if row.reason == "should_run":
        return _should_run(case) or plain
    return f"{plain}: {row.message}" if row.message and not row.is_gap else plain


def _should_run(case: Case) -> str:
    call = case.job.gates.should_run if case.job is not None else None
    return f"for {call.shown or call.target} (should_run) said no" if call is not None else ""


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


def in_a_stretch(case: Case, gap: Entry, moment: datetime) -> Tale:
    """Of a moment in a gap that no schedule known now tells to be a fire."""
    assert gap.fire_until is not None
    tale = told(case, [gap], moment)
    stretch = case.speaker.stretch(gap.fire_at, gap.fire_until)
    when, number = case.speaker.time(moment), counted(gap.count, "fire")
    fate = tale.text[0].removeprefix(f"{case.name} at {when}: ")
    head = f"{when} lies in a stretch of {number} of {case.name}, {stretch}: {fate}"
    return replace(tale, text=[head, *tale.text[1:]])
