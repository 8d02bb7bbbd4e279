"""How a job is run: its time, its further attempts, its surroundings, its place beside others."""

from __future__ import annotations

import os
import pwd
from dataclasses import dataclass
from datetime import timedelta

from inisched.config.desk import Desk
from inisched.model.diagnostic import Unreadable
from inisched.model.job import Overlap, Retry, Surroundings

_ENV = "env."


@dataclass(frozen=True, slots=True, kw_only=True)
class How:
    """What a section says of it, under the names the job has for it."""

    overlap: Overlap
    pool: str | None
    timeout: timedelta | None
    kill_after: timedelta
    retry: Retry
    rerun_interrupted: bool
    linger: bool
    around: Surroundings


def read_how(desk: Desk) -> How:
    """Read every key of it; what cannot be read keeps its default."""
    return How(
        overlap=Overlap(desk.read("overlap", "skip")),
        pool=desk.read("pool", None),
        timeout=desk.read("timeout", None),
        kill_after=desk.read("kill_after", timedelta(seconds=5)),
        retry=Retry(
            desk.read("retries", 0),
            desk.read("retry_delay", timedelta(seconds=60)),
            desk.read("retry_backoff", 2.0),
            desk.read("retry_max_delay", timedelta(hours=1)),
        ),
        rerun_interrupted=desk.read("rerun_interrupted", False),
        linger=desk.read("linger", False),
        around=_read_surroundings(desk),
    )


def _read_surroundings(desk: Desk) -> Surroundings:
    _check_user(desk)
    return Surroundings(
        cwd=desk.read("cwd", None),
        env=tuple(_variables(desk)),
        env_file=desk.read("env_file", None),
        run_as=desk.read("run_as", None),
        umask=desk.read("umask", None),
        nice=desk.read("nice", None),
        memory_limit=desk.read("memory_limit", None),
    )


def _variables(desk: Desk) -> list[tuple[str, str]]:
    """The variables of `env.NAME`, as they are spelled."""
    return [
        (field.entry.key[len(_ENV) :], desk.read(name, ""))
        for name, field in desk.known.items()
        if name.startswith(_ENV)
    ]


def _check_user(desk: Desk) -> None:
    field = desk.get("run_as")
    if field is None or not field.text or desk.name is None:
        return
    name = field.text
    try:
        pwd.getpwuid(int(name)) if name.isdigit() else pwd.getpwnam(name)
    except (KeyError, OverflowError):
        expected = "a user of this machine"
        desk.refuse_value(field, Unreadable(f"there is no user '{name}'", expected=expected))
        return
    if os.geteuid() != 0 and name not in (str(os.geteuid()), pwd.getpwuid(os.geteuid()).pw_name):
        problem = "only root may run a job as another user"
        desk.refuse_value(field, Unreadable(problem, expected="a daemon started by root"))
