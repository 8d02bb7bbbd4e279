"""What every row is given: the environments, a temporary folder, and processes that end."""

from __future__ import annotations

import json
import os
import select
import subprocess
import sys
import tempfile
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path
from typing import Any

HERE = Path(__file__).resolve().parent
PATIENCE = 300.0
"""Seconds after which what is waited for will not come."""


@dataclass(frozen=True, slots=True)
class Bench:
    """`plain` and `peers` are the Pythons of the product's and of the peers' environment."""

    plain: Path
    peers: Path
    root: Path
    quick: bool = False
    long: bool = False
    profile: Path | None = None
    """Where the product's daemons leave their profile."""

    def folder(self) -> Path:
        """A new folder, gone when the row is over."""
        return Path(tempfile.mkdtemp(dir=self.root))

    def several(self, usual: int) -> int:
        """How many rounds: the usual number, or one where it must be quick."""
        return 1 if self.quick else usual

    def much(self, usual: int, quick: int) -> int:
        return quick if self.quick else usual

    # -- scripts -------------------------------------------------------------------------------

    def plain_script(self, name: str, *words: object, **environment: str) -> Any:
        """What a script of this folder says as JSON, run with the product's Python."""
        return self._script(self.plain, name, words, environment)

    def peer_script(self, name: str, *words: object, **environment: str) -> Any:
        return self._script(self.peers, name, words, environment)

    def _script(
        self, python: Path, name: str, words: tuple[object, ...], environment: dict[str, str]
    ) -> Any:
        done = subprocess.run(
            [python, HERE / name, *map(str, words)],
            cwd=self.folder(),
            env=surroundings() | environment,
            stdin=subprocess.DEVNULL,
            stdout=subprocess.PIPE,
            text=True,
            timeout=2 * PATIENCE,
            check=True,
        )
        return json.loads(done.stdout)

    @contextmanager
    def process(
        self, words: list[str], folder: Path, **options: Any
    ) -> Iterator[subprocess.Popen[bytes]]:
        """A process that is ended, by its pid, when the block is left."""
        usual: dict[str, Any] = {
            "stdin": subprocess.DEVNULL,
            "stdout": subprocess.DEVNULL,
            "env": surroundings(),
        }
        with open(folder / "log.txt", "ab") as log:
            process = subprocess.Popen(words, cwd=folder, **(usual | {"stderr": log} | options))
        try:
            yield process
        finally:
            process.terminate()
            try:
                process.wait(20)
            except subprocess.TimeoutExpired:
                process.kill()
                process.wait()
            if process.stdout is not None:
                process.stdout.close()


def wait_to_read(descriptor: int) -> None:
    """Until there is something to read, or the other end is closed."""
    if not select.select([descriptor], [], [], PATIENCE)[0]:
        raise TimeoutError("what was waited for was not said")


def surroundings() -> dict[str, str]:
    """The environment of everything that is measured: zone UTC, no colours, no one's settings."""
    kept = {name: os.environ[name] for name in ("PATH", "HOME", "LANG") if name in os.environ}
    return kept | {"TZ": "UTC", "NO_COLOR": "1", "PYTHONPATH": str(HERE / "work")}


def say(text: str) -> None:
    """To the person who waits, not into the table."""
    print(text, file=sys.stderr, flush=True)
