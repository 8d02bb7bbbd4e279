"""`inisched why`: what became or becomes of a fire, and why, in sentences."""

from __future__ import annotations

from datetime import datetime

import click

from inisched.cli.asking import told_gates
from inisched.cli.exits import Exit, Trouble
from inisched.cli.files import (
    job_named,
    json_option,
    open_history,
    path_option,
    read_file,
    utc_option,
)
from inisched.cli.table import print_json
from inisched.cli.times import now
from inisched.config.drawing import escaped
from inisched.model.diagnostic import Unreadable
from inisched.questions.account import zone_of
from inisched.questions.case import case_of
from inisched.questions.moments import iso_utc
from inisched.questions.spans import Span, read_span
from inisched.questions.why import Answer, why


@click.command("why")
@click.argument("job")
@path_option
@json_option
@utc_option
@click.option("--at", "when", metavar="T", help="The fire at this moment, as precisely as typed.")
def why_command(job: str, path: str | None, as_json: bool, utc: bool, when: str | None) -> int:
    """Why a fire ran, ran late or did not run: the one at T, else the last that came due.

    A T is HH:MM (the nearest past one), an ISO date or date-time, or a duration (ago).

    \b
    Example: inisched why "nightly report" --at 02:30
    """
    config = read_file(path, ledger_will_do=True)
    history = open_history(config.database)
    name = job_named(config, history, job)
    present = now()
    spans = _spans(when, zone_of(config, name), present)
    case = case_of(config, history, name, present, utc=utc, gates=lambda: told_gates(config))
    found = why(case, spans)
    if as_json:
        print_json(_as_json(found))
    else:
        click.echo(escaped(" ".join(found.tale.text)))
    return Exit.FINE


def _spans(text: str | None, zone: str, present: datetime) -> tuple[Span, ...]:
    if text is None:
        return ()
    try:
        return read_span(text, zone, present)
    except Unreadable as error:
        raise Trouble(f"{error.problem}, expected {error.expected}", Exit.MISUSE) from None


def _as_json(found: Answer) -> dict[str, object]:
    return {
        "job": found.job,
        "asked": _iso(found.asked),
        "fire_at": _iso(found.fire_at),
        "verdict": found.tale.verdict,
        "reason": found.tale.reason,
        "runs": found.tale.runs,
        "nearest": {"before": _iso(found.before), "after": _iso(found.after)},
        "text": found.tale.text,
    }


def _iso(moment: datetime | None) -> str | None:
    return None if moment is None else iso_utc(moment)
