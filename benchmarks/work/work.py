"""What is called in every comparison, by the product, its peers and the bare loops alike."""

from __future__ import annotations

import os
import time

_open: list[int] = []


def tick() -> None:
    """Note when this was called, in nanoseconds since 1970, at the end of the file $TICKS."""
    moment = time.time_ns()
    if not _open:
        flags = os.O_WRONLY | os.O_CREAT | os.O_APPEND
        _open.append(os.open(os.environ["TICKS"], flags, 0o600))
    os.write(_open[0], b"%d\n" % moment)


def nap() -> None:
    """A run of 100 ms that notes when it began."""
    tick()
    time.sleep(0.1)
