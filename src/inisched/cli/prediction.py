"""How a prediction is shown: a table of jobs with the first skips and waits, or all as JSON."""

from __future__ import annotations

from collections import Counter
from collections.abc import Iterable, Iterator, Mapping
from datetime import datetime
from functools import cache, lru_cache
from itertools import islice

import click
from msgspec import Struct

from inisched.cli.table import as_json, print_table
from inisched.config.drawing import escaped
from inisched.config.loader import Config
from inisched.engine.paper import PaperRun, PaperSkip
from inisched.engine.simulation import Peak
from inisched.model.duration import show_duration
from inisched.questions.moments import iso_utc, show_moment
from inisched.questions.prediction import SHOWN, Forecast, Length, Summary

AT_ONCE = 1000
"""So many lines are written in one go."""

NAMED = 5
"""So many jobs are named of those that make the peak."""


class Prediction(Struct, frozen=True):
    """A stretch of time that was played, as a terminal shows it."""

    config: Config
    begin: datetime
    end: datetime
    present: datetime
    utc: bool

    def show(self, summary: Summary, known: Mapping[str, Length], peak: Peak) -> None:
        """The whole at a glance, each job, the peak, and the first skips and waits."""
        click.echo(escaped(self._headline(summary)))
        if summary.jobs:
            heads = ("RUNS", "WAITED", "LONGEST", "SKIPPED", "TAKES", "JOB")
            rows = [_row(forecast, known[name]) for name, forecast in summary.jobs.items()]
            print_table(heads, rows)
        if peak.runs:
            click.echo(escaped(self._peak(peak)))
        if self.config.broken:
            names = ", ".join(section.name for section in self.config.broken)
            click.echo(escaped(f"broken, and left out: {names}"))
        self._list(("FIRE", "SKIPPED", "REASON", "JOB"), map(self._skip, summary.skips),
                   len(summary.skips))  # fmt: skip
        self._list(("FIRE", "WAITED", "FOR", "JOB"), map(self._wait, summary.first_waits),
                   summary.waits)  # fmt: skip

    def _headline(self, summary: Summary) -> str:
        parts = [_count(summary.runs, "run")]
        if summary.waits:
            parts.append(f"{summary.waits} of them after waiting")
        parts.append(f"{_count(summary.skipped, 'fire')} skipped")
        zone = self.config.settings.timezone
        return f"{self._moment(self.begin, zone)} to {self._moment(self.end, zone)}: " + ", ".join(
            parts
        )

    def _peak(self, peak: Peak) -> str:
        counted = Counter(peak.jobs)
        names = [name if n == 1 else f"{name} ({n})" for name, n in counted.items()]
        more = len(names) - NAMED
        listed = ", ".join(names[:NAMED]) + (f" and {_count(more, 'more job')}" if more > 0 else "")
        moment = self._moment(peak.at, self.config.settings.timezone)
        return f"at most {_count(peak.runs, 'run')} at a time, first {moment}: {listed}"

    def _list(self, heads: tuple[str, ...], rows: Iterable[tuple[str, ...]], number: int) -> None:
        if not number:
            return
        click.echo()
        print_table(heads, list(islice(rows, SHOWN)))
        if number > SHOWN:
            click.echo(f"and {number - SHOWN} more")

    def _skip(self, skip: PaperSkip) -> tuple[str, ...]:
        return self._fire(skip.job, skip.fire_at), str(skip.count), skip.reason.value, skip.job

    def _wait(self, run: PaperRun) -> tuple[str, ...]:
        waited = show_duration(run.start_at - run.fire_at)
        return self._fire(run.job, run.fire_at), waited, run.waited_for, run.job

    def _fire(self, job: str, moment: datetime) -> str:
        zone = next(section.zone for section in self.config.sections if section.name == job)
        return self._moment(moment, zone)

    def _moment(self, moment: datetime, zone: str) -> str:
        return show_moment(moment, zone, self.present, utc=self.utc)


def _row(forecast: Forecast, known: Length) -> tuple[str, ...]:
    skipped = [f"{count} {reason.value}" for reason, count in forecast.skipped.items()]
    cut = ", cut by its timeout" if known.capped else ""
    return (
        str(forecast.runs),
        str(forecast.waits) if forecast.waits else "-",
        show_duration(forecast.longest) if forecast.waits else "-",
        ", ".join(skipped) or "-",
        f"{show_duration(known.length)}, {known.known}{cut}",
        forecast.job,
    )


def _count(number: int, noun: str) -> str:
    return f"{number} {noun}{'' if number == 1 else 's'}"


# -- JSON ---------------------------------------------------------------------------------------


def start_json(runs: Iterable[PaperRun]) -> None:
    """The runs, written as they come: there may be millions."""
    click.echo('{\n  "runs": [', nl=False)
    _write_lines(map(_run, runs))


def finish_json(skips: Iterable[PaperSkip], peak: Peak) -> None:
    """The rest, once all runs are written."""
    click.echo(',\n  "skips": [', nl=False)
    _write_lines(map(_skip, skips))
    click.echo(f',\n  "peak": {peak.runs}\n}}')


def _write_lines(lines: Iterable[str]) -> None:
    rest: Iterator[str] = iter(lines)
    border, end = "\n    ", "]"
    while several := list(islice(rest, AT_ONCE)):
        click.echo(border + ",\n    ".join(several), nl=False)
        border, end = ",\n    ", "\n  ]"
    click.echo(end, nl=False)


def _run(run: PaperRun) -> str:
    fire = _iso(run.fire_at)
    start = fire if run.start_at == run.fire_at else _iso(run.start_at)
    return (
        f'{{"job": {_text(run.job)}, "fire_at": "{fire}", "start_at": "{start}",'
        f' "end_at": "{_iso(run.end_at)}"}}'
    )


def _skip(skip: PaperSkip) -> str:
    return (
        f'{{"job": {_text(skip.job)}, "fire_at": "{_iso(skip.fire_at)}",'
        f' "reason": "{skip.reason.value}", "count": {skip.count}}}'
    )


_iso = lru_cache(maxsize=256)(iso_utc)
"""One moment is the start of many runs, and the end of many more."""


@cache
def _text(name: str) -> str:
    return as_json(name)
