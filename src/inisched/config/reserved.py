"""The sections that are no jobs, apart from what `[inisched]` settles: pools, and strange ones."""

from __future__ import annotations

from collections.abc import Iterable

from inisched.config.desk import Desk
from inisched.config.document import Section
from inisched.config.fields import Gatherer
from inisched.config.keys import INISCHED, POOL, Table
from inisched.config.report import Report
from inisched.config.strangers import refuse_unknown
from inisched.model.diagnostic import Level
from inisched.model.job import Pool

_SECTIONS = "[inisched], [pool:NAME] or [notify:NAME]"
_PREFIXES = ("pool:", "notify:")


def named(prefix: str, sections: Iterable[Section]) -> frozenset[str]:
    """What stands behind the prefix in the names of sections: the pools, or the notifiers."""
    return frozenset(s.name.removeprefix(prefix) for s in sections if s.name.startswith(prefix))


def settings_desk(section: Section, gatherer: Gatherer) -> Desk:
    """A desk for `[inisched]`, its unknown keys reported."""
    return reserved_desk(section, INISCHED, gatherer)


def check_reserved(section: Section, gatherer: Gatherer) -> None:
    """Refuse a `[pool:NAME]` or `[notify:NAME]` without a name, or an unknown `[inisched:…]`."""
    report, prefix = gatherer.report, section.name.partition(":")[0] + ":"
    if prefix not in _PREFIXES:
        message = f"there is no section [{section.name}]"
        say(report, section, "unknown-section", message, expected=_SECTIONS)
    elif not section.name.removeprefix(prefix).strip():
        message, expected = f"the name is missing after '{prefix}'", f"[{prefix}NAME]"
        say(report, section, "empty-section", message, expected=expected)
    elif section.name == "notify:none":
        message = "'none' is no name for a notifier: it means nobody"
        say(report, section, "bad-name", message, expected="[notify:NAME] with another name")


def read_pools(sections: Iterable[Section], gatherer: Gatherer) -> dict[str, Pool]:
    """The pools by name; what cannot be read of one keeps its default."""
    pools: dict[str, Pool] = {}
    for section in sections:
        if section.name.startswith("pool:"):
            desk = reserved_desk(section, POOL, gatherer)
            pool = Pool(desk.read("max", 1), desk.read("wait", None))
            pools.setdefault(section.name.removeprefix("pool:"), pool)
    return pools


def reserved_desk(section: Section, table: Table, gatherer: Gatherer) -> Desk:
    """A desk for a section that is no job, its unknown keys reported."""
    fields = gatherer.gather(section, table)
    desk = Desk(None, fields, gatherer.report)
    for field in fields.arguments.values():
        refuse_unknown(desk, field, table, f"[{section.name}]")
    return desk


def say(
    report: Report,
    section: Section,
    code: str,
    message: str,
    *,
    level: Level = Level.ERROR,
    expected: str = "",
) -> None:
    """Report something at the name of a section."""
    report.at(
        section.line,
        section.column,
        len(section.name),
        code,
        message,
        level=level,
        expected=expected,
    )
