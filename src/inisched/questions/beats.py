"""A job's fires by its schedule, past and coming, as the clock showed them then.

The ledger keeps the rhythm as it is now. Each time the clock was set, the fires of an elapsed
interval moved with it; so before that they lay elsewhere, and this room reckons back to where.
"""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from datetime import UTC, datetime, timedelta
from itertools import islice, takewhile

from msgspec import Struct
from msgspec.structs import replace

from inisched.engine.seat import begin
from inisched.model.job import Job
from inisched.questions.coming import fires, rhythm_of
from inisched.stores.job_state import JobState
from inisched.stores.past import Rest
from inisched.stores.stretches import Kind, Stretch
from inisched.timing.earlier import earlier
from inisched.timing.recurrence import Anchor
from inisched.timing.rhythm import Rhythm, rhythm

_NONE = timedelta(0)
_INSTANT = timedelta(microseconds=1)
_FIRST = datetime(1970, 1, 2, tzinfo=UTC)
_LAST = datetime(9990, 1, 1, tzinfo=UTC)
_MOST_GUESSES = 1000


class Beat(Struct, frozen=True):
    """A fire by the schedule: where it lies, and where it lay before jitter. Not `exact` where
    it depends on when runs before it end."""

    at: datetime
    unmoved: datetime
    era: int
    exact: bool = True


class Lap(Struct, frozen=True):
    """How the rhythm lay while the clock showed (since, until], between two times it was set."""

    rhythm: Rhythm
    since: datetime
    until: datetime
    era: int

    def within(self, since: datetime, until: datetime) -> Iterator[Beat]:
        """Fires in [since, until)."""
        jitter = self.rhythm.schedule.jitter
        fire = self.rhythm.next(max(since - jitter - _INSTANT, self.since))
        while fire is not None and fire < until and fire <= self.until:
            moved = self.rhythm.moved(fire)
            if since <= moved < until:
                yield Beat(moved, fire, self.era)
            fire = self.rhythm.next(fire)

    def before(self, moment: datetime) -> datetime | None:
        fire = self.rhythm.latest(_FIRST, min(moment - _INSTANT, self.until))
        while fire is not None and (moved := self.rhythm.moved(fire)) >= moment:
            fire = self.rhythm.latest(_FIRST, fire - _INSTANT)
        return moved if fire is not None and fire > self.since else None

    def after(self, moment: datetime) -> datetime | None:
        return next((beat.at for beat in self.within(moment, _LAST)), None)


class Beats(Struct, frozen=True):
    """All fires of a job by its schedule. `known`: the ledger knows the rhythm; else it is as if
    first looked at now. Fires up to `looked`, unmoved, are accounted for."""

    job: Job
    state: JobState | None
    laps: Sequence[Lap]
    known: bool
    anchor: Anchor
    looked: datetime
    now: datetime
    steps: Sequence[Stretch]

    @property
    def lap(self) -> Lap:
        """The one that lasts."""
        return self.laps[-1]

    @property
    def seed(self) -> str:
        return self.lap.rhythm.seed

    def within(self, since: datetime, until: datetime, most: int) -> list[Beat]:
        """Fires in [since, until), by moment."""
        if self.job.schedule.from_end:
            return list(islice(self._guessed(since, until), most))
        found = [beat for lap in self.laps for beat in islice(lap.within(since, until), most)]
        return sorted(found, key=lambda beat: (beat.at, beat.era))[:most]

    def _guessed(self, since: datetime, until: datetime) -> Iterator[Beat]:
        """The next one after the latest end, and as far as they lie ahead those behind it."""
        ahead = fires(self.job, self.state, since - _INSTANT, seed=self.seed)
        for fire in takewhile(lambda fire: fire.at < until, islice(ahead, _MOST_GUESSES)):
            if fire.exact or fire.at > self.now:
                yield Beat(fire.at, fire.at, self.lap.era, fire.exact)

    def before(self, moment: datetime) -> datetime | None:
        found = (lap.before(moment) for lap in self.laps)
        return max((at for at in found if at is not None), default=None)

    def after(self, moment: datetime) -> datetime | None:
        if self.job.schedule.from_end:
            return next((beat.at for beat in self._guessed(moment, _LAST)), None)
        found = (lap.after(moment) for lap in self.laps)
        return min((at for at in found if at is not None), default=None)

    @property
    def began(self) -> datetime:
        """Where the rhythm began, by the clock as it was then."""
        return self.anchor.moment + self.laps[0].rhythm.shift

    @property
    def set_back_behind(self) -> bool:
        """Whether the clock has shown what lies before the beginning once more since."""
        back = [one for one in self.steps if one.step < _NONE and one.since is not None]
        return any(one.until < self.began <= _known(one.since) for one in back)

    def covers(self, moment: datetime) -> bool:
        """Whether the rhythm was this one at the moment."""
        return self.known and moment >= self.began

    def jumped_over(self, since: datetime, until: datetime) -> Stretch | None:
        """How the clock was set forward over a fire in [since, until), which moved with it."""
        for lap, later in zip(self.laps, self.laps[1:], strict=False):
            ahead = replace(lap, since=lap.until, until=later.since)
            if next(ahead.within(since, until), None) is not None:
                step = later.rhythm.shift - lap.rhythm.shift
                return Stretch(Kind.STEP, lap.until, later.since, step)
        return None

    def would_be(self, since: datetime, until: datetime) -> bool:
        """Whether there would be a fire in [since, until), had the rhythm always been there."""
        schedule = self.job.schedule
        every = schedule.every
        calm = replace(schedule, active_from=None, active_until=None)
        if schedule.elapsed and every is not None and every.unit is not None:
            step = timedelta(seconds=every.interval * (every.unit.seconds or 1))
            behind = (self.began - since) % step
            return every.latest is not None or behind < until - since
        if every is not None and every.latest is not None:
            return True
        anchor = earlier(calm, self.anchor, since - timedelta(days=1))
        anchor = self.anchor if self.anchor.moment < since else anchor
        early = rhythm(self.job.name, calm, anchor, seed=self.seed)
        return next(Lap(early, _FIRST, _LAST, 0).within(since, until), None) is not None


def beats_of(
    job: Job,
    state: JobState | None,
    now: datetime,
    *,
    seed: str,
    steps: Sequence[Stretch],
    rests: Sequence[Rest],
) -> Beats:
    """The job's fires as the ledger knows them; `steps` of the clock come latest first."""
    beat = rhythm_of(job, state, now, seed=seed)
    known = state is not None and state.anchor is not None and state.looked is not None
    known = known and state is not None and state.meaning == job.schedule.meaning()
    anchor, looked = begin(job, state.looked if state else None, now)
    era = state.era if state is not None and job.schedule.elapsed else 0
    laps = [Lap(beat, _FIRST, _LAST, era)]
    if known and state is not None and state.anchor is not None and state.looked is not None:
        anchor, looked = state.anchor, state.looked
        if job.schedule.elapsed and not job.schedule.from_end:
            laps = _laps(job, beat, state, _felt(steps, state, rests))
    return Beats(job, state, laps, known, anchor, looked, now, steps)


def _felt(steps: Sequence[Stretch], state: JobState, rests: Sequence[Rest]) -> Sequence[Stretch]:
    """The steps that moved this rhythm, latest first.

    The ledger keeps only what they come to: `shift`, and `era`, which counts those back. Where
    old ones are no longer kept that does not add up; of a job older than the rest all count.
    """
    gone = [rest for rest in rests if rest.reason != "inactive"]
    known = [one for one in steps if not any(rest.covers(_known(one.since)) for rest in gone)]
    assert state.anchor is not None
    anchor, best, total, back = state.anchor.moment, -1, _NONE, 0
    for number in range(len(known) + 1):
        begun = number == 0 or anchor <= _known(known[number - 1].since)
        if total == state.shift and back <= state.era and begun:
            best = number
        if number < len(known):
            total, back = total + known[number].step, back + (known[number].step < _NONE)
    older = bool(known) and anchor < _known(known[-1].since)
    return known[:best] if best >= 0 else known if older else ()


def _laps(job: Job, beat: Rhythm, state: JobState, steps: Sequence[Stretch]) -> list[Lap]:
    """Back from the present, a lap for each step; the oldest first."""
    laps, until, era, shift = [], _LAST, state.era, state.shift
    for one in steps:
        since = _known(one.since)
        laps.append(Lap(_shifted(job, beat, shift), since + one.step, until, era))
        until, era, shift = since, era - (one.step < _NONE), shift - one.step
    laps.append(Lap(_shifted(job, beat, shift), _FIRST, until, era))
    return laps[::-1]


def _shifted(job: Job, beat: Rhythm, shift: timedelta) -> Rhythm:
    if shift == beat.shift:
        return beat
    return rhythm(job.name, job.schedule, beat.anchor, seed=beat.seed, shift=shift)


def _known(moment: datetime | None) -> datetime:
    assert moment is not None
    return moment
