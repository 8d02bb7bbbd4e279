"""A run that is under way in a process of its own: its pipes, its end, its outcome."""

from __future__ import annotations

import contextlib
import os
from collections.abc import Callable
from datetime import date, datetime
from signal import Signals
from typing import IO, Protocol

from msgspec import Struct

from inisched.executors import tree
from inisched.executors.kept import Kept
from inisched.executors.tree import process_start
from inisched.model.job import Job
from inisched.model.run import Fire, Outcome

CHUNK = 64 * 1024
RESULT_AT_MOST = 1024 * 1024


class Task(Struct, frozen=True, kw_only=True):
    """One attempt to carry out a fire, as an executor needs it. Moments are aware."""

    run_id: int
    job: Job
    scheduled_for: datetime
    attempt: int = 1
    period_start: date | None = None
    period_end: date | None = None
    override: bool = False
    mark: str = ""

    @classmethod
    def of(cls, run_id: int, job: Job, fire: Fire, attempt: int = 1, *, ledger: str = "") -> Task:
        """An attempt at a fire; it is told the moment that people see.

        With the id of the `ledger` its processes carry a mark by which they are found again.
        """
        mark = f"{ledger}:{run_id}" if ledger else ""
        start, end = fire.period or (None, None)
        return cls(
            run_id=run_id,
            job=job,
            scheduled_for=fire.moved,
            attempt=attempt,
            period_start=start,
            period_end=end,
            override=fire.override,
            mark=mark,
        )


class Process(Protocol):
    """What a run needs to know of its process: as `subprocess.Popen` has it."""

    @property
    def pid(self) -> int: ...
    @property
    def returncode(self) -> int: ...
    @property
    def stdout(self) -> IO[bytes] | None: ...
    @property
    def stderr(self) -> IO[bytes] | None: ...
    def poll(self) -> int | None: ...


class Running:
    """A child process with its captured streams.

    `conclude` turns what was seen (exit code, result, stdout, stderr) into an outcome.
    """

    def __init__(
        self,
        process: Process,
        conclude: Callable[[Running], Outcome],
        *,
        output_limit: int,
        result: int | None = None,
    ) -> None:
        self.process = process
        self.pid = process.pid
        self.since = 0
        """Ticks since boot at some moment before it was started."""
        self._started = 0
        self.mark = ""
        self.stdout, self.stderr = Kept(output_limit), Kept(output_limit)
        self.result = Kept(2 * RESULT_AT_MOST)
        self.streams: dict[int, Kept] = {}
        self.veil: Callable[[Outcome], Outcome] = lambda outcome: outcome
        self._conclude = conclude
        assert process.stdout is not None and process.stderr is not None
        for descriptor, kept in (
            (process.stdout.fileno(), self.stdout),
            (process.stderr.fileno(), self.stderr),
            (result, self.result),
        ):
            if descriptor is not None:
                os.set_blocking(descriptor, False)
                self.streams[descriptor] = kept

    @property
    def started(self) -> int:
        """The start time of its process; 0 where that was gone before anybody asked."""
        if not self._started and self.exit_code() is None:
            self._started = process_start(self.pid)
        return self._started

    def read(self, descriptor: int) -> bool:
        """Take what the stream holds; False once it is at its end."""
        kept = self.streams[descriptor]
        for _ in range(16):
            try:
                data = os.read(descriptor, CHUNK)
            except BlockingIOError:
                return True
            except OSError:
                data = b""
            if not data:
                self._close(descriptor)
                return False
            kept.add(data)
        return True

    def exit_code(self) -> int | None:
        """None while the process lives; negative: the signal that ended it."""
        return self.process.poll()

    def outcome(self) -> Outcome:
        """How the run ended; takes what the pipes still hold and closes them."""
        for descriptor in list(self.streams):
            if self.read(descriptor):
                self._close(descriptor)
        return self.veil(self._conclude(self))

    def signal(self, number: Signals) -> None:
        """Send a signal to the run's process group."""
        with contextlib.suppress(ProcessLookupError, PermissionError):
            os.killpg(self.pid, number)

    def signal_tree(self, number: Signals, census: tree.Census | None = None) -> None:
        """The same, and to what left the group: by session, ancestry or mark."""
        members = self.members(census)
        self.signal(number)
        tree.send([one for one in members if one.group != self.pid], number)

    def members(self, census: tree.Census | None = None) -> list[tree.Process]:
        """The run's processes that live, now or at the time of the `census`."""
        return tree.members(self.pid, self.mark, census) if self.pid else []

    def _close(self, descriptor: int) -> None:
        del self.streams[descriptor]
        for stream in (self.process.stdout, self.process.stderr):
            if stream is not None and not stream.closed and stream.fileno() == descriptor:
                stream.close()
                return
        os.close(descriptor)
