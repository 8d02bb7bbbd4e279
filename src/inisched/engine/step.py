"""A step of the wall clock: where every rhythm stands after it, and what the ledger must undo.

Coming fires of elapsed intervals move with the clock, so that none is added or lost. Fixed times
go by what the clock shows: set forward, they are late; set back, looking goes on from the new
present, and what has its run already is left out.
"""

from __future__ import annotations

import logging
from collections.abc import Iterable, Iterator, Mapping
from dataclasses import replace
from datetime import datetime, timedelta

from inisched.model.duration import show_duration
from inisched.model.job import Job
from inisched.stores.job_state import JobState
from inisched.stores.ledger import Absence, GapRow, Ledger
from inisched.timing.earlier import has_steps
from inisched.timing.recurrence import Anchor
from inisched.timing.rhythm import Accounted

log = logging.getLogger("inisched")

_MILLISECOND = timedelta(milliseconds=1)
_NONE = timedelta(0)


def note_step(ledger: Ledger, jobs: Iterable[Job], absence: Absence) -> None:
    """Enter a step of the clock, in one transaction; what had to give way is said in the log.

    `jobs` are those whose rhythms go on. Raises LedgerDown, and then nothing has changed.
    """
    step = absence.step
    assert step is not None
    present = absence.since + step
    states = ledger.jobs()
    going_on = {job.name: job for job in jobs if _goes_on(job, states.get(job.name))}
    seed = ledger.id
    cuts: list[GapRow] = []
    if step < _NONE:
        cuts = list(_cut(ledger.gaps_beyond(present), going_on, states, present, seed))
    moved = [after_step(job, states[name], absence, seed) for name, job in going_on.items()]
    ledger.set_clock(absence, present, moved, cuts)
    _tell(step, cuts, sum(len(state.ahead.fires) for state in ledger.jobs().values()))


def _goes_on(job: Job, state: JobState | None) -> bool:
    return (
        state is not None and state.looked is not None and state.meaning == job.schedule.meaning()
    )


def after_step(job: Job, state: JobState, absence: Absence, seed: str) -> JobState:
    """Where the job's rhythm stands once the clock has been set."""
    step, anchor, schedule = absence.step, state.anchor, job.schedule
    assert step is not None and anchor is not None and state.looked is not None
    if schedule.elapsed:
        return _elapsed_after_step(state, anchor, step, absence.until)
    present = absence.since + step
    if step >= _NONE:
        return passed_its_beginning(state, present)
    if anchor.moment > present and not anchor.inclusive and not has_steps(schedule):
        anchor = Anchor(present.replace(microsecond=0))
    looked = min(state.looked, present)
    upto = replace(state, anchor=anchor, looked=looked).rhythm(job, seed).upto(present)
    return replace(state, anchor=anchor, looked=min(looked, upto))


def passed_its_beginning(state: JobState, present: datetime) -> JobState:
    """Of what lay before a first look nothing has come due where nobody saw the clock show it."""
    if state.before_its_beginning and state.anchor and state.anchor.moment <= present:
        return replace(state, looked=state.anchor.moment)
    return state


def _elapsed_after_step(
    state: JobState, anchor: Anchor, step: timedelta, now: datetime
) -> JobState:
    assert state.looked is not None
    if anchor.inclusive and now - step < anchor.moment + state.shift:
        return state  # it has not begun: its beginning is a moment on the calendar
    era = state.era + (step < _NONE)
    if anchor.inclusive and now < anchor.moment:
        return replace(state, era=era, shift=_NONE, looked=anchor.moment - _MILLISECOND)
    return replace(
        state,
        era=era,
        shift=state.shift + step,
        looked=state.looked + step,
        ended=None if state.ended is None else state.ended + step,
    )


def _cut(
    gaps: Iterable[GapRow],
    jobs: Mapping[str, Job],
    states: Mapping[str, JobState],
    present: datetime,
    seed: str,
) -> Iterator[GapRow]:
    """The gaps as far as they lie behind us; what they told of the time to come is due again."""
    for gap in gaps:
        job = jobs.get(gap.job)
        if job is None or job.schedule.elapsed:
            continue
        before = gap.first - job.schedule.jitter - _MILLISECOND
        beat = replace(states[gap.job], looked=before).rhythm(job, seed)
        beat = replace(beat, ahead=Accounted(gap.ran))
        upto = beat.upto(present)
        last = beat.latest(before, upto)
        if gap.first > present or last is None:
            yield replace(gap, count=0)
            continue
        gone, exact = beat.count(upto, gap.last)
        count = gap.count - gone if exact else beat.count(before, upto)[0]
        yield replace(gap, last=beat.moved(last), count=max(1, count))


def _tell(step: timedelta, cuts: list[GapRow], ahead: int) -> None:
    way = "back" if step < _NONE else "forward"
    parts = [f"the clock was set {way} by {show_duration(abs(step))}"]
    if cuts:
        parts.append(f"{len(cuts)} gap(s) that reached past the present were cut there")
    if ahead:
        parts.append(f"{ahead} fixed time(s) that lie ahead again have run already")
    log.warning("%s", "; ".join(parts))
