"""A run that a zygote forked, as the daemon sees it: like any other, its process out of reach."""

from __future__ import annotations

import os
import signal
import time
from collections.abc import Callable
from typing import IO, Protocol

from msgspec.structs import replace

from inisched.executors.running import Running
from inisched.executors.tree import process_start
from inisched.model.run import Outcome, State

DIED = "the process that carries callbacks out died"

ORPHAN_PATIENCE = 2.0
"""Seconds a run has between TERM and KILL once its zygote is gone."""


class Parent(Protocol):
    """Who forked the process, and alone may touch it."""

    def signal(self, run: int, number: signal.Signals) -> None:
        """Send a signal to the run's group."""

    def release(self, run: int) -> None:
        """Nobody will ask for the run again."""


class Forked:
    """A forked process in the manner of `subprocess.Popen`. `pid` is 0 until it is known."""

    def __init__(self, stdout: int, stderr: int) -> None:
        self.pid = 0
        self.stdout: IO[bytes] = open(stdout, "rb", buffering=0)  # noqa: SIM115
        self.stderr: IO[bytes] = open(stderr, "rb", buffering=0)  # noqa: SIM115
        self.code: int | None = None

    @property
    def returncode(self) -> int:
        """Once it has ended; negative: the signal."""
        assert self.code is not None
        return self.code

    def poll(self) -> int | None:
        return self.code


class ForkedRunning(Running):
    """A run under way in a process the zygote made.

    `pid` and `started` are 0 until the zygote has told. When the zygote dies, what it left is
    ended, and how the run would have ended remains unknown.
    """

    def __init__(
        self,
        parent: Parent,
        number: int,
        process: Forked,
        conclude: Callable[[Running], Outcome],
        *,
        output_limit: int,
        result: int,
    ) -> None:
        super().__init__(process, conclude, output_limit=output_limit, result=result)
        self.number = number
        self.forked = process
        self.failed: OSError | None = None
        self.kill_at: float | None = None
        self._parent = parent

    @property
    def started(self) -> int:
        if not self._started and self.pid and self.forked.code is None:
            self._started = process_start(self.pid)
        return self._started

    @property
    def told(self) -> bool:
        """Whether the zygote has said what became of the request."""
        return bool(self.pid or self.failed or self.lost)

    @property
    def lost(self) -> bool:
        """Whether the zygote died before the run had ended."""
        return self.kill_at is not None

    def begun(self, pid: int) -> None:
        """The zygote has forked it."""
        self.pid = self.forked.pid = pid

    def refused(self, error: OSError) -> None:
        """The zygote could not fork."""
        self.failed = error
        self.forked.code = 1

    def ended(self, code: int) -> None:
        self.forked.code = code

    def orphaned(self) -> None:
        """The zygote is gone: end what it left of this run."""
        if self.forked.code is None:
            self.kill_at = time.monotonic() + ORPHAN_PATIENCE
            self.signal(signal.SIGTERM)

    def exit_code(self) -> int | None:
        if self.lost and self.forked.code is None and not self._orphan_lives():
            self.forked.code = -signal.SIGKILL
        return super().exit_code()

    def outcome(self) -> Outcome:
        ended = super().outcome()
        self._parent.release(self.number)
        if self.lost:
            return replace(ended, state=State.INTERRUPTED, exit_code=None, message=DIED)
        if self.failed is not None:
            text = f"could not start: {self.failed.strerror}"
            return replace(ended, exit_code=None, message=text)
        return ended

    def signal(self, number: signal.Signals) -> None:
        if not self.lost:
            self._parent.signal(self.number, number)
        elif self.started and process_start(self.pid) == self.started:
            super().signal(number)

    def _orphan_lives(self) -> bool:
        assert self.kill_at is not None
        if not self.pid or process_start(self.pid) != self.started or not self.started:
            return False
        if time.monotonic() >= self.kill_at:
            super().signal(signal.SIGKILL)
        return True


def pipes(count: int) -> tuple[list[int], list[int]]:
    """So many pipes: their ends to read from, and their ends to write to."""
    inner: list[int] = []
    outer: list[int] = []
    try:
        for _ in range(count):
            reader, writer = os.pipe()
            inner.append(reader)
            outer.append(writer)
    except BaseException:
        close([*inner, *outer])
        raise
    return inner, outer


def close(descriptors: list[int]) -> None:
    for descriptor in descriptors:
        os.close(descriptor)
