"""`executor = inline`: a callback called inside the daemon, for tiny trusted ones."""

from __future__ import annotations

import io
import os
import sys
from collections.abc import Container
from pathlib import Path

from inisched.executors.calling import carry_out
from inisched.executors.request import Request
from inisched.executors.returned import Verdict, settled
from inisched.model.run import Outcome


def call_inline(request: Request, *, success_codes: Container[int] = (0,)) -> Outcome:
    """Run the callback here and now; what it prints is kept, what it raises is a failure.

    The entries of `python_path` are put in front of sys.path and stay there.
    """
    sys.path[:0] = [p for p in request.paths if p not in sys.path]
    stdout, stderr = Kept(), Kept()
    ours = sys.stdout, sys.stderr
    sys.stdout, sys.stderr = stdout.writer, stderr.writer
    try:
        verdict = _carried_out_in(request.folder, request)
    finally:
        sys.stdout, sys.stderr = ours
    return settled(
        verdict, success_codes=success_codes, stdout=stdout.taken(), stderr=stderr.taken()
    )


def _carried_out_in(folder: Path, request: Request) -> Verdict:
    """In that working directory, for a while; the daemon's own may be gone by now."""
    try:
        former = os.open(".", os.O_RDONLY | os.O_DIRECTORY)
    except OSError:
        os.chdir(folder)
        return carry_out(request)
    try:
        os.chdir(folder)
        return carry_out(request)
    finally:
        os.fchdir(former)
        os.close(former)


class Kept(io.BytesIO):
    """What was written, even where the callback closed the stream."""

    def __init__(self) -> None:
        super().__init__()
        self._bytes = b""
        self.writer = io.TextIOWrapper(self, "utf-8", "backslashreplace")

    def taken(self) -> bytes:
        try:
            self.writer.flush()
        except ValueError:  # closed or detached by the callback
            pass
        self.close()
        return self._bytes

    def close(self) -> None:
        if not self.closed:
            self._bytes = self.getvalue()
        super().close()
