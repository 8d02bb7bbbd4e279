"""The daemon's side of one zygote: starts it, hears it, has it fork runs."""

from __future__ import annotations

import marshal
import os
import signal
import socket
import subprocess
import sys
import time
from contextlib import suppress
from itertools import count

from inisched.config.wire import HELPER
from inisched.executors import tree
from inisched.executors.callback import conclude, is_gate, request_for
from inisched.executors.command import exit_message
from inisched.executors.running import Task
from inisched.executors.zygote import wire
from inisched.executors.zygote.files import Files, changed
from inisched.executors.zygote.forking import Forked, ForkedRunning, close, pipes
from inisched.executors.zygote.wire import Message, Plan
from inisched.model.job import Call, Manage

_COMMAND = (sys.executable, "-P", "-m", "inisched.executors.zygote.process")

IMPORT_LIMIT = 60.0
"""Seconds one import may take."""

ANSWER_LIMIT = 30.0
"""Seconds a zygote may leave a request unanswered before it is taken for dead."""


class Zygote:
    """One zygote, from its start to its end. For a loop: select on `fileno()`, call `read_ready()`.

    `ready` comes once; `dead` when its end has been noticed, with `ending` for how. `guilty` is
    the module whose import must not be tried again, and `why`; "" where there is none. `begun`
    are runs, not questions to gates, whose pid has come since that was looked at; `over` runs that
    have ended, of which it is yet to be told.

    Raises OSError where it cannot be started.
    """

    def __init__(self, plan: Plan) -> None:
        self.plan = plan
        self.ready = self.dead = False
        self.guilty = self.why = self.ending = self.printed = ""
        self.broken: dict[str, str] = {}
        self.files: Files = {}
        self.runs: dict[int, ForkedRunning] = {}
        self.begun: set[int] = set()
        self.over: list[int] = []
        self.heard = time.monotonic()
        self._importing = self._last_words = ""
        self._tasks: dict[int, int] = {}
        self._numbers = count(1)
        self._channel, theirs = socket.socketpair(socket.AF_UNIX, socket.SOCK_SEQPACKET)
        self._channel.setblocking(False)
        told = wire.written(plan.encode())
        self._words, words = os.pipe()
        os.set_blocking(self._words, False)
        try:
            self.process = subprocess.Popen(
                [*_COMMAND, str(told), str(theirs.fileno())],
                stdin=subprocess.DEVNULL,
                stdout=words,
                stderr=words,
                cwd=plan.folder,
                env=os.environ | {HELPER: "1"},
                pass_fds=(told, theirs.fileno()),
                start_new_session=True,
            )
        except BaseException:
            self._channel.close()
            os.close(self._words)
            raise
        finally:
            theirs.close()
            close([told, words])

    def fileno(self) -> int:
        return self._channel.fileno()

    @property
    def pid(self) -> int:
        return self.process.pid

    def carries(self, target: str) -> bool:
        """Whether runs of a callback can be forked from it, now."""
        return (
            self.ready
            and not self.dead
            and target in self.plan.targets
            and target not in self.broken
        )

    def changed(self) -> str | None:
        """A file that is no longer as it was imported; None where all are."""
        return changed(self.files)

    # -- runs ----------------------------------------------------------------------------------

    def start(self, task: Task) -> ForkedRunning:
        """Have a run forked; nobody waits until it is, its pid comes later.

        Raises OSError where it cannot be asked for, and then nothing has happened.
        """
        running = self._asked(task)
        if not is_gate(task.job.action):
            self._tasks[running.number] = task.run_id
        self.heard = time.monotonic()
        return running

    def _asked(self, task: Task) -> ForkedRunning:
        assert isinstance(task.job.action, Call | Manage)
        inner, outer = pipes(3)
        number = next(self._numbers)
        try:
            plan = self.plan
            request = request_for(task, plan.folder, plan.python_path, None, resolved=True)
            over = self.over[: wire.MOST_AT_ONCE]
            asked = wire.Start(number, tree.badge(task.mark), request.pack(), over)
            wire.ask(self._channel, asked, outer)
            del self.over[: len(over)]
        except BaseException:
            close(inner)
            raise
        finally:
            close(outer)
        stdout, stderr, result = inner
        running = self.runs[number] = ForkedRunning(
            self,
            number,
            Forked(stdout, stderr),
            lambda run: conclude(run, task),
            output_limit=task.job.output_limit,
            result=result,
        )
        return running

    def signal(self, run: int, number: signal.Signals) -> None:
        """Send a signal to a run's group, by the one who knows that it is still that group."""
        self._ask(wire.Signal(run, int(number)))

    def release(self, run: int) -> None:
        """Nobody will ask for the run again: its pid may be given to others."""
        self.runs.pop(run, None)
        self._tasks.pop(run, None)
        self.over.append(run)

    def tidy(self) -> None:
        """Tell it of the runs that are over."""
        while self.over:
            self._ask(wire.Release(self.over[: wire.MOST_AT_ONCE]))
            del self.over[: wire.MOST_AT_ONCE]

    def _ask(self, message: wire.Asked) -> None:
        if not self.dead:
            with suppress(OSError):
                wire.ask(self._channel, message)

    # -- what it says --------------------------------------------------------------------------

    def read_ready(self) -> None:
        """Take in what has arrived; never waits."""
        while not self.dead:
            try:
                data, descriptors = wire.receive(self._channel)
            except BlockingIOError:
                return
            self.heard = time.monotonic()
            if not data:
                self._die()
                return
            for message in marshal.loads(data):
                self._take(message, descriptors)

    def _take(self, message: Message, descriptors: list[int]) -> None:
        match message:
            case ["importing", name]:
                self._importing = name
            case ["refused", module, why]:
                self.guilty, self.why = module, why
                self.kill()
            case ["ready"]:
                self._begin(descriptors[0])
            case ["forked", run, pid] if run in self.runs:
                self.runs[run].begun(pid)
                if run in self._tasks:
                    self.begun.add(self._tasks[run])
            case ["failed", run, number] if run in self.runs:
                self.runs[run].refused(OSError(number, os.strerror(number)))
            case ["ended", run, code] if run in self.runs:
                self.runs[run].ended(code)
            case ["died", words]:
                self._last_words = words

    def _begin(self, descriptor: int) -> None:
        self.broken, self.files, self.printed = marshal.loads(wire.read(descriptor))
        self.ready, self._importing = True, ""

    # -- its end -------------------------------------------------------------------------------

    @property
    def slow(self) -> bool:
        """Whether it has said nothing for longer than it may."""
        silent = time.monotonic() - self.heard
        if not self.ready:
            return silent > IMPORT_LIMIT
        return silent > ANSWER_LIMIT and any(not run.told for run in self.runs.values())

    def give_up(self) -> None:
        """It has been silent for too long: end it, and hold that against what it imports."""
        if self._importing and not self.guilty:
            self.guilty = self._importing
            self.why = f"importing '{self.guilty}' took longer than {IMPORT_LIMIT:g} s"
        self.kill()
        self._die()

    def kill(self) -> None:
        """End it at once."""
        self.process.kill()

    def leave(self) -> None:
        """Tell it to go; it does so by itself, and `gone` says when."""
        if self._channel.fileno() >= 0:
            self._channel.close()
            os.close(self._words)

    @property
    def gone(self) -> bool:
        """Whether its process has ended; that is then over and done with."""
        return self.process.poll() is not None

    def _die(self) -> None:
        self.dead = True
        try:
            code = self.process.wait(1)
        except subprocess.TimeoutExpired:  # it closed its channel and lives on
            self.kill()
            code = self.process.wait()
        with suppress(BlockingIOError):
            words = os.read(self._words, wire.LONGEST)
            self._last_words += words.decode("utf-8", "backslashreplace")
        last = self._last_words.strip().rpartition("\n")[2]
        self.ending = exit_message(code) + (f": {last}" if last else "")
        if self._importing and not self.guilty:
            self.guilty = self._importing
            self.why = f"importing '{self.guilty}' ended the process: {exit_message(code)}"
        for run in self.runs.values():
            run.orphaned()
