"""What gates make of fires that are due: whom they wait for, whether they are ready."""

from __future__ import annotations

from collections.abc import Callable, Iterable, Mapping
from datetime import date, datetime

from msgspec.structs import replace

from inisched.engine.following import Followed
from inisched.engine.patience import is_overdue, limit_of, next_question, override_of
from inisched.model.job import Job
from inisched.model.run import Fire, Trigger
from inisched.questions.pending import Pending, one_of
from inisched.stores.claims import Claimed
from inisched.stores.job_state import JobState
from inisched.stores.past import Entry

Ask = Callable[[Job, Fire], bool]
"""Asks a job's gate whether it is ready for the fire."""

Find = Callable[[int], Entry | None]
"""Finds the row of a run."""

_ORDERLY = (Trigger.SCHEDULE, Trigger.CATCHUP)


class Prospects:
    """The gates of one file's jobs at `now`."""

    def __init__(
        self,
        jobs: Iterable[Job],
        known: Mapping[str, JobState],
        now: datetime,
        *,
        ask: Ask,
        find: Find,
    ) -> None:
        self._jobs = {job.name: job for job in jobs}
        self._known, self._now, self._ask, self._find = known, now, ask, find
        self._followed = Followed()
        self._followed.know(known.values())

    def of(self, found: Iterable[Pending], *, once: bool) -> list[Pending]:
        """The same fires as their gates let them, each asked for once; with failed periods, which
        are tried again before later ones are. A pass (`once`) tries them in any case."""
        found = list(found)
        fires = [one for one in found if one.fire is not None and one.row is None]
        again = self._failed_again({one.job for one in fires if _orderly(one)}, found, once=once)
        return [*again, *(self._gated(one) for one in found)]

    def _failed_again(
        self, due: set[str], found: Iterable[Pending], *, once: bool
    ) -> Iterable[Pending]:
        retried = {one.job for one in found if one.trigger == Trigger.RETRY.value}
        for name, job in self._jobs.items():
            if not job.active or not (once or name in due) or name in retried:
                continue
            fire = self._failed(job)
            if fire is not None:
                yield one_of(job, fire)

    def _failed(self, job: Job) -> Fire | None:
        """The next attempt at the fire whose period stands still."""
        state = self._known.get(job.name)
        if state is None or state.failed_run is None or job.report_period is None:
            return None
        entry = self._find(state.failed_run)
        return _again(job, entry) if entry is not None else None

    def _gated(self, one: Pending) -> Pending:
        """Of a fire that would run: what its own gates say."""
        job = self._jobs.get(one.job)
        if job is None or one.outcome != "run" or one.fire is None:
            return one
        if one.fire.trigger in (Trigger.RETRY, Trigger.MANUAL):
            return one
        failed = self._failed(job)
        if failed is not None and _orderly(one):
            return replace(one, outcome="wait", reason="line")
        if failed is not None and one.fire.trigger is Trigger.START:
            one = replace(one, fire=replace(one.fire, period=failed.period))
        unmet = self._followed.unmet(one.job, job.gates)
        if unmet is not None:
            return self._waits(one, job, f"after:{unmet}", "dependency")
        found = self._asked(one, job) if job.gates.ready is not None else one
        if found.outcome == "run":
            self._followed[one.job].started = self._now
        return found

    def _asked(self, one: Pending, job: Job) -> Pending:
        fire = one.fire
        if fire is None or fire.override:
            return one
        entry = _entry(one, fire, self._now)
        one = replace(one, ready=self._ask(job, fire))
        moment = next_question(job.gates, entry)
        if moment is not None and moment > self._now:
            return self._waits(one, job, "ready", "not_ready")
        if one.ready:
            return one
        if is_overdue(job.gates, entry, self._now):
            return replace(one, fire=replace(fire, override=True))
        return self._waits(one, job, "ready", "not_ready")

    def _waits(self, one: Pending, job: Job, gate: str, reason: str) -> Pending:
        """It waits at the gate, or has done so for too long."""
        assert one.fire is not None
        entry = _entry(one, one.fire, self._now)
        limit, override = limit_of(job.gates, entry), override_of(job.gates, entry)
        if gate == "ready" and limit and override and override <= limit:
            limit = None
        if limit is not None and limit <= self._now:
            return replace(one, outcome="skip", reason=reason)
        return replace(one, outcome="wait", reason=gate)


def _orderly(one: Pending) -> bool:
    return one.fire is not None and one.fire.trigger in _ORDERLY


def _again(job: Job, entry: Entry) -> Fire:
    """The next attempt at the fire whose period failed."""
    period = entry.period and (
        date.fromisoformat(entry.period[0]),
        date.fromisoformat(entry.period[1]),
    )
    return Fire(
        job=job.name,
        at=entry.unmoved,
        moved=entry.fire_at,
        trigger=Trigger.RETRY,
        period=period,
        override=entry.override,
    )


def _entry(one: Pending, fire: Fire, now: datetime) -> Claimed:
    """The fire as it waits: in its row, or taken up now."""
    if one.row is None:
        return Claimed(run_id=0, fire=fire, taken_at=now)
    row = one.row
    return Claimed(
        run_id=row["id"],
        fire=fire,
        taken_at=row["taken_at"] or now,
        first_at=row["first_at"],
        asked=row["asked"],
        asked_at=row["asked_at"],
    )
