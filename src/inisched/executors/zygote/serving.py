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

from inisched.executors.zygote import forked, wire
from inisched.executors.zygote.shield import Shield
from inisched.executors.zygote.wire import Message

PATIENCE = 2.0
"""Seconds between TERM and KILL for runs whose daemon is gone."""


class Server:
    """`files` are those open for writing in this process, which a run flushes at its end."""

    def __init__(self, channel: socket.socket, shield: Shield, files: Sequence[object]) -> None:
        self._channel = channel
        self._shield = shield
        self._files = files
        self._runs: dict[int, int] = {}
        self._ended: set[int] = set()
        self._daemon = os.getppid()
        self._woken = shield.watch_children()
        self._poll = select.poll()
        self._poll.register(channel, select.POLLIN)
        self._poll.register(self._woken, select.POLLIN)

    def serve(self) -> None:
        """Until the daemon is gone; then whatever still runs is ended."""
        while True:
            for descriptor, _ in self._poll.poll():
                if descriptor == self._woken:
                    self._tell_ends()
                elif not self._heed():
                    self._poll.unregister(self._channel)
                    self._end_all()
                    return

    def _heed(self) -> bool:
        """Do what one message asks for; False where there will be no more."""
        message, descriptors = wire.receive(self._channel)
        if os.getppid() != self._daemon:  # what it asked for is interrupted, and may run elsewhere
            return False
        match message:
            case {"start": run}:
                self._start(run, descriptors)
            case {"signal": number, "run": run}:
                self._signal(run, number)
            case {"release": run}:
                self._release(run)
        return message is not None

    def _start(self, run: int, descriptors: list[int]) -> None:
        try:
            pid = self._fork(descriptors)
        except OSError as error:
            self._say({"run": run, "failed": error.errno})
        else:
            self._runs[run] = pid
            self._say({"run": run, "pid": pid})
        finally:
            for descriptor in descriptors:
                os.close(descriptor)

    def _fork(self, descriptors: list[int]) -> int:
        if len(descriptors) != wire.MOST_DESCRIPTORS:  # the system had no room for them here
            raise OSError(errno.EMFILE, os.strerror(errno.EMFILE))
        request, stdout, stderr, result = descriptors
        with self._shield.held():
            pid = os.fork()
            if pid:
                return pid
            try:
                os.setsid()
                os.dup2(stdout, 1)
                os.dup2(stderr, 2)
                for descriptor in (stdout, stderr):
                    os.close(descriptor)
                self._channel.close()
                self._shield.drop()
                forked.live(request, result, files=self._files)
            finally:
                os._exit(1)

    def _tell_ends(self) -> None:
        with suppress(BlockingIOError):
            os.read(self._woken, 4096)
        for run, pid in self._runs.items():
            if run not in self._ended and (code := _exit_code(pid)) is not None:
                self._ended.add(run)
                self._say({"run": run, "code": code})

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

    def _release(self, run: int) -> None:
        pid = self._runs.pop(run, None)
        self._ended.discard(run)
        if pid is not None:
            with suppress(ChildProcessError):
                os.waitpid(pid, os.WNOHANG)

    def _say(self, message: Message) -> None:
        with suppress(ConnectionError):  # the next thing heard will be that it is gone
            wire.send(self._channel, message)

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
