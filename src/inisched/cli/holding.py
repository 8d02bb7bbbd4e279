"""`inisched hold` and `release`: nothing starts in between."""

from __future__ import annotations

import click

from inisched.cli.asking import login
from inisched.cli.exits import Exit, Trouble
from inisched.cli.files import path_option, read_file
from inisched.cli.switches import note_option
from inisched.cli.throwing import throw
from inisched.engine.change import Action, Change


@click.command("hold")
@path_option
@note_option
def hold_command(path: str | None, note: str) -> int:
    """Start nothing until `release`; what runs runs on, and what comes due waits.

    \b
    Example: inisched hold --note "the database moves"
    """
    config = read_file(path, ledger_will_do=True)
    throw(config, Change(action=Action.HOLD, by=login(), note=note))
    click.echo("held: nothing starts until inisched release")
    return Exit.FINE


@click.command("release")
@path_option
@click.option("--run-pending", is_flag=True, help="What has come due meanwhile runs.")
@click.option("--skip-pending", is_flag=True, help="What has come due meanwhile is skipped.")
@note_option
def release_command(path: str | None, run_pending: bool, skip_pending: bool, note: str) -> int:
    """End a hold, and say what becomes of the fires that came due meanwhile.

    \b
    Example: inisched release --run-pending
    """
    if run_pending and skip_pending:
        text = "--run-pending and --skip-pending do not go together: give one of them"
        raise Trouble(text, Exit.MISUSE)
    if not (run_pending or skip_pending):
        text = "what has come due meanwhile: give --run-pending or --skip-pending"
        raise Trouble(text, Exit.MISUSE)
    config = read_file(path, ledger_will_do=True)
    change = Change(action=Action.RELEASE, by=login(), note=note, run=run_pending)
    if throw(config, change):
        click.echo(f"released: what waited {'runs' if run_pending else 'is skipped'}")
    else:
        click.echo("nothing is held")
    return Exit.FINE
