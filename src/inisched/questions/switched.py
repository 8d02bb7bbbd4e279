"""The jobs of a file as their switches make them, for all who show what comes."""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from datetime import datetime

from msgspec import Struct

from inisched.engine.switched import switched
from inisched.model.job import Job
from inisched.stores.history import History
from inisched.stores.job_state import JobState
from inisched.stores.switches import Switch


class Standing(Struct, frozen=True, kw_only=True):
    """How jobs stand now: as switched, what is known of each, and the switches in force.

    `paused` is until when, by job.
    """

    jobs: Mapping[str, Job]
    known: Mapping[str, JobState]
    switches: Mapping[str, Switch]
    paused: Mapping[str, datetime]


def standing(jobs: Iterable[Job], history: History, now: datetime) -> Standing:
    """With everything that people switched. Of two jobs of one name the last counts."""
    thrown = history.switches()
    taken = switched(jobs, history.jobs(), thrown, now)
    in_force = {name: switch.in_force(now) for name, switch in thrown.items()}
    switches = {name: switch for name, switch in in_force.items() if switch is not None}
    return Standing(
        jobs={job.name: job for job in taken.jobs},
        known=taken.known,
        switches=switches,
        paused={n: s.paused_until for n, s in switches.items() if s.paused_until is not None},
    )
