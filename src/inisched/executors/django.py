"""One Django management command run to its end. Imported by its process, never by the daemon."""

from __future__ import annotations

from collections.abc import Callable
from importlib import import_module

from inisched.config.django import close_connections, set_up
from inisched.config.target import Finder
from inisched.executors.returned import Verdict
from inisched.model.job import Manage
from inisched.model.result import STATUS


def manage(action: Manage, finder: Finder, say: Callable[[str], None]) -> Verdict:
    """Call the command; what it prints is its output, what it returns is nothing more.

    Raises CannotRun where Django cannot be set up, and whatever the command raises save
    CommandError, which `say` is told.
    """
    set_up(action.settings, finder)
    management = import_module("django.core.management")
    try:
        management.call_command(*action.words)
    except management.CommandError as error:
        text = str(error).strip()
        say(f"{type(error).__name__}: {text}\n")
        code = int(getattr(error, "returncode", 1)) & 0xFF
        return Verdict(None, text.partition("\n")[0], exit_code=code or 1)
    finally:
        close_connections()
    return Verdict(STATUS.SUCCESS)
