"""What the daemon and the zygote say to each other: JSON messages, descriptors beside them.

The channel keeps messages apart (SEQPACKET). What may be long goes on a file in memory.
"""

from __future__ import annotations

import json
import os
import socket
from collections.abc import Sequence
from pathlib import Path
from typing import Any

from msgspec import Struct, field
from msgspec.structs import asdict

Message = dict[str, Any]

MOST_DESCRIPTORS = 4
LONGEST = 64 * 1024
"""Bytes of one message."""


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
        return json.dumps(asdict(self) | {"folder": str(self.folder)}).encode()

    @classmethod
    def decode(cls, data: bytes) -> Plan:
        packed = json.loads(data)
        lists = {k: tuple(packed[k]) for k in ("python_path", "targets", "preload")}
        commands = {target: tuple(named) for target, named in packed["commands"].items()}
        folder = Path(packed["folder"])
        return cls(**packed | lists | {"folder": folder, "commands": commands})


def send(channel: socket.socket, message: Message, descriptors: Sequence[int] = ()) -> None:
    """Send one message. Raises OSError where the other side is gone, or does not listen."""
    data = json.dumps(message).encode()
    if descriptors:
        socket.send_fds(channel, [data], descriptors)
    else:
        channel.send(data)


def receive(channel: socket.socket) -> tuple[Message | None, list[int]]:
    """The next message and what came with it; None where the other side is gone.

    Raises BlockingIOError where nothing has come and the channel does not wait.
    """
    try:
        data, descriptors, _, _ = socket.recv_fds(
            channel, LONGEST, MOST_DESCRIPTORS, socket.MSG_CMSG_CLOEXEC
        )
    except ConnectionError:  # it left with something unread
        return None, []
    return (json.loads(data) if data else None), descriptors


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
