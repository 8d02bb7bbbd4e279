"""Of fires without a row, and of moments that are no fire: what becomes of them, or why not."""

from __future__ import annotations

from datetime import timedelta

from inisched.model.duration import show_duration
from inisched.model.job import Job
from inisched.model.run import Reason
from inisched.questions import absences
from inisched.questions.account import ON_TIME
from inisched.questions.beats import Beat, Beats
from inisched.questions.case import Case, Tale
from inisched.questions.sentences import sentence, whole_seconds
from inisched.questions.spans import Span
from inisched.stores.past import Rest
from inisched.timing.due import due

_MILLISECOND = timedelta(milliseconds=1)

NO_FIRES = {
    "removed": ("not_in_file", "was not in the file", "is not in the file"),
    "broken": ("not_in_file", "was broken in the file", "is broken in the file"),
    "inactive": ("not_a_fire", "was switched off (active = no)", "is switched off (active = no)"),
}
"""Why a job has no fires: the verdict, and the words for then and for now."""


# -- a fire by the schedule ----------------------------------------------------------------------


def without_row(case: Case, beats: Beats, beat: Beat) -> Tale:
    """What becomes of a fire the ledger has no row for, or why none came of it."""
    rest = case.rest_at(beat.unmoved) if beat.at <= case.now else None
    if rest is not None:
        return rested(case, rest)
    if not accounted(beats, beat):
        if case.standing is not None:
            return stands(case, case.standing)
        return _overdue(case, beats, beat) if beat.at <= case.now else _coming(case, beats, beat)
    when = case.speaker.time(beat.at)
    pruned = beats.state.pruned if beats.state is not None else None
    if pruned is not None and beat.unmoved <= pruned[1]:
        text = f"{case.name} at {when}: its row is no longer kept (history_keep)."
        return Tale("not_in_file", "pruned", text=[text])
    text = f"{when} is a fire of {case.name} as the file is now, but none came due then"
    return Tale("not_a_fire", "changed", text=[f"{text}: its schedule has changed since."])


def accounted(beats: Beats, beat: Beat) -> bool:
    """Whether the ledger has looked beyond the fire."""
    return beat.at <= beats.now and (beat.unmoved <= beats.looked or beat.era != beats.lap.era)


def _coming(case: Case, beats: Beats, beat: Beat) -> Tale:
    left = show_duration(whole_seconds(beat.at - case.now))
    about = "" if beat.exact else ", about: it counts from the end of the run before"
    text = [sentence(f"{case.name} at {case.speaker.time(beat.at)}: coming, in {left}{about}")]
    if not case.presence.looks:
        text.append(_capital(case.presence.told(case.speaker)))
    if not beats.known:
        text.append(_unseen(case, beats))
    return Tale("coming", text=text)


def _unseen(case: Case, beats: Beats) -> str:
    if beats.state is None or beats.state.looked is None:
        return f"No daemon has looked at {case.name} yet."
    return "Its schedule in the file is new, and no daemon has taken it up yet."


def _overdue(case: Case, beats: Beats, beat: Beat) -> Tale:
    head = f"{case.name} at {case.speaker.time(beat.at)}: due"
    if case.presence.looks:
        soon = "about to be taken up"
        if case.presence.once:
            soon = "left to the next pass: this one (run --once) has looked"
        return Tale("overdue", text=[f"{head}, and {soon}."])
    text = [sentence(f"{head}, not taken up: {case.presence.told(case.speaker)}")]
    text.append(_prospect(case, beats, beat))
    return Tale("overdue", case.presence.state, text=text)


def _prospect(case: Case, beats: Beats, beat: Beat) -> str:
    """What becomes of it if the daemon looks again now."""
    job, asleep = beats.job, case.presence.state == "asleep"
    going = [entry.id for entry in case.past.newest(beat.at) if entry.state == "running"]
    if asleep and going:
        return f"Run {going[0]} was still going when it was last seen."
    found = due(job, beats.lap.rhythm, beats.looked, case.now)
    if_back = f"If it {'woke' if asleep else 'came back'} now, it would"
    if any(fire.moved == beat.at for fire in found.run):
        late = case.now - beat.at
        how_late = f", {show_duration(whole_seconds(late))} late" if late > ON_TIME else " on time"
        return f"{if_back} run{how_late}."
    if found.gaps and found.gaps[0].reason is Reason.COALESCED:
        into = case.speaker.time(found.run[0].moved)
        return f"{if_back} be coalesced into the fire at {into}."
    return f"{if_back} be skipped as a misfire ({_rule(job)})."


def _rule(job: Job) -> str:
    rule = job.misfire.value
    return (
        f"misfire = {rule}, max_catchup = {job.max_catchup}" if rule == "all" else "misfire = skip"
    )


# -- no fires then, or now -----------------------------------------------------------------------


def rested(case: Case, rest: Rest) -> Tale:
    """A stretch the job has, or had, no fires in."""
    verdict, was, _ = NO_FIRES[rest.reason]
    since = case.speaker.time(rest.since)
    if rest.until is None:
        had = f"it has had no fires since {since}"
    else:
        had = f"it had no fires between {since} and {case.speaker.time(rest.until)}"
    return Tale(verdict, rest.reason, text=[f"{case.name} {was} then: {had}."])


def stands(case: Case, standing: str) -> Tale:
    """A job that has no fires as the file is now."""
    verdict, _, now_is = NO_FIRES[standing]
    cure = ": see inisched validate" if standing == "broken" else ""
    return Tale(verdict, standing, text=[f"{case.name} {now_is} and has no fires{cure}."])


# -- no fire by the schedule ---------------------------------------------------------------------


def not_a_fire(case: Case, span: Span) -> Tale:
    """Nothing in the ledger and nothing in the schedule lies in the span."""
    beats = case.beats
    if beats is None or beats.job.schedule.on_demand:
        return _without_schedule(case, span)
    rest = case.rest_at(span.begin)
    if rest is not None and (span.begin < beats.began or not beats.known):
        return rested(case, rest)
    if case.standing is not None and span.begin > case.now:
        return stands(case, case.standing)
    beyond = _beyond_its_limits(case, beats, span)
    if beyond is not None:
        return beyond
    text = [f"{plainly_none(case, span)}.", *_moved_away(case, beats, span)]
    step = beats.jumped_over(span.begin, span.end)
    if step is not None:
        moved = "the fires that lay ahead moved with it"
        said = next(iter(absences.told([step], case.speaker)))
        return Tale("not_a_fire", "clock", text=[*text, f"{said[:-1]}: {moved}."])
    return Tale("not_a_fire", text=text)


def _moved_away(case: Case, beats: Beats, span: Span) -> list[str]:
    """That jitter has moved a fire out of the span."""
    beat = beats.lap.rhythm
    fire = beat.next(span.begin - timedelta(microseconds=1))
    if not beat.schedule.jitter or fire is None or fire >= span.end:
        return []
    moved, unmoved = case.speaker.time(beat.moved(fire)), case.speaker.time(fire)
    return [f"Its jitter moves the fire of {unmoved} to {moved}."]


def never_yet(case: Case) -> Tale:
    """Nothing has come due, and nothing will."""
    if case.standing is not None:
        return stands(case, case.standing)
    own = " of its own" if case.beats is not None and case.beats.job.schedule.on_demand else ""
    text = f"{case.name} ({case.schedule}) has no fires{own} to come, and has had none"
    return Tale("not_a_fire", text=[f"{text}."])


def _without_schedule(case: Case, span: Span) -> Tale:
    rest = case.rest_at(span.begin) if span.begin <= case.now else None
    if rest is not None:
        return rested(case, rest)
    if case.standing is not None and span.begin > case.now:
        return stands(case, case.standing)
    if case.section is None:
        text = f"{case.name} is no longer in the file, and the ledger has no fire of it"
        return Tale("not_in_file", "removed", text=[f"{text} {_on(case, span)}."])
    if case.beats is None and case.standing is None:
        text = f"{case.name} is broken in the file, and the daemon runs it as it was"
        return Tale("not_in_file", "broken", text=[f"{text}: see inisched validate."])
    if case.beats is None:
        return stands(case, "broken")
    return Tale("not_a_fire", text=[f"{plainly_none(case, span)}: it has no fires of its own."])


def _beyond_its_limits(case: Case, beats: Beats, span: Span) -> Tale | None:
    """Before the job had its schedule, or where there would be a fire, were it not for a limit."""
    if span.begin < beats.began and span.begin <= case.now and _had_another(case, beats):
        return _changed(case, beats, span)
    if not beats.would_be(span.begin, span.end):
        return None
    schedule, name, when = beats.job.schedule, case.name, case.speaker.time(span.begin)
    first, last = schedule.active_from, schedule.active_until
    if first is not None and span.begin < first:
        text = f"{when} lies before active_from of {name} ({case.speaker.time(first)})"
        return Tale("not_a_fire", "active_from", text=[f"{text}: until then it has no fires."])
    if last is not None and span.begin > last:
        text = f"{when} lies after active_until of {name} ({case.speaker.time(last)})"
        return Tale("not_a_fire", "active_until", text=[f"{text}: since then it has no fires."])
    if span.begin > beats.began or span.begin > case.now:
        return None
    text = f"No daemon has looked at {name} yet"
    if beats.known:
        text = f"{when} lies before the first look at {name} ({case.speaker.time(beats.began)})"
    return Tale("not_in_file", "first_look", text=[f"{text}: nothing of it had come due then."])


def _had_another(case: Case, beats: Beats) -> bool:
    """Whether the job had another schedule before: there are traces older than this one."""
    if not beats.known and beats.state is not None and beats.state.looked is not None:
        return True
    rested = any(rest.since < beats.began for rest in case.rests)
    return rested or case.past.before(beats.began) is not None


def _changed(case: Case, beats: Beats, span: Span) -> Tale:
    text = f"The schedule of {case.name} in the file ({case.schedule}) is new"
    if beats.known:
        since = case.speaker.time(beats.began)
        text = f"{case.name} has had its schedule ({case.schedule}) only since {since}"
    text = f"{text}, and the ledger has no fire {_on(case, span)}."
    return Tale("not_a_fire", "changed", text=[text])


def plainly_none(case: Case, span: Span) -> str:
    """That there is no fire, without the stop."""
    schedule = f" ({case.schedule})" if case.schedule else ""
    if span.what in ("day", "hour"):
        return f"{case.name}{schedule} has no fire {_on(case, span)}"
    return f"{case.speaker.time(span.begin)} is not a fire of {case.name}{schedule}"


def _on(case: Case, span: Span) -> str:
    if span.what == "day":
        return f"on {case.speaker.day(span.begin)}"
    if span.what == "hour":
        return case.speaker.stretch(span.begin, span.end)
    return _at(case.speaker.time(span.begin))


def _at(time: str) -> str:
    """With "at" before a time of day, with "on" before a date."""
    return f"at {time}" if time[:1].isdigit() and "-" not in time[:5] else f"on {time}"


def _capital(text: str) -> str:
    return sentence(text[:1].upper() + text[1:])
