"""`inisched diff`: two files compared by what they mean, and the fires gained and lost."""

from __future__ import annotations

from collections.abc import Iterable
from datetime import datetime, timedelta

import click
from msgspec.structs import replace

from inisched.cli.comparison import Comparison
from inisched.cli.exits import Exit
from inisched.cli.files import json_option, utc_option
from inisched.cli.table import print_json
from inisched.cli.times import Days, now
from inisched.config.drawing import draw, summary
from inisched.config.loader import Config, load
from inisched.model.diagnostic import Level
from inisched.questions.difference import Pair, pairs
from inisched.questions.exchange import Side, exchange
from inisched.questions.moments import iso_utc


@click.command("diff")
@click.argument("old")
@click.argument("new")
@json_option
@utc_option
@click.option("--days", metavar="N", type=Days(), default="7", show_default=True,
              help="Compare the fires of so many days from now.")  # fmt: skip
def diff_command(old: str, new: str, as_json: bool, utc: bool, days: timedelta) -> int:
    """Compare two files by what they mean: jobs, keys, and the fires gained and lost.

    Exit code 3 where they differ. Callbacks are not imported and no database is asked: the jobs
    of both files are taken to be first seen now.

    \b
    Example: inisched diff /srv/shop/scheduler.ini scheduler.ini --days 31
    """
    before, after = _read_both(old, new)
    since = now()
    until = since + days
    found = list(pairs(before, after))
    if as_json:
        differs = _print_json(found, since, until)
    else:
        differs = _print(found, Comparison(before.path, after.path, since, until, utc))
    return Exit.DIFFERENT if differs else Exit.FINE


def _read_both(*paths: str) -> list[Config]:
    """Both files; that there are problems is said, and one that is no INI ends the command."""
    both = [load(path, strict_references=False) for path in paths]
    for config in both:
        _say_problems(config)
    if any(config.fatal for config in both):
        raise SystemExit(Exit.PROBLEM)
    return both


def _say_problems(config: Config) -> None:
    found = config.diagnostics
    if config.fatal:
        # The cure offered for a missing file is -P, which this command does not have.
        told = [replace(one, hint="") if one.code == "no-file" else one for one in found]
        click.echo(draw(told), err=True, nl=False)
    elif any(one.level is Level.ERROR for one in found):
        jobs = len(config.sections)
        fine = jobs - len(config.broken)
        click.echo(summary(found, file=config.path, jobs=jobs, fine=fine), err=True, nl=False)


def _print(found: Iterable[Pair], comparison: Comparison) -> bool:
    """Print what differs; whether anything does."""
    differs = False
    for pair in found:
        for line in comparison.lines(pair):
            click.echo(line)
            differs = True
    if not differs:
        click.echo("no difference")
    return differs


def _print_json(found: list[Pair], since: datetime, until: datetime) -> bool:
    """Print what differs whole; whether anything does."""
    moved = sorted(
        (at, number, side is Side.NEW)
        for number, pair in enumerate(found)
        for at, side in exchange(pair.old_job, pair.new_job, since, until)
        if side is not Side.BOTH
    )

    def fires(*, gained: bool) -> list[dict[str, str]]:
        return [
            {"job": found[number].name, "at": iso_utc(at)}
            for at, number, is_gained in moved
            if is_gained == gained
        ]

    print_json(
        {
            "added": [pair.name for pair in found if pair.added],
            "removed": [pair.name for pair in found if pair.removed],
            "changed": [
                {"job": pair.name, "key": change.key, "old": change.old, "new": change.new}
                for pair in found
                for change in pair.changes
            ],
            "gained": fires(gained=True),
            "lost": fires(gained=False),
        }
    )
    return bool(moved) or any(pair.differs for pair in found)
