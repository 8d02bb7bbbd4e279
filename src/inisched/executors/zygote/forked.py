"""A run in its forked process: from the fork to the end of what is no whole interpreter's end.

A forked process does not take its interpreter down: that would cost four times the run and undo
what belongs to the zygote (temporary folders made at import). What a callback may rely on happens
all the same: threads are waited for, exit handlers run, open files are flushed.
"""

from __future__ import annotations

import atexit
import gc
import io
import os
import sys
import weakref
from collections.abc import Callable, Iterable
from typing import Any, NoReturn

from inisched.executors import child
from inisched.executors.request import Request
from inisched.executors.tree import MARK, wear_badge

_WRITERS = (io.TextIOWrapper, io.BufferedWriter, io.BufferedRandom, io.BufferedRWPair)


def live(
    request: Request, result: int, *, folder: str, badge: str, files: Iterable[object]
) -> NoReturn:
    """Carry out the request in `folder`, and end; `files` were open before the fork."""
    code = 1
    try:
        _forget_the_zygote()
        sys.argv[:] = request.argv
        os.chdir(folder)
        os.environ[MARK] = request.mark
        wear_badge(badge)
        code = child.run(request, result)
        _end(files)
    except BaseException:
        sys.excepthook(*sys.exc_info())
        code = code or 1
    finally:
        os._exit(code)


def open_files() -> list[Any]:
    """The files open for writing that live Python objects stand for."""
    # isinstance() would wake the proxies that frameworks put in place of objects.
    found = [o for o in gc.get_objects() if issubclass(type(o), _WRITERS) and not o.closed]
    return sorted(found, key=lambda file: not isinstance(file, io.TextIOWrapper))


def flush(files: Iterable[Any]) -> None:
    """Flush what still can be."""
    for file in files:
        try:
            file.flush()
        except Exception:  # closed, detached, or its other end is gone
            pass


def _forget_the_zygote() -> None:
    """What would be the same in every run, or be undone by the first."""
    for finalizer in list(weakref.finalize._registry):  # type: ignore[attr-defined]
        finalizer.atexit = False
    numpy = sys.modules.get("numpy.random")
    if numpy is not None:
        numpy.seed()


def _end(files: Iterable[object]) -> None:
    """The end of an interpreter as far as callbacks notice it."""
    if "threading" in sys.modules:
        _told(sys.modules["threading"]._shutdown)
    _told(atexit._run_exitfuncs)
    flush(files)
    flush(open_files())


def _told(step: Callable[[], object]) -> None:
    """Take a step; what it raises is shown and holds nothing up."""
    try:
        step()
    except BaseException:
        sys.excepthook(*sys.exc_info())
