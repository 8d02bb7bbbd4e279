"""The way of `command`: the event as JSON on the standard input of a command of the user's."""

from __future__ import annotations

import os
import signal
import subprocess
import threading
from collections import deque
from contextlib import suppress
from typing import IO

from inisched.model.notifier import Pipe
from inisched.notifiers.deadline import Deadline
from inisched.notifiers.message import Message
from inisched.notifiers.undelivered import Undelivered

_TAIL = 64
"""Pieces of up to 4 KiB that are kept of what it complains."""
_PATIENCE = 0.5
"""Seconds for the last words of a command that has ended but left others behind."""


def send(way: Pipe, message: Message, *, folder: str, deadline: Deadline) -> None:
    """Run the command; raises Undelivered unless it ends with 0 before the deadline.

    Whether it reads its input is its own business.
    """
    process = _started(way.script, message, folder)
    heard: deque[bytes] = deque(maxlen=_TAIL)
    assert process.stdin is not None and process.stderr is not None
    _aside(_feed, process.stdin, message.encode())
    reader = _aside(_hear, process.stderr, heard)
    try:
        code = process.wait(deadline.left)
    except subprocess.TimeoutExpired:
        raise Undelivered(f"the command did not end within {deadline.shown}") from None
    finally:
        _end(process)
    reader.join(_PATIENCE)
    if code:
        lines = b"".join(heard).decode(errors="replace").split("\n")
        last = next((line.strip() for line in reversed(lines) if line.strip()), "")
        raise Undelivered(_how_it_ended(code) + (f": {last}" if last else ""))


def _started(script: str, message: Message, folder: str) -> subprocess.Popen[bytes]:
    about = {"INISCHED_EVENT": message.kind, "INISCHED_JOB": message.job}
    try:
        return subprocess.Popen(
            ["/bin/sh", "-c", script],
            stdin=subprocess.PIPE,
            stdout=subprocess.DEVNULL,
            stderr=subprocess.PIPE,
            cwd=folder,
            env={**os.environ, **about},
            process_group=0,
        )
    except OSError as error:
        raise Undelivered(f"the command cannot be started: {error.strerror}") from None


def _aside(function: object, *arguments: object) -> threading.Thread:
    thread = threading.Thread(target=function, args=arguments, daemon=True)  # type: ignore[arg-type]
    thread.start()
    return thread


def _feed(stdin: IO[bytes], data: bytes) -> None:
    with suppress(OSError), stdin:
        stdin.write(data)


def _hear(stderr: IO[bytes], heard: deque[bytes]) -> None:
    with suppress(OSError, ValueError), stderr:
        while piece := os.read(stderr.fileno(), 4096):
            heard.append(piece)


def _end(process: subprocess.Popen[bytes]) -> None:
    """Kill a command that takes too long, and whatever it has started."""
    if process.poll() is None:
        with suppress(ProcessLookupError):
            os.killpg(process.pid, signal.SIGKILL)
        process.wait()


def _how_it_ended(code: int) -> str:
    if code > 0:
        return f"the command ended with exit code {code}"
    try:
        return f"the command was killed by {signal.Signals(-code).name}"
    except ValueError:
        return f"the command was killed by signal {-code}"
