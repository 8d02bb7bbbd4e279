"""Python's collector of garbage, at rest where nearly all that is made stays."""

from __future__ import annotations

import gc
from contextlib import ContextDecorator


class collector_resting(ContextDecorator):  # noqa: N801 - it is only ever entered
    """Looking for garbage takes a third to a half of the time in which much is made that stays."""

    def __enter__(self) -> None:
        self._was_enabled = gc.isenabled()
        gc.disable()

    def __exit__(self, *error: object) -> None:
        if self._was_enabled:
            gc.enable()

    def _recreate_cm(self) -> collector_resting:
        """A decorated function may call itself."""
        return collector_resting()
