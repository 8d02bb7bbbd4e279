"""Has a switch thrown: by the daemon where one is up, else by a moment with its lock."""

from __future__ import annotations

import time

from msgspec.structs import replace

from inisched.cli.asking import GLANCE, Refusal
from inisched.cli.exits import Exit, Trouble
from inisched.config.loader import Config
from inisched.engine.change import LONGEST_NAME, LONGEST_NOTE, Change
from inisched.engine.clock import SystemClock
from inisched.engine.control import PATIENCE, Unreachable, ask, socket_of
from inisched.engine.lock import AlreadyRunning, InstanceLock
from inisched.stores.ledger import Ledger, LedgerDown
from inisched.stores.soundness import Unusable


def throw(config: Config, change: Change) -> bool:
    """Have it in the ledger, and in force where a daemon is up; whether there was anything to it.

    A daemon that only just starts has the lock before it listens: it is asked again.
    """
    if len(change.note) > LONGEST_NOTE:
        raise Trouble(f"a note has at most {LONGEST_NOTE} characters", Exit.MISUSE)
    change = replace(change, by=_printable(change.by)[:LONGEST_NAME], note=_printable(change.note))
    deadline = time.monotonic() + PATIENCE
    while True:
        try:
            answer = ask(socket_of(config.database), {"ask": "switch", "change": change.packed()})
        except Unreachable as error:
            done = _throw_alone(config, change, error, last=time.monotonic() >= deadline)
            if done is not None:
                return done
        else:
            if "error" not in answer:
                return bool(answer["done"])
            if answer["error"] != "starting" or time.monotonic() >= deadline:
                raise Refusal(answer)
        time.sleep(GLANCE)


def _printable(text: str) -> str:
    """Bytes that are no UTF-8 are shown as such."""
    return text.encode(errors="surrogateescape").decode(errors="backslashreplace")


def _throw_alone(
    config: Config, change: Change, silence: Unreachable, *, last: bool
) -> bool | None:
    """None where a daemon has the database after all; on the `last` attempt that is the end."""
    unreachable = Trouble(f"{silence}; see inisched status", Exit.UNREACHABLE)
    if isinstance(silence.__context__, PermissionError):
        raise unreachable
    try:
        return _with_the_lock(config, change)
    except AlreadyRunning as error:
        if error.holder is None:
            raise Trouble("not now: another command has the database", Exit.NOT_NOW) from None
        if last:
            raise unreachable from None
        return None
    except (Unusable, LedgerDown, OSError) as error:
        raise Trouble(f"nothing was switched: {error}") from None


def _with_the_lock(config: Config, change: Change) -> bool:
    lock = InstanceLock(config.database)
    lock.acquire("command")
    try:
        full = config.settings.durability == "full"
        ledger = Ledger(config.database, full=full, brief=True)
        try:
            return change.enter(ledger.switches, SystemClock().now())
        finally:
            ledger.close()
    finally:
        lock.release()
