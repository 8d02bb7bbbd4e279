"""`inisched simulate`: what would run, wait and be skipped, and how many runs at a time."""

from __future__ import annotations

import sys
from collections.abc import Iterable, Iterator
from datetime import datetime, timedelta

import click

from inisched.cli.exits import Exit, Trouble
from inisched.cli.files import json_option, open_history, path_option, read_file, utc_option
from inisched.cli.prediction import Prediction, finish_json, start_json
from inisched.cli.times import Days, now, time_from
from inisched.config.loader import Config
from inisched.engine.paper import PaperRun
from inisched.model.diagnostic import Unreadable
from inisched.model.duration import read_duration
from inisched.questions.judgements import as_remembered
from inisched.questions.prediction import Summary, lengths, simulation
from inisched.questions.switched import standing
from inisched.timing.nearest import did_you_mean

STEPS = 200
"""A progress bar moves so often."""


@click.command("simulate")
@path_option
@json_option
@utc_option
@click.option("--from", "since", metavar="T", help="Fires after this moment (now).")
@click.option("--days", metavar="N", type=Days(), default="1", show_default=True,
              help="Fires of so many days.")  # fmt: skip
@click.option("--assume", metavar="JOB=D", multiple=True,
              help="The job runs so long; may be given more than once.")  # fmt: skip
def simulate_command(
    path: str | None,
    as_json: bool,
    utc: bool,
    since: str | None,
    days: timedelta,
    assume: tuple[str, ...],
) -> int:
    """Predict runs, waits, skips and the most runs at a time. Nothing is run.

    A job takes the median of its last 20 runs, or a second where there are none. Exit code 3
    where a fire would be skipped.

    \b
    Examples: inisched simulate --days 7
              inisched simulate --from 2026-12-24 --assume "nightly report=2h"
    """
    present = now()
    config = read_file(path)
    assumed = dict(_assumption(text, config) for text in assume)
    begin = time_from(since, config.settings.timezone, present)
    end = _later(begin, days)
    history = open_history(config.database)
    config = as_remembered(config, history)[0].config
    switched = standing(config.jobs, history, present)
    jobs = list(switched.jobs.values())
    known = lengths(jobs, history, assumed)
    played = simulation(config, history, switched, begin, known)
    runs = played.play(jobs, begin, end)
    if as_json:
        start_json(runs if sys.stdout.isatty() else _with_progress(runs, begin, end))
        skips = played.skips
        finish_json(skips, played.peak)
    else:
        summary = Summary(jobs)
        for run in _with_progress(runs, begin, end):
            summary.add(run)
        skips = played.skips
        summary.close(skips)
        Prediction(config, begin, end, present, utc).show(summary, known, played.peak)
    return Exit.DIFFERENT if skips else Exit.FINE


def _assumption(text: str, config: Config) -> tuple[str, timedelta]:
    """`JOB=D`, cut at its last `=`, for names may have one too."""
    name, equals, length = (part.strip() for part in text.rpartition("="))
    if not equals:
        raise Trouble(f"--assume '{text}': expected JOB=D, such as report=5m", Exit.MISUSE)
    names = [section.name for section in config.sections]
    if name not in names:
        hint = did_you_mean(name, names)
        raise Trouble(f"there is no job '{name}'" + (f"; {hint}" if hint else ""), Exit.UNKNOWN)
    try:
        return name, read_duration(length)
    except Unreadable as error:
        problem = f"--assume '{text}': {error.problem}, expected {error.expected}"
        raise Trouble(problem, Exit.MISUSE) from None


def _later(begin: datetime, days: timedelta) -> datetime:
    try:
        return begin + days
    except OverflowError:
        raise Trouble("--days: the calendar ends before that", Exit.MISUSE) from None


def _with_progress(runs: Iterable[PaperRun], begin: datetime, end: datetime) -> Iterator[PaperRun]:
    """The same runs; a terminal shows how far they are."""
    if not sys.stderr.isatty():
        yield from runs
        return
    done, step = 0, (end - begin) / STEPS
    with click.progressbar(length=STEPS, label="simulating", file=sys.stderr) as bar:
        for run in runs:
            reached = min(STEPS, (run.start_at - begin) // step)
            if reached > done:
                bar.update(reached - done)
                done = reached
            yield run
        bar.update(STEPS - done)
