"""Whether a database can be kept where the file says, without touching anything there."""

from __future__ import annotations

import os
import stat
from pathlib import Path

from inisched.config.source import no_file
from inisched.model.diagnostic import Unreadable

_EXPECTED = "the path of a file, there or to be made, in a folder that is there"
_TAKEN = (".lock", ".sock")


def check_database(name: str, real_path: Path) -> None:
    """Raise Unreadable where the file at `real_path` names a database that no run can use."""
    try:
        path = Path(os.path.realpath(real_path.parent / name))
        status = _status(path)
        folder = _status(path.parent)
    except (OSError, ValueError) as error:
        reason = getattr(error, "strerror", None) or "its name"
        raise _refused(f"the database cannot be used: {reason}") from error
    if path == real_path:
        raise _refused("the database cannot be the INI file itself")
    if status is not None and not stat.S_ISREG(status.st_mode):
        kind = no_file(status.st_mode) or "no file"
        raise _refused(f"'{name}' is {kind}")
    if path.suffix in _TAKEN:
        problem = f"the daemon itself keeps a file of that name: '{path.name}'"
        raise _refused(problem, hint=f"call it '{path.stem}.db'")
    _check_folder(str(Path(name).parent), folder)


def _check_folder(name: str, status: os.stat_result | None) -> None:
    if status is None:
        raise _refused(f"there is no folder '{name}'", hint="make the folder first")
    if not stat.S_ISDIR(status.st_mode):
        raise _refused(f"'{name}' is no folder")


def _status(path: Path) -> os.stat_result | None:
    """What stands there; None for nothing."""
    try:
        return path.stat()
    except FileNotFoundError:
        return None


def _refused(problem: str, *, hint: str = "") -> Unreadable:
    return Unreadable(problem, expected=_EXPECTED, hint=hint or _HINT)


_HINT = "without 'database' it lies beside the INI file"
