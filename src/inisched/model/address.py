"""Where something listens: a host and a port."""

from __future__ import annotations

from typing import NamedTuple

LOOPBACK = "127.0.0.1"


class Address(NamedTuple):
    """`host` is a name or an IP address, without brackets."""

    host: str
    port: int

    def __str__(self) -> str:
        return f"[{self.host}]:{self.port}" if ":" in self.host else f"{self.host}:{self.port}"
