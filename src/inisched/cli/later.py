"""Documented commands that this version does not carry out yet: they say so."""

from __future__ import annotations

import click

from inisched.cli.exits import Exit


def later_command(name: str, help: str) -> click.Command:
    """A command that takes whatever it is given, does nothing, and says so."""

    def say() -> int:
        click.echo(f"inisched {name}: not in force in this version", err=True)
        return Exit.NOT_NOW

    return click.Command(
        name,
        callback=say,
        help=f"{help[:1].upper()}{help[1:]}: not in force in this version.",
        context_settings={"ignore_unknown_options": True, "allow_extra_args": True},
    )
