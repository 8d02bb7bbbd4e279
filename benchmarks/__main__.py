"""Measures the rows asked for and prints the table. Started by `python3 dev.py bench`."""

from __future__ import annotations

import argparse
import json
import pstats
import tempfile
import time
from collections.abc import Callable
from dataclasses import replace
from datetime import UTC, datetime
from pathlib import Path
from typing import Any

from benchmarks import machine, table
from benchmarks.bench import HERE, Bench, say
from benchmarks.callbacks import callbacks
from benchmarks.commands import commands
from benchmarks.faces import faces
from benchmarks.idle import idle, looks
from benchmarks.large import large
from benchmarks.lateness import burst, one_a_second
from benchmarks.memory import memory
from benchmarks.reading import next_fire, reading
from benchmarks.row import Figures, Row, measured
from benchmarks.startup import startup
from benchmarks.steady import steady

ROWS: dict[str, Callable[[Bench], Row]] = {
    "lateness": one_a_second,
    "burst": burst,
    "steady": steady,
    "look": looks,
    "idle": idle,
    "commands": commands,
    "callbacks": callbacks,
    "memory": memory,
    "startup": startup,
    "reading": reading,
    "faces": faces,
    "nextfire": next_fire,
    "large": large,
}
OPTIONAL = {"large"}


def main() -> None:
    given = _arguments()
    names = given.rows or [name for name in ROWS if name not in OPTIONAL]
    if given.large and "large" not in names:
        names.append("large")
    bench = Bench(
        given.plain,
        given.peers,
        root=Path(),
        quick=given.quick,
        long=given.long,
        profile=given.profile,
    )
    lines: list[tuple[str, ...]] = []
    notes: list[str] = []
    kept: dict[str, Any] = {}
    for name in names:
        found = _row(name, bench)
        lines += found["lines"]
        notes += found["notes"]
        kept[name] = found
    head = f"{datetime.now(UTC):%Y-%m-%d}, {machine.description()}"
    text = "\n\n".join([f"{head}.", table.drawn(lines), *notes])
    print(text)
    if given.page:
        table.put_into(HERE.parent / "docs" / "benchmarks.md", text)
    if given.profile and given.profile.exists():
        pstats.Stats(str(given.profile)).sort_stats("tottime").print_stats(25)
    if given.json:
        given.json.write_text(json.dumps({"machine": head, "rows": kept}, indent=1) + "\n")


def _row(name: str, bench: Bench) -> dict[str, Any]:
    """A row, measured; one that cannot be measured says so, and the others go on."""
    say(f"{name} ...")
    begun, since = time.monotonic(), machine.busy_ticks()
    with tempfile.TemporaryDirectory(prefix="inisched-bench-") as folder:
        try:
            row = ROWS[name](replace(bench, root=Path(folder)))
            figures, notes = measured(row), row.notes
        except Exception as error:
            row, figures = Row([], [], 0), Figures({})
            notes = [f"{name}: not measured: {type(error).__name__}: {error}"]
    load = machine.share_busy(since)
    say(f"{name}: {time.monotonic() - begun:.0f} s")
    lines = [table.cells(line, figures, load) for line in row.lines]
    return {"lines": lines, "notes": notes, "figures": figures.values, "load": load}


def _arguments() -> argparse.Namespace:
    parser = argparse.ArgumentParser(prog="dev.py bench", description=__doc__)
    parser.add_argument("rows", nargs="*", metavar="ROW", help=f"of {', '.join(ROWS)}")
    parser.add_argument("--quick", action="store_true", help="a smoke of all rows: few samples")
    parser.add_argument("--long", action="store_true", help="ten minutes for the row `steady`")
    parser.add_argument("--large", action="store_true", help="also with 10 million rows")
    parser.add_argument("--json", type=Path, metavar="FILE", help="every value measured")
    parser.add_argument("--page", action="store_true", help="write docs/benchmarks.md anew")
    parser.add_argument(
        "--profile", type=Path, metavar="FILE", help="profile the last daemon of the row into FILE"
    )
    parser.add_argument("--plain", type=Path, required=True, help=argparse.SUPPRESS)
    parser.add_argument("--peers", type=Path, required=True, help=argparse.SUPPRESS)
    given = parser.parse_args()
    unknown = [name for name in given.rows if name not in ROWS]
    if unknown:
        parser.error(f"no such row: {', '.join(unknown)}; there are {', '.join(ROWS)}")
    return given


if __name__ == "__main__":
    main()
