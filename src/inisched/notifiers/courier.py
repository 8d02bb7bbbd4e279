"""The process that delivers a parcel: `python -P -m inisched.notifiers.courier`.

It reads the parcel from its standard input and writes one line of JSON for each letter, as soon
as its fate is known. Whoever waits for these lines may be gone: it delivers all the same.
"""

from __future__ import annotations

import json
import os
import signal
import sys
from contextlib import suppress

from inisched.notifiers.delivery import Done, deliver
from inisched.notifiers.wire import unpack

__all__ = ["Done", "deliver", "line", "main"]

NICENESS = 10
_KEPT = {signal.SIGKILL, signal.SIGSTOP, signal.SIGPIPE}
"""Left as they are: the first two cannot be changed, the third would kill us by a closed socket."""


def main() -> int:
    """Deliver what standard input holds; 0, or 2 where that is no parcel."""
    settle()
    try:
        parcel = unpack(sys.stdin.buffer.read())
    except (ValueError, LookupError, TypeError, AttributeError) as error:
        sys.stderr.write(f"courier: the request cannot be read: {type(error).__name__}\n")
        return 2
    for done in deliver(parcel):
        _say(line(done))
    return 0


def line(done: Done) -> str:
    """`{"id": 7, "ok": true}`, with "error" where there is one and "final" where it failed."""
    told: dict[str, object] = {"id": done.id, "ok": done.ok}
    if done.error or not done.ok:
        told["error"] = done.error
    if not done.ok:
        told |= {"final": done.final, "tried": done.tried}
    return json.dumps(told)


def settle() -> None:
    """Stand behind the jobs, and hear signals as any process does."""
    with suppress(OSError):
        os.nice(NICENESS)
    for number in signal.valid_signals() - _KEPT:
        with suppress(OSError, ValueError):
            signal.signal(number, signal.SIG_DFL)
    signal.pthread_sigmask(signal.SIG_SETMASK, ())


def _say(text: str) -> None:
    """Write a line at once; nobody need be there to read it."""
    try:
        if sys.stdout is not None:
            sys.stdout.write(f"{text}\n")
            sys.stdout.flush()
    except OSError:
        sys.stdout = open(os.devnull, "w")  # noqa: SIM115 - for the rest of this process


if __name__ == "__main__":
    code = main()
    os._exit(code)  # a thread that hangs shall not keep the process
