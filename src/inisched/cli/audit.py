"""`inisched audit`: who switched what."""

from __future__ import annotations

from datetime import datetime

import click

from inisched.cli.exits import Exit
from inisched.cli.files import (
    job_named,
    json_option,
    open_history,
    path_option,
    read_file,
    utc_option,
)
from inisched.cli.table import print_json, print_table
from inisched.cli.times import now
from inisched.config.loader import Config
from inisched.questions.account import zone_of
from inisched.questions.moments import iso_utc, show_moment
from inisched.stores.history import parse
from inisched.stores.switches import AuditEntry

USUAL = 20
"""Entries shown where nobody says how many."""

_UNTIL = "until "


@click.command("audit")
@click.argument("job", required=False)
@path_option
@json_option
@utc_option
@click.option("-n", "limit", type=click.IntRange(1), default=None, help="How many entries (20).")
def audit_command(
    job: str | None, path: str | None, as_json: bool, utc: bool, limit: int | None
) -> int:
    """Who switched what, newest first; of one job, or of all.

    \b
    Example: inisched audit "nightly report" -n 5
    """
    config = read_file(path, ledger_will_do=True)
    history = open_history(config.database)
    name = job and job_named(config, history, job)
    if limit is None and not as_json:
        limit = USUAL
    entries = history.audit(name, limit=limit)
    if as_json:
        print_json([_as_json(entry) for entry in entries])
    elif entries:
        present = now()
        rows = [_row(entry, config, present, utc=utc) for entry in entries]
        print_table(("WHEN", "BY", "SWITCH", "JOB", "TO", "NOTE"), rows)
    else:
        click.echo("Nothing was switched.")
    return Exit.FINE


def _row(entry: AuditEntry, config: Config, present: datetime, *, utc: bool) -> tuple[str, ...]:
    zone, detail = zone_of(config, entry.job), entry.detail
    if detail.startswith(_UNTIL):
        moment = parse(detail.removeprefix(_UNTIL))
        detail = _UNTIL + show_moment(moment, zone, present, utc=utc)
    when = show_moment(entry.at, zone, present, utc=utc)
    job, note = entry.job or "-", entry.note or "-"
    return when, entry.by, entry.action, job, detail or "-", note


def _as_json(entry: AuditEntry) -> dict[str, object]:
    return {
        "id": entry.id,
        "at": iso_utc(entry.at),
        "by": entry.by,
        "action": entry.action,
        "job": entry.job,
        "detail": entry.detail or None,
        "note": entry.note or None,
    }
