"""What the process of one run is told, as JSON on a descriptor of its own."""

from __future__ import annotations

import json
from collections.abc import Sequence
from pathlib import Path

from msgspec import Struct

from inisched.config.wire import pack_call, pack_run, unpack_call, unpack_run
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
        return json.dumps(
            {
                "call": pack_call(self.call),
                "run": pack_run(self.run),
                "zone": self.zone,
                "folder": str(self.folder),
                "python_path": self.paths,
                "result_fd": self.result_fd,
                "mark": self.mark,
            }
        ).encode()

    @classmethod
    def decode(cls, data: bytes) -> Request:
        packed = json.loads(data)
        return cls(
            call=unpack_call(packed["call"]),
            run=unpack_run(packed["run"], zone=packed["zone"]),
            zone=packed["zone"],
            folder=Path(packed["folder"]),
            python_path=tuple(packed["python_path"]),
            resolved=True,
            result_fd=packed["result_fd"],
            mark=packed.get("mark", ""),
        )


def absolute(python_path: Sequence[str], folder: Path) -> tuple[str, ...]:
    """The entries of `python_path` as seen from `folder`."""
    return tuple(str((folder / p).resolve()) for p in python_path)
