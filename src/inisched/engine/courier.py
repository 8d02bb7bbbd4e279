"""The process that delivers letters: `python -P -m` this, with the parcel's descriptor and the
database. Standard input is the line to the daemon.

It outlives a daemon that dies meanwhile, so that no letter is sent twice: what became of each it
then tells the next daemon, or the ledger itself where there is none.
"""

from __future__ import annotations

import json
import os
import socket
import sys
import time
from collections.abc import Sequence
from datetime import timedelta
from pathlib import Path

from msgspec.structs import asdict

from inisched.engine.messenger import BEGIN, KNOWN, Told
from inisched.notifiers.courier import deliver, settle
from inisched.notifiers.wire import unpack

PATIENCE = 20.0
"""Seconds for which the daemon, and then the ledger, is told."""

PAUSE = 0.1
"""Seconds between two attempts to tell."""

AGAIN = timedelta(seconds=5)
"""How long after the daemon's death a letter is tried again that could not be delivered."""


def main(arguments: list[str]) -> int:
    """Deliver, and see to it that the ledger hears of it; the exit code."""
    with socket.socket(fileno=os.dup(0)) as line:
        line.settimeout(PATIENCE)
        if _heard(line) != BEGIN:
            return 1
        with open(int(arguments[1]), "rb") as file:
            parcel = unpack(file.read())
        settle()
        told = []
        for done in deliver(parcel):
            told.append(Told(done.id, done.ok, done.error, done.final, done.tried))
            _tell(line, told[-1])
        if _heard(line) != KNOWN:
            _hand_over(Path(arguments[2]), told)
    return 0


def _heard(line: socket.socket) -> bytes:
    """A word of the daemon's; nothing where it is gone or silent."""
    try:
        return line.recv(1)
    except OSError:
        return b""


def _tell(line: socket.socket, told: Told) -> None:
    try:
        line.sendall(json.dumps(asdict(told)).encode() + b"\n")
    except OSError:
        pass  # the daemon is gone; the ledger hears of it in the end


def _hand_over(database: Path, told: Sequence[Told]) -> None:
    from inisched.engine.control import Unreachable, ask, socket_of

    deadline = time.monotonic() + PATIENCE
    question = {"ask": "delivered", "told": [asdict(each) for each in told]}
    while time.monotonic() < deadline:
        try:
            if "error" not in ask(socket_of(database), question):
                return
        except Unreachable:
            if _enter(database, told):
                return
        time.sleep(PAUSE)


def _enter(database: Path, told: Sequence[Told]) -> bool:
    """Write it into the ledger, for a moment in the daemon's place; whether that could be done."""
    from inisched.engine.clock import SystemClock
    from inisched.engine.lock import AlreadyRunning, InstanceLock
    from inisched.stores.ledger import Ledger, LedgerDown
    from inisched.stores.soundness import Unusable

    lock = InstanceLock(database)
    try:
        lock.acquire("command", patience=0)
    except (AlreadyRunning, OSError):
        return False
    try:
        ledger = Ledger(database, brief=True)
        try:
            again = SystemClock().now() + AGAIN
            ledger.post.settle(
                [each.id for each in told if each.ok],
                later=[(each.id, again) for each in told if _failed(each)],
                lost=[each.id for each in told if each.final],
                left=[each.id for each in told if not each.tried],
            )
        finally:
            ledger.close()
    except (Unusable, LedgerDown, OSError):
        return False
    finally:
        lock.release()
    return True


def _failed(told: Told) -> bool:
    return told.tried and not told.ok and not told.final


if __name__ == "__main__":
    os._exit(main(sys.argv))  # a thread that hangs shall not keep the process
