"""What is wrong with a callback or its arguments, before it is known where that stands."""

from __future__ import annotations

from msgspec import Struct

from inisched.model.diagnostic import Level

SECRET_WORDS = ("password", "secret", "token", "key")
LONGEST_SHOWN = 80


class Problem(Struct, frozen=True, kw_only=True):
    """One problem of a job's callback.

    `key` is the key of the argument at fault (or of the key of inisched that hides a parameter);
    None means the value of `call`. [start, start + length) is the piece of that value at fault;
    a length of None means all of it. With `at_key` the key itself is meant, not its value.
    `gate` is the key of the gate it is about, and takes the place of `call`; "" for none.
    """

    code: str
    message: str
    level: Level = Level.ERROR
    expected: str = ""
    hint: str = ""
    key: str | None = None
    at_key: bool = False
    start: int = 0
    length: int | None = None
    gate: str = ""


class CannotRun(Exception):
    """A callback that cannot be called, and why."""

    def __init__(self, *problems: Problem) -> None:
        super().__init__("; ".join(p.message for p in problems))
        self.problems = problems


def is_secret(name: str) -> bool:
    """True where a name says that no view may show its value."""
    return any(word in name.lower() for word in SECRET_WORDS)


def quoted(text: str) -> str:
    """A value as messages show it: on one line, cut to 80 characters, in single quotes."""
    cut = text if len(text) <= LONGEST_SHOWN else text[: LONGEST_SHOWN - 1] + "…"
    return "'" + "".join(c if c.isprintable() else ascii(c)[1:-1] for c in cut) + "'"
