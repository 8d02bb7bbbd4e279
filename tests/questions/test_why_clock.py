"""However the clock is set under a daemon: of each pass of each fire `why` says what became."""

from __future__ import annotations

import random
from datetime import datetime, timedelta
from pathlib import Path

import pytest

from engine.world import START
from inisched.timing.recurrence import Anchor, Rule, recurrence
from questions.watched import Watched

TEN = timedelta(minutes=10)


def a_while(chance: random.Random) -> timedelta:
    return timedelta(seconds=chance.choice([40, 400, 2500]) * chance.random() + 1)


def a_step(chance: random.Random) -> timedelta:
    return a_while(chance) * chance.choice([1, -1])


@pytest.mark.parametrize("seed", range(6))
def test_an_interval_is_known_on_both_sides_of_each_step(tmp_path: Path, seed: int) -> None:
    """The account kept here: when the next fire is, which moves with the clock."""
    chance = random.Random(seed)
    w = Watched(tmp_path, "[a]\ncommand = true\nevery = 10 minutes\n")
    coming, runs = START + TEN, dict[datetime, list[int]]()
    number = 0
    for _ in range(30):
        if chance.random() < 0.3:
            step = a_step(chance)
            step = timedelta(milliseconds=step // timedelta(milliseconds=1))
            coming += step
            w.set_clock(seconds=step.total_seconds())
        until = w.now + a_while(chance)
        while coming <= until:
            w.go(seconds=(coming - w.now).total_seconds() + 1)
            w.end_all()
            number += 1
            runs.setdefault(coming, []).append(number)
            coming += TEN
        w.go(seconds=max(0.0, (until - w.now).total_seconds()))
    for fire, ids in runs.items():
        answer = w.ask(exactly(fire))
        assert answer.tale.runs == ids, f"{fire}: {answer.tale.text}"
    assert w.ask(exactly(coming)).tale.verdict == "coming"
    if (other := coming + timedelta(minutes=5)) not in runs:
        assert w.ask(exactly(other)).tale.verdict == "not_a_fire"
    w.kill()


@pytest.mark.parametrize("seed", range(6))
def test_a_fixed_time_runs_once_however_the_clock_is_set(tmp_path: Path, seed: int) -> None:
    """The account kept here: which times have run, and which were jumped over and folded."""
    chance = random.Random(seed)
    w = Watched(tmp_path, "[a]\ncommand = true\ncron = */5 * * * *\n")
    rule = recurrence(w.config.jobs[0].schedule, Anchor(START - timedelta(days=1)), job="a")
    ran, folded = set[datetime](), set[datetime]()
    looked = w.now
    for _ in range(30):
        if chance.random() < 0.3:
            step = a_step(chance)
            w.set_clock(seconds=step.total_seconds() // 1)
            w.end_all()
            if w.now < looked:
                looked = w.now
                folded = {fire for fire in folded if fire <= looked}
            elif looked < START <= w.now:
                looked = START  # what lay before the first look does not come due
            jumped = [fire for fire in between(rule, looked, w.now) if fire not in ran]
            late = [fire for fire in jumped if w.now - fire > timedelta(seconds=60)]
            folded |= set(late[:-1])
            ran |= {*late[-1:], *(fire for fire in jumped if fire not in late)}
            looked = w.now
        until = w.now + a_while(chance)
        for fire in between(rule, looked, until):
            w.go(seconds=(fire - w.now).total_seconds() + 1)
            w.end_all()
            ran.add(fire)
        w.go(seconds=max(0.0, (until - w.now).total_seconds()))
        looked = w.now
    for fire in ran:
        answer = w.ask(exactly(fire))
        assert answer.tale.verdict == "success", f"{fire}: {answer.tale.text} {w.account()}"
    for fire in folded - ran:
        answer = w.ask(exactly(fire))
        assert (answer.tale.verdict, answer.tale.reason) == ("skipped", "coalesced"), fire
        assert "The clock was set forward by" in " ".join(answer.tale.text)
    w.kill()


def between(rule: Rule, since: datetime, until: datetime) -> list[datetime]:
    found, fire = [], rule.after(since)
    while fire is not None and fire <= until:
        found.append(fire)
        fire = rule.after(fire)
    return found


def exactly(fire: datetime) -> str:
    return fire.strftime("%Y-%m-%dT%H:%M:%S") + f".{fire.microsecond // 1000:03}Z"
