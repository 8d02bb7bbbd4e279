"""The sections that are no jobs, apart from what `[inisched]` settles: pools, notifiers."""

from __future__ import annotations

from collections.abc import Iterable

from inisched.config.desk import NOT_IN_FORCE, Desk
from inisched.config.document import Section
from inisched.config.fields import Gatherer
from inisched.config.keys import INISCHED, NOTIFY, POOL, Table
from inisched.config.report import Report
from inisched.config.strangers import refuse_unknown
from inisched.model.diagnostic import Level
from inisched.model.job import Pool

_CHANNELS = ("mail", "url", "webhook", "command")
_SECTIONS = "[inisched], [pool:NAME] or [notify:NAME]"
_TABLES = {"pool:": POOL, "notify:": NOTIFY}


def named(prefix: str, sections: Iterable[Section]) -> frozenset[str]:
    """What stands behind the prefix in the names of sections: the pools, or the notifiers."""
    return frozenset(s.name.removeprefix(prefix) for s in sections if s.name.startswith(prefix))


def settings_desk(section: Section, gatherer: Gatherer) -> Desk:
    """A desk for `[inisched]`, its unknown keys reported."""
    return _desk(section, INISCHED, gatherer)


def check_reserved(section: Section, gatherer: Gatherer) -> None:
    """Check a `[pool:NAME]` or `[notify:NAME]`, or refuse an unknown `[inisched:…]`."""
    report, prefix = gatherer.report, section.name.partition(":")[0] + ":"
    table = _TABLES.get(prefix)
    if table is None:
        message = f"there is no section [{section.name}]"
        return _say(report, section, "unknown-section", message, expected=_SECTIONS)
    if not section.name.removeprefix(prefix).strip():
        message, expected = f"the name is missing after '{prefix}'", f"[{prefix}NAME]"
        return _say(report, section, "empty-section", message, expected=expected)
    if table is POOL:
        return None
    message = f"[{section.name}] is {NOT_IN_FORCE}"
    _say(report, section, "not-in-force", message, level=Level.WARNING)
    desk = _desk(section, table, gatherer)
    for name in desk.known:
        desk.check(name)
    if table is NOTIFY:
        _check_channel(desk, section)


def read_pools(sections: Iterable[Section], gatherer: Gatherer) -> dict[str, Pool]:
    """The pools by name; what cannot be read of one keeps its default."""
    pools: dict[str, Pool] = {}
    for section in sections:
        if section.name.startswith("pool:"):
            desk = _desk(section, POOL, gatherer)
            pool = Pool(desk.read("max", 1), desk.read("wait", None))
            pools.setdefault(section.name.removeprefix("pool:"), pool)
    return pools


def _desk(section: Section, table: Table, gatherer: Gatherer) -> Desk:
    fields = gatherer.gather(section, table)
    desk = Desk(None, fields, gatherer.report)
    for field in fields.arguments.values():
        refuse_unknown(desk, field, table, f"[{section.name}]")
    return desk


def _check_channel(desk: Desk, section: Section) -> None:
    given = [field for name in _CHANNELS if (field := desk.get(name)) is not None]
    expected = f"exactly one of {', '.join(_CHANNELS[:-1])} and {_CHANNELS[-1]}"
    if not given and not section.spoilt:
        message = f"[{section.name}] reaches nobody"
        _say(desk.report, section, "no-channel", message, expected=expected)
    for other in sorted(given, key=lambda field: field.entry.line)[1:]:
        desk.fail(other, "too-many", f"'{other.entry.key}' is one way too many", expected=expected)


def _say(
    report: Report,
    section: Section,
    code: str,
    message: str,
    *,
    level: Level = Level.ERROR,
    expected: str = "",
) -> None:
    report.at(
        section.line,
        section.column,
        len(section.name),
        code,
        message,
        level=level,
        expected=expected,
    )
