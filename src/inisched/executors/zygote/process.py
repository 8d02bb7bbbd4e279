"""The zygote's own process: `python -P -m` this, with its plan and its channel as descriptors.

It has one thread and no business of its own, so that a fork of it is a whole interpreter with
everything imported and nothing under way.
"""

from __future__ import annotations

import gc
import marshal
import os
import signal
import socket
import sys
import traceback
from contextlib import suppress

from inisched.config.wire import HELPER
from inisched.executors.child import prepare
from inisched.executors.zygote import files, forked, wire
from inisched.executors.zygote.importing import Importer, NotForkable
from inisched.executors.zygote.serving import Server
from inisched.executors.zygote.shield import Shield

MOST_PRINTED = 4096
"""Bytes of what imports print that the daemon is told."""

LAST_SECONDS = 5
"""How long exit handlers of modules may take when the zygote leaves."""


def main(arguments: list[str]) -> None:
    """Import the plan on descriptor `arguments[1]`, then serve the socket `arguments[2]`."""
    os.environ.pop(HELPER, None)
    shield = Shield()
    channel = socket.socket(fileno=int(arguments[2]))
    channel.set_inheritable(False)
    try:
        _live(wire.Plan.decode(wire.read(int(arguments[1]))), channel, shield)
    except Exception:
        with suppress(OSError):
            wire.answer(channel, [["died", traceback.format_exc()[-MOST_PRINTED:]]])
        raise
    finally:
        signal.alarm(LAST_SECONDS)


def _live(plan: wire.Plan, channel: socket.socket, shield: Shield) -> None:
    since = files.now()
    prepare(plan.python_path)
    printed = _into_memory()
    importer = Importer(plan, lambda message: wire.answer(channel, [message]))
    try:
        importer.import_all()
    except NotForkable as error:
        wire.answer(channel, [["refused", error.module, error.why]])
        return
    found = files.imported_files(plan.python_path, since, importer.suspects)
    _report(channel, importer.broken, found, printed)
    del importer, found
    Server(channel, shield, plan, _settled()).serve()
    shield.take_up()


def _into_memory() -> int:
    """Have all output go to a file in memory; the descriptor of that."""
    printed = os.memfd_create("printed")
    os.dup2(printed, 1)
    os.dup2(printed, 2)
    return printed


def _report(
    channel: socket.socket, broken: dict[str, str], found: files.Files, printed: int
) -> None:
    forked.flush((sys.stdout, sys.stderr))
    size = os.lseek(printed, 0, os.SEEK_END)
    os.lseek(printed, max(0, size - MOST_PRINTED), os.SEEK_SET)
    words = wire.read(printed).decode("utf-8", "backslashreplace")
    _to_nowhere()
    report = wire.written(marshal.dumps((broken, dict(found), words)))
    wire.answer(channel, [["ready"]], [report])
    os.close(report)


def _to_nowhere() -> None:
    """Whatever the imports did to them: descriptors 0 to 2 are open, and lead nowhere."""
    nothing = os.open(os.devnull, os.O_RDWR)
    for descriptor in (0, 1, 2):
        os.dup2(nothing, descriptor)
    if nothing > 2:
        os.close(nothing)


def _settled() -> list[object]:
    """Make the heap one that is forked cheaply; the files a run must flush at its end."""
    gc.collect()
    open_files = forked.open_files()
    forked.flush(open_files)
    gc.freeze()
    return open_files


if __name__ == "__main__":
    main(sys.argv)
