"""The one table: a line per comparison, and below it what was missed."""

from __future__ import annotations

from collections.abc import Sequence

from benchmarks.row import Figures, Line

HEADINGS = (
    "what",
    "product",
    "best peer",
    "bare loop",
    "/ bare",
    "/ peer",
    "goal",
    "met",
    "load",
)


def cells(line: Line, figures: Figures, load: float) -> tuple[str, ...]:
    peer = figures.best(line)
    return (
        line.what,
        shown(figures.of(line.product), line.unit),
        f"{shown(figures.of(peer), line.unit)} {peer}" if peer else "–",
        shown(figures.of(line.bare), line.unit) if line.bare else "–",
        times(figures.ratio(line.product, line.bare)) if line.bare else "–",
        times(figures.ratio(line.product, peer)) if peer else "–",
        "; ".join(map(str, line.goals)) or "–",
        met(line, figures),
        f"{load:.0%}",
    )


def met(line: Line, figures: Figures) -> str:
    """Yes, no, or "–" where there is no goal or something was not measured."""
    if not line.goals:
        return "–"
    reached = [(goal, figures.reached(line, goal)) for goal in line.goals]
    missed = [
        times(value) for goal, value in reached if value is not None and not goal.is_met(value)
    ]
    if missed:
        return f"no ({', '.join(missed)})"
    return "yes" if all(value is not None for _, value in reached) else "?"


def shown(value: float | None, unit: str) -> str:
    return "–" if value is None else f"{number(value)} {unit}".strip()


def times(value: float | None) -> str:
    return "–" if value is None else number(value)


def number(value: float) -> str:
    """Three digits that count."""
    size = abs(value)
    if size >= 100 or value == 0:
        return f"{value:,.0f}"
    return f"{value:.1f}" if size >= 10 else f"{value:.2f}" if size >= 1 else f"{value:.3g}"


def drawn(rows: Sequence[Sequence[str]]) -> str:
    """A table in Markdown that can be read as it stands, too."""
    everything = [HEADINGS, *rows]
    widths = [max(len(row[column]) for row in everything) for column in range(len(HEADINGS))]
    lines = [
        f"| {' | '.join(cell.ljust(width) for cell, width in zip(row, widths, strict=True))} |"
        for row in everything
    ]
    lines.insert(1, f"|{'|'.join('-' * (width + 2) for width in widths)}|")
    return "\n".join(lines)
