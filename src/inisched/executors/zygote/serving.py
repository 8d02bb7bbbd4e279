"""The zygote's loop: forks when asked, tells of ends, passes signals on.

A run that has ended stays unreaped until the daemon lets go of it. So its pid names it, and its
process group, for as long as anyone may ask.
"""

from __future__ import annotations

import errno
import os
import select
import signal
import socket
import time
from collections.abc import Sequence
from contextlib import suppress

import msgspec

from inisched.executors.request import Packed, Request
from inisched.executors.zygote import forked, wire
from inisched.executors.zygote.shield import Shield
from inisched.executors.zygote.wire import Asked, Message, Plan, Release, Signal, Start

_ASKED = msgspec.json.Decoder(Asked)

PATIENCE = 2.0
"""Seconds between TERM and KILL for runs whose daemon is gone."""


class Server:
    """`files` are those open for writing in this process, which a run flushes at its end.

    What it does between two forks is little: each page it writes to is copied for that.
    """

    def __init__(
        self, channel: socket.socket, shield: Shield, plan: Plan, files: Sequence[object]
    ) -> None:
        self._channel = channel
        self._shield = shield
        self._plan = plan
        self._folder = str(plan.folder)
        self._files = files
        self._runs: dict[int, int] = {}
        self._ended: set[int] = set()
        self._answers: list[Message] = []
        self._daemon = os.getppid()
        self._woken = shield.close_up()
        self._poll = select.poll()
        self._poll.register(channel, select.POLLIN)
        self._poll.register(self._woken, select.POLLIN)

    def serve(self) -> None:
        """Until the daemon is gone; then whatever still runs is ended.

        It is answered once nothing more has come meanwhile.
        """
        while True:
            ready = self._poll.poll(0 if self._answers else None)
            if not ready:
                self._answer()
            for descriptor, _ in ready:
                if descriptor == self._woken:
                    self._tell_ends()
                elif not self._heed():
                    self._poll.unregister(self._channel)
                    self._end_all()
                    return

    def _heed(self) -> bool:
        """Do what one message asks for; False where there will be no more."""
        data, descriptors = wire.receive(self._channel)
        # What it asked for after it was gone is interrupted, and may run elsewhere.
        if not data or os.getppid() != self._daemon:
            return False
        match asked := _ASKED.decode(data):
            case Start():
                self._release(asked.over)
                self._start(asked, descriptors)
            case Signal():
                self._signal(asked.run, asked.number)
            case Release():
                self._release(asked.over)
        return True

    def _start(self, asked: Start, given: list[int]) -> None:
        try:
            pid = self._fork(asked, given)
        except OSError as error:
            self._answers.append(["failed", asked.run, error.errno])
        else:
            self._runs[asked.run] = pid
            self._answers.append(["forked", asked.run, pid])
        finally:
            for descriptor in given:
                os.close(descriptor)

    def _fork(self, asked: Start, given: list[int]) -> int:
        if len(given) < 3 + (asked.request is None):  # the system had no room for them here
            raise OSError(errno.EMFILE, os.strerror(errno.EMFILE))
        stdout, stderr, result = given[:3]
        packed = asked.request or msgspec.json.decode(wire.read(given.pop()), type=Packed)
        try:
            request = Request.unpack(packed, self._plan.folder, self._plan.python_path)
        except (LookupError, ValueError) as error:  # the zone is no longer there
            raise OSError(errno.EINVAL, os.strerror(errno.EINVAL)) from error
        pid = os.fork()
        if pid:
            return pid
        try:
            os.setsid()
            os.dup2(stdout, 1)
            os.dup2(stderr, 2)
            os.close(stdout)
            os.close(stderr)
            os.close(self._channel.detach())
            self._shield.drop()
            forked.live(request, result, folder=self._folder, badge=asked.badge, files=self._files)
        finally:
            os._exit(1)

    def _tell_ends(self) -> None:
        try:
            os.read(self._woken, 4096)
        except BlockingIOError:
            pass
        for run, pid in self._runs.items():
            if run not in self._ended and (code := _exit_code(pid)) is not None:
                self._ended.add(run)
                self._answers.append(["ended", run, code])

    def _signal(self, run: int, number: int) -> None:
        """To the run's group; to its process while that has not made its group yet."""
        pid = self._runs.get(run)
        if pid is None:
            return
        with suppress(ProcessLookupError, PermissionError):
            if os.getpgid(pid) == pid:
                os.killpg(pid, number)
            else:
                os.kill(pid, number)

    def _release(self, runs: Sequence[int]) -> None:
        for run in runs:
            pid = self._runs.pop(run, None)
            self._ended.discard(run)
            if pid is not None:
                try:
                    os.waitpid(pid, os.WNOHANG)
                except ChildProcessError:
                    pass

    def _answer(self) -> None:
        answers, self._answers = self._answers, []
        try:
            wire.answer(self._channel, answers)
        except ConnectionError:  # the next thing heard will be that it is gone
            pass

    def _end_all(self) -> None:
        deadline = time.monotonic() + PATIENCE
        for run in self._runs:
            self._signal(run, signal.SIGTERM)
        while len(self._ended) < len(self._runs) and time.monotonic() < deadline:
            self._poll.poll(100)
            self._tell_ends()
        for run in self._runs:
            self._signal(run, signal.SIGKILL)


def _exit_code(pid: int) -> int | None:
    """None while the process lives; negative: the signal that ended it. It stays unreaped."""
    try:
        found = os.waitid(os.P_PID, pid, os.WEXITED | os.WNOHANG | os.WNOWAIT)
    except ChildProcessError:  # a module of the callbacks reaps what it finds
        return -signal.SIGKILL
    if found is None:
        return None
    return found.si_status if found.si_code == os.CLD_EXITED else -found.si_status
