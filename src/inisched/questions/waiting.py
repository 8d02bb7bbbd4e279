"""What the fires that wait, wait for; whether that will come, and how long they wait for it."""

from __future__ import annotations

from collections import Counter
from collections.abc import Callable, Iterable, Iterator, Mapping
from datetime import datetime

from msgspec import Struct, field

from inisched.config.loader import Config
from inisched.engine.following import Followed
from inisched.engine.patience import limit_of, next_question, override_of
from inisched.model.job import Gates, Job, Overlap
from inisched.stores.history import History, Row, parse
from inisched.stores.job_state import JobState
from inisched.stores.past import Entry
from inisched.stores.switches import Switch

Told = Callable[[], Mapping[int, str]]
"""Asks a living daemon what its waiting fires wait for, by the ids of their rows."""

SCHEDULED = ("schedule", "catchup")


class Waiter(Struct, frozen=True, kw_only=True):
    """A row that waits, and for what, in the words of `status`. `job` None: it cannot be read.

    `missing` are the jobs it still has to follow, and `idle` why some of them may never run;
    `since` is from when on their ends count (None: any counts). `failed` is the run whose period
    stands still before it.
    """

    row: Row
    gate: str
    job: Job | None
    missing: tuple[str, ...] = ()
    idle: Mapping[str, str] = field(default_factory=dict)
    since: datetime | None = None
    failed: Entry | None = None

    @property
    def kind(self) -> str:
        """The gate without the name behind its colon."""
        return self.gate.partition(":")[0]

    @property
    def name(self) -> str:
        """What stands behind the colon of the gate."""
        return self.gate.partition(":")[2]

    @property
    def gates(self) -> Gates:
        return self.job.gates if self.job is not None else Gates()

    @property
    def fire_at(self) -> datetime:
        return parse(self.row["fire_at"])

    @property
    def taken_at(self) -> datetime:
        taken: datetime | None = self.row["taken_at"]
        return taken or self.fire_at

    @property
    def first_fire(self) -> datetime:
        first: datetime | None = self.row["first_at"]
        return first or self.fire_at

    @property
    def asked_at(self) -> datetime | None:
        asked: datetime | None = self.row["asked_at"]
        return asked

    @property
    def again(self) -> datetime | None:
        """When it is asked again whether it is ready; None: at once."""
        return next_question(self.gates, self) if self.kind == "ready" else None

    @property
    def override(self) -> datetime | None:
        """When it runs even if it is not ready; None: never."""
        moment = override_of(self.gates, self) if self.gates.ready is not None else None
        limit = limit_of(self.gates, self)
        return moment if moment and (limit is None or moment <= limit) else None

    @property
    def limit(self) -> datetime | None:
        """When it gives up; None: never."""
        if self.kind == "ready" and self.override is not None:
            return None
        return limit_of(self.gates, self) if self.kind in ("ready", "after") else None


def waiting(
    rows: Iterable[Row],
    config: Config,
    history: History,
    now: datetime,
    *,
    told: Told | None = None,
) -> list[Waiter]:
    """Those of the open rows that wait, oldest first; they do so while no daemon is up, too.

    What they wait for a daemon knows best, which is asked by `told` where one is up; of others
    their rows tell, and `config`, whose broken jobs are those nobody can run. A fire asked for
    later waits for nothing but its moment, and is left out.
    """
    rows = list(rows)
    if not any(row["state"] == "waiting" for row in rows):
        return []
    known, best = history.jobs(), told() if told is not None else {}
    switches = history.switches()
    reckoning = _Reckoning(rows, config, known, now)
    found = []
    for row, gate in reckoning.gates():
        gate = best.get(row["id"], gate)
        state = known.get(row["job"])
        missing = tuple(reckoning.missing(row["job"], gate))
        stands = state.failed_run if state is not None and gate == "line" else None
        found.append(
            Waiter(
                row=row,
                gate=gate,
                job=reckoning.jobs.get(row["job"]),
                missing=missing,
                idle={
                    name: why
                    for name in missing
                    if (why := idle(config, known, name, switches.get(name), now))
                },
                since=state.started if state is not None else None,
                failed=history.entry(stands) if stands is not None and _orderly(row) else None,
            )
        )
    return found


def idle(
    config: Config,
    known: Mapping[str, JobState],
    name: str,
    switch: Switch | None,
    now: datetime,
) -> str:
    """Why a job will not run by itself: "inactive", "disabled", "paused", "broken", "not in the
    file"; "" if it may."""
    section = next((one for one in config.sections if one.name == name), None)
    if section is None:
        return "not in the file"
    if section.job is None:
        state = known.get(name)
        return "" if state is not None and state.stale else "broken"
    if switch is not None and switch.enabled is False:
        return "disabled"
    if switch is not None and switch.is_paused(now):
        return "paused"
    return "" if section.job.active or (switch and switch.enabled) else "inactive"


def _orderly(row: Row) -> bool:
    """Whether it is the first attempt at a fire of the job's own rhythm."""
    return row["attempt"] == 1 and row["trigger"] in SCHEDULED


class _Reckoning:
    """What rows wait for, as far as they tell it themselves; the gates in their order."""

    def __init__(
        self, rows: list[Row], config: Config, known: Mapping[str, JobState], now: datetime
    ) -> None:
        self.jobs = {job.name: job for job in config.jobs}
        self._rows, self._pools, self._known, self._now = rows, config.pools, known, now
        self._running = {row["job"] for row in rows if row["state"] == "running"}
        pools = (self._pool(row) for row in rows if row["state"] == "running")
        self._taken = Counter(pool for pool in pools if pool is not None)
        self._followed = Followed()
        self._followed.know(known.values())

    def _pool(self, row: Row) -> str | None:
        job = self.jobs.get(row["job"])
        return job.pool if job is not None else None

    def gates(self) -> Iterator[tuple[Row, str]]:
        """Each row that waits, and its gate."""
        seen: set[str] = set()
        for row in self._rows:
            ahead = row["not_before"] is not None and row["not_before"] > self._now
            if row["state"] != "waiting" or (ahead and row["trigger"] != "retry"):
                continue
            yield row, "retry" if ahead else self._gate(row, behind=row["job"] in seen)
            seen.add(row["job"])

    def _gate(self, row: Row, *, behind: bool) -> str:
        if row["fire_until"] is not None:
            return "hold"
        if row["attempt"] == 1 and (gate := self._own(row, behind=behind)):
            return gate
        pool = self._pool(row)
        places = self._pools.get(pool or "")
        if pool is not None and places is not None and self._taken[pool] >= places.max:
            return f"pool:{pool}"
        return "retry" if row["attempt"] > 1 else "max_running"

    def _own(self, row: Row, *, behind: bool) -> str | None:
        """What of its own job, of those it follows, and of its data it waits for."""
        name = row["job"]
        job, state = self.jobs.get(name), self._known.get(name)
        if behind:
            return "line"
        if name in self._running and not (job is not None and job.overlap is Overlap.ALLOW):
            return "line" if row["trigger"] == "catchup" else "overlap"
        if state is not None and state.failed_run is not None and _orderly(row):
            return "line"
        if job is None or row["trigger"] == "manual":
            return None
        unmet = self._followed.unmet(name, job.gates)
        if unmet is not None:
            return f"after:{unmet}"
        return "ready" if job.gates.ready is not None and not row["override"] else None

    def missing(self, name: str, gate: str) -> Iterator[str]:
        """The jobs it waits for, where it waits for any; first the one the gate names."""
        kind, _, first = gate.partition(":")
        if kind != "after":
            return
        yield first
        job = self.jobs.get(name)
        if job is not None:
            others = self._followed.missing(name, job.gates)
            yield from (other for other in others if other != first)
