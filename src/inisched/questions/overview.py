"""What `list` shows: each job of the file with its last run and its next fire."""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from dataclasses import dataclass
from datetime import datetime

from inisched.config.judged import Judged, Passed
from inisched.config.loader import JobSection
from inisched.questions.coming import fires
from inisched.questions.waiting import waiting
from inisched.stores.history import History, Row, parse
from inisched.stores.job_state import JobState


@dataclass(frozen=True, slots=True, kw_only=True)
class JobLine:
    """One job at a glance. `state` is broken, stale, inactive, running, waiting or idle.

    `cost` is how many fires its latest run has cost by being still under way.
    """

    section: JobSection
    state: str
    next_fire: datetime | None
    last: Row | None
    running: bool
    waiting_for: str | None
    passed: Passed
    stale: bool
    cost: int

    @property
    def last_fire(self) -> datetime | None:
        return parse(self.last["fire_at"]) if self.last else None


def overview(judged: Judged, history: History, now: datetime, *, alive: bool) -> list[JobLine]:
    """All jobs in file order. `alive`: a daemon is up, so that open rows are true."""
    sections = judged.config.sections
    known = history.jobs()
    last = history.last_runs(dict.fromkeys(section.name for section in sections))
    rows = history.open_rows() if alive else []
    opened = _by_job(rows)
    gates = {row["job"]: gate for row, gate in reversed(waiting(rows, judged.config))}
    seed = history.id or ""
    return [
        JobLine(
            section=section,
            state=_state(
                section,
                opened.get(section.name, {}),
                stale=_is_stale(section, known.get(section.name), alive=alive),
            ),
            next_fire=_next_fire(section, known.get(section.name), now, seed),
            last=last.get(section.name),
            running="running" in opened.get(section.name, {}),
            waiting_for=gates.get(section.name),
            passed=judged.passed.get(section.name, {}),
            stale=_is_stale(section, known.get(section.name), alive=alive),
            cost=history.overlapped(section.name),
        )
        for section in sections
    ]


def _by_job(rows: Iterable[Row]) -> dict[str, dict[str, Row]]:
    """Open rows by job, then by state."""
    found: dict[str, dict[str, Row]] = {}
    for row in rows:
        found.setdefault(row["job"], {})[row["state"]] = row
    return found


def _is_stale(section: JobSection, state: JobState | None, *, alive: bool) -> bool:
    """Whether a daemon runs the last good definition of a section that is broken now."""
    return alive and section.job is None and state is not None and state.stale


def _state(section: JobSection, opened: Mapping[str, Row], *, stale: bool) -> str:
    if section.job is None:
        return "stale" if stale else "broken"
    if not section.active:
        return "inactive"
    return next((state for state in ("running", "waiting") if state in opened), "idle")


def _next_fire(
    section: JobSection, state: JobState | None, now: datetime, seed: str
) -> datetime | None:
    if section.job is None or not section.active:
        return None
    return next((fire.at for fire in fires(section.job, state, now, seed=seed)), None)
