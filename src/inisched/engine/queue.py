"""One way out: its letters, in which order they go, and how the way does."""

from __future__ import annotations

from datetime import datetime, timedelta

from msgspec import Struct, field

from inisched.engine.messenger import Messenger
from inisched.model.notifier import Way
from inisched.stores.post import Waiting

BATCH = 50
"""Letters one process is given."""

FIRST_PAUSE, LONGEST_PAUSE = timedelta(seconds=5), timedelta(minutes=10)
"""Until what failed is tried again; doubled each time."""


class Queue(Struct):
    """The letters of one way, the oldest first; `address` is where they went last.

    It has failed so many times in a row, and is left alone until `rested` (monotonic seconds). It
    was `served` then for the last time. `blocked`: a process of a former daemon is at it.
    """

    name: str
    letters: list[Waiting] = field(default_factory=list)
    messenger: Messenger | None = None
    address: Way | None = None
    failures: int = 0
    rested: float = 0.0
    served: float = 0.0
    blocked: bool = False

    def next(self, now: datetime) -> list[Waiting]:
        """The letters that may go now, no more than one process is given.

        Those of one job go in order: where one waits for its time the younger ones do too. Those
        that were tried least go first, so that one that hangs holds up no other job's.
        """
        ready: list[tuple[int, int, Waiting]] = []
        tries: dict[str, int] = {}
        waits: set[str] = set()
        for letter in self.letters:
            if letter.not_before > now or letter.job in waits:
                waits.add(letter.job)
                continue
            tries[letter.job] = max(tries.get(letter.job, 0), letter.tries)
            ready.append((tries[letter.job], letter.id, letter))
        return [letter for _, _, letter in sorted(ready, key=lambda each: each[:2])][:BATCH]

    def together(self) -> list[Waiting]:
        """The letters of the next digest; one that was tried before stays as it was."""
        tried = [letter for letter in self.letters if letter.tries]
        return tried or self.letters


def pause(failures: int) -> timedelta:
    """How long to wait after so many failures, at least one."""
    doublings: int = min(max(failures, 1) - 1, 10)
    return min(FIRST_PAUSE * (1 << doublings), LONGEST_PAUSE)
