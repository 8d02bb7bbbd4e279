"""What is kept of a stream: its head and its tail, however long it gets."""

from __future__ import annotations

import re
from collections.abc import Callable

KIB = 1024


class Kept:
    """Keeps at most `limit` bytes of a stream, half from its head and half from its tail."""

    def __init__(self, limit: int) -> None:
        self.limit = limit
        self.total = 0
        self.echo: Callable[[bytes], object] = lambda data: None
        """Hears everything as it comes, secrets hidden, also what is not kept."""
        self._head = bytearray()
        self._tail = bytearray()
        self._secrets: tuple[str, ...] = ()
        self._held = b""

    def hide(self, secrets: tuple[str, ...]) -> None:
        """Keep these out of it, also where one comes in pieces or lies across the cut."""
        self._secrets = secrets

    def add(self, data: bytes) -> None:
        self.total += len(data)
        if self._secrets:
            data = mask(self._held + data, self._secrets)
            hold = max(len(secret.encode(errors="surrogateescape")) for secret in self._secrets)
            self._held = data[len(data) - min(hold, len(data)) :]
            data = data[: len(data) - len(self._held)]
        self._keep(data)

    def _keep(self, data: bytes) -> None:
        self.echo(data)
        room = (self.limit + 1) // 2 - len(self._head)
        if room > 0:
            self._head += data[:room]
            data = data[room:]
        self._tail += data
        if len(self._tail) > max(2 * self.limit, 64 * KIB):
            self._trim()

    @property
    def cut(self) -> bool:
        """Whether something was left out."""
        return self.total > self.limit

    def data(self) -> bytes:
        """Head and tail, with a mark between them where something was left out."""
        held, self._held = self._held, b""
        self._keep(held)
        self._trim()
        if not self.cut:
            return bytes(self._head + self._tail)
        left_out = self.total - len(self._head) - len(self._tail)
        mark = f"\n[… {show_size(left_out)} cut here …]\n".encode()
        return bytes(self._head) + mark + bytes(self._tail)

    def _trim(self) -> None:
        keep = self.limit // 2
        if len(self._tail) > keep:
            del self._tail[: len(self._tail) - keep]


def cut_message(*streams: Kept) -> str:
    """What the message of a run says where output was cut; "" where all was kept."""
    cut = [stream for stream in streams if stream.cut]
    if not cut:
        return ""
    kept = show_size(cut[0].limit, binary=True)
    return f"output cut: {show_size(sum(stream.total for stream in cut))}, {kept} kept"


def show_size(size: int, *, binary: bool = False) -> str:
    """A size at a glance: "500 MB", or "64 KiB" in powers of 1024."""
    step, units = (1024, ("B", "KiB", "MiB", "GiB")) if binary else (1000, ("B", "kB", "MB", "GB"))
    value = float(size)
    for unit in units:
        if value < step or unit == units[-1]:
            digits = 0 if value >= 10 or value == int(value) else 1
            return f"{value:.{digits}f} {unit}"
        value /= step
    raise AssertionError("unreachable")


def mask(data: bytes, secrets: tuple[str, ...]) -> bytes:
    """The data with every secret replaced by ***."""
    if not secrets:
        return data
    longest_first = sorted(set(secrets), key=len, reverse=True)
    found = (re.escape(secret.encode(errors="surrogateescape")) for secret in longest_first)
    return re.sub(b"|".join(found), b"***", data)
