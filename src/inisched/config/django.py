"""Django, in the processes that carry its commands out or judge them; never in the daemon."""

from __future__ import annotations

import os
import time
from contextlib import suppress
from importlib import import_module
from typing import Any

from msgspec.structs import replace

from inisched.config.manage import VARIABLE
from inisched.config.problem import CannotRun, Problem, is_secret, quoted
from inisched.config.shown import shown
from inisched.config.target import Finder, describe
from inisched.config.whereabouts import raised_at
from inisched.model.job import DjangoSettings, Manage
from inisched.timing.nearest import did_you_mean

SETTINGS = "django_settings"
"""The key of a problem that lies with the settings, whichever key names them."""

_WITHOUT_EFFECT = {
    "--settings": "'django_settings' in [inisched]",
    "--pythonpath": "'python_path' in [inisched]",
}
"""Options of every command that are for `manage.py` itself, and what takes their place."""

_PROGRAMS = ("manage.py", "django-admin", "python", "python3")

_set_up: dict[str, str] = {}
"""What setting Django up made of the environment."""


def set_up(settings: DjangoSettings, finder: Finder) -> None:
    """Import the settings and the apps; the environment is then as `manage.py` has it.

    Raises CannotRun. Once done it costs nothing.
    """
    if is_set_up(settings):
        os.environ.update(_set_up)
        time.tzset()
        return
    before = dict(os.environ)
    os.environ[VARIABLE] = settings.module
    try:
        _import_all(settings, finder)
    except CannotRun as error:
        problems = (replace(p, key=p.key or SETTINGS) for p in error.problems)
        raise CannotRun(*problems) from error.__cause__
    _set_up.update((k, v) for k, v in os.environ.items() if before.get(k) != v)


def is_set_up(settings: DjangoSettings) -> bool:
    """Whether Django is what these settings make of it, in this process."""
    return is_taken() and settings.module == _conf().SETTINGS_MODULE and _apps().ready


def is_taken() -> bool:
    """Whether this process has settings already, whichever."""
    try:
        return bool(_conf().configured)
    except ImportError:
        return False


def _import_all(settings: DjangoSettings, finder: Finder) -> None:
    try:
        django = import_module("django")
    except ImportError as error:
        message, hint = "Django is not installed", "install inisched[django]"
        raise CannotRun(Problem(code="no-django", message=message, hint=hint)) from error
    if is_taken() and settings.module != _conf().SETTINGS_MODULE:
        message = f"Django has been set up with other settings than {quoted(settings.module)}"
        hint = "a module that is imported before configures Django itself"
        raise CannotRun(Problem(code="other-settings", message=message, hint=hint))
    finder.find_module(settings.module)
    try:
        django.setup()
    except BaseException as error:  # sys.exit() in an app is the app's fault too
        place = raised_at(error, folder=finder.folder)
        raise CannotRun(
            Problem(
                code="import-failed",
                message=f"setting up Django failed: {describe(error)}",
                hint=f"raised at {place}" if place else "",
            )
        ) from error


def find_command(action: Manage, finder: Finder) -> Any:
    """The command, made but not run. Raises CannotRun."""
    set_up(action.settings, finder)
    management = import_module("django.core.management")
    app = management.get_commands().get(action.name)
    if app is None:
        raise CannotRun(_no_command(action, management.get_commands()))
    if not isinstance(app, str):
        return app
    try:
        finder.find_module(f"{app}.management.commands.{action.name}")
        return management.load_command_class(app, action.name)
    except CannotRun as error:
        spot = {"start": 0, "length": None} | _spot(action, action.name)
        problems = (replace(problem, **spot) for problem in error.problems)
        raise CannotRun(*problems) from error.__cause__
    except BaseException as error:
        message = f"making the command {quoted(action.name)} failed: {describe(error)}"
        raise CannotRun(Problem(code="import-failed", message=message)) from error


def _no_command(action: Manage, known: dict[str, Any]) -> Problem:
    if os.path.basename(action.name) in _PROGRAMS:
        hint = "write the name of the command, without the program before it"
    else:
        hint = did_you_mean(action.name, list(known))
    return Problem(
        code="no-such-command",
        message=f"Django has no management command {quoted(action.name)}",
        expected="a command of Django or of one of INSTALLED_APPS",
        hint=hint,
        **_spot(action, action.name),
    )


def examine(action: Manage, finder: Finder) -> tuple[dict[str, object], str]:
    """What a view may show of the arguments, and the first line of the help.

    Raises CannotRun where the command is not there or does not take its arguments.
    """
    command = find_command(action, finder)
    text = str(command.help or "").strip().partition("\n")[0]
    return _parsed(command, action), text


def _parsed(command: Any, action: Manage) -> dict[str, object]:
    error_of_commands = import_module("django.core.management.base").CommandError
    parser = command.create_parser("", action.name)
    try:
        given = vars(parser.parse_args(list(action.words[1:])))
    except SystemExit as error:  # --help and --version are answered at once
        if error.code:
            raise CannotRun(_refused(action, describe(error))) from error
        return {}
    except error_of_commands as error:
        raise CannotRun(_refused(action, str(error).removeprefix("Error: "))) from error
    for option, instead in _WITHOUT_EFFECT.items():
        if given.get(option[2:]) is not None:
            raise CannotRun(_without_effect(action, option, instead))
    return {
        name: "***" if is_secret(name) else shown(value)
        for name, value in given.items()
        if value != parser.get_default(name)
    }


def _refused(action: Manage, why: str) -> Problem:
    first = why.strip().partition("\n")[0]
    return Problem(
        code="bad-arguments",
        message=f"the command {quoted(action.name)} does not take these arguments: {first}",
        expected=f"what django-admin help {action.name} tells",
    )


def _without_effect(action: Manage, option: str, instead: str) -> Problem:
    return Problem(
        code="bad-arguments",
        message=f"'{option}' is for manage.py and does nothing here",
        expected=instead,
        **_spot(action, option),
    )


def _spot(action: Manage, word: str) -> dict[str, Any]:
    """Where a word stands in the value; the whole of it where it is not to be found as it is."""
    start = action.text.partition("\n")[0].find(word)
    return {"start": start, "length": len(word)} if start >= 0 else {}


def close_connections() -> None:
    """Close what this process has open to databases and caches: no two may share one."""
    for module, name in (("django.db", "connections"), ("django.core.cache", "caches")):
        with suppress(Exception):  # there may be no settings, or none for these
            getattr(import_module(module), name).close_all()


def _conf() -> Any:
    return import_module("django.conf").settings


def _apps() -> Any:
    return import_module("django.apps").apps
