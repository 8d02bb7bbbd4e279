"""The daemon as a command starts it. It lives for long: nothing here imports click."""

from __future__ import annotations

import logging
import os
import sys
from datetime import timedelta

from inisched.cli.exits import Exit, Trouble
from inisched.cli.logs import is_json, set_up_logging
from inisched.cli.place import find_file
from inisched.config.drawing import draw
from inisched.config.loader import Config, load
from inisched.engine.daemon import Daemon, Limits, tell
from inisched.engine.lock import AlreadyRunning
from inisched.stores.ledger import LedgerDown
from inisched.stores.soundness import Unusable
from inisched.timing.library import HooksMoved, check_hooks

log = logging.getLogger("inisched")

METRICS = "inisched.web.metrics"
"""The module that serves the daemon's numbers, in a process of its own."""


def serve(path: str | None, *, once: bool = False, lasts: timedelta | None = None) -> Exit | int:
    """Run the jobs of the file until a signal, or as long as asked for; the exit code."""
    file = find_file(path)
    config = load(file, strict_references=True)
    _log_as_asked(config)
    if refused(config):
        return Exit.PROBLEM
    try:
        return _run(config, file, Limits(once=once, lasts=lasts))
    except Exception as error:
        if not is_json():
            raise
        return _last_words(error)


def refused(config: Config) -> bool:
    """Whether the file is too wrong to run anything of it; it has been said then."""
    if not (config.fatal or config.settings_broken):
        return False
    if is_json():
        tell(config)
    else:
        sys.stderr.write(draw(config.diagnostics))
    return True


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
