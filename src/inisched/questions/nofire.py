"""Of moments that are no fire: why not, where one might be expected."""

from __future__ import annotations

from datetime import timedelta

from inisched.questions import absences
from inisched.questions.beats import Beats
from inisched.questions.case import Case, Tale
from inisched.questions.spans import Span
from inisched.questions.untold import rested, stands


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
    if beats.set_back_behind:
        return False
    pruned = beats.state.pruned if beats.state is not None else None
    rested = any(rest.since < beats.began for rest in case.rests)
    older = pruned is not None and pruned[0] < beats.began
    return rested or older or case.past.before(beats.began) is not None


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
