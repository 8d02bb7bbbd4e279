"""What `[inisched]` says about the whole file."""

from __future__ import annotations

import os
from datetime import timedelta
from pathlib import Path
from typing import ClassVar

from msgspec.structs import replace

from inisched.config.database import check_database
from inisched.config.desk import Desk
from inisched.config.extras import check_extra
from inisched.config.lists import listed
from inisched.config.report import Report
from inisched.model.address import Address
from inisched.model.diagnostic import Diagnostic, Level, Unreadable
from inisched.model.guarded import Guarded
from inisched.model.place import Place
from inisched.model.retention import Retention
from inisched.timing.zone import host_zone, is_zone

_SYSTEMS_OWN = "/etc/localtime"
"""As $TZ: the zone the system is set to."""


USUAL_RETENTION = Retention()


class Settings(Guarded, frozen=True, kw_only=True):
    """`database` None means: beside the file. Paths are absolute.

    `retention` None: the section has an error, and what is kept for how long may be part of it,
    so that everything is.
    """

    hidden: ClassVar = frozenset({"sentry_dsn"})

    timezone: str
    python_path: tuple[Path, ...]
    database: Path | None = None
    durability: str = "full"
    max_running: int = 10
    drain: timedelta = timedelta(seconds=30)
    reload: str = "auto"
    log_level: str = "info"
    log_format: str = "text"
    preload: tuple[str, ...] = ()
    retention: Retention | None = USUAL_RETENTION
    sentry_dsn: str | None = None
    metrics: Address | None = None


def default_settings(folder: Path) -> Settings:
    """What holds where the file says nothing."""
    return Settings(timezone=host_zone(), python_path=(folder,))


def read_settings(desk: Desk, real_path: Path) -> Settings:
    """Read the section; what cannot be read keeps its default."""
    folder = real_path.parent
    usual = default_settings(folder)
    settings = Settings(
        timezone=desk.read("timezone", usual.timezone),
        database=_read_database(desk, real_path),
        python_path=tuple(folder / item for item in desk.read("python_path", (".",))),
        durability=desk.read("durability", usual.durability),
        max_running=desk.read("max_running", usual.max_running),
        drain=desk.read("drain", usual.drain),
        reload=desk.read("reload", usual.reload),
        log_level=desk.read("log_level", usual.log_level),
        log_format=desk.read("log_format", usual.log_format),
        preload=tuple(name for name, _ in listed(desk.read("preload", ""))),
        sentry_dsn=desk.read("sentry_dsn", None),
        metrics=desk.read("metrics", None),
    )
    check_extra(desk, "sentry_dsn", "sentry_sdk", "sentry")
    check_extra(desk, "metrics", "prometheus_client", "metrics")
    retention = _read_retention(desk)
    desk.read_later_keys()
    return replace(settings, retention=None if desk.broken else retention)


def _read_retention(desk: Desk) -> Retention | None:
    """None where one of the keys cannot be read."""
    usual = USUAL_RETENTION
    retention = Retention(
        history=desk.read("history_keep", usual.history),
        runs=desk.read("history_keep_runs", usual.runs),
        output=desk.read("output_keep", usual.output),
    )
    return None if desk.failed & {"history_keep", "history_keep_runs", "output_keep"} else retention


def _read_database(desk: Desk, real_path: Path) -> Path | None:
    name = desk.read("database", "")
    field = desk.get("database")
    if not name or field is None:
        return None
    try:
        check_database(name, real_path)
    except Unreadable as error:
        desk.refuse_value(field, error, "bad-database")
        return None
    return real_path.parent / name


def warn_of_host_zone(report: Report) -> None:
    """Warn of a $TZ that names no zone: what relies on the host's is reckoned in another."""
    name = os.environ.get("TZ", "").lstrip(":")
    if name and name != _SYSTEMS_OWN and not is_zone(name):
        report.add(
            Diagnostic(
                place=Place(report.file, 0, 0),
                code="host-zone",
                message=f"the environment's TZ '{name}' is no zone this machine knows; "
                f"times are taken as {host_zone()}",
                level=Level.WARNING,
                expected="an IANA name such as Europe/Paris",
                hint="set TZ to one, or write 'timezone' in [inisched]",
            )
        )
