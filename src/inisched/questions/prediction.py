"""What `simulate` asks: how long each job runs, where it stands, and what the play came to."""

from __future__ import annotations

from collections import Counter
from collections.abc import Iterable, Mapping
from datetime import datetime, timedelta

from msgspec import Struct, field
from msgspec.structs import replace

from inisched.config.loader import Config
from inisched.engine.paper import PaperRun, PaperSkip
from inisched.engine.simulation import Simulation
from inisched.model.job import Job
from inisched.model.run import Reason
from inisched.questions.coming import rhythm_of
from inisched.questions.switched import Standing
from inisched.stores.history import History
from inisched.stores.job_state import JobState
from inisched.stores.opening import database_id
from inisched.timing.rhythm import Rhythm, rhythm

LATEST = 20
"""So many of a job's newest runs say how long the next ones will take."""

UNKNOWN = timedelta(seconds=1)
"""How long a job runs that has not run yet."""

SHOWN = 20
"""So many skips and waits are kept to be shown."""

_INSTANT = timedelta(microseconds=1)


class Length(Struct, frozen=True):
    """How long a job runs, and how that is known: "assumed", "of 20 runs" or "no runs yet".

    `capped`: it would be longer without the job's timeout.
    """

    length: timedelta
    known: str
    capped: bool = False


def lengths(
    jobs: Iterable[Job], history: History, assumed: Mapping[str, timedelta]
) -> dict[str, Length]:
    """By job: what is assumed, else the median of its newest runs, else a second."""
    found = {}
    for job in jobs:
        length = _length(job.name, history, assumed)
        if job.timeout is not None and length.length > job.timeout:
            length = Length(job.timeout, length.known, capped=True)
        found[job.name] = length
    return found


def _length(name: str, history: History, assumed: Mapping[str, timedelta]) -> Length:
    if name in assumed:
        return Length(assumed[name], "assumed")
    took = sorted(history.lengths(name, limit=LATEST))
    if not took:
        return Length(UNKNOWN, "no runs yet")
    median = (took[(len(took) - 1) // 2] + took[len(took) // 2]) / 2
    return Length(median, f"of {len(took)} run{'' if len(took) == 1 else 's'}")


def simulation(
    config: Config,
    history: History,
    switched: Standing,
    since: datetime,
    known: Mapping[str, Length],
) -> Simulation:
    """A play of the file's jobs from that moment on, with nothing running and nothing waiting."""
    seed, states = history.id or database_id(config.database), switched.known
    return Simulation(
        {name: standing(job, states.get(name), since, seed) for name, job in switched.jobs.items()},
        {name: length.length for name, length in known.items()},
        seed=seed,
        max_running=config.settings.max_running,
        pools=config.pools,
    )


def standing(job: Job, state: JobState | None, since: datetime, seed: str) -> JobState:
    """Where the job stands at `since`, every fire up to it accounted for.

    Its next fire is the one `next` tells; a job the ledger does not know is seen first at `since`.
    """
    schedule = job.schedule
    beat = rhythm_of(job, state, since, seed=seed)
    if state is None or state.meaning != schedule.meaning() or state.anchor is None:
        state = JobState(
            id=0,
            name=job.name,
            meaning=schedule.meaning(),
            anchor=beat.anchor,
            looked=None,
            ended=None,
            era=0,
            judged=None,
            resting=False,
            stale=False,
        )
    looked, ended = beat.upto(since), state.ended
    if schedule.from_end:
        looked, ended = since, _last_end(beat, since) or state.ended
    return replace(state, looked=looked, ended=ended, resting=False)


def _last_end(beat: Rhythm, since: datetime) -> datetime | None:
    """With `from_end`: when its last run ended, as if those until `since` had taken no time."""
    schedule = replace(beat.schedule, from_end=False)
    steady = rhythm(beat.job, schedule, beat.anchor, seed=beat.seed, shift=beat.shift)
    return steady.latest(beat.anchor.moment + beat.shift - _INSTANT, since)


class Forecast(Struct):
    """What becomes of one job. `waits` counts runs that waited, `longest` is the longest wait."""

    job: str
    runs: int = 0
    waits: int = 0
    longest: timedelta = timedelta(0)
    skipped: Counter[Reason] = field(default_factory=Counter)


class Summary:
    """What a play came to, with the first waits and skips."""

    def __init__(self, jobs: Iterable[Job]) -> None:
        self.jobs = {job.name: Forecast(job.name) for job in jobs if job.active}
        self.runs = self.waits = self.skipped = 0
        self.first_waits: list[PaperRun] = []
        self.skips: list[PaperSkip] = []

    def add(self, run: PaperRun) -> None:
        """A run that is predicted."""
        forecast = self.jobs[run.job]
        forecast.runs += 1
        self.runs += 1
        if run.start_at > run.fire_at:
            forecast.waits += 1
            self.waits += 1
            forecast.longest = max(forecast.longest, run.start_at - run.fire_at)
            if len(self.first_waits) < SHOWN:
                self.first_waits.append(run)

    def close(self, skips: list[PaperSkip]) -> None:
        """Nothing more is added; `skips` is all that is skipped."""
        for skip in skips:
            self.jobs[skip.job].skipped[skip.reason] += skip.count
            self.skipped += skip.count
        self.skips = skips
