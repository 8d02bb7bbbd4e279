"""`inisched status`: is the daemon up, since when, and how does it do."""

from __future__ import annotations

from datetime import datetime

import click

from inisched.cli.asking import told_gates, told_outage
from inisched.cli.exits import Exit
from inisched.cli.files import json_option, open_history, path_option, read_file, utc_option
from inisched.cli.remarks import hold_remark
from inisched.cli.table import print_json
from inisched.cli.times import now
from inisched.config.drawing import escaped
from inisched.config.loader import Config
from inisched.model.duration import show_duration
from inisched.model.event import Kind
from inisched.questions.account import zone_of
from inisched.questions.brief import in_brief
from inisched.questions.health import Health, health
from inisched.questions.moments import iso_utc, show_moment
from inisched.questions.sentences import Speaker
from inisched.stores.post import Incident
from inisched.stores.switches import Hold

MOST_SHOWN = 10
"""Incidents that are told in text."""


@click.command("status")
@path_option
@json_option
@utc_option
@click.option("--nagios", "for_nagios", is_flag=True, help="One line, exit code 0, 1 or 2.")
def status_command(path: str | None, as_json: bool, utc: bool, for_nagios: bool) -> int:
    """Is the daemon up, since when, and what runs. Exit code 0 healthy, else 1.

    With --nagios 0 is OK, 1 WARNING and 2 CRITICAL, and the line ends with performance data.

    \b
    Examples: inisched status -P scheduler.ini
              inisched status --nagios -P /srv/app/scheduler.ini
    """
    if for_nagios and as_json:
        raise click.UsageError("--nagios and --json do not go together")
    if for_nagios:
        from inisched.cli.nagios import nagios

        code, line = nagios(path, now())
        click.echo(line)
        return code
    config = read_file(path, ledger_will_do=True)
    history, present = open_history(config.database), now()
    gates, outage = (lambda: told_gates(config)), (lambda: told_outage(config))
    found = health(config, history, present, gates, outage)
    if as_json:
        print_json(_as_json(found))
    else:
        _print(found, config, present, utc=utc)
    return Exit.FINE if found.healthy else Exit.PROBLEM


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
        "held": found.hold is not None,
        "hold": _hold_as_json(found.hold),
        "running": [
            {"id": row["id"], "job": row["job"], "since": row["started_at"]}
            for row in found.running
        ],
        "waiting": [
            {"id": one.row["id"], "job": one.row["job"], "fire_at": one.row["fire_at"]}
            | {"for": one.gate}
            for one in found.waiting
        ],
        "incidents": [
            {"job": one.job, "kind": one.kind.value, "since": iso_utc(one.opened)}
            | {"failures": one.failures}
            for one in found.incidents
        ],
        "outbox": found.outbox,
        "dropped": found.dropped,
    }


def _hold_as_json(hold: Hold | None) -> dict[str, object] | None:
    if hold is None:
        return None
    mark = hold.mark
    return {"by": mark.by, "since": iso_utc(mark.since), "note": mark.note or None}


def _print(found: Health, config: Config, present: datetime, *, utc: bool) -> None:
    zone = config.settings.timezone
    if found.holder is None:
        click.echo("down: no daemon has this file's database")
    else:
        since = "a moment ago"
        if found.since is not None:
            since = show_moment(found.since, zone, present, utc=utc)
        click.echo(f"up: pid {found.holder.pid} on {found.holder.host} since {since}")
    if found.heartbeat_age is not None:
        click.echo(f"heartbeat {show_duration(found.heartbeat_age)} ago")
    if found.up and not found.writable:
        click.echo("the database cannot be written")
    if found.hold is not None:
        click.echo(escaped(hold_remark(found.hold, zone, present, utc=utc)))
    if found.problems:
        click.echo(f"the file has {found.problems} problem(s): see inisched validate")
    for incident in found.incidents[:MOST_SHOWN]:
        click.echo(escaped(_incident(incident, config, present, utc=utc)))
    if len(found.incidents) > MOST_SHOWN:
        click.echo(f"and {len(found.incidents) - MOST_SHOWN} more incidents: see --json")
    if found.outbox:
        click.echo(f"{found.outbox} notice(s) on their way")
    if found.dropped:
        click.echo(f"{found.dropped} notice(s) dropped, ever")
    for row in found.running:
        click.echo(escaped(f"running: {row['job']} (run {row['id']})"))
    for one in found.waiting:
        row, speaker = one.row, Speaker(zone_of(config, one.row["job"]), present, utc)
        waits = f"(run {row['id']}, for {in_brief(one, speaker)})"
        click.echo(escaped(f"waiting: {row['job']} {waits}"))


def _incident(incident: Incident, config: Config, present: datetime, *, utc: bool) -> str:
    since = show_moment(incident.opened, zone_of(config, incident.job), present, utc=utc)
    if incident.kind is Kind.LATE:
        return f"late: {incident.job} since {since}"
    noun = "failure" if incident.failures == 1 else "failures"
    return f"fails: {incident.job} since {since}, {incident.failures} {noun}"
