"""A folder with an INI file, and the installed program run on it as a process."""

from __future__ import annotations

import os
import signal
import subprocess
import sys
import time
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import Any

from inisched.stores.history import History

PATIENCE = 30.0
"""Seconds after which what was waited for will not come."""


class Site:
    """One tenant: `jobs.ini` in a folder of its own."""

    def __init__(self, folder: Path, text: str = "", **modules: str) -> None:
        self.folder = folder
        self.ini = folder / "jobs.ini"
        self.write(text)
        for name, code in modules.items():
            (folder / f"{name}.py").write_text(code)

    def write(self, text: str) -> None:
        self.ini.write_text(text)

    def inisched(self, *arguments: str, **environment: str) -> subprocess.CompletedProcess[str]:
        """Run a command on the file to its end."""
        return subprocess.run(
            self._command(*arguments),
            cwd=self.folder,
            env=os.environ | {"TZ": "UTC"} | environment,
            stdin=subprocess.DEVNULL,
            capture_output=True,
            text=True,
            timeout=2 * PATIENCE,
        )

    @contextmanager
    def daemon(self, *arguments: str, **environment: str) -> Iterator[subprocess.Popen[str]]:
        """A daemon that has said that it runs; killed at the end if it still lives."""
        with self.starting(*arguments, **environment) as process:
            self.wait(lambda: f"pid {process.pid}" in self.log or process.poll() is not None)
            yield process

    @contextmanager
    def starting(self, *arguments: str, **environment: str) -> Iterator[subprocess.Popen[str]]:
        """A daemon that may only just be coming up."""
        log = open(self.folder / "log.txt", "a+")  # noqa: SIM115
        process = subprocess.Popen(
            self._command("run", *arguments),
            cwd=self.folder,
            env=os.environ | {"TZ": "UTC"} | environment,
            stdin=subprocess.DEVNULL,
            stderr=log,
            text=True,
        )
        try:
            yield process
        finally:
            process.kill()
            process.wait()
            log.close()

    def _command(self, *arguments: str) -> list[str]:
        return [sys.executable, "-P", "-m", "inisched", *arguments, "-P", str(self.ini)]

    @property
    def log(self) -> str:
        file = self.folder / "log.txt"
        return file.read_text() if file.exists() else ""

    def rows(self, job: str | None = None) -> list[dict[str, Any]]:
        """The ledger, oldest first."""
        history = History(self.ini.resolve().with_suffix(".db"))
        try:
            return history.rows(job)[::-1]
        finally:
            history.close()

    def wait_for_rows(self, enough: Callable[[list[dict[str, Any]]], bool]) -> list[dict[str, Any]]:
        """The ledger, once it is as wanted."""
        return self.wait(lambda: rows if enough(rows := self.rows()) else None)

    @staticmethod
    def wait(happens: Callable[[], Any]) -> Any:
        """What `happens` returns, once that is true."""
        deadline = time.monotonic() + PATIENCE
        while not (found := happens()):
            assert time.monotonic() < deadline, "it did not come to pass"
            time.sleep(0.05)
        return found


def stop(process: subprocess.Popen[str], number: int = signal.SIGTERM) -> int:
    """Send a signal and wait for the exit code."""
    process.send_signal(number)
    return process.wait(PATIENCE)
