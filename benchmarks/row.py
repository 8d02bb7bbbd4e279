"""What a row of the table is: who takes turns at being measured, and which goals there are.

A turn measures one side (the product, a peer, a bare loop) once and says its figures by name.
All turns of a row are taken one after the other, and that several times over.
"""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass, field
from statistics import median

Turn = Callable[[], Mapping[str, float]]


@dataclass(frozen=True, slots=True)
class Goal:
    """What the product's figure shall be `most` or `least`, as a multiple of `against`.

    Without `against` the bound is the figure itself.
    """

    against: str = ""
    most: float | None = None
    least: float | None = None

    def is_met(self, value: float) -> bool:
        return (self.most is None or value <= self.most) and (
            self.least is None or value >= self.least
        )

    def __str__(self) -> str:
        sign, bound = ("≤", self.most) if self.most is not None else ("≥", self.least)
        return f"{sign} {bound:g}{f' × {self.against}' if self.against else ''}"


@dataclass(frozen=True, slots=True)
class Line:
    """One line of the table. Product, peers and bare loop are named as in the turns' figures."""

    what: str
    unit: str
    product: str = "product"
    peers: Sequence[str] = ()
    bare: str = ""
    goals: Sequence[Goal] = ()
    more_is_better: bool = False


@dataclass(frozen=True, slots=True)
class Row:
    turns: Sequence[Turn]
    lines: Sequence[Line]
    rounds: int
    notes: list[str] = field(default_factory=list)
    """What the turns have to say besides figures."""


@dataclass(frozen=True, slots=True)
class Figures:
    """Every value that was measured, by name, in the order of the rounds."""

    values: Mapping[str, Sequence[float]]

    def of(self, name: str) -> float | None:
        found = self.values.get(name)
        return median(found) if found else None

    def ratio(self, name: str, against: str) -> float | None:
        """The median of the ratios within each round."""
        pairs = zip(self.values.get(name, ()), self.values.get(against, ()), strict=False)
        ratios = [one / other for one, other in pairs if other]
        return median(ratios) if ratios else None

    def reached(self, line: Line, goal: Goal) -> float | None:
        """What stands against the goal's bound; None where it was not measured."""
        if goal.against:
            return self.ratio(line.product, goal.against)
        return self.of(line.product)

    def best(self, line: Line) -> str:
        """The name of the best peer that was measured, "" where none was."""
        there = [peer for peer in line.peers if self.of(peer) is not None]
        pick = max if line.more_is_better else min
        return pick(there, key=lambda peer: self.of(peer) or 0.0) if there else ""


def measured(row: Row) -> Figures:
    """Take all turns of the row, in alternation."""
    values: dict[str, list[float]] = {}
    for _ in range(row.rounds):
        for turn in row.turns:
            for name, value in turn().items():
                values.setdefault(name, []).append(value)
    return Figures(values)
