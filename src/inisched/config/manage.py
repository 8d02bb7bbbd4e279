"""`manage`: a Django management command as the file gives it. Nothing of Django is imported."""

from __future__ import annotations

import os
import shlex

from inisched.config.desk import Desk
from inisched.model.diagnostic import Unreadable
from inisched.model.job import DjangoSettings, Manage
from inisched.model.place import Place

VARIABLE = "DJANGO_SETTINGS_MODULE"

A_PROJECT = "a line in [inisched] such as: django_settings = shop.settings"


def read_django(desk: Desk) -> DjangoSettings | None:
    """The settings module of the whole file: its own, else the environment's, else "".

    None where what the file says cannot be read.
    """
    module = desk.read("django_settings", "")
    if module:
        return _written(desk, "django_settings", module)
    return None if desk.has("django_settings") else DjangoSettings(os.environ.get(VARIABLE, ""))


def read_manage(desk: Desk, project: DjangoSettings | None) -> Manage | None:
    """The command of a section with the settings it runs under; None where there is none."""
    words: tuple[str, ...] = desk.read("manage", (), _words)
    field = desk.get("manage")
    if not words or field is None:
        return None
    settings = _own_settings(desk) or project
    if settings is None:
        desk.broken = True
        return None
    if not settings.module:
        message = f"'{field.entry.key}' needs the settings module of a Django project"
        desk.fail(field, "no-django-settings", message, expected=A_PROJECT)
        return None
    place = Place(desk.report.file, field.entry.line, field.entry.value_column)
    return Manage(words, settings, field.entry.value, place)


def _own_settings(desk: Desk) -> DjangoSettings | None:
    """What `env.DJANGO_SETTINGS_MODULE` of the section says."""
    name = f"env.{VARIABLE}"
    field = desk.get(name)
    return _written(desk, name, field.text) if field is not None and field.text else None


def _written(desk: Desk, name: str, module: str) -> DjangoSettings:
    field = desk.known[name]
    entry = field.entry
    place = Place(desk.report.file, entry.line, entry.value_column)
    return DjangoSettings(module, entry.key, place, field.shown if field.opaque else "")


def _words(text: str) -> tuple[str, ...]:
    """The words of a line, as a shell splits them; nothing in them is expanded."""
    try:
        words = tuple(shlex.split(text))
    except ValueError:
        raise _torn(text) from None
    if not words or not words[0]:
        raise Unreadable("the command has no name", expected="a name and its arguments")
    return words


def _torn(text: str) -> Unreadable:
    start = _open_quote(text)
    if start is None:
        return Unreadable(
            "the last backslash has nothing to escape",
            expected="words as a shell splits them",
            start=len(text) - 1,
            hint="write \\\\ for a backslash",
        )
    return Unreadable(
        f"the quotation mark {text[start]} is not closed",
        expected="words as a shell splits them",
        start=start,
        length=1,
        hint=f"close it, or write \\{text[start]} for the mark itself",
    )


def _open_quote(text: str) -> int | None:
    """Where the quotation mark stands that is never closed."""
    opened: int | None = None
    escaped = False
    for index, char in enumerate(text):
        inside = text[opened] if opened is not None else ""
        if escaped:
            escaped = False
        elif char == "\\" and inside != "'":
            escaped = True
        elif opened is None and char in "'\"":
            opened = index
        elif char == inside:
            opened = None
    return opened
