"""A step of the wall clock: where every rhythm stands after it, and what the ledger must undo.

Coming fires of elapsed intervals move with the clock, so that none is added or lost. Fixed times
go by what the clock shows: set forward, they are late; set back, looking goes on from the new
present, and what has its run already is left out.
"""

from __future__ import annotations

import logging
from collections.abc import Iterable, Iterator, Mapping
from datetime import datetime, timedelta

from msgspec.structs import replace

from inisched.model.duration import show_duration
from inisched.model.job import Job
from inisched.model.run import Gap, Reason
from inisched.stores.claims import Absence, GapRow
from inisched.stores.job_state import JobState
from inisched.stores.ledger import Ledger, LedgerDown
from inisched.timing.due import gap
from inisched.timing.earlier import has_steps
from inisched.timing.recurrence import Anchor
from inisched.timing.rhythm import Accounted

log = logging.getLogger("inisched")

_MILLISECOND = timedelta(milliseconds=1)
_NONE = timedelta(0)


def note_step(ledger: Ledger, jobs: Iterable[Job], absence: Absence) -> list[GapRow]:
    """Enter a step of the clock, in one transaction; what had to give way is said in the log.

    `jobs` are those whose rhythms go on. The rows that were cut come back as they are now. Raises
    LedgerDown, and then nothing has changed.
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
    missed = list(missed_before(ledger, going_on.values(), states, present, seed))
    moved = [after_step(job, states[name], absence, seed) for name, job in going_on.items()]
    ledger.set_clock(absence, present, moved, cuts, missed)
    _tell(step, cuts, _fires_ahead(ledger))
    return cuts


def _fires_ahead(ledger: Ledger) -> int:
    """How many fires that have run lie ahead again; the step is entered, whether that is known."""
    try:
        return sum(len(state.ahead.fires) for state in ledger.jobs().values())
    except LedgerDown:
        return 0


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


def missed_before(
    ledger: Ledger,
    jobs: Iterable[Job],
    states: Mapping[str, JobState],
    present: datetime,
    seed: str,
) -> Iterator[tuple[JobState, Gap]]:
    """What steps back cut from gaps before a first look, where the clock has been set past that.

    A daemon had looked at these fires, so that they did come due, and nobody will look again.
    """
    cuts = ledger.cuts()
    for job in jobs if cuts else ():
        state = states.get(job.name)
        if state is None or not _goes_on(job, state) or state.resting or not job.active:
            continue
        assert state.anchor is not None and state.looked is not None
        stretches = cuts.get((job.name, state.anchor.moment), ())
        if stretches and passed_its_beginning(state, present) is not state:
            beat, fixed = state.rhythm(job, seed), replace(state, era=0)
            for since, until in _apart(state.looked, stretches):
                last = beat.latest(since, until)
                if last is not None:
                    yield fixed, gap(job.name, beat, since, last, Reason.MISFIRE)


def _apart(
    looked: datetime, stretches: Iterable[tuple[datetime, datetime]]
) -> Iterator[tuple[datetime, datetime]]:
    """What of the stretches, earliest first, comes after the last look, none of it twice."""
    for since, until in stretches:
        since = max(since, looked)
        if since < until:
            yield since, until
            looked = until


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
    for row in gaps:
        job = jobs.get(row.job)
        if job is None or job.schedule.elapsed:
            continue
        before = row.first - job.schedule.jitter - _MILLISECOND
        beat = replace(states[row.job], looked=before).rhythm(job, seed)
        beat = replace(beat, ahead=Accounted(row.ran))
        upto = beat.upto(present)
        last = beat.latest(before, upto)
        anchor = states[row.job].anchor
        if anchor is not None and not anchor.inclusive:
            since, until = max(before, upto), min(beat.upto(row.last), anchor.moment)
            row = replace(row, lost=(since, until) if since < until else None)
        if row.first > present or last is None:
            yield replace(row, count=0)
            continue
        gone, exact = beat.count(upto, row.last)
        count = row.count - gone if exact else beat.count(before, upto)[0]
        yield replace(row, last=beat.moved(last), count=max(1, count))


def _tell(step: timedelta, cuts: list[GapRow], ahead: int) -> None:
    way = "back" if step < _NONE else "forward"
    parts = [f"the clock was set {way} by {show_duration(abs(step))}"]
    if cuts:
        parts.append(f"{len(cuts)} gap(s) that reached past the present were cut there")
    if ahead:
        parts.append(f"{ahead} fixed time(s) that lie ahead again have run already")
    log.warning("%s", "; ".join(parts))
