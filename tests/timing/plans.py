"""Schedules said in short, and two tellers of their fires: the oracle and the implementation.

A test that takes the fixture `fires` is asked of both, so a hand-written expectation holds the
oracle to the contract as much as the product.
"""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass
from datetime import UTC, datetime, timedelta
from itertools import islice
from typing import Protocol
from zoneinfo import ZoneInfo

from msgspec.structs import replace

from inisched.model.schedule import LAST_DAY, Every, Schedule, Unit
from inisched.timing.cron import read_cron
from inisched.timing.recurrence import Anchor, recurrence
from timing import oracle

_WEEKDAYS = ["monday", "tuesday", "wednesday", "thursday", "friday", "saturday", "sunday"]
_LISTS = {
    "weekday": (0, 1, 2, 3, 4),
    "weekend": (5, 6),
    **{w: (n,) for n, w in enumerate(_WEEKDAYS)},
}


def plan(
    rhythm: str,
    *,
    zone: str,
    at: str = "",
    on_day: str | int | None = None,
    active_from: str | None = None,
    active_until: str | None = None,
) -> Schedule:
    """The schedule of `every = rhythm`; one that begins with `cron` is that of `cron = …`."""
    word, _, fields = rhythm.partition(" ")
    cron = fields if word == "cron" else None
    return Schedule(
        zone=zone,
        text=f"{rhythm} {at}".strip(),
        every=None if cron else _every(rhythm),
        cron=cron,
        at=tuple(sorted({_seconds(word, rhythm) for word in at.replace(",", " ").split()})),
        on_day=LAST_DAY if on_day == "last" else None if on_day is None else int(on_day),
        active_from=moment(active_from) if active_from else None,
        active_until=moment(active_until) if active_until else None,
    )


def _every(rhythm: str) -> Every:
    words = rhythm.replace(",", " ").split()
    if rhythm == "never":
        return Every()
    if words[0] in _LISTS:
        return Every(weekdays=tuple(sorted({day for word in words for day in _LISTS[word]})))
    return Every(Unit(words[-1].removesuffix("s")), int(words[0]) if len(words) > 1 else 1)


def _seconds(word: str, rhythm: str) -> int:
    """`HH:MM[:SS]` into the day; `:MM` or `MM:SS` into the hour, `:SS` into the minute."""
    parts = [int(part or 0) for part in word.split(":")]
    if "minute" in rhythm:
        return parts[1]
    if "hour" in rhythm:
        return parts[1] * 60 if word.startswith(":") else parts[0] * 60 + parts[1]
    hours, minutes, *seconds = parts
    return hours * 3600 + minutes * 60 + sum(seconds)


def moment(text: str) -> datetime:
    """A moment from ISO text with its offset, in UTC."""
    found = datetime.fromisoformat(text)
    assert found.tzinfo, f"'{text}' has no offset"
    return found.astimezone(UTC)


def shown(when: datetime, zone: str) -> str:
    """ISO text in the zone, with seconds only where there are any."""
    local = when.astimezone(ZoneInfo(zone))
    return local.isoformat(timespec="seconds" if local.second else "minutes")


class Teller(Protocol):
    def __call__(
        self, schedule: Schedule, anchor: datetime, *, inclusive: bool
    ) -> Iterator[datetime]: ...


def by_oracle(schedule: Schedule, anchor: datetime, *, inclusive: bool) -> Iterator[datetime]:
    since, days = anchor - timedelta(seconds=1), 1
    while days < 5000:
        until = anchor + timedelta(days=days)
        yield from oracle.fires(schedule, anchor, inclusive=inclusive, since=since, until=until)
        since, days = until, days * 4


def by_recurrence(schedule: Schedule, anchor: datetime, *, inclusive: bool) -> Iterator[datetime]:
    if schedule.cron:
        schedule = replace(schedule, cron=read_cron(schedule.cron))
    rule = recurrence(schedule, Anchor(anchor, inclusive), job="job")
    fire = rule.after(anchor - timedelta(days=400))
    while fire is not None:
        yield fire
        fire = rule.after(fire)


@dataclass(frozen=True)
class Fires:
    """`fires("day", at="09:30", zone=…, look=…, n=3)`: the first n, as text in the zone."""

    teller: Teller

    def __call__(
        self,
        rhythm: str,
        *,
        zone: str,
        n: int,
        look: str | None = None,
        active_from: str | None = None,
        at: str = "",
        on_day: str | int | None = None,
        active_until: str | None = None,
    ) -> list[str]:
        start = active_from or look
        assert start
        schedule = plan(
            rhythm,
            zone=zone,
            at=at,
            on_day=on_day,
            active_from=active_from,
            active_until=active_until,
        )
        told = self.teller(schedule, moment(start), inclusive=active_from is not None)
        return [shown(fire, zone) for fire in islice(told, n)]
