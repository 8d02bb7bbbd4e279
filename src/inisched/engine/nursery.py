"""Watches over child processes: takes their output, notices their end, ends them when told."""

from __future__ import annotations

import selectors
import signal
from collections.abc import Iterator
from dataclasses import dataclass
from functools import partial

from inisched.engine.clock import Clock
from inisched.executors.running import Running

LINGER = 0.5
"""Seconds output is still taken after a process ended, while someone keeps its pipes open."""


@dataclass(slots=True)
class _Child:
    running: Running
    exited: float | None = None
    kill_at: float | None = None


class Nursery:
    """The children of one daemon, watched through its selector."""

    def __init__(self, selector: selectors.BaseSelector, clock: Clock) -> None:
        self._selector = selector
        self._clock = clock
        self._children: dict[int, _Child] = {}

    def adopt(self, run_id: int, running: Running) -> None:
        """Watch a run that has just started."""
        self._children[run_id] = _Child(running)
        for descriptor in running.streams:
            self._selector.register(descriptor, selectors.EVENT_READ, partial(self._read, running))

    def end(self, run_id: int, kill_after: float) -> None:
        """TERM now, KILL after so many seconds; never later than asked before."""
        child = self._children[run_id]
        kill_at = self._clock.monotonic() + kill_after
        if child.kill_at is None:
            child.running.signal(signal.SIGTERM)
        child.kill_at = kill_at if child.kill_at is None else min(child.kill_at, kill_at)

    def departed(self) -> Iterator[int]:
        """The runs that have ended since the last call, their pipes closed or given up."""
        now = self._clock.monotonic()
        for run_id, child in list(self._children.items()):
            if child.kill_at is not None and now >= child.kill_at:
                child.running.signal(signal.SIGKILL)
                child.kill_at = now + LINGER
            if child.running.exit_code() is None:
                continue
            if child.exited is None:
                child.exited = now
            if not child.running.streams or now >= child.exited + LINGER:
                del self._children[run_id]
                for descriptor in child.running.streams:
                    self._selector.unregister(descriptor)
                yield run_id

    def patience(self) -> float:
        """Seconds until something here must be looked at even if nothing moves."""
        now = self._clock.monotonic()
        moments = [c.kill_at for c in self._children.values() if c.kill_at is not None]
        moments += [c.exited + LINGER for c in self._children.values() if c.exited is not None]
        return max(0.0, min(moments, default=now + 3600) - now)

    def _read(self, running: Running, descriptor: int) -> None:
        if not running.read(descriptor):
            self._selector.unregister(descriptor)
