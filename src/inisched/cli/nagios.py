"""`inisched status --nagios`: one line and an exit code, for all that calls plugins of Nagios."""

from __future__ import annotations

from collections.abc import Iterator
from datetime import datetime, timedelta
from enum import IntEnum

from inisched.cli.asking import told_gates, told_outage
from inisched.cli.exits import Trouble
from inisched.cli.files import open_history
from inisched.cli.place import find_file
from inisched.config.drawing import escaped
from inisched.config.loader import load
from inisched.model.duration import show_duration
from inisched.model.event import Kind
from inisched.questions.health import STALE, Health, health

DOUBTFUL = timedelta(seconds=60)
"""A heartbeat as old as this is worth a look: it comes every 30 seconds."""

MOST_NAMED = 3
"""Jobs the line names."""

_SECOND = timedelta(seconds=1)


class Nagios(IntEnum):
    """What the exit code says here: 1 and 2 are not what they are elsewhere."""

    OK = 0
    WARNING = 1
    CRITICAL = 2


def nagios(path: str | None, now: datetime) -> tuple[Nagios, str]:
    """The exit code and the line. Whatever keeps it from finding out is CRITICAL."""
    try:
        config = load(find_file(path), strict_references=False)
        if config.fatal:
            problem = next((found.message for found in config.diagnostics), "")
            raise Trouble(f"{config.path} cannot be read: {problem}")
        history = open_history(config.database)
        gates, outage = (lambda: told_gates(config)), (lambda: told_outage(config))
        found = health(config, history, now, gates, outage)
        return verdict(found, now)
    except Trouble as trouble:
        return Nagios.CRITICAL, f"CRITICAL - {_safe(str(trouble))}"
    except Exception as error:
        fault = f"a fault of its own: {type(error).__name__}: {error}"
        return Nagios.CRITICAL, f"CRITICAL - {_safe(fault)}"


def verdict(found: Health, now: datetime) -> tuple[Nagios, str]:
    """How a daemon that was found, or not, does."""
    critical, warnings = list(_critical(found)), list(_warnings(found))
    state = Nagios.CRITICAL if critical else Nagios.WARNING if warnings else Nagios.OK
    text = "; ".join([*critical, *warnings]) or _well(found, now)
    return state, f"{state.name} - {_safe(text)} | {_numbers(found)}"


def _critical(found: Health) -> Iterator[str]:
    if not found.up:
        yield "down: no daemon has this file's database"
        return
    if found.heartbeat_age is None:
        yield "there is no heartbeat yet"
    elif found.heartbeat_age >= STALE:
        yield f"the last heartbeat is {_whole(found.heartbeat_age)} old"
    if not found.writable:
        yield "the database cannot be written"


def _warnings(found: Health) -> Iterator[str]:
    failing = [one.job for one in found.incidents if one.kind is Kind.FAILURE]
    late = [one.job for one in found.incidents if one.kind is Kind.LATE]
    if failing:
        yield f"{_jobs(failing)} {'fails' if len(failing) == 1 else 'fail'}: {_named(failing)}"
    if late:
        yield f"{_jobs(late)} {'is' if len(late) == 1 else 'are'} late: {_named(late)}"
    if found.problems:
        yield f"the file has {found.problems} error{'' if found.problems == 1 else 's'}"
    if found.dropped:
        yield f"{found.dropped} notice{' was' if found.dropped == 1 else 's were'} dropped"
    if found.hold is not None:
        yield "all is held"
    if found.heartbeat_age is not None and DOUBTFUL <= found.heartbeat_age < STALE:
        yield f"the last heartbeat is {_whole(found.heartbeat_age)} old"


def _well(found: Health, now: datetime) -> str:
    up = "up" if found.since is None else f"up {_whole(now - found.since)}"
    jobs = f"{found.jobs} job{'' if found.jobs == 1 else 's'}"
    return f"{up}, {jobs}, {len(found.running)} running"


def _whole(length: timedelta) -> str:
    return show_duration(length // _SECOND * _SECOND)


def _jobs(names: list[str]) -> str:
    return f"{len(names)} job{'' if len(names) == 1 else 's'}"


def _named(names: list[str]) -> str:
    more = ", ..." if len(names) > MOST_NAMED else ""
    return ", ".join(names[:MOST_NAMED]) + more


def _numbers(found: Health) -> str:
    """The performance data: U stands for what is not known."""
    age = found.heartbeat_age
    beat = "U" if age is None else f"{max(0, int(age.total_seconds()))}s"
    limits = f"{DOUBTFUL.seconds};{STALE.seconds}"
    return (
        f"jobs={found.jobs} running={len(found.running)} waiting={len(found.waiting)} "
        f"incidents={len(found.incidents)} heartbeat={beat};{limits} "
        f"outbox={found.outbox} dropped={found.dropped}"
    )


def _safe(text: str) -> str:
    """On one line, and without the sign that parts the words from the numbers."""
    return escaped(text).replace("|", "\\x7c")
