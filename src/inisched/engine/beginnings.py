"""Where a job stands when a file is adopted: it goes on, wakes up, begins anew, or rests."""

from __future__ import annotations

from collections.abc import Collection, Mapping
from datetime import datetime

from msgspec.structs import replace

from inisched.engine.seat import begin
from inisched.engine.step import passed_its_beginning
from inisched.model.job import Job
from inisched.stores.job_state import Beginning, JobState
from inisched.stores.switches import Switch
from inisched.timing.recurrence import this_look


def resting(
    known: Mapping[str, JobState],
    wanted: Mapping[str, Job],
    broken: Collection[str],
    switches: Mapping[str, Switch],
) -> dict[str, str]:
    """Which of the jobs ever seen rest, and why."""
    found = {}
    for name in known.keys() | wanted.keys():
        if name not in wanted:
            found[name] = "broken" if name in broken else "removed"
        elif not wanted[name].active:
            by_switch = name in switches and switches[name].enabled is False
            found[name] = "disabled" if by_switch else "inactive"
    return found


def is_back(switch: Switch | None) -> bool:
    """Whether the file's schedule has its way again, after another one."""
    return switch is not None and switch.former is not None and switch.schedule is None


def in_its_era(job: Job, state: JobState) -> JobState:
    """Fixed times know no eras: what has run at one never runs at it again."""
    return state if not state.era or job.schedule.elapsed else replace(state, era=0)


def beginning(job: Job, state: JobState | None, now: datetime) -> Beginning:
    """How the ledger is to know the job: a rhythm that goes on, wakes up, or begins now."""
    meaning = job.schedule.meaning()
    if state is not None and state.anchor is not None and state.meaning == meaning:
        if not job.schedule.elapsed:
            state = passed_its_beginning(state, now)
        assert state.looked is not None and state.anchor is not None
        looked = state.looked
        if state.resting and job.active:
            looked = max(looked, this_look(now).moment)
        return Beginning(job.name, meaning, state.anchor, looked, state.shift)
    anchor, looked = begin(job, state.looked if state else None, now)
    return Beginning(job.name, meaning, anchor, looked)
