"""How a job is run: its time, its further attempts, its surroundings, its place beside others."""

from __future__ import annotations

import os
import pwd
from typing import Any

from inisched.config.desk import Desk
from inisched.model.diagnostic import Unreadable
from inisched.model.job import Overlap, Retry, Surroundings

_ENV = "env."
_PLAIN = {
    name: name
    for name in ("overlap", "pool", "timeout", "kill_after", "rerun_interrupted", "linger")
}
_RETRY = {
    "retries": "retries",
    "retry_delay": "delay",
    "retry_backoff": "backoff",
    "retry_max_delay": "max_delay",
}
_AROUND = {name: name for name in ("cwd", "env_file", "run_as", "umask", "nice", "memory_limit")}


def read_how(desk: Desk) -> dict[str, Any]:
    """What a section says of it, under the names the job has for it."""
    how = desk.given(_PLAIN)
    if "overlap" in how:
        how["overlap"] = Overlap(how["overlap"])
    retry = desk.given(_RETRY)
    if retry:
        how["retry"] = Retry(**retry)
    _check_user(desk)
    around = desk.given(_AROUND)
    variables = _variables(desk)
    if around or variables:
        how["around"] = Surroundings(env=variables, **around)
    return how


def _variables(desk: Desk) -> tuple[tuple[str, str], ...]:
    """The variables of `env.NAME`, as they are spelled."""
    return tuple(
        (field.entry.key[len(_ENV) :], desk.read(name, ""))
        for name, field in desk.known.items()
        if name.startswith(_ENV)
    )


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
