"""The daemon's socket: one JSON line asks, one JSON line answers.

It lies beside the database, for its owner alone. A socket's address holds about a hundred bytes;
both ends go through a descriptor where the path is longer.
"""

from __future__ import annotations

import json
import logging
import os
import selectors
import socket
from collections.abc import Callable, Iterator
from contextlib import ExitStack, contextmanager, suppress
from pathlib import Path
from types import TracebackType
from typing import Any

from msgspec import Struct, field

from inisched.stores.opening import belongs_to

log = logging.getLogger("inisched")

Message = dict[str, Any]

PATIENCE = 5.0
"""Seconds the daemon has for an answer."""

LONGEST_QUESTION = 64 * 1024 * 1024
"""Bytes; a recorded run brings its output along."""

MOST_GUESTS = 64
CHUNK = 64 * 1024

LONGEST_ADDRESS = 100
"""Bytes of a path that every system takes as a socket's address."""


class Unreachable(Exception):
    """No daemon answered; the text says how that showed."""


class NotUnderstood(Exception):
    """A question that is none."""


def socket_of(database: Path) -> Path:
    """Where the daemon of this database listens."""
    return database.with_suffix(".sock")


class _Guest(Struct):
    line: socket.socket
    heard: bytearray = field(default_factory=bytearray)
    answer: bytes = b""


class Control:
    """While entered, listens beside the database and answers through the daemon's own loop.

    `answer` turns a question into its answer, or raises NotUnderstood. The lock must be held: a
    socket that lies there already is a dead daemon's, and is replaced.
    """

    def __init__(
        self, database: Path, selector: selectors.BaseSelector, answer: Callable[[Message], Message]
    ) -> None:
        self.path = socket_of(database)
        self._database = database
        self._selector = selector
        self._answer = answer
        self._guests: dict[int, _Guest] = {}
        self._listener: socket.socket | None = None

    def __enter__(self) -> Control:
        try:
            self._listener = listening(self.path, like=self._database)
        except OSError as error:
            reason = error.strerror or error
            log.warning("no command can reach this daemon: %s: %s", self.path, reason)
            return self
        self._own = os.stat(self.path)
        self._selector.register(self._listener, selectors.EVENT_READ, self._welcome)
        return self

    def __exit__(
        self,
        kind: type[BaseException] | None,
        error: BaseException | None,
        trace: TracebackType | None,
    ) -> None:
        for descriptor in list(self._guests):
            self._part(descriptor)
        if self._listener is None:
            return
        self._selector.unregister(self._listener)
        self._listener.close()
        with suppress(OSError):
            if os.path.samestat(os.stat(self.path), self._own):
                self.path.unlink()

    def _welcome(self, descriptor: int) -> None:
        assert self._listener is not None
        try:
            line, _ = self._listener.accept()
        except BlockingIOError:
            return
        except OSError:  # out of descriptors, most likely: somebody has to go
            self._make_room(0)
            return
        self._make_room(MOST_GUESTS - 1)
        line.setblocking(False)
        self._guests[line.fileno()] = _Guest(line)
        self._selector.register(line, selectors.EVENT_READ, self._attend)

    def _make_room(self, most: int) -> None:
        """Whoever has been here longest has had the time to say something."""
        while len(self._guests) > most:
            self._part(next(iter(self._guests)))

    def _attend(self, descriptor: int) -> None:
        """Hear or answer a guest, as far as that goes without waiting."""
        guest = self._guests.get(descriptor)
        if guest is None:  # it left in this very turn
            return
        try:
            done = self._tell(guest) if guest.answer else self._hear(guest)
        except BlockingIOError:
            return
        except OSError:
            done = True
        if done:
            self._part(descriptor)

    def _hear(self, guest: _Guest) -> bool:
        """Take in a piece of the question; whether there is nothing left to do for the guest."""
        data = guest.line.recv(CHUNK)
        guest.heard += data
        if b"\n" not in data:
            return not data or len(guest.heard) > LONGEST_QUESTION
        guest.answer = json.dumps(self._reply(bytes(guest.heard))).encode() + b"\n"
        guest.heard.clear()
        self._selector.modify(guest.line, selectors.EVENT_WRITE, self._attend)
        return self._tell(guest)

    def _reply(self, heard: bytes) -> Message:
        try:
            question = json.loads(heard.partition(b"\n")[0])
            if isinstance(question, dict):
                return self._answer(question)
        except (ValueError, RecursionError, NotUnderstood):
            pass
        return {"error": "not_understood", "message": "the daemon does not know this question"}

    def _tell(self, guest: _Guest) -> bool:
        """Send a piece of the answer; whether that was the last one."""
        guest.answer = guest.answer[guest.line.send(guest.answer) :]
        return not guest.answer

    def _part(self, descriptor: int) -> None:
        guest = self._guests.pop(descriptor)
        self._selector.unregister(guest.line)
        guest.line.close()


def listening(path: Path, *, like: Path) -> socket.socket:
    """A socket that listens at the path, whatever lay there; private, and owned as `like` is.

    It is made under another name and moved: nobody meets it before it is ready.
    """
    listener = socket.socket(socket.AF_UNIX, socket.SOCK_STREAM | socket.SOCK_CLOEXEC)
    made = path.with_name(f".{os.getpid()}.sock")
    try:
        _bind(listener, made)
        try:
            if (owner := belongs_to(made, like=like)) is not None:
                os.chown(made, *owner)
            listener.listen(MOST_GUESTS)
            listener.setblocking(False)
            made.replace(path)
        except BaseException:
            made.unlink(missing_ok=True)
            raise
    except BaseException:
        listener.close()
        raise
    return listener


def _bind(listener: socket.socket, path: Path) -> None:
    path.unlink(missing_ok=True)
    mask = os.umask(0o177)
    try:
        if len(os.fsencode(path)) < LONGEST_ADDRESS:
            listener.bind(os.fspath(path))
            return
        with _descriptor(path.parent, os.O_RDONLY | os.O_DIRECTORY) as folder:
            listener.bind(f"/proc/self/fd/{folder}/{path.name}")
    finally:
        os.umask(mask)


def ask(path: Path, question: Message, *, patience: float = PATIENCE) -> Message:
    """Ask the daemon behind the socket. Raises Unreachable where none answers in time (seconds)."""
    with socket.socket(socket.AF_UNIX, socket.SOCK_STREAM) as line:
        line.settimeout(patience)
        try:
            _connect(line, path)
            line.sendall(json.dumps(question).encode() + b"\n")
            answer = json.loads(_line_from(line))
        except (TimeoutError, BlockingIOError):
            raise Unreachable(f"the daemon does not answer within {patience:g} s") from None
        except PermissionError:
            raise Unreachable(f"the daemon belongs to somebody else: {path} is closed") from None
        except (OSError, ValueError):
            raise Unreachable("no daemon can be reached") from None
    if not isinstance(answer, dict):
        raise Unreachable("the daemon's answer is not understood")
    return answer


def _connect(line: socket.socket, path: Path) -> None:
    with ExitStack() as stack:
        address = os.fspath(path)
        if len(os.fsencode(path)) >= LONGEST_ADDRESS:
            address = f"/proc/self/fd/{stack.enter_context(_descriptor(path, os.O_PATH))}"
        line.connect(address)


def _line_from(line: socket.socket) -> bytes:
    heard = bytearray()
    while not heard.endswith(b"\n") and (data := line.recv(CHUNK)):
        heard += data
    return bytes(heard)


@contextmanager
def _descriptor(path: Path, flags: int) -> Iterator[int]:
    """A descriptor of the path, while entered."""
    descriptor = os.open(path, flags | os.O_CLOEXEC)
    try:
        yield descriptor
    finally:
        os.close(descriptor)
