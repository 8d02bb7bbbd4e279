"""Which file a command is about, and how it is read for it."""

from __future__ import annotations

from collections.abc import Callable
from pathlib import Path
from typing import Any

import click

from inisched.cli.exits import Exit, Trouble
from inisched.cli.place import find_file
from inisched.config.drawing import draw
from inisched.config.judged import Judged, requests, with_judgements
from inisched.config.keys import JOB
from inisched.config.loader import Config, load
from inisched.stores.history import History
from inisched.stores.soundness import Unusable


def path_option(command: Callable[..., Any]) -> Callable[..., Any]:
    """`-P/--path FILE`."""
    return click.option(
        "-P",
        "--path",
        metavar="FILE",
        help="The INI file. Without it $INISCHED_PATH, ./scheduler.ini, ./config/scheduler.ini.",
    )(command)


def json_option(command: Callable[..., Any]) -> Callable[..., Any]:
    """`--json`."""
    return click.option("--json", "as_json", is_flag=True, help="Print JSON; moments in UTC.")(
        command
    )


def utc_option(command: Callable[..., Any]) -> Callable[..., Any]:
    """`--utc`."""
    return click.option("--utc", is_flag=True, help="Show times in UTC.")(command)


def read_file(path: str | None, *, ledger_will_do: bool = False) -> Config:
    """Read the file for a command that only looks; one that is no INI file ends the command.

    With `ledger_will_do` it goes on where there is a ledger beside the file.
    """
    config = load(find_file(path), strict_references=False)
    if config.fatal:
        click.echo(draw(config.diagnostics), err=True, nl=False)
        if not (ledger_will_do and config.database.is_file()):
            raise SystemExit(Exit.PROBLEM)
    return config


def judge_file(config: Config, *, time_limit: float) -> Judged:
    """Import the file's callbacks in a throw-away process and check what is passed to them."""
    from inisched.config.judge import judge

    asked = requests(config)
    found = judge(
        asked,
        folder=config.real_path.parent,
        python_path=config.settings.python_path,
        key_names=JOB.words,
        time_limit=time_limit,
    )
    return with_judgements(config, asked, found)


def open_history(database: Path) -> History:
    """The ledger, for reading."""
    try:
        return History(database)
    except Unusable as error:
        raise Trouble(str(error)) from None


def job_named(config: Config, history: History, name: str) -> str:
    """The name, if the file or the ledger knows it; else the command ends with exit code 4."""
    names = [section.name for section in config.sections]
    if name in names or name in history.jobs():
        return name
    from inisched.timing.nearest import did_you_mean

    hint = did_you_mean(name, names)
    raise Trouble(f"there is no job '{name}'" + (f"; {hint}" if hint else ""), Exit.UNKNOWN)
