"""`executor = inline`: a callback called inside the daemon, for tiny trusted ones."""

from __future__ import annotations

import io
import os
import sys
from collections.abc import Container, Iterator
from contextlib import contextmanager, redirect_stderr, redirect_stdout
from pathlib import Path

from msgspec.structs import replace

from inisched.executors.calling import carry_out
from inisched.executors.request import Request
from inisched.executors.returned import settled
from inisched.model.run import Outcome


def call_inline(request: Request, *, success_codes: Container[int] = (0,)) -> Outcome:
    """Run the callback here and now; what it prints is kept, what it raises is a failure.

    The entries of `python_path` are put in front of sys.path and stay there.
    """
    sys.path[:0] = [p for p in request.paths if p not in sys.path]
    stdout, stderr = Kept(), Kept()
    with (
        _working_in(request.folder),
        redirect_stdout(stdout.writer),
        redirect_stderr(stderr.writer),
    ):
        verdict = carry_out(request)
    printed, told = stdout.taken(), stderr.taken()
    return replace(
        settled(verdict, success_codes=success_codes),
        stdout=printed,
        stderr=told,
        stdout_total=len(printed),
        stderr_total=len(told),
    )


@contextmanager
def _working_in(folder: Path) -> Iterator[None]:
    """The working directory, for a while; the daemon's own may be gone by now."""
    try:
        former = os.open(".", os.O_RDONLY | os.O_DIRECTORY)
    except OSError:
        os.chdir(folder)
        yield
        return
    try:
        os.chdir(folder)
        yield
    finally:
        os.fchdir(former)
        os.close(former)


class Kept(io.BytesIO):
    """What was written, even where the callback closed the stream."""

    def __init__(self) -> None:
        super().__init__()
        self._bytes = b""
        self.writer = io.TextIOWrapper(self, encoding="utf-8", errors="backslashreplace")

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
