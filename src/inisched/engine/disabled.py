"""What came due of jobs before somebody disabled them, while no daemon looked."""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from datetime import datetime

from msgspec.structs import replace

from inisched.engine.switched import effective
from inisched.model.job import Job
from inisched.model.run import Gap, Reason
from inisched.stores.claims import Take
from inisched.stores.job_state import JobState
from inisched.stores.ledger import Ledger
from inisched.stores.switches import Switch
from inisched.timing.due import gap


def account_for_disabled(
    ledger: Ledger, jobs: Iterable[Job], switches: Mapping[str, Switch], now: datetime
) -> tuple[dict[str, JobState], list[Gap]]:
    """What the ledger knows of all jobs, those that were disabled while nobody looked included.

    What of them came due before that is skipped as `disabled`: these are the gaps. Raises
    LedgerDown.
    """
    known, seed = ledger.jobs(), ledger.id
    disabled = [job for job in jobs if job.name in known and job.name in switches]
    found = [_left_behind(job, known[job.name], switches[job.name], seed) for job in disabled]
    takes = [take for take in found if take is not None]
    if not takes:
        return known, []
    ledger.claim(takes, now)
    return ledger.jobs(), [gap for take in takes for gap in take.gaps]


def _left_behind(job: Job, state: JobState, switch: Switch, seed: str) -> Take | None:
    off = switch.enabled_from if switch.enabled is False else None
    schedule = effective(job, switch).schedule
    if off is None or state.resting or state.looked is None or not job.active:
        return None
    if state.meaning != schedule.meaning():
        return None
    beat = state.rhythm(replace(job, schedule=schedule), seed)
    upto = beat.upto(off)
    last = beat.latest(state.looked, upto)
    if last is None:
        return None
    return Take(state, upto, gaps=[gap(job.name, beat, state.looked, last, Reason.DISABLED)])
