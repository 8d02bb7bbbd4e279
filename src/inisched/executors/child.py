"""The process of one run: `python -P -m` this, with the descriptor its request is read from.

Standard input of the callback is empty, its output goes to the pipes the daemon made, its result
to a descriptor of its own. Then the interpreter ends as it always does: threads are waited for
and exit handlers run, and only a process that ends as announced makes the result count.
"""

from __future__ import annotations

import faulthandler
import fcntl
import io
import os
import sys
from collections.abc import Sequence

from inisched.executors.calling import carry_out, say
from inisched.executors.request import Request
from inisched.executors.returned import Verdict


def main(arguments: list[str]) -> int:
    """Carry out the request on descriptor `arguments[1]` (0 without it); the exit code."""
    request = Request.decode(_read(int(arguments[1]) if len(arguments) > 1 else 0))
    if request.result_fd is not None:
        os.set_inheritable(request.result_fd, False)
    prepare(request.paths)
    sys.argv[:] = request.argv
    return run(request, request.result_fd)


def run(request: Request, result_fd: int | None) -> int:
    """Call, hand over the verdict, and say the exit code to end with."""
    pid = os.getpid()
    result = None if result_fd is None else _out_of_reach(result_fd)
    verdict = carry_out(request)
    for name in ("stdout", "stderr"):
        try:
            getattr(sys, name).flush()
        except Exception:  # the callback closed, replaced or removed it
            pass
    # A process the callback forked comes by here too, and has nothing to say.
    if result is not None and os.getpid() == pid:
        _hand_over(verdict, result)
    return verdict.exit_code


def _out_of_reach(fd: int) -> int:
    """The descriptor under a high number: a callback may well close all the usual ones."""
    try:
        high = fcntl.fcntl(fd, fcntl.F_DUPFD_CLOEXEC, 512)
    except OSError:
        return fd
    os.close(fd)
    return high


def _read(fd: int) -> bytes:
    with open(fd, "rb", closefd=fd != 0) as stream:
        data = stream.read()
    nothing = os.open(os.devnull, os.O_RDONLY)
    os.dup2(nothing, 0)
    if nothing != 0:
        os.close(nothing)
    return data


def prepare(paths: Sequence[str]) -> None:
    """Make this interpreter one for callbacks that are found on `paths`."""
    sys.path[:0] = paths
    # Lines leave at once, so that they are seen live and survive a crash; and no character that
    # a callback prints can fail for the locale's sake.
    for stream in (sys.stdout, sys.stderr):
        if isinstance(stream, io.TextIOWrapper):
            stream.reconfigure(encoding="utf-8", errors="backslashreplace", line_buffering=True)
    faulthandler.enable()


def _hand_over(verdict: Verdict, fd: int) -> None:
    data = verdict.encode()
    try:
        while data:
            data = data[os.write(fd, data) :]
        os.close(fd)
    except OSError as error:
        say(f"inisched: the result could not be handed over: {error.strerror}\n")


if __name__ == "__main__":
    sys.exit(main(sys.argv))
