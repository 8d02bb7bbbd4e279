"""The commands: one room for each, imported only when it is called."""

from __future__ import annotations

import os
import sys
from importlib import import_module
from typing import NoReturn

import click

from inisched.cli.exits import BROKEN_OFF
from inisched.cli.guard import carry_out

COMMANDS = {
    "run": "run",
    "list": "listing",
    "validate": "validate",
    "next": "coming",
    "history": "history",
    "show": "history",
    "why": "why",
    "status": "status",
    "graph": "graph",
    "test": "testing",
    "simulate": "simulate",
    "trigger": "control",
    "stop": "control",
    "reload": "control",
    "diff": "diff",
    "prune": "pruning",
    "enable": "switches",
    "disable": "switches",
    "reschedule": "switches",
    "pause": "switches",
    "resume": "switches",
    "clear": "switches",
    "hold": "holding",
    "release": "holding",
    "audit": "audit",
    "notify": "notify",
}
"""The commands in force, and the room of each."""

LATER = {
    "discover": "find jobs in the packages of an app",
    "export": "write an INI, a supervisord or systemd block, a script",
    "import": "make an INI of a crontab",
    "init": "write a first INI",
    "doctor": "check the machine and the files",
    "web": "the dashboard",
}
"""Documented commands that this version does not carry out yet."""


class Commands(click.Group):
    """Finds a command's room by its name, so that none pays for another's imports."""

    def list_commands(self, ctx: click.Context) -> list[str]:
        return [*COMMANDS, *LATER]

    def get_command(self, ctx: click.Context, cmd_name: str) -> click.Command | None:
        if cmd_name in COMMANDS:
            room = import_module(f"inisched.cli.{COMMANDS[cmd_name]}")
            command = getattr(room, f"{cmd_name}_command")
            assert isinstance(command, click.Command)
            return command
        if cmd_name in LATER:
            from inisched.cli.later import later_command

            return later_command(cmd_name, LATER[cmd_name])
        return None

    def resolve_command(
        self, ctx: click.Context, args: list[str]
    ) -> tuple[str | None, click.Command | None, list[str]]:
        if self.get_command(ctx, args[0]) is None and not args[0].startswith("-"):
            from inisched.timing.nearest import did_you_mean

            hint = did_you_mean(args[0], self.list_commands(ctx))
            raise click.UsageError(
                f"there is no command '{args[0]}'" + (f"; {hint}" if hint else "")
            )
        return super().resolve_command(ctx, args)

    def format_commands(self, ctx: click.Context, formatter: click.HelpFormatter) -> None:
        rows = [(name, help_of(name)) for name in COMMANDS]
        with formatter.section("Commands"):
            formatter.write_dl(rows)
        with formatter.section("Not in force in this version"):
            formatter.write_text(", ".join(LATER))


def help_of(name: str) -> str:
    """The short help of a command, without importing its room."""
    return {
        "run": "run the jobs of the file",
        "list": "each job with its last run and its next fire",
        "validate": "everything that is wrong with the file",
        "next": "coming fires",
        "history": "the ledger, newest first",
        "show": "one run whole, with its output",
        "why": "why a fire ran or did not run",
        "status": "is the daemon up, and how does it do",
        "graph": "which jobs follow which",
        "test": "run a job now, here, as the daemon would",
        "simulate": "predict runs, skips, waits and the peak",
        "trigger": "have the daemon run a job, now or later",
        "stop": "end a run",
        "reload": "make the daemon read the file again",
        "diff": "compare two files by what they do",
        "prune": "delete old history now",
        "enable": "switch a job on",
        "disable": "switch a job off",
        "reschedule": "give a job another schedule for a while",
        "pause": "let a job rest until a moment",
        "resume": "end a pause",
        "clear": "forget a failure mark or a failed period",
        "hold": "start nothing until release",
        "release": "end a hold",
        "audit": "who switched what",
        "notify": "send a trial notice",
    }[name]


def _columns() -> int:
    """How wide help is: as click has it, which asks `shutil` and what that imports."""
    try:
        columns = int(os.environ.get("COLUMNS", 0)) or os.get_terminal_size(1).columns
    except (ValueError, OSError):
        columns = 0
    return max(min(columns or 80, 80) - 2, 50)


@click.group(
    cls=Commands,
    context_settings={"help_option_names": ["-h", "--help"], "terminal_width": _columns()},
)
@click.version_option(package_name="inisched", prog_name="inisched")
def group() -> None:
    """Run the jobs of an INI file, and keep an account of every moment a job was due."""


def main() -> NoReturn:
    """The program: exits with the codes of the reference, never with a traceback."""
    carry_out(_run_command)


def _run_command() -> object:
    """What the command returned. click's own `main` would turn a closed pipe into exit code 1."""
    try:
        if "_INISCHED_COMPLETE" in os.environ:
            return group.main(prog_name="inisched", standalone_mode=False)
        with group.make_context("inisched", sys.argv[1:]) as context:
            return group.invoke(context)
    except click.exceptions.Exit as error:
        return error.exit_code
    except click.ClickException as error:
        error.show()
        return error.exit_code
    except click.Abort:
        return BROKEN_OFF
