"""What became or becomes of a fire, and why: the question of `why`.

It finds the fire that is meant, then its rows, or what the schedule and the absences of the
daemon say where there are none.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from datetime import datetime, timedelta
from itertools import chain

from msgspec import Struct
from msgspec.structs import replace

from inisched.questions.beats import Beat, Beats
from inisched.questions.case import Case, Tale
from inisched.questions.nofire import never_yet, not_a_fire
from inisched.questions.sentences import listed, others
from inisched.questions.spans import Span
from inisched.questions.told import in_a_stretch, told
from inisched.questions.untold import accounted, stands, without_row
from inisched.stores.past import Entry

MOST = 100
"""More fires than these are not counted."""

SCHEDULED = ("schedule", "catchup")
ORDERLY = (*SCHEDULED, "retry")
NO_FIRE = ("not_a_fire", "not_in_file")
LIMITS = ("active_from", "active_until", "inactive", "disabled")

_MILLISECOND = timedelta(milliseconds=1)


class Answer(Struct, frozen=True, kw_only=True):
    """`fire_at` is None where no fire was found; then `before` and `after` are the nearest."""

    job: str
    asked: datetime | None
    fire_at: datetime | None
    tale: Tale
    before: datetime | None = None
    after: datetime | None = None


def why(case: Case, spans: Sequence[Span]) -> Answer:
    """The answer for the fire in the spans; without any for the last one, else the coming one."""
    if not spans:
        return _without_a_time(case)
    asked = spans[0].begin
    moments = sorted({moment for span in spans for moment in _moments(case, span)})
    if not moments:
        return _none(case, spans[0], asked)
    answer = _about(case, moments[0], asked)
    if len(moments) > 1:
        more = others(len(moments) - 1, MOST, spans)
        answer = replace(answer, tale=replace(answer.tale, text=[*answer.tale.text, more]))
    return answer


# -- which fire ----------------------------------------------------------------------------------


def _moments(case: Case, span: Span) -> set[datetime]:
    """Fires in the span; those somebody asked for only where the schedule brought none."""
    rows = case.past.between(span.begin, span.end)
    found = {row.fire_at for row in rows if row.trigger in SCHEDULED}
    gaps = case.past.gaps(span.begin, span.end)
    found |= {gap.fire_until for gap in gaps if gap.fire_until and gap.fire_until in span}
    if case.beats is not None:
        found |= {beat.at for beat in case.beats.within(span.begin, span.end, MOST + 1)}
    return set(sorted(found)[: MOST + 1]) or {row.fire_at for row in rows}


def _without_a_time(case: Case) -> Answer:
    """The last that came due, by the ledger or by the schedule; else the coming one."""
    beats = case.beats
    now = case.now + _MILLISECOND
    rows = case.past.newest(case.now)[:1]
    known = [row.fire_at for row in rows] + [case.past.before(now)]
    known.append(beats.before(now) if beats is not None and _goes_on(case) else None)
    past = [moment for moment in known if moment is not None]
    if past:
        return _no_more(case, _about(case, max(past), None))
    coming = beats.after(now) if beats is not None else None
    if coming is not None:
        return _about(case, coming, None)
    return _none(case, Span(case.now, now, "moment"), None)


def _no_more(case: Case, last: Answer) -> Answer:
    """The last one, and that none comes after it as the file is now."""
    if case.standing is None:
        return last
    text = [*last.tale.text, *stands(case, case.standing).text]
    return replace(last, tale=replace(last.tale, text=text))


def _goes_on(case: Case) -> bool:
    """Whether a fire by the schedule may be the last that came due."""
    if case.beats is None or case.standing is not None:
        return False
    last = case.beats.before(case.now + _MILLISECOND)
    return last is not None and last > case.beats.looked and case.rest_at(last) is None


# -- its tale ------------------------------------------------------------------------------------


def _about(case: Case, fire: datetime, asked: datetime | None) -> Answer:
    beats = case.beats
    there = [] if beats is None else beats.within(fire, fire + _MILLISECOND, MOST)
    rows = _rows(case, fire, there)
    if not rows and there:
        fire, rows = _jittered(case, fire, there[-1])
    tales = [told(case, rows[era], fire) for era in sorted(rows)]
    beat = there[-1] if there else None
    if beat is not None and beats is not None and (not rows or _comes_again(beats, beat, rows)):
        tales.append(without_row(case, beats, beat))
    elif fire > case.now and any(row.trigger in SCHEDULED for row in chain(*rows.values())):
        moves = beats is not None and beats.job.schedule.elapsed
        again = "" if moves else ", and what has run does not run again"
        back = f"The clock was set back since{again}."
        tales[-1] = replace(tales[-1], text=[*tales[-1].text, back])
    answer = Answer(job=case.name, asked=asked, fire_at=fire, tale=_joined(tales))
    if answer.tale.verdict not in NO_FIRE:
        return answer
    return _with_nearest(case, replace(answer, fire_at=None), fire, fire + _MILLISECOND)


def _rows(case: Case, fire: datetime, there: Sequence[Beat]) -> dict[int, list[Entry]]:
    """The fire's attempts, or the gap around it, by era. A gap may grow over a rest: that it
    does not tell of."""
    found: dict[int, list[Entry]] = {}
    for row in case.past.between(fire, fire + _MILLISECOND):
        found.setdefault(row.era, []).append(row)
    for gap in case.past.gaps(fire, fire + _MILLISECOND):
        inside = any(gap.era == beat.era and not case.rest_at(beat.unmoved) for beat in there)
        if (inside or gap.fire_until == fire) and gap.era not in found:
            found[gap.era] = [gap]
    return found


def _jittered(case: Case, fire: datetime, beat: Beat) -> tuple[datetime, dict[int, list[Entry]]]:
    """The rows of a fire that lay elsewhere, since the job's jitter was another one then."""
    assert case.beats is not None
    later = case.beats.after(fire + _MILLISECOND) or fire + _MILLISECOND
    rows = case.past.between(beat.unmoved, later)
    rows = [row for row in rows if row.unmoved == beat.unmoved and row.trigger in ORDERLY]
    return (rows[0].fire_at, {rows[0].era: rows}) if rows else (fire, {})


def _comes_again(beats: Beats, beat: Beat, rows: Mapping[int, object]) -> bool:
    """Whether the clock was set back behind a fire of an interval, so that it lies ahead again."""
    return beat.era not in rows and not accounted(beats, beat)


def _joined(tales: Sequence[Tale]) -> Tale:
    """The tales of one moment, which came more than once: the last of them first."""
    last = tales[-1]
    text = list(last.text)
    for former in tales[-2::-1]:
        text += [f"Before the clock was set back: {former.text[0]}", *former.text[1:]]
    return replace(last, runs=[run for tale in tales for run in tale.runs], text=text)


# -- no fire -------------------------------------------------------------------------------------


def _none(case: Case, span: Span, asked: datetime | None) -> Answer:
    for gap in case.past.gaps(span.begin, span.end):
        known = case.beats is not None and case.beats.covers(gap.fire_at)
        if not known and case.rest_at(span.begin) is None:
            tale = in_a_stretch(case, gap, span.begin)
            return Answer(job=case.name, asked=asked, fire_at=None, tale=tale)
    tale = not_a_fire(case, span) if asked is not None else never_yet(case)
    answer = Answer(job=case.name, asked=asked, fire_at=None, tale=tale)
    answer = _with_nearest(case, answer, span.begin, span.end)
    if asked is None or tale.verdict != "not_a_fire" or tale.reason in LIMITS:
        return answer
    return replace(answer, tale=replace(tale, text=[*tale.text, *_nearest(case, answer)]))


def _with_nearest(case: Case, answer: Answer, begin: datetime, end: datetime) -> Answer:
    """With the fires around it, by the schedule and by the ledger."""
    before, after = [case.past.before(begin)], [case.past.after(end)]
    if case.beats is not None:
        before.append(case.beats.before(begin))
        coming = case.beats.after(end)
        if case.standing is None or (coming is not None and coming <= case.now):
            after.append(coming)
    return replace(
        answer,
        before=max((at for at in before if at is not None), default=None),
        after=min((at for at in after if at is not None), default=None),
    )


def _nearest(case: Case, answer: Answer) -> list[str]:
    near = [at for at in (answer.before, answer.after) if at is not None]
    told_by = [case.speaker.time(at) for at in near]
    verb = "are" if len(near) > 1 else "is"
    return [f"The nearest {verb} {listed(told_by)}."] if near else []
