"""Whatever was done to the daemon and its file: of every fire `why` says what was done.

The account it is held against is kept here, by whoever does it, and knows nothing of the ledger.
"""

from __future__ import annotations

import random
from dataclasses import dataclass, field
from datetime import datetime, timedelta
from pathlib import Path

import pytest

from engine.world import START
from inisched.model.schedule import Schedule
from inisched.timing.recurrence import Anchor, Rule, recurrence
from questions.watched import Watched

Fate = tuple[str, str | None, str]
"""The verdict, the reason, and words that must be said."""

SCHEDULES = ["every = 7 minutes", "cron = */5 * * * *", "every = hour\nat = :10, :40"]
GRACE = timedelta(seconds=60)


@dataclass
class Doings:
    """A plan as it is carried out, and what must become of each fire of job a."""

    w: Watched
    chance: random.Random
    section: str
    policy: str
    rule: Rule
    fates: dict[datetime, Fate] = field(default_factory=dict)
    looked: datetime = START
    going: datetime | None = None
    """The fire whose run is under way."""
    there: str = "there"
    """Whether the file has the job, as the daemon read it last: there, off or away."""
    written: str = "there"

    # -- what is done --------------------------------------------------------------------------

    def live(self, until: datetime) -> None:
        """The daemon looks at each fire in its time."""
        if self.there != "there":
            self.rest(self.there, until)
        for fire in self._due(until):
            if self.going is not None:
                self.fates[fire] = ("skipped", "overlap", "was still going since")
            else:
                self.fates[fire], self.going = ("running", None, "on time"), fire
        self.w.go(seconds=(until - self.w.now).total_seconds())

    def end(self) -> None:
        if self.going is not None:
            self.fates[self.going] = ("success", None, self.fates[self.going][2])
            self.going = None
        self.w.end_all()

    def vanish(self, *, orderly: bool) -> None:
        if orderly:
            self.end()
            self.w.stop()
        else:
            self.w.kill()
            if self.going is not None:
                self.fates[self.going] = ("running", None, "is not known")

    def come_back(self, why: str) -> None:
        """Somebody looks again after an absence, and what then runs ends at once."""
        fires = self._due(self.w.now)
        on_time = [fire for fire in fires[-1:] if self.w.now - fire <= GRACE]
        missed = [fire for fire in fires if fire not in on_time]
        if self.policy == "skip":
            self.fates |= dict.fromkeys(missed, ("skipped", "misfire", why))
            missed = []
        for fire in missed[:-1]:
            self.fates[fire] = ("skipped", "coalesced", why)
        for fire in [*missed[-1:], *on_time]:
            late = why if self.w.now > fire + timedelta(seconds=1) else "on time"
            overlap = ("skipped", "overlap", "was still going since")
            self.fates[fire] = ("success", None, late) if self.going is None else overlap
        self.end()

    def start(self) -> None:
        if self.going is not None:
            self.fates[self.going] = ("interrupted", None, "the daemon died during this run")
            self.going = None
        self.w.start()
        self.read("The daemon was down from")

    def sleep(self, length: timedelta, *, machine: bool) -> None:
        self.w.freeze(seconds=length.total_seconds(), machine=machine)
        who = "The machine slept from" if machine else "The daemon was asleep from"
        if self.there == "there":
            self.come_back(who)
        else:
            self.rest(self.there, self.w.now)

    def write(self, there: str) -> None:
        """The job is taken out of the file, switched off, or put back."""
        text = {"there": self.section, "off": f"{self.section}active = no\n", "away": ""}[there]
        self.written = there
        self.w.write(text)

    def reload(self, there: str) -> None:
        self.write(there)
        self.w.reload(self.w.file.read_text().partition("max_running = 2\n")[2])
        self.read("")

    def read(self, why: str) -> None:
        """A daemon has taken the file over, after an absence or not."""
        former, self.there = self.there, self.written
        if former == self.there == "there":
            self.come_back(why)
        else:
            self.rest(self.there if former == "there" else former, self.w.now)
            self.end()

    def rest(self, kind: str, until: datetime) -> None:
        """What came due while the job was not to run has come to nothing."""
        fate: dict[str, Fate] = {
            "off": ("not_a_fire", "inactive", "was switched off"),
            "away": ("not_in_file", "removed", "was not in the file"),
        }
        for fire in self._due(until):
            self.fates[fire] = fate[kind]

    def _due(self, until: datetime) -> list[datetime]:
        """Fires since the last look that anybody accounts for."""
        found = []
        fire = self.rule.after(self.looked)
        while fire is not None and fire <= until:
            found.append(fire)
            fire = self.rule.after(fire)
        self.looked = until
        return found

    # -- what is said --------------------------------------------------------------------------

    def check(self) -> None:
        for fire, (verdict, reason, words) in self.fates.items():
            answer = self.w.ask(f"{fire:%Y-%m-%dT%H:%M:%SZ}")
            text = " ".join(answer.tale.text)
            assert (answer.tale.verdict, answer.tale.reason) == (verdict, reason), f"{fire}: {text}"
            assert words in text, f"{fire}: {text}"
            if self.there != "away" and verdict not in ("not_a_fire", "not_in_file"):
                assert answer.fire_at == fire

    def check_those_to_come(self) -> None:
        """Of a daemon that is down: what is due is overdue, what lies ahead is coming."""
        if (self.there, self.written) != ("there", "there"):
            return
        fire = self.rule.after(self.looked)
        for _ in range(3):
            assert fire is not None
            answer = self.w.ask(f"{fire:%Y-%m-%dT%H:%M:%SZ}")
            due = ("overdue", "down") if fire <= self.w.now else ("coming", None)
            assert (answer.tale.verdict, answer.tale.reason) == due, f"{fire}: {answer.tale.text}"
            fire = self.rule.after(fire)


def doings(folder: Path, chance: random.Random) -> Doings:
    policy = chance.choice(["coalesce", "skip"])
    section = f"[a]\ncommand = true\n{chance.choice(SCHEDULES)}\nmisfire = {policy}\n"
    w = Watched(folder, section)
    schedule: Schedule = w.config.jobs[0].schedule
    return Doings(w, chance, section, policy, recurrence(schedule, Anchor(START), job="a"))


def one_thing(d: Doings) -> None:
    length = timedelta(seconds=d.chance.choice([40, 400, 2500]) * d.chance.random())
    happens = d.chance.random()
    if happens < 0.35:
        d.live(d.w.now + length)
    elif happens < 0.6:
        d.end()
    elif happens < 0.7:
        d.sleep(length + timedelta(minutes=1), machine=d.chance.random() < 0.5)
    elif happens < 0.85:
        d.vanish(orderly=d.chance.random() < 0.5)
        d.w.now += length
        if d.chance.random() < 0.3:
            d.write(d.chance.choice(["there", "away", "off"]))
        d.check_those_to_come()
        d.w.now += timedelta(seconds=1)
        d.start()
    else:
        d.reload("there" if d.there != "there" else d.chance.choice(["away", "off"]))


@pytest.mark.parametrize("seed", range(12))
def test_of_every_fire_why_says_what_was_done(tmp_path: Path, seed: int) -> None:
    d = doings(tmp_path, random.Random(seed))
    for _ in range(25):
        one_thing(d)
    d.check()
    d.w.kill()
