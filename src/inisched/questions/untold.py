"""Of fires without a row: what becomes of them, or why the job had none then."""

from __future__ import annotations

from datetime import timedelta

from inisched.model.duration import show_duration
from inisched.model.job import Job
from inisched.model.run import Reason
from inisched.questions.account import ON_TIME
from inisched.questions.beats import Beat, Beats
from inisched.questions.case import Case, Tale
from inisched.questions.sentences import sentence, whole_seconds
from inisched.stores.past import Rest
from inisched.timing.due import due

_MILLISECOND = timedelta(milliseconds=1)

NO_FIRES = {
    "removed": ("not_in_file", "was not in the file", "is not in the file"),
    "broken": ("not_in_file", "was broken in the file", "is broken in the file"),
    "disabled": ("not_a_fire", "was disabled", "is disabled"),
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
    if _pruned(case, beats, beat):
        text = f"{case.name} at {when}: its row is no longer kept (history_keep)."
        return Tale("not_in_file", "pruned", text=[text])
    text = f"{when} is a fire of {case.name} as the file is now, but none came due then"
    return Tale("not_a_fire", "changed", text=[f"{text}: its schedule has changed since."])


def _pruned(case: Case, beats: Beats, beat: Beat) -> bool:
    """Whether the fire lies among rows that are gone; nothing is kept between it and the last."""
    pruned = beats.state.pruned if beats.state is not None else None
    if pruned is None or beat.unmoved <= pruned[1]:
        return pruned is not None
    kept = case.past.before(beat.at)
    return kept is None or kept <= pruned[1]


def accounted(beats: Beats, beat: Beat) -> bool:
    """Whether the ledger has looked beyond the fire."""
    return beat.at <= beats.now and (beat.unmoved <= beats.looked or beat.era != beats.lap.era)


def _coming(case: Case, beats: Beats, beat: Beat) -> Tale:
    left = show_duration(whole_seconds(beat.at - case.now))
    about = "" if beat.exact else ", about: it counts from the end of the run before"
    text = [sentence(f"{case.name} at {case.speaker.time(beat.at)}: coming, in {left}{about}")]
    if case.paused is not None and beat.at < case.paused:
        text.append(f"It will be skipped: paused until {case.speaker.time(case.paused)}.")
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


def _capital(text: str) -> str:
    return sentence(text[:1].upper() + text[1:])
