"""Notices that the file has changed, and waits until whoever writes it has finished."""

from __future__ import annotations

import os

INTERVAL = 4.0
"""Seconds between two looks at the file."""

SETTLING = 0.5
"""Seconds a changed file must stay as it is before it is read."""

Signature = tuple[int, int, int, int] | None


class Watch:
    """One file by its path: an edit, a rename onto it, a switched link all count as a change."""

    def __init__(self, path: str, now: float) -> None:
        """`now` is monotonic; the file as it is now is taken to have been read."""
        self.path = os.path.abspath(path)
        self._read = self._seen = self._signature()
        self._next = now + INTERVAL

    def patience(self, now: float) -> float:
        """Seconds until the next look."""
        return max(0.0, self._next - now)

    def changed(self, now: float) -> bool:
        """Whether the file differs from what was read, and has settled; then it counts as read."""
        if now < self._next:
            return False
        signature, before = self._signature(), self._seen
        self._seen = signature
        if signature == self._read:
            self._next = now + INTERVAL
            return False
        if signature != before:
            self._next = now + SETTLING
            return False
        self._read = signature
        self._next = now + INTERVAL
        return True

    def _signature(self) -> Signature:
        try:
            found = os.stat(self.path)
        except OSError:
            return None
        return found.st_dev, found.st_ino, found.st_size, found.st_mtime_ns
