"""The simulation's account: nothing lost, nothing double, and the same as the real ledger's."""

from __future__ import annotations

import heapq
from datetime import datetime, timedelta
from pathlib import Path
from tempfile import TemporaryDirectory

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from engine.play import Play, play
from engine.world import START, FakeRun, World
from inisched.config.loader import load
from inisched.engine.nursery import Departed
from inisched.executors.running import Task
from inisched.questions.coming import coming
from inisched.stores.history import parse
from inisched.stores.opening import database_id

_JOB = st.tuples(
    st.sampled_from(
        [
            "every = 7 seconds",
            "every = 20 seconds\njitter = 15 s",
            "every = minute\nat = :20, :50",
            "every = 1 to 3 minutes",
            "cron = */2 * * * *",
            "cron = */3 * * * *\njitter = 100 s",
            "every = 5 minutes\nmisfire = all\nmax_catchup = 3",
        ]
    ),
    st.sampled_from(["skip", "queue", "replace", "allow"]),
    st.sampled_from(["", "pool = narrow", "pool = patient"]),
    st.integers(0, 200),
)
_POOLS = "[pool:narrow]\nwait = 20 s\n[pool:patient]\nmax = 2\n"


@settings(max_examples=60, deadline=None)
@given(st.lists(_JOB, min_size=1, max_size=5), st.integers(1, 4), st.integers(0, 4000))
def test_runs_and_skips_are_the_coming_fires_each_once(
    jobs: list[tuple[str, str, str, int]], places: int, begin: int
) -> None:
    text = _POOLS + "".join(
        f"[j{n}]\ncommand = true\n{schedule}\noverlap = {overlap}\n{pool}\n"
        for n, (schedule, overlap, pool, _) in enumerate(jobs)
    )
    since = START + timedelta(seconds=begin, milliseconds=begin)
    with TemporaryDirectory() as folder:
        found = play(
            Path(folder),
            text,
            since=since,
            assume={f"j{n}": f"{length} s" for n, (*_, length) in enumerate(jobs)},
            settings=f"max_running = {places}",
            minutes=30,
        )
        config = load(Path(folder) / "jobs.ini", strict_references=True)
    until = since + timedelta(minutes=30)
    seed = database_id(config.database)
    for job in config.jobs:
        fires = coming([job], {}, since=since, until=until, seed=seed)
        assert accounted(found, job.name, [fire.at for fire in fires]) == [f.at for f in fires]


def accounted(found: Play, job: str, fires: list[datetime]) -> list[datetime]:
    """The fires of a job that have a run or lie in a gap, in order and as often as they do."""
    covered = [row.fire_at for row in found.rows if row.job == job]
    for gap in found.gaps:
        if gap.job == job:
            first = fires.index(gap.fire_at)
            covered += fires[first : first + gap.count]
    return sorted(covered)


class Clockwork(World):
    """A world whose runs end by themselves, looked at once a second."""

    def __init__(self, folder: Path, text: str, lengths: dict[str, int]) -> None:
        self.lengths = lengths
        self.ends: list[tuple[datetime, int]] = []
        super().__init__(folder, text)

    def _start(self, task: Task) -> FakeRun:
        end = self.now + timedelta(seconds=self.lengths[task.job.name])
        heapq.heappush(self.ends, (end, task.run_id))
        return FakeRun(task, self.outcome)  # type: ignore[arg-type]

    def tick(self) -> None:
        self.now += timedelta(seconds=1)
        while self.ends and self.ends[0][0] <= self.now:
            self._gone(heapq.heappop(self.ends)[1])
        self.engine.look(self.now)
        while self.told_to_end:
            self._gone(self.told_to_end.pop(0))
            self.engine.look(self.now)

    def _gone(self, run_id: int) -> None:
        if run_id in self.engine.runs:
            self.engine.ended(Departed(run_id, ago=0.0, timed_out=False, left=0), self.now)

    def told(self) -> tuple[list[tuple[object, ...]], list[tuple[object, ...]]]:
        """Runs and skips of the real ledger, as the simulation has them."""
        rows = self.rows()
        runs = [r for r in rows if r["started_at"] is not None]
        skips = [r for r in rows if r["started_at"] is None]
        return (
            sorted(
                (r["job"], *(parse(r[k]) for k in ("fire_at", "started_at", "ended_at")))
                for r in runs
            ),
            sorted((r["job"], parse(r["fire_at"]), r["reason"], r["count"]) for r in skips),
        )


BUSY = """\
[pool:db]
wait = 40 s
[skips]
command = true
every = 30 seconds
[queues]
command = true
every = minute
at = :10
overlap = queue
[replaces]
command = true
every = 50 seconds
overlap = replace
[allows]
command = true
cron = * * * * *
overlap = allow
[pooled]
command = true
every = 2 minutes
pool = db
[also pooled]
command = true
every = 2 minutes
pool = db
[from end]
command = true
every = 70 seconds
from_end = yes
[all]
command = true
every = 45 seconds
misfire = all
max_catchup = 2
"""
NAMES = ["skips", "queues", "replaces", "allows", "pooled", "also pooled", "from end", "all"]


@pytest.mark.parametrize("places", [1, 2, 3, 20])
@pytest.mark.parametrize("shortest", [1, 5, 40])
def test_the_account_is_that_of_the_real_ledger(tmp_path: Path, places: int, shortest: int) -> None:
    lengths = {name: shortest + 7 * number for number, name in enumerate(NAMES)}
    w = Clockwork(tmp_path, BUSY, lengths)
    w.engine.gates.max_running = places
    for _ in range(900):
        w.tick()
    w.engine.closed = True
    while not w.engine.idle:
        w.tick()
    w.ledger.close()
    runs, skips = w.told()
    (tmp_path / "other").mkdir()
    found = play(
        tmp_path / "other",
        BUSY,
        assume={name: f"{length} s" for name, length in lengths.items()},
        settings=f"max_running = {places}",
        minutes=15,
    )
    assert sorted((r.job, r.fire_at, r.start_at, r.end_at) for r in found.rows) == runs
    assert sorted((g.job, g.fire_at, g.reason.value, g.count) for g in found.gaps) == skips
    assert len(runs) > 20
