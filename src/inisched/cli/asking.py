"""Questions to the daemon, and what its refusals mean for the exit code."""

from __future__ import annotations

import os
import pwd
import time
from collections.abc import Mapping
from typing import TYPE_CHECKING

from inisched.cli.exits import Exit, Trouble
from inisched.config.loader import Config

if TYPE_CHECKING:
    from inisched.engine.control import Message

GLANCE = 0.05
"""Seconds between two questions where the answer is still being made."""

_CODES = {
    "unknown": Exit.UNKNOWN,
    "broken": Exit.PROBLEM,
    "not_now": Exit.NOT_NOW,
    "starting": Exit.NOT_NOW,
}


class Refusal(Trouble):
    """The daemon says no; `error` is its word for it."""

    def __init__(self, answer: Message) -> None:
        self.error = str(answer["error"])
        super().__init__(str(answer.get("message")), _CODES.get(self.error, Exit.UNREACHABLE))


def asked(config: Config, question: Message) -> Message:
    """What the file's daemon answers; one that is only just starting is waited for.

    Raises Refusal, and Trouble with exit code 6 where no daemon answers.
    """
    from inisched.engine.control import PATIENCE, Unreachable, ask, socket_of

    deadline = time.monotonic() + PATIENCE
    while True:
        try:
            answer = ask(socket_of(config.database), question)
        except Unreachable as error:
            raise Trouble(f"{error}; see inisched status", Exit.UNREACHABLE) from None
        if answer.get("error") != "starting" or time.monotonic() >= deadline:
            break
        time.sleep(GLANCE)
    if "error" in answer:
        raise Refusal(answer)
    return answer


def told_outage(config: Config) -> bool:
    """Whether the daemon says that it cannot write its ledger; False where it is silent."""
    from inisched.engine.control import Unreachable, ask, socket_of

    try:
        answer = ask(socket_of(config.database), {"ask": "status"}, patience=1)
        return bool(answer.get("outage"))
    except Unreachable:
        return False


def told_gates(config: Config) -> Mapping[int, str]:
    """What the daemon says its waiting fires wait for; nothing where it is silent."""
    from inisched.engine.control import Unreachable, ask, socket_of

    try:
        return dict(ask(socket_of(config.database), {"ask": "status"}, patience=1)["waiting"])
    except (Unreachable, KeyError):
        return {}


def login() -> str:
    """Who asks, also where sudo stands between."""
    return os.environ.get("SUDO_USER") or user_name(os.getuid())


def user_name(user: int) -> str:
    try:
        return pwd.getpwuid(user).pw_name
    except KeyError:
        return str(user)
