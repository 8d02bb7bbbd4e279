"""What each section of a file says, with [DEFAULT] merged in: for whoever compares files."""

from __future__ import annotations

from collections.abc import Mapping

from msgspec import Struct

from inisched.config.fields import Field, Fields, Gatherer
from inisched.config.keys import INISCHED, JOB, NOTIFY, POOL, Table, is_reserved
from inisched.config.loader import Config
from inisched.config.references import References
from inisched.config.report import Report

_RESERVED = {"inisched": INISCHED, "pool": POOL, "notify": NOTIFY}


class Said(Struct, frozen=True):
    """One section. `zone` is the one its moments are meant in.

    `fields` are keys of inisched by their own names, and what is none of them as "arg." and the
    name: arguments of the callback.
    """

    name: str
    table: Table
    zone: str
    config: Config
    fields: Mapping[str, Field]


def said(config: Config) -> dict[str, Said]:
    """The sections of a file by name, in file order, [inisched] always among them.

    Of two with one name it is the first. Empty for a file that is no INI.
    """
    if config.lines is None:
        return {}
    document = config.lines.document
    gatherer = Gatherer(Report(document), References(config.real_path.parent), strict=False)
    default = gatherer.gather(document.default, JOB)
    zones = {section.name: section.zone for section in reversed(config.sections)}
    found: dict[str, Said] = {}
    for section in document.sections:
        table = _table(section.name)
        if table is None or section.name in found:
            continue
        fields = gatherer.gather(section, table)
        if table is JOB:
            fields = fields.under(default)
        zone = zones.get(section.name, config.settings.timezone)
        found[section.name] = Said(section.name, table, zone, config, _by_name(fields))
    if "inisched" in found:
        return found
    return {"inisched": Said("inisched", INISCHED, config.settings.timezone, config, {}), **found}


def _table(name: str) -> Table | None:
    """The keys of a section of that name; None where there is no such section."""
    if not is_reserved(name):
        return JOB
    prefix, colon, _ = name.partition(":")
    return None if colon and prefix == "inisched" else _RESERVED[prefix]


def _by_name(fields: Fields) -> dict[str, Field]:
    """Both homes in one; arguments of [DEFAULT] reach callbacks only."""
    calls = "call" in fields.known
    given = {f"arg.{n}": f for n, f in fields.arguments.items() if calls or not f.from_default}
    return {**fields.known, **given}
