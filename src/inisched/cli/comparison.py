"""What sets two files apart, as text: a paragraph for each section that differs."""

from __future__ import annotations

from collections.abc import Iterator
from datetime import datetime
from itertools import islice

from msgspec import Struct, field

from inisched.config.drawing import escaped
from inisched.config.problem import LONGEST_SHOWN
from inisched.questions.difference import Change, Pair
from inisched.questions.exchange import Side, exchange
from inisched.questions.moments import show_moment

FIRST = 3
"""Moments gained and lost that are shown of a job."""

LOOK_AT_MOST = 25_000
"""Fires of a job looked at; what was counted so far is a lower bound then."""

_ABOUT = 20
"""Characters shown before the first in which two long values differ."""


class _Tally(Struct):
    """Fires of one side: how many there are, and the first of them."""

    number: int = 0
    first: list[datetime] = field(default_factory=list)

    def add(self, at: datetime) -> None:
        self.number += 1
        if len(self.first) < FIRST:
            self.first.append(at)


class Comparison(Struct, frozen=True):
    """How to tell of two files: their names, and the stretch of time whose fires count."""

    old: str
    new: str
    since: datetime
    until: datetime
    utc: bool

    def lines(self, pair: Pair) -> list[str]:
        """The paragraph of one section; none where the files agree about it."""
        fires = list(self._fires(pair))
        if not (fires or pair.differs):
            return []
        told = [_heading(pair), *map(_change, pair.changes), *self._broken(pair), *fires]
        return [escaped(line) for line in told]

    def _broken(self, pair: Pair) -> Iterator[str]:
        match pair.broken:
            case (True, True):
                yield "    broken in both files"
            case (True, False):
                yield f"    broken in {self.old}"
            case (False, True):
                yield f"    broken in {self.new}"

    def _fires(self, pair: Pair) -> Iterator[str]:
        """A line each for what is gained and what is lost, as far as was looked."""
        tallies = {side: _Tally() for side in Side}
        steps = exchange(pair.old_job, pair.new_job, self.since, self.until)
        for at, side in islice(steps, LOOK_AT_MOST):
            tallies[side].add(at)
        whole = next(steps, None) is None
        for word, side in (("gained", Side.NEW), ("lost", Side.OLD)):
            if tallies[side].number:
                yield self._tally(word, tallies[side], pair.zone, whole=whole)
        if pair.differs and tallies[Side.BOTH].number == LOOK_AT_MOST:
            yield f"    the first {LOOK_AT_MOST:,} fires are the same"

    def _tally(self, word: str, tally: _Tally, zone: str, *, whole: bool) -> str:
        number = f"{tally.number:,}" if whole else f"at least {tally.number:,}"
        shown = [show_moment(at, zone, self.since, utc=self.utc) for at in tally.first]
        more = ["…"] if tally.number > FIRST else []
        noun = "fire" if tally.number == 1 else "fires"
        return f"    {word} {number} {noun}: {', '.join([*shown, *more])}"


def _heading(pair: Pair) -> str:
    name = _cut(pair.name)
    if not pair.is_job:
        sign = "~" if pair.in_old and pair.in_new else "+" if pair.in_new else "-"
        return f"{sign} [{name}]"
    section = pair.new or pair.old
    if section is None or not (pair.added or pair.removed):
        return f"~ {name}"
    remarks = [_cut(section.schedule_text)] if section.schedule_text else []
    if not section.active:
        remarks.append("inactive")
    sign = "+" if pair.added else "-"
    return f"{sign} {name}" + (f"  ({', '.join(remarks)})" if remarks else "")


def _change(change: Change) -> str:
    old, new = change.old, change.new
    start = _first_shown(old, new) if old is not None and new is not None else 0
    return f"    {_cut(change.key)}: {_value(old, start)} -> {_value(new, start)}"


def _first_shown(old: str, new: str) -> int:
    """Where to begin with two values, so that what differs is not cut off."""
    if max(len(old), len(new)) <= LONGEST_SHOWN:
        return 0
    pairs = enumerate(zip(old, new, strict=False))
    differ = next((n for n, (one, other) in pairs if one != other), min(len(old), len(new)))
    return differ - _ABOUT if differ >= LONGEST_SHOWN - _ABOUT else 0


def _value(value: str | None, start: int) -> str:
    if value is None:
        return "(not set)"
    rest = ("…" if start else "") + value[start:]
    return _cut(rest.replace("\n", "\\n")) or "(empty)"


def _cut(text: str) -> str:
    return text if len(text) <= LONGEST_SHOWN else text[: LONGEST_SHOWN - 1] + "…"
