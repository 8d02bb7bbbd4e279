"""Who holds the lock of a database, as its lock file tells."""

from __future__ import annotations

import json
import os
from pathlib import Path

from msgspec import Struct

from inisched.executors.tree import process_start

LASTING = ("daemon", "once")
"""Who keeps the lock, and is not waited for."""


class Holder(Struct, frozen=True):
    """Who holds the lock, as the lock file tells it. `role` is "daemon", "once" or "command"."""

    pid: int
    host: str
    since: str
    role: str
    started: int

    @property
    def alive(self) -> bool:
        """Whether that very process still runs; another host's is taken to."""
        if self.host != os.uname().nodename:
            return True
        try:
            os.kill(self.pid, 0)
        except ProcessLookupError:
            return False
        except PermissionError:
            pass
        return process_start(self.pid) == self.started


def read_holder(path: Path) -> Holder | None:
    """Who the lock file says holds it; None where it is missing or does not say."""
    try:
        values = json.loads(path.read_bytes())
        return Holder(*(values[key] for key in ("pid", "host", "since", "role", "started")))
    except (OSError, ValueError, KeyError, TypeError):
        return None
