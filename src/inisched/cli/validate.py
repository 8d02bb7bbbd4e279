"""`inisched validate`: everything that is wrong with the file, in one go."""

from __future__ import annotations

import click

from inisched.cli.exits import Exit
from inisched.cli.files import json_option, judge_file, path_option
from inisched.cli.place import find_file
from inisched.cli.table import print_json
from inisched.config.drawing import as_json as diagnostic_json
from inisched.config.drawing import draw, escaped, summary
from inisched.config.judged import Judged
from inisched.config.loader import load
from inisched.model.diagnostic import Level
from inisched.model.job import Call, Manage

TIME_LIMIT = 30.0
"""Seconds one module may take to import."""


@click.command("validate")
@path_option
@json_option
@click.option("--strict", is_flag=True, help="Warnings count as problems.")
@click.option("--no-import", is_flag=True, help="Do not import the callbacks.")
def validate_command(path: str | None, as_json: bool, strict: bool, no_import: bool) -> int:
    """Tell everything that is wrong with the file: line, column and cure.

    Callbacks are imported in a throw-away process and checked against what the file passes.
    Nothing is run and no file is changed. Exit code 1 where there is a problem.

    \b
    Example: inisched validate -P scheduler.ini --strict
    """
    config = load(find_file(path), strict_references=True)
    if no_import or config.fatal:
        judged = Judged(config)
    else:
        judged = judge_file(config, time_limit=TIME_LIMIT)
    levels = {found.level for found in judged.config.diagnostics}
    bad = Level.ERROR in levels or (strict and Level.WARNING in levels)
    if as_json:
        print_json(_report(judged, ok=not bad))
    else:
        _print(judged)
    return Exit.PROBLEM if bad else Exit.FINE


def _report(judged: Judged, *, ok: bool) -> dict[str, object]:
    config = judged.config
    return {
        "ok": ok,
        "jobs": len(config.sections),
        "broken": len(config.broken),
        "diagnostics": [diagnostic_json(found) for found in config.diagnostics],
    }


def _print(judged: Judged) -> None:
    config = judged.config
    click.echo(draw(config.diagnostics), nl=False)
    for section in config.sections:
        passed = judged.passed.get(section.name)
        if section.job is not None and isinstance(section.job.action, Call | Manage) and passed:
            shown = ", ".join(f"{name}={value!r}" for name, value in passed.items())
            target = section.job.action.shown or section.job.action.target
            click.echo(escaped(f"{section.name}: {target}({shown})"))
    jobs = len(config.sections)
    fine = jobs - len(config.broken)
    click.echo(summary(config.diagnostics, file=config.path, jobs=jobs, fine=fine), nl=False)
