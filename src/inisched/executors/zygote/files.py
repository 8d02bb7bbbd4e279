"""The files behind imported modules, and whether they are still what was imported."""

from __future__ import annotations

import os
import sys
import time
from collections.abc import Iterable, Mapping, Sequence
from types import TracebackType

Seen = tuple[int, int, int]
"""Modification time in ns, size and inode."""

Files = Mapping[str, Seen | None]
"""None for a file that changed while it was imported."""

_COARSE = 20_000_000
"""Nanoseconds by which the clock of a file system may be behind."""


def imported_files(folders: Sequence[str], since: int, more: Iterable[str] = ()) -> Files:
    """The files under `folders` that modules came from, as they are now, and `more` of them.

    `since` is when importing began, in ns: what changed after it may have been read before.
    """
    prefixes = tuple(os.path.join(folder, "") for folder in folders)
    names = {*filter(None, map(_file, list(sys.modules.values()))), *more}
    found: dict[str, Seen | None] = {}
    for name in sorted(name for name in names if name.startswith(prefixes)):
        try:
            status = os.stat(name)
        except OSError:  # in an archive, say
            continue
        found[name] = None if status.st_ctime_ns >= since - _COARSE else _seen(status)
    return found


def changed(files: Files) -> str | None:
    """The first file that is no longer as it was seen; None where all are."""
    return next((name for name, seen in files.items() if seen is None or _look(name) != seen), None)


def blamed(error: BaseException) -> set[str]:
    """The files a failed import came through."""
    found: set[str] = set()
    cause: BaseException | None = error
    while cause is not None:
        if isinstance(cause, SyntaxError) and cause.filename:
            found.add(cause.filename)
        trace: TracebackType | None = cause.__traceback__
        while trace is not None:
            found.add(trace.tb_frame.f_code.co_filename)
            trace = trace.tb_next
        cause = cause.__cause__
    return found


def now() -> int:
    return time.time_ns()


def _look(name: str) -> Seen | None:
    try:
        return _seen(os.stat(name))
    except OSError:
        return None


def _seen(status: os.stat_result) -> Seen:
    return status.st_mtime_ns, status.st_size, status.st_ino


def _file(module: object) -> str | None:
    try:
        file = vars(module).get("__file__")
    except TypeError:  # whatever someone put into sys.modules
        return None
    return file if isinstance(file, str) else None
