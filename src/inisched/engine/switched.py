"""A job as it is with its switches: what the daemon goes by, and every view of what comes."""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from datetime import datetime

from msgspec import Struct
from msgspec.structs import replace

from inisched.config.rescheduled import reschedule, without_reach
from inisched.config.when import AT_START
from inisched.model.diagnostic import Unreadable
from inisched.model.job import Job
from inisched.stores.job_state import JobState
from inisched.stores.switches import Keys, Switch


class Switched(Struct, frozen=True):
    """The jobs of a file with their switches, and what is known of each with its rhythm back."""

    jobs: tuple[Job, ...]
    known: Mapping[str, JobState]


def switched(
    jobs: Iterable[Job],
    known: Mapping[str, JobState],
    switches: Mapping[str, Switch],
    now: datetime,
) -> Switched:
    """All jobs as the daemon takes them, or would if it began now."""
    taken = tuple(effective(job, switches.get(job.name)) for job in jobs)
    back = {
        job.name: resumed(job, known[job.name], switches[job.name], now)
        for job in taken
        if job.name in known and job.name in switches
    }
    return Switched(taken, {**known, **back} if back else known)


def effective(job: Job, switch: Switch | None) -> Job:
    """The job as its switches make it."""
    if switch is None:
        return job
    if switch.enabled is not None and switch.enabled is not job.active:
        job = replace(job, active=switch.enabled)
    return job if switch.schedule is None else _rescheduled(job, switch.schedule)


def _rescheduled(job: Job, keys: Keys) -> Job:
    """`cron = @reboot` goes with the schedule it stands in, and so does one that is given."""
    try:
        schedule = without_reach(reschedule(job.schedule, keys))
    except Unreadable:  # entered by a version that knew other words
        return job
    at_start = job.run_at_start and job.schedule.text != AT_START
    return replace(job, schedule=schedule, run_at_start=at_start or schedule.text == AT_START)


def resumed(job: Job, state: JobState, switch: Switch, now: datetime) -> JobState:
    """What is known of a job, with its former rhythm where that is the one to go on with."""
    former, meaning = switch.former, job.schedule.meaning()
    if former is None or state.meaning == meaning or former.meaning != meaning:
        return state
    looked = now.replace(microsecond=0)
    return replace(
        state,
        meaning=meaning,
        anchor=former.anchor,
        shift=former.shift if job.schedule.elapsed else state.shift * 0,
        looked=max(looked, state.looked) if state.looked else looked,
    )
