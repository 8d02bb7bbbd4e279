"""What `list` shows: each job of the file with its last run and its next fire."""

from __future__ import annotations

from datetime import datetime

from msgspec import Struct

from inisched.config.judged import Judged, Passed
from inisched.config.loader import JobSection
from inisched.engine.change import shown
from inisched.model.job import Job
from inisched.questions.coming import fires
from inisched.questions.switched import Standing, standing
from inisched.questions.waiting import Told, Waiter, waiting
from inisched.stores.history import FAILED, History, Row, parse
from inisched.stores.job_state import JobState
from inisched.stores.switches import Switch


class JobLine(Struct, frozen=True, kw_only=True):
    """One job at a glance: its section, the job as its switches make it, and those in force.

    `opened` are the states of its open rows, `waiter` is the first of its fires that waits. `cost`
    is how many fires its latest run has cost by being still under way; where that failed, `cleared`
    says that it is forgotten.
    """

    section: JobSection
    job: Job | None
    switch: Switch | None
    opened: frozenset[str]
    next_fire: datetime | None
    last: Row | None
    waiter: Waiter | None
    passed: Passed
    stale: bool
    cost: int
    cleared: bool

    @property
    def state(self) -> str:
        """broken, stale, inactive, running, disabled, paused, waiting or idle."""
        if self.section.job is None:
            return "stale" if self.stale else "broken"
        off = self.switch is not None and self.switch.enabled is False
        if not (self.active or off):
            return "inactive"
        if self.running:
            return "running"
        if off:
            return "disabled"
        if self.switch is not None and self.switch.paused_until is not None:
            return "paused"
        return "waiting" if "waiting" in self.opened else "idle"

    @property
    def active(self) -> bool:
        """Whether it has fires of its own, switches counted."""
        switched = self.switch.enabled if self.switch else None
        return self.section.active if switched is None else switched

    @property
    def running(self) -> bool:
        return "running" in self.opened

    @property
    def new_schedule(self) -> str | None:
        """The schedule somebody gave it in place of the file's."""
        if self.switch is None or self.switch.schedule is None:
            return None
        return self.job.schedule.text if self.job else shown(self.switch.schedule)

    @property
    def schedule_text(self) -> str:
        return self.new_schedule or self.section.schedule_text

    @property
    def waiting_for(self) -> str | None:
        return self.waiter.gate if self.waiter is not None else None

    @property
    def waiting_fire(self) -> datetime | None:
        """Of a job that does nothing but wait: the fire that does."""
        waits = self.waiter is not None and self.state == "waiting"
        return self.waiter.fire_at if waits and self.waiter is not None else None

    @property
    def last_fire(self) -> datetime | None:
        return parse(self.last["fire_at"]) if self.last else None


def overview(
    judged: Judged, history: History, now: datetime, *, alive: bool, told: Told
) -> list[JobLine]:
    """All jobs in file order. `alive`: a daemon is up, so that what runs does, and `told` asks it
    what is waited for."""
    sections = judged.config.sections
    switched = standing(judged.config.jobs, history, now)
    last, costs = history.last_runs(), history.overlapped()
    rows = history.open_rows()
    waiters = waiting(rows, judged.config, history, now, told=told if alive else None)
    first = {waiter.row["job"]: waiter for waiter in reversed(waiters)}
    running = {row["job"] for row in rows if alive and row["state"] == "running"}
    seed, cleared = history.id or "", history.cleared()
    return [
        JobLine(
            section=section,
            job=None if section.job is None else switched.jobs[section.name],
            switch=switched.switches.get(section.name),
            opened=frozenset(
                state
                for state, names in (("running", running), ("waiting", first))
                if section.name in names
            ),
            next_fire=_next_fire(switched, section, now, seed),
            last=last.get(section.name),
            waiter=first.get(section.name),
            passed=judged.passed.get(section.name, {}),
            stale=_is_stale(section, switched.known.get(section.name), alive=alive),
            cost=costs.get(section.name, 0),
            cleared=_is_cleared(last.get(section.name), cleared.get(section.name)),
        )
        for section in sections
    ]


def _is_cleared(last: Row | None, cleared: datetime | None) -> bool:
    """Whether somebody has had the failure of the latest run forgotten."""
    if last is None or cleared is None or last["ended_at"] is None or last["state"] not in FAILED:
        return False
    return parse(last["ended_at"]) <= cleared


def _is_stale(section: JobSection, state: JobState | None, *, alive: bool) -> bool:
    """Whether a daemon runs the last good definition of a section that is broken now."""
    return alive and section.job is None and state is not None and state.stale


def _next_fire(
    switched: Standing, section: JobSection, now: datetime, seed: str
) -> datetime | None:
    name = section.name
    job, until = switched.jobs.get(name), switched.paused.get(name)
    if section.job is None or job is None or not job.active:
        return None
    coming = fires(job, switched.known.get(name), now, seed=seed, paused_until=until)
    return next((fire.at for fire in coming), None)
