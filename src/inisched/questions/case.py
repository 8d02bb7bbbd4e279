"""All that bears on one job's fires: its section, its rhythm, its rows, and who looks."""

from __future__ import annotations

from collections.abc import Callable, Iterable, Mapping
from datetime import datetime, timedelta

from msgspec import Struct, field
from msgspec.structs import replace

from inisched.config.loader import Config, JobSection
from inisched.model.job import Job
from inisched.questions.absences import Presence, presence
from inisched.questions.beats import Beats, beats_of
from inisched.questions.health import daemon
from inisched.questions.judgements import as_remembered
from inisched.questions.sentences import Speaker
from inisched.questions.switched import standing
from inisched.stores.history import History
from inisched.stores.opening import database_id
from inisched.stores.past import Entry, Past, Rest
from inisched.stores.stretches import Kind, Stretch

LATEST = 20
"""Rows in which signs of life are sought."""

Gates = Callable[[], Mapping[int, str]]
"""What a living daemon says its waiting runs wait for, by their ids."""


class Tale(Struct, frozen=True):
    """What became of one fire, or that it is none. `runs` are those that carried it out."""

    verdict: str
    reason: str | None = None
    runs: list[int] = field(default_factory=list)
    text: list[str] = field(default_factory=list)


class Before(Struct, frozen=True):
    """A run that brought another about."""

    job: str
    id: int


class Case(Struct, frozen=True, kw_only=True):
    """One job at `now`. `beats` is None where its schedule cannot be read.

    `job` is as its switches make it, `paused` until when it rests. `standing` is why it has no
    fires as things are now: removed, broken, inactive or disabled.
    """

    name: str
    config: Config
    section: JobSection | None
    job: Job | None
    paused: datetime | None
    standing: str | None
    beats: Beats | None
    rests: list[Rest]
    past: Past
    history: History
    presence: Presence
    gates: Gates
    speaker: Speaker
    now: datetime

    @property
    def schedule(self) -> str:
        """As `list` shows it."""
        if self.job is not None:
            return self.job.schedule.text
        return self.section.schedule_text if self.section is not None else ""

    def rest_at(self, fire: datetime) -> Rest | None:
        """The stretch without fires this moment lies in."""
        return next((rest for rest in self.rests if rest.covers(fire)), None)

    def run_before(self, row: Entry) -> Before | None:
        """The run with whose end a fire that comes `then` was entered."""
        jobs = [job for job in self.config.jobs if self.name in job.then]
        found = (self.history.ended_at(job.name, row.unmoved, before=row.id) for job in jobs)
        pairs = zip(jobs, found, strict=True)
        return next((Before(job.name, run) for job, run in pairs if run is not None), None)

    def absences(self, since: datetime, until: datetime) -> list[Stretch]:
        """Why nobody looked between the two moments; a clock set back hides nothing.

        Of a daemon that died the last heartbeat is known; what it did after that we know too.
        """
        found = self.history.stretches(since, until)
        signs = [sign for entry in self.past.newest(since)[:LATEST] for sign in entry.signs]
        return [
            _shortened(one, signs) if one.kind is Kind.DOWN else one
            for one in found
            if one.kind is not Kind.STEP or one.step > timedelta(0)
        ]


def _shortened(down: Stretch, signs: Iterable[datetime]) -> Stretch:
    """Not from the last heartbeat on, but from a sign of life after that."""
    since = down.since
    if since is None:
        return down
    later = [sign for sign in signs if since < sign < down.until]
    return replace(down, since=max([since, *later]))


def case_of(
    config: Config, history: History, name: str, now: datetime, *, utc: bool, gates: Gates
) -> Case:
    """Everything known of a job that the file or the ledger knows."""
    section = next((one for one in config.sections if one.name == name), None)
    switched = standing(config.jobs, history, now)
    states = switched.known
    state = states.get(name)
    job = switched.jobs.get(name) if section is not None and section.job is not None else None
    past = history.past(name)
    rests = past.rests()
    seed = history.id or database_id(config.database)
    looks = [one.looked for one in states.values()]
    present = presence(history, daemon(config.database), looks, now)
    stale = state is not None and state.stale and present.state != "down"
    return Case(
        name=name,
        config=config,
        section=section,
        job=job,
        paused=switched.paused.get(name),
        standing=_standing(config, history, name, job, stale=stale),
        beats=beats_of(job, state, now, seed=seed, steps=history.steps(), rests=rests)
        if job is not None
        else None,
        rests=rests,
        past=past,
        history=history,
        presence=present,
        gates=gates,
        speaker=Speaker(section.zone if section else config.settings.timezone, now, utc),
        now=now,
    )


def _standing(
    config: Config, history: History, name: str, job: Job | None, *, stale: bool
) -> str | None:
    judged, _ = as_remembered(config, history)
    section = next((one for one in judged.config.sections if one.name == name), None)
    if section is None:
        return "broken" if config.fatal else "removed"
    if section.job is None:
        return None if stale else "broken"
    if job is None or job.active:
        return None
    return "disabled" if section.active else "inactive"
