"""What the daemon and the zygote say to each other, with descriptors beside it.

The channel keeps packets apart (SEQPACKET). What the daemon asks for has a type, and a packet for
each, in JSON; what the zygote answers are lists that begin with what they say, as many in a packet
as there are, marshalled, for that takes any text. What may be long goes on a file in memory.
"""

from __future__ import annotations

import errno
import marshal
import os
import socket
from collections.abc import Sequence
from pathlib import Path
from typing import Any

import msgspec
from msgspec import Struct, field
from msgspec.structs import asdict, replace

from inisched.executors.request import Packed

Message = list[Any]

MOST_DESCRIPTORS = 4
LONGEST = 32 * 1024
"""Bytes of one packet."""

MOST_AT_ONCE = 500
"""Answers, or runs that are over, that a packet holds in any case."""


class Plan(Struct, frozen=True):
    """What a zygote is to import: the modules of `targets`, after those of `preload`.

    `commands` are those targets that are management commands: name and settings module. They are
    imported last. `python_path` is absolute. A module in `refused` is not imported, for the reason
    given.
    """

    folder: Path
    python_path: tuple[str, ...]
    targets: tuple[str, ...]
    preload: tuple[str, ...] = ()
    commands: dict[str, tuple[str, str]] = field(default_factory=dict)
    refused: dict[str, str] = field(default_factory=dict)

    def encode(self) -> bytes:
        return marshal.dumps(asdict(self) | {"folder": str(self.folder)})

    @classmethod
    def decode(cls, data: bytes) -> Plan:
        packed = marshal.loads(data)
        return cls(**packed | {"folder": Path(packed["folder"])})


class Start(Struct, frozen=True, array_like=True, tag="start"):
    """Fork the run of that number; those of `over` are over.

    Beside it stdout, stderr and the result, and the request where that is None.
    """

    run: int
    badge: str
    request: Packed | None
    over: list[int]


class Signal(Struct, frozen=True, array_like=True, tag="signal"):
    """Send that signal to a run's group."""

    run: int
    number: int


class Release(Struct, frozen=True, array_like=True, tag="release"):
    """Nobody will ask for these runs again."""

    over: list[int]


Asked = Start | Signal | Release


def ask(channel: socket.socket, asked: Asked, descriptors: Sequence[int] = ()) -> None:
    """Ask a zygote, however long a request is. Raises OSError where it is gone, or does not listen.

    Then it has not been asked. So it is where a text has bytes of no character (env variables may).
    """
    try:
        data = msgspec.json.encode(asked)
    except UnicodeEncodeError as error:
        raise OSError(errno.EILSEQ, os.strerror(errno.EILSEQ)) from error
    if len(data) <= LONGEST or not isinstance(asked, Start):
        socket.send_fds(channel, [data], descriptors)
        return
    request = written(msgspec.json.encode(asked.request))
    try:
        ask(channel, replace(asked, request=None), [*descriptors, request])
    finally:
        os.close(request)


def answer(
    channel: socket.socket, messages: list[Message], descriptors: Sequence[int] = ()
) -> None:
    """Tell the daemon, with as few packets as may be. Raises OSError where it is gone."""
    if descriptors:
        socket.send_fds(channel, [marshal.dumps(messages)], descriptors)
        return
    while messages:
        channel.send(marshal.dumps(messages[:MOST_AT_ONCE]))
        messages = messages[MOST_AT_ONCE:]


def receive(channel: socket.socket) -> tuple[bytes, list[int]]:
    """The next packet and what came with it; b"" where the other side is gone.

    Raises BlockingIOError where nothing has come and the channel does not wait.
    """
    try:
        data, descriptors, _, _ = socket.recv_fds(
            channel, LONGEST, MOST_DESCRIPTORS, socket.MSG_CMSG_CLOEXEC
        )
    except ConnectionError:  # it left with something unread
        return b"", []
    return data, descriptors


def written(data: bytes) -> int:
    """The descriptor of a file in memory that holds `data`, to be read from its start."""
    descriptor = os.memfd_create("inisched")
    try:
        rest = memoryview(data)
        while rest:
            rest = rest[os.write(descriptor, rest) :]
        os.lseek(descriptor, 0, os.SEEK_SET)
    except BaseException:
        os.close(descriptor)
        raise
    return descriptor


def read(descriptor: int) -> bytes:
    """All that a descriptor holds; it is closed."""
    with open(descriptor, "rb") as file:
        return file.read()
