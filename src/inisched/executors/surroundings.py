"""What a run finds around it: folder, environment, user, mask, priority, memory."""

from __future__ import annotations

import os
import pwd
from collections.abc import Mapping, Sequence
from pathlib import Path
from typing import Any

from inisched.model.job import Surroundings

TOLD = frozenset(
    f"INISCHED_{name}"
    for name in (
        "JOB", "RUN_ID", "SCHEDULED_FOR", "PERIOD_START", "PERIOD_END", "ATTEMPT", "OVERRIDE",
        "MARK",
    )
)  # fmt: skip
"""What a run is told by its environment."""

_LIMIT_MEMORY = 'ulimit -v "$0" || exit 126; exec "$@"'


class Unusable(OSError):
    """The surroundings cannot be had; the text says why."""

    def __init__(self, problem: str) -> None:
        super().__init__(0, problem)


def options(around: Surroundings, folder: Path) -> dict[str, Any]:
    """What `subprocess.Popen` is told. Raises Unusable."""
    found: dict[str, Any] = {"cwd": working_directory(around, folder)}
    if around.umask is not None:
        found["umask"] = around.umask
    if around.run_as is not None:
        user = _user(around.run_as)
        groups = os.getgrouplist(user.pw_name, user.pw_gid)
        found |= {"user": user.pw_uid, "group": user.pw_gid, "extra_groups": groups}
    return found


def working_directory(around: Surroundings, folder: Path) -> Path:
    """The run's own, else the file's folder. Raises Unusable where it is not there."""
    place = folder / around.cwd if around.cwd else folder
    if not place.is_dir():
        raise Unusable(f"the working directory {place} is not there")
    return place


def environment(around: Surroundings, folder: Path, told: Mapping[str, str]) -> dict[bytes, bytes]:
    """The daemon's own, then `env_file`, then `env.NAME`, then what it is `told`. Raises Unusable.

    Nothing stays of what the daemon was told itself, where a run had started it. In bytes, as the
    system has it, for that takes no conversion.
    """
    found = dict(os.environb)
    for name in TOLD:
        found.pop(os.fsencode(name), None)
    more: dict[str, str] = {}
    if around.run_as is not None:
        user = _user(around.run_as)
        more |= {"HOME": user.pw_dir, "USER": user.pw_name, "LOGNAME": user.pw_name}
    if around.env_file is not None:
        more |= read_env_file(folder / around.env_file)
    more |= {**dict(around.env), **told}
    return found | {os.fsencode(name): os.fsencode(value) for name, value in more.items()}


def wrapped(argv: Sequence[str], around: Surroundings) -> list[str]:
    """The command under its memory limit and at its priority; the process stays the same."""
    wrapped = list(argv)
    if around.nice is not None:
        wrapped = ["nice", "-n", str(around.nice), *wrapped]
    if around.memory_limit is not None:
        kib = str(max(1, around.memory_limit // 1024))
        wrapped = ["/bin/sh", "-c", _LIMIT_MEMORY, kib, *wrapped]
    return wrapped


def read_env_file(path: Path) -> Mapping[str, str]:
    """NAME=value lines; blank ones and comments are left out, outer quotes and `export` dropped."""
    try:
        text = path.read_text("utf-8")
    except (OSError, ValueError) as error:
        reason = getattr(error, "strerror", None) or error
        raise Unusable(f"the env_file {path} cannot be read: {reason}") from None
    found = {}
    for number, line in enumerate(text.splitlines(), 1):
        line = line.strip().removeprefix("export ").lstrip()
        if not line or line.startswith("#"):
            continue
        name, sign, value = line.partition("=")
        if not sign or not name.strip():
            raise Unusable(f"the env_file {path} has no NAME=value in line {number}")
        found[name.strip()] = _unquoted(value.strip())
    return found


def _unquoted(value: str) -> str:
    if len(value) >= 2 and value[0] == value[-1] and value[0] in "'\"":
        return value[1:-1]
    return value


def _user(name: str) -> pwd.struct_passwd:
    if os.geteuid() != 0:
        raise Unusable(f"run_as = {name} needs root")
    try:
        return pwd.getpwuid(int(name)) if name.isdigit() else pwd.getpwnam(name)
    except KeyError:
        raise Unusable(f"there is no user '{name}'") from None
