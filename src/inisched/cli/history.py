"""`inisched history` and `inisched show`: the ledger, and one run whole."""

from __future__ import annotations

from datetime import datetime
from typing import Any

import click

from inisched.cli.exits import Exit, Trouble
from inisched.cli.files import (
    job_named,
    json_option,
    open_history,
    path_option,
    read_file,
    utc_option,
)
from inisched.cli.table import print_json, print_table
from inisched.cli.times import now, time_from
from inisched.config.drawing import escaped
from inisched.config.loader import Config
from inisched.questions.account import in_words, took, whole_as_json, zone_of
from inisched.questions.moments import show_moment
from inisched.stores.history import Row, Whole, parse


@click.command("history")
@click.argument("job", required=False)
@path_option
@json_option
@utc_option
@click.option("-n", "limit", type=click.IntRange(1), default=None, help="How many rows (20).")
@click.option("--failed", is_flag=True, help="Only failures, timeouts and interrupted runs.")
@click.option("--since", metavar="T", help="Only fires since this moment.")
def history_command(
    job: str | None,
    path: str | None,
    as_json: bool,
    utc: bool,
    limit: int | None,
    failed: bool,
    since: str | None,
) -> int:
    """The ledger, newest first: what ran, how it ended, and what did not run and why.

    \b
    Example: inisched history "nightly report" --since 2d
    """
    config = read_file(path, ledger_will_do=True)
    history = open_history(config.database)
    name = job and job_named(config, history, job)
    present = now()
    zone = zone_of(config, name)
    begin = None if since is None else time_from(since, zone, present)
    if limit is None and begin is None and not as_json:
        limit = 20
    rows = history.rows(name, limit=limit, failed=failed, since=begin)
    if as_json:
        print_json(rows)
    elif rows:
        misfires = history.misfires(row["id"] for row in rows if row["trigger"] == "catchup")
        print_table(
            ("RUN", "FIRE", "STATE", "TOOK", "JOB", ""),
            [_line(row, misfires.get(row["id"], 1), config, present, utc=utc) for row in rows],
        )
    else:
        click.echo("No runs yet." if not (failed or since) else "Nothing of the kind.")
    return Exit.FINE


def _line(
    row: Row, misfires: int, config: Config, present: datetime, *, utc: bool
) -> tuple[str, ...]:
    def show(moment: datetime) -> str:
        return show_moment(moment, zone_of(config, row["job"]), present, utc=utc)

    return (
        str(row["id"]),
        show(parse(row["fire_at"])),
        row["state"],
        took(row),
        row["job"],
        in_words(row, show, misfires=misfires),
    )


@click.command("show")
@click.argument("run", type=int)
@path_option
@json_option
@utc_option
def show_command(run: int, path: str | None, as_json: bool, utc: bool) -> int:
    """One run whole, with its output.

    \b
    Example: inisched show 42
    """
    config = read_file(path, ledger_will_do=True)
    found = open_history(config.database).run(run)
    if found is None:
        raise Trouble(f"there is no run {run}", Exit.UNKNOWN)
    if as_json:
        print_json(whole_as_json(found))
    else:
        _print(found, config, utc=utc)
    return Exit.FINE


def _print(found: Whole, config: Config, *, utc: bool) -> None:
    row, present = found.row, now()
    zone = zone_of(config, row["job"])
    facts: list[tuple[str, Any]] = [
        ("run", row["id"]),
        ("job", row["job"]),
        ("fire", show_moment(parse(row["fire_at"]), zone, present, utc=utc)),
        (
            "until",
            row["fire_until"] and show_moment(parse(row["fire_until"]), zone, present, utc=utc),
        ),
        ("fires", row["count"] if row["fire_until"] else None),
        ("state", row["state"] + (f" ({row['reason']})" if row["reason"] else "")),
        ("trigger", row["trigger"]),
        ("attempt", row["attempt"] if row["attempt"] > 1 else None),
        ("period", row["period_start"] and f"{row['period_start']} to {row['period_end']}"),
        (
            "started",
            row["started_at"] and show_moment(parse(row["started_at"]), zone, present, utc=utc),
        ),
        ("took", row["duration_s"] is not None and took(row)),
        ("exit code", row["exit_code"]),
        ("message", row["message"]),
    ]
    for label, value in facts:
        if value not in (None, "", False):
            click.echo(f"{label + ':':<11}{escaped(str(value))}")
    for label, text in (
        ("result", found.result),
        ("stdout", found.stdout.decode(errors="backslashreplace")),
        ("stderr", found.stderr.decode(errors="backslashreplace")),
    ):
        if text:
            click.echo(f"--- {label}")
            for line in text.splitlines():
                click.echo(escaped(line))
