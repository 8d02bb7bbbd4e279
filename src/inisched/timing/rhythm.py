"""The fires of one job as the daemon meets them: its rule, with each fire moved by its jitter."""

from __future__ import annotations

from dataclasses import dataclass
from datetime import datetime, timedelta
from hashlib import blake2b

from inisched.model.schedule import Schedule
from inisched.timing.recurrence import Anchor, Rule, recurrence

_INSTANT = timedelta(microseconds=1)


@dataclass(frozen=True, slots=True)
class Rhythm:
    """A job's fires. `seed` is the database's id: with job and moment it decides the jitter."""

    job: str
    schedule: Schedule
    anchor: Anchor
    rule: Rule
    seed: str

    def moved(self, fire: datetime) -> datetime:
        """Where the fire lies after jitter: later by a share of it, to the millisecond."""
        jitter = self.schedule.jitter
        if not jitter:
            return fire
        text = f"{self.seed}\0{self.job}\0{fire.timestamp():.6f}"
        digest = blake2b(text.encode(errors="surrogatepass"), digest_size=8).digest()
        milliseconds = jitter // timedelta(milliseconds=1)
        return fire + timedelta(milliseconds=int.from_bytes(digest, "big") * milliseconds >> 64)

    def next(self, since: datetime) -> datetime | None:
        """The first fire after `since`, both unmoved."""
        return self.rule.after(since)

    def upto(self, now: datetime) -> datetime:
        """The unmoved moment up to which, inclusive, fires have come due by `now`."""
        jitter = self.schedule.jitter
        if not jitter:
            return now
        fire = self.rule.latest(now - jitter - _INSTANT, now)
        upto = now
        while fire is not None and self.moved(fire) > now:
            upto = fire - _INSTANT
            fire = self.rule.latest(upto - jitter, upto)
        return upto


def rhythm(job: str, schedule: Schedule, anchor: Anchor, *, seed: str = "") -> Rhythm:
    """The rhythm of a job whose schedule began at the anchor."""
    return Rhythm(job, schedule, anchor, recurrence(schedule, anchor, job=job), seed)
