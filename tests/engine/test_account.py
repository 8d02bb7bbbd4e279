"""However the daemon looks, stalls, dies and comes back: each fire has one row, or one gap."""

from __future__ import annotations

import random
from pathlib import Path

import pytest

from engine.world import START, World
from inisched.stores.history import parse
from inisched.timing.recurrence import Anchor, recurrence

SCHEDULES = [
    "every = 7 seconds",
    "every = minute\nat = :20",
    "every = 3 to 9 minutes",
    "cron = */5 * * * *",
    "every = hour\nat = :10, :40",
]


@pytest.mark.parametrize("policy", ["coalesce", "skip", "all"])
@pytest.mark.parametrize("seed", range(8))
def test_every_fire_that_came_due_is_accounted_for_once(
    tmp_path: Path, seed: int, policy: str
) -> None:
    chance = random.Random(f"{seed} {policy}")
    schedule = chance.choice(SCHEDULES)
    text = f"[a]\ncommand = true\n{schedule}\nmisfire = {policy}\n"
    w = World(tmp_path, text)
    for _ in range(60):
        step = chance.choice([0.3, 5, 70, 400, 4000]) * chance.random()
        happens = chance.random()
        if happens < 0.2:
            w.restart(seconds=step)
        elif happens < 0.5 and w.engine.runs:
            w.end("a")
        else:
            w.go(seconds=step)
    w.ledger.close()

    job = w.config.jobs[0]
    rule = recurrence(job.schedule, Anchor(START), job="a")
    expected = []
    fire = rule.after(START)
    while fire is not None and fire <= w.now:
        expected.append(fire)
        fire = rule.after(fire)
    found = []
    for row in w.rows():
        first = parse(row["fire_at"])
        last = parse(row["fire_until"]) if row["fire_until"] else first
        stretch = [at for at in expected if first <= at <= last]
        assert (len(stretch), stretch[0], stretch[-1]) == (row["count"], first, last)
        found += stretch
    assert sorted(found) == expected
