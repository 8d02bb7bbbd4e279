"""The fires of one job as the daemon meets them: its rule, with each fire moved by its jitter."""

from __future__ import annotations

from datetime import datetime, timedelta
from functools import lru_cache
from hashlib import blake2b

from msgspec import Struct
from msgspec.structs import replace

from inisched.model.schedule import Schedule
from inisched.timing.recurrence import Anchor, Rule, recurrence

_INSTANT = timedelta(microseconds=1)
_NOT_AT_ALL = timedelta(0)


class Accounted(Struct, frozen=True):
    """Fires of a rhythm that count no more, although they lie ahead of the last look.

    The clock was set back, and `fires` had their runs before that. Of runs pruned since, only
    the stretch they lie in is known, both ends inclusive.
    """

    fires: frozenset[datetime] = frozenset()
    pruned: tuple[datetime, datetime] | None = None

    def __contains__(self, fire: datetime) -> bool:
        return fire in self.fires or self._is_pruned(fire)

    def __bool__(self) -> bool:
        return bool(self.fires) or self.pruned is not None

    def _is_pruned(self, fire: datetime) -> bool:
        return self.pruned is not None and self.pruned[0] <= fire <= self.pruned[1]

    def after(self, fire: datetime) -> datetime:
        """Behind it the search for the fire after an accounted one goes on."""
        return self.pruned[1] if self.pruned and self._is_pruned(fire) else fire

    def before(self, fire: datetime) -> datetime:
        """Up to it, inclusive, the search for the fire before an accounted one goes on."""
        start = self.pruned[0] if self.pruned and self._is_pruned(fire) else fire
        return start - _INSTANT

    def count(self, rule: Rule, since: datetime, until: datetime) -> int:
        """How many fires of the rule in (since, until] are accounted for."""
        found = 0
        if self.pruned:
            low, high = max(since, self.pruned[0] - _INSTANT), min(until, self.pruned[1])
            found += rule.count(low, high)[0] if low < high else 0
        for fire in self.fires:
            if since < fire <= until and not self._is_pruned(fire):
                found += rule.latest(fire - _INSTANT, fire) is not None
        return found


NOTHING_AHEAD = Accounted()


class Rhythm(Struct, frozen=True, gc=False):
    """A job's fires. `seed` is the database's id: with job and moment it decides the jitter.

    `shift` is by how much the wall clock was set while an elapsed interval ran: its fires moved
    with it. `ahead` are fires that count no more.
    """

    job: str
    schedule: Schedule
    anchor: Anchor
    rule: Rule
    seed: str
    shift: timedelta = _NOT_AT_ALL
    ahead: Accounted = NOTHING_AHEAD

    def moved(self, fire: datetime) -> datetime:
        """Where the fire lies after jitter: later by a share of it, to the millisecond."""
        jitter = self.schedule.jitter
        if not jitter:
            return fire
        return fire + _share(jitter, self.seed, self.job, fire)

    def next(self, since: datetime) -> datetime | None:
        """The first fire after `since`, both unmoved."""
        fire, ahead = self._after(since), self.ahead
        while ahead is not NOTHING_AHEAD and fire is not None and fire in ahead:
            fire = self._after(ahead.after(fire))
        return fire

    def latest(self, since: datetime, until: datetime) -> datetime | None:
        """The last fire in (since, until], all unmoved; None where there is none."""
        fire, ahead = self._latest(since, until), self.ahead
        while ahead is not NOTHING_AHEAD and fire is not None and fire in ahead:
            fire = self._latest(since, ahead.before(fire))
        return fire

    def count(self, since: datetime, until: datetime) -> tuple[int, bool]:
        """How many fires lie in (since, until], unmoved, and whether that is all of them."""
        number, exact = self.rule.count(since - self.shift, until - self.shift)
        if self.ahead:
            number = max(0, number - self.ahead.count(self.rule, since, until))
        return number, exact

    def upto(self, now: datetime) -> datetime:
        """The unmoved moment up to which, inclusive, fires have come due by `now`."""
        jitter = self.schedule.jitter
        if not jitter:
            return now
        fire = self.latest(now - jitter - _INSTANT, now)
        upto = now
        while fire is not None and self.moved(fire) > now:
            upto = fire - _INSTANT
            fire = self.latest(upto - jitter, upto)
        return upto

    def _after(self, since: datetime) -> datetime | None:
        if not self.shift:
            return self.rule.after(since)
        fire = self.rule.after(since - self.shift)
        return None if fire is None else fire + self.shift

    def _latest(self, since: datetime, until: datetime) -> datetime | None:
        if not self.shift:
            return self.rule.latest(since, until)
        fire = self.rule.latest(since - self.shift, until - self.shift)
        return None if fire is None else fire + self.shift


@lru_cache(maxsize=1024)
def _share(jitter: timedelta, seed: str, job: str, fire: datetime) -> timedelta:
    """Kept in mind, for every look asks about the same few fires again."""
    text = f"{seed}\0{job}\0{fire.timestamp():.6f}"
    digest = blake2b(text.encode(errors="surrogatepass"), digest_size=8).digest()
    milliseconds = jitter // timedelta(milliseconds=1)
    return timedelta(milliseconds=int.from_bytes(digest, "big") * milliseconds >> 64)


def rhythm(
    job: str,
    schedule: Schedule,
    anchor: Anchor,
    *,
    seed: str = "",
    shift: timedelta = _NOT_AT_ALL,
    ahead: Accounted = NOTHING_AHEAD,
) -> Rhythm:
    """The rhythm of a job whose schedule began at the anchor, by the clock before any `shift`."""
    words = schedule
    if shift and schedule.active_until is not None:
        words = replace(schedule, active_until=schedule.active_until - shift)
    return Rhythm(job, schedule, anchor, recurrence(words, anchor, job=job), seed, shift, ahead)
