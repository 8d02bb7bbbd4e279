"""Values that hold secrets."""

from __future__ import annotations

from typing import ClassVar

from msgspec import Struct


class Guarded(Struct, frozen=True):
    """A value that shows all of its fields but those in `hidden`: a log may hold what it shows."""

    hidden: ClassVar[frozenset[str]] = frozenset()

    def __repr__(self) -> str:
        names = (name for name in self.__struct_fields__ if name not in self.hidden)
        return f"{type(self).__name__}({', '.join(f'{n}={getattr(self, n)!r}' for n in names)})"
