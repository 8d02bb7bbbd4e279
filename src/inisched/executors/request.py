"""What the process of one run is told, as JSON on a descriptor of its own."""

from __future__ import annotations

from collections.abc import Sequence
from pathlib import Path
from zoneinfo import ZoneInfo

import msgspec
from msgspec import Struct
from msgspec.structs import replace

from inisched.model.current import CurrentRun
from inisched.model.job import Call, Manage


class Request(Struct, frozen=True):
    """One run of one callback or management command.

    `folder` is the file's; `python_path` is taken from there, unless it is `resolved` already.

    `result_fd` is the inherited descriptor the result goes to; None keeps it to the process.
    `mark` goes into the environment, so that whatever the run starts is found again.
    """

    call: Call | Manage
    run: CurrentRun
    zone: str
    folder: Path
    python_path: tuple[str, ...] = (".",)
    result_fd: int | None = None
    mark: str = ""
    resolved: bool = False

    @property
    def paths(self) -> tuple[str, ...]:
        """`python_path`, absolute."""
        return self.python_path if self.resolved else absolute(self.python_path, self.folder)

    @property
    def argv(self) -> list[str]:
        """What the run finds as `sys.argv`."""
        if isinstance(self.call, Manage):
            return ["manage.py", *self.call.words]
        return [self.call.target]

    def encode(self) -> bytes:
        """As JSON with any text in it, for a process that reads it alone."""
        import json  # a zygote has no need of it

        whole = (self.pack(), str(self.folder), self.paths, self.result_fd)
        return json.dumps(msgspec.to_builtins(whole)).encode()

    @classmethod
    def decode(cls, data: bytes) -> Request:
        import json

        whole = tuple[Packed, str, tuple[str, ...], int | None]
        packed, folder, paths, fd = msgspec.convert(json.loads(data), whole)
        return cls.unpack(packed, Path(folder), paths, fd)

    def pack(self) -> Packed:
        call, manage = (None, self.call) if isinstance(self.call, Manage) else (self.call, None)
        return Packed(call, manage, self.run, self.zone, self.mark)

    @classmethod
    def unpack(
        cls, packed: Packed, folder: Path, paths: tuple[str, ...], result_fd: int | None = None
    ) -> Request:
        """The request, its moment in its zone."""
        call = packed.call or packed.manage
        assert call is not None
        moment = packed.run.scheduled_for.astimezone(ZoneInfo(packed.zone))
        run = replace(packed.run, scheduled_for=moment)
        return cls(call, run, packed.zone, folder, paths, result_fd, packed.mark, resolved=True)


class Packed(Struct, frozen=True, array_like=True):
    """What a request says of its run alone; one of `call` and `manage` is there."""

    call: Call | None
    manage: Manage | None
    run: CurrentRun
    zone: str
    mark: str


def absolute(python_path: Sequence[str], folder: Path) -> tuple[str, ...]:
    """The entries of `python_path` as seen from `folder`."""
    return tuple(str((folder / p).resolve()) for p in python_path)
