"""`inisched run`: the daemon."""

from __future__ import annotations

import logging
import os
from datetime import timedelta

import click

from inisched.cli.exits import Exit, Trouble
from inisched.cli.files import find_file, path_option
from inisched.cli.logs import is_json, set_up_logging
from inisched.cli.times import Duration
from inisched.config.drawing import draw
from inisched.config.loader import Config, load
from inisched.engine.daemon import Daemon, Limits, tell
from inisched.engine.lock import AlreadyRunning
from inisched.stores.ledger import LedgerDown
from inisched.stores.opening import Unusable
from inisched.timing.library import HooksMoved, check_hooks

log = logging.getLogger("inisched")

METRICS = "inisched.web.metrics"
"""The module that serves the daemon's numbers, in a process of its own."""


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
    file = find_file(path)
    config = load(file, strict_references=True)
    if not test:
        _log_as_asked(config)
    if config.fatal or config.settings_broken:
        if is_json():
            tell(config)
        else:
            click.echo(draw(config.diagnostics), err=True, nl=False)
        return Exit.PROBLEM
    if test:
        from inisched.cli.dry_run import dry_run

        set_up_logging(config.settings.log_level, "text")
        dry_run(config, once=once, as_json=as_json)
        return Exit.FINE
    try:
        return _run(config, file, Limits(once=once, lasts=lasts))
    except Exception as error:
        if not is_json():
            raise
        return _last_words(error)


def _log_as_asked(config: Config) -> None:
    set_up_logging(config.settings.log_level, config.settings.log_format)


def _last_words(error: Exception) -> int:
    """What ends the daemon goes to its log, where each line is to be an object."""
    if isinstance(error, Trouble):
        log.critical("%s", error)
        return error.code
    text = "a fault of its own: %s: %s"
    log.critical(text, type(error).__name__, error, exc_info=error)
    return Exit.PROBLEM


def _run(config: Config, file: str, limits: Limits) -> int:
    def read_again() -> Config:
        """A file that can be put in force changes the log at once."""
        found = load(file, strict_references=True)
        if not (found.fatal or found.settings_broken):
            _log_as_asked(found)
        return found

    _warn_of_symlinked_folder(config)
    try:
        check_hooks()
        return Daemon(config, load=read_again, limits=limits, metrics=METRICS).run()
    except AlreadyRunning as error:
        raise Trouble(str(error), Exit.ALREADY_RUNNING) from None
    except (Unusable, HooksMoved) as error:
        raise Trouble(str(error)) from None
    except LedgerDown as error:
        raise Trouble(f"the ledger {config.database} cannot be written: {error}") from None
    except OSError as error:
        where = f"{error.filename}: " if error.filename else ""
        raise Trouble(f"cannot start: {where}{error.strerror or error}") from None


def _warn_of_symlinked_folder(config: Config) -> None:
    """The ledger lies beside the real file: a folder that is switched leaves it behind."""
    folder = os.path.dirname(os.path.abspath(config.path))
    if config.settings.database is None and folder != os.path.realpath(folder):
        log.warning(
            "%s is reached through a symlinked folder and [inisched] database is not set: "
            "where the link points elsewhere next time, the ledger there is empty",
            config.path,
        )
