"""The one table: a line per comparison, and below it what was missed."""

from __future__ import annotations

from collections.abc import Sequence
from pathlib import Path

from benchmarks.row import Figures, Goal, Line

BEGIN = "<!-- numbers: written by `python3 dev.py bench --large --page` -->"
END = "<!-- end of numbers -->"
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
    """Yes, no and what it was, or "–" where there is no goal; "?" for what was not measured."""
    if not line.goals:
        return "–"
    if any(figures.reached(line, goal) is None for goal in line.goals):
        return "?"
    missed = [said for goal in line.goals if (said := missed_by(line, goal, figures))]
    return f"no: {', '.join(missed)}" if missed else "yes"


def missed_by(line: Line, goal: Goal, figures: Figures) -> str:
    """What stands in place of the bound, and of the bare loop where that misses it too."""
    value = figures.reached(line, goal)
    if value is None or goal.is_met(value):
        return ""
    bare = figures.ratio(line.bare, goal.against) if line.bare and goal.against else None
    also = bare is not None and goal.against != line.bare and not goal.is_met(bare)
    return times(value) + (f" (the bare loop {times(bare)})" if also else "")


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


def put_into(page: Path, text: str) -> None:
    """Put the numbers between the two marks of the page, in place of those that were there."""
    before, _, rest = page.read_text(encoding="utf-8").partition(BEGIN)
    _, found, after = rest.partition(END)
    if not found:
        raise SystemExit(f"{page} has no place for numbers")
    page.write_text(f"{before}{BEGIN}\n\n{text}\n\n{END}{after}", encoding="utf-8")
