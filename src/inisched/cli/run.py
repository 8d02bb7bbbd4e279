"""`inisched run`: the daemon, and what can be asked for with it."""

from __future__ import annotations

from datetime import timedelta

import click

from inisched.cli.exits import Exit, Trouble
from inisched.cli.files import path_option
from inisched.cli.serve import refused, serve
from inisched.cli.times import Duration


@click.command("run")
@path_option
@click.option("--once", is_flag=True, help="Run what is due now, then leave.")
@click.option("--test", is_flag=True, help="Only tell what is due; run and write nothing.")
@click.option("--for", "lasts", type=Duration(), metavar="D", help="Leave after so long.")
@click.option("--json", "as_json", is_flag=True, help="With --test: print JSON.")
def run_command(
    path: str | None, once: bool, test: bool, lasts: timedelta | None, as_json: bool
) -> int:
    """Run the jobs of the file until TERM or INT.

    One daemon per database: a second one leaves with exit code 5. HUP reads the file again.

    --once is for a cron of your own: what is due now, to its end; the exit code is 1 if a run
    failed. With --test nothing is run, sent or written.

    \b
    Examples: inisched run -P /srv/app/scheduler.ini
              inisched run --once --test
    """
    if as_json and not test:
        raise Trouble("--json goes with --test", Exit.MISUSE)
    if test and lasts is not None:
        raise Trouble("--for goes with a daemon, not with --test", Exit.MISUSE)
    if not test:
        return serve(path, once=once, lasts=lasts)
    from inisched.cli.dry_run import dry_run
    from inisched.cli.logs import set_up_logging
    from inisched.cli.place import find_file
    from inisched.config.loader import load

    config = load(find_file(path), strict_references=True)
    if refused(config):
        return Exit.PROBLEM
    set_up_logging(config.settings.log_level, "text")
    dry_run(config, once=once, as_json=as_json)
    return Exit.FINE
