"""Whether two files mean the same by a key, however each of them spells it."""

from __future__ import annotations

import os
import shlex
from collections.abc import Callable
from functools import partial

from inisched.config import kinds
from inisched.config.desk import read_value
from inisched.config.fields import Field
from inisched.config.keys import JOB, Key
from inisched.config.kinds import Kind
from inisched.config.lists import listed
from inisched.config.said import Said
from inisched.config.when import AT_START
from inisched.model.diagnostic import Unreadable
from inisched.model.schedule import Every, Schedule
from inisched.timing.clock_times import read_times
from inisched.timing.moment import read_moment
from inisched.timing.phrase import read_every
from inisched.timing.zone import host_zone

START_ONLY = ("every", "cron", "run_at_start")
"""The keys that say `@reboot` in two ways."""


def same(old: Said, new: Said, name: str) -> bool:
    """Whether both sections mean the same by a key; one that is left out means its default.

    A reference is compared as it is written, and if both stand for something by that too.
    """
    one, other = old.fields.get(name), new.fields.get(name)
    if one is not None and other is not None and one.entry.value == other.entry.value:
        return one.text == other.text or None in (one.text, other.text)
    if _refers(one) or _refers(other):
        return False
    return meaning(old, name) == meaning(new, name)


def start_only(section: Said) -> bool:
    """Whether a job has fires at the daemon's start only: `@reboot`, or `never` spelled out."""
    if meaning(section, "cron") == AT_START:
        return True
    return meaning(section, "every") == _NEVER and meaning(section, "run_at_start") is True


def meaning(section: Said, name: str) -> object:
    """What a section means by a key: equal for texts that mean the same.

    None where it is left out and its default is nothing that could be written; the text itself
    where that cannot be read.
    """
    field = section.fields.get(name)
    if field is None:
        return _default(section, name)
    if field.key is None or field.text is None:
        return field.text
    try:
        return _value(section, name, field.key, field.text)
    except Unreadable:
        return field.text


def _refers(field: Field | None) -> bool:
    return field is not None and field.text != field.entry.value


def _default(section: Said, name: str) -> object:
    if name == "timezone":
        return section.config.settings.timezone if section.table is JOB else host_zone()
    if name == "cwd":
        return "."
    if name == "misfire" and meaning(section, "report_period") is not None:
        return "all"
    if name == "overlap" and section.name in _named(section, "after_future"):
        return "queue"
    key = section.table.find(name)
    if key is None or key.kind in _WITHOUT_DEFAULT:
        return None
    try:
        return _value(section, name, key, key.default)
    except Unreadable:
        return None


def _value(section: Said, name: str, key: Key, text: str) -> object:
    reader = _READERS.get(name)
    if reader is not None:
        return read_value(text, key.kind, partial(reader, section))
    value: object = read_value(text, key.kind)
    levelled = _LEVELLED.get(key.kind)
    if levelled is not None:
        return levelled(value)
    return frozenset(value) if isinstance(value, tuple) else value


# -- keys that cannot be read by themselves


def _every(section: Said, text: str) -> object:
    """Minutes may be hours spelled out, but not beside an `at`, which counts in them."""
    at = (0,) if "at" in section.fields else ()
    return Schedule(zone="", text="", every=read_every(text), at=at).meaning()


def _at(section: Said, text: str) -> object:
    every = section.fields.get("every")
    return read_times(text, read_every((every.text if every else None) or ""))


def _names(section: Said, text: str) -> frozenset[str]:
    """A text that is one section's name is that name, commas and all."""
    names = {*section.config.pools, *(job.name for job in section.config.sections)}
    return frozenset({text} if text in names else (name for name, _ in listed(text)))


def _named(section: Said, key: str) -> frozenset[str]:
    """The names in a list of the section; none where it cannot be read."""
    field = section.fields.get(key)
    return frozenset() if field is None or not field.text else _names(section, field.text)


def _modules(section: Said, text: str) -> object:
    """They are imported in their order."""
    return tuple(name for name, _ in listed(text))


def _moment(section: Said, text: str, *, last: bool = False) -> object:
    return read_moment(text, section.zone, last=last)


def _words(section: Said, text: str) -> object:
    try:
        return tuple(shlex.split(text))
    except ValueError as error:
        raise Unreadable(str(error)) from None


def _database(section: Said, text: str) -> object:
    """None for the place it has without being named."""
    real_path = section.config.real_path
    path = os.path.normpath(text)
    return None if real_path.parent / path == real_path.with_suffix(".db") else path


def _text(section: Said, text: str) -> object:
    return text or None


_READERS: dict[str, Callable[[Said, str], object]] = {
    "manage": _words,
    "every": _every,
    "at": _at,
    "active_from": _moment,
    "active_until": partial(_moment, last=True),
    "description": _text,
    "database": _database,
    "preload": _modules,
    **dict.fromkeys(("pool", "after", "after_future", "then", "notify"), _names),
}

_LEVELLED: dict[Kind, Callable[..., object]] = {
    kinds.TARGET: lambda text: text.replace(":", "."),
    kinds.PATH: os.path.normpath,
    kinds.PATHS: lambda paths: tuple(map(os.path.normpath, paths)),
}
"""What makes two spellings of a kind one; tuples of all others are sets."""

_WITHOUT_DEFAULT = (kinds.TEXT, kinds.PATH, kinds.NAMES)
"""Their defaults are words about the default, not a value that could be written."""

_NEVER = Schedule(zone="", text="", every=Every()).meaning()
