"""`inisched next`: coming fires, of the file's jobs or of an expression."""

from __future__ import annotations

from collections.abc import Mapping
from datetime import datetime, timedelta

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
from inisched.cli.remarks import switch_remarks
from inisched.cli.table import print_json, print_table
from inisched.cli.times import now, time_from
from inisched.config.drawing import escaped
from inisched.config.loader import Config
from inisched.model.diagnostic import Unreadable
from inisched.model.duration import show_duration
from inisched.model.job import Command, Job
from inisched.model.place import Place
from inisched.questions.coming import Coming, coming
from inisched.questions.moments import iso_utc, show_moment
from inisched.questions.switched import standing
from inisched.stores.job_state import JobState
from inisched.stores.opening import database_id
from inisched.timing.moment import read_zone
from inisched.timing.words import read_expression
from inisched.timing.zone import host_zone


@click.command("next")
@click.argument("job", required=False)
@path_option
@json_option
@utc_option
@click.option("-n", "limit", type=click.IntRange(1), default=10, show_default=True,
              help="How many, over all jobs; counts only without --to.")  # fmt: skip
@click.option("--from", "since", metavar="T", help="Fires after this moment (now).")
@click.option("--to", "until", metavar="T", help="Fires up to and including this moment.")
@click.option("--fresh", is_flag=True, help="As if the jobs were first seen at --from.")
@click.option("--expr", metavar="TEXT", help='A schedule such as "monday at 09:30", no file.')
@click.option("--timezone", metavar="ZONE", help="With --expr: the zone it is meant in.")
def next_command(
    job: str | None,
    path: str | None,
    as_json: bool,
    utc: bool,
    limit: int,
    since: str | None,
    until: str | None,
    fresh: bool,
    expr: str | None,
    timezone: str | None,
) -> int:
    """Coming fires, by moment.

    A T is an ISO date or date-time, HH:MM, or a duration (ago; with --to from now).

    \b
    Examples: inisched next -n 20
              inisched next "nightly report" --to 2w
              inisched next --expr "weekday at 09:30" --timezone Europe/Paris
    """
    present, seed = now(), ""
    known: Mapping[str, JobState] = {}
    paused: Mapping[str, datetime] = {}
    remarks: list[str] = []
    if expr is not None:
        if path or job:
            raise Trouble("--expr needs no file and no job", Exit.MISUSE)
        wanted = [_expression(expr, timezone)]
        zone = wanted[0].schedule.zone
    else:
        if timezone:
            raise Trouble("--timezone goes with --expr", Exit.MISUSE)
        config = read_file(path)
        history = open_history(config.database)
        seed = history.id or database_id(config.database)
        wanted, zone = _wanted(config, job and job_named(config, history, job))
        section = next((one for one in config.sections if one.name == job), None)
        if not fresh:
            switched = standing(wanted, history, present)
            wanted, known, paused = [*switched.jobs.values()], switched.known, switched.paused
            if section is not None and not as_json:
                switch = switched.switches.get(section.name)
                remarks = [*switch_remarks(section, switch, present, utc=utc)]
    begin = time_from(since, zone, present)
    end = None if until is None else time_from(until, zone, present, ahead=True)
    found = coming(
        wanted,
        known,
        since=begin,
        until=end,
        limit=limit if end is None else None,
        seed=seed,
        fresh=fresh,
        paused=paused,
    )
    _print(found, present, as_json=as_json, utc=utc)
    for remark in remarks:
        click.echo(escaped(remark))
    return Exit.FINE


def _wanted(config: Config, name: str | None) -> tuple[list[Job], str]:
    """The jobs meant, and the zone in which the command's times are meant."""
    jobs = [job for job in config.jobs if name in (None, job.name)]
    zone = jobs[0].schedule.zone if name is not None and jobs else config.settings.timezone
    return jobs, zone


def _expression(text: str, timezone: str | None) -> Job:
    try:
        zone = read_zone(timezone) if timezone else host_zone()
        schedule = read_expression(text, zone)
    except Unreadable as error:
        hint = f"; {error.hint}" if error.hint else ""
        expected = f", expected {error.expected}" if error.expected else ""
        raise Trouble(f"{error.problem}{expected}{hint}", Exit.MISUSE) from None
    place = Place("--expr", 1, 1)
    return Job(name=text, place=place, action=Command("true"), schedule=schedule)


def _print(found: list[Coming], present: datetime, *, as_json: bool, utc: bool) -> None:
    if as_json:
        print_json([{"job": c.job, "at": iso_utc(c.at), "exact": c.exact} for c in found])
        return
    if not found:
        click.echo("Nothing is due.")
        return
    rows = [
        (
            show_moment(fire.at, fire.zone, present, utc=utc),
            _left(fire.at - present),
            fire.job + ("" if fire.exact else "  (about: it counts from the end of a run)"),
        )
        for fire in found
    ]
    print_table(("NEXT", "LEFT", "JOB"), rows)


def _left(left: timedelta) -> str:
    return (
        show_duration(timedelta(seconds=round(left.total_seconds())))
        if left > timedelta(0)
        else "-"
    )
