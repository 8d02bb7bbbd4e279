"""`inisched status`: is the daemon up, since when, and how does it do."""

from __future__ import annotations

from dataclasses import replace

import click

from inisched.cli.exits import Exit
from inisched.cli.files import json_option, open_history, path_option, read_file, utc_option
from inisched.cli.table import print_json
from inisched.cli.times import now
from inisched.config.drawing import escaped
from inisched.config.loader import Config
from inisched.engine.control import Unreachable, ask, socket_of
from inisched.model.duration import show_duration
from inisched.questions.health import Health, health
from inisched.questions.moments import iso_utc, show_moment
from inisched.stores.history import Row


@click.command("status")
@path_option
@json_option
@utc_option
@click.option("--nagios", is_flag=True, help="Not in force in this version.")
def status_command(path: str | None, as_json: bool, utc: bool, nagios: bool) -> int:
    """Is the daemon up, since when, and what runs. Exit code 0 healthy, else 1.

    \b
    Example: inisched status -P scheduler.ini
    """
    if nagios:
        click.echo("inisched status --nagios: not in force in this version", err=True)
        return Exit.NOT_NOW
    config = read_file(path, ledger_will_do=True)
    found = health(config, open_history(config.database), now())
    found = replace(found, waiting=_told(found, config))
    if as_json:
        print_json(_as_json(found))
    else:
        _print(found, config.settings.timezone, utc=utc)
    return Exit.FINE if found.healthy else Exit.PROBLEM


def _told(found: Health, config: Config) -> list[tuple[Row, str]]:
    """What waits, and for what: the daemon knows best; what the rows say, where it is silent."""
    if not (found.up and found.waiting):
        return found.waiting
    try:
        told = dict(ask(socket_of(config.database), {"ask": "status"}, patience=1)["waiting"])
    except (Unreachable, KeyError):
        return found.waiting
    return [(row, told.get(row["id"], gate)) for row, gate in found.waiting]


def _as_json(found: Health) -> dict[str, object]:
    holder, age = found.holder, found.heartbeat_age
    return {
        "up": found.up,
        "healthy": found.healthy,
        "pid": holder.pid if holder else None,
        "host": holder.host if holder else None,
        "since": iso_utc(found.since) if found.since else None,
        "heartbeat_age_s": round(age.total_seconds(), 3) if age is not None else None,
        "file_ok": found.file_ok,
        "problems": found.problems,
        "held": False,
        "running": [
            {"id": row["id"], "job": row["job"], "since": row["started_at"]}
            for row in found.running
        ],
        "waiting": [
            {"id": row["id"], "job": row["job"], "fire_at": row["fire_at"], "for": reason}
            for row, reason in found.waiting
        ],
    }


def _print(found: Health, zone: str, *, utc: bool) -> None:
    if found.holder is None:
        click.echo("down: no daemon has this file's database")
    else:
        since = show_moment(found.since, zone, now(), utc=utc) if found.since else "a moment ago"
        click.echo(f"up: pid {found.holder.pid} on {found.holder.host} since {since}")
    if found.heartbeat_age is not None:
        click.echo(f"heartbeat {show_duration(found.heartbeat_age)} ago")
    if found.up and not found.writable:
        click.echo("the database cannot be written")
    if found.problems:
        click.echo(f"the file has {found.problems} problem(s): see inisched validate")
    for row in found.running:
        click.echo(escaped(f"running: {row['job']} (run {row['id']})"))
    for row, gate in found.waiting:
        click.echo(escaped(f"waiting: {row['job']} (run {row['id']}, for {gate})"))
