"""Keeps the process that serves the daemon's numbers: whoever asks for them never meets the loop.

It asks by the socket, as commands do. Should it die, another takes its place after a pause.
"""

from __future__ import annotations

import logging
import os
import selectors
import subprocess
import sys
import time
from collections.abc import Callable
from contextlib import suppress
from pathlib import Path

from inisched.config.wire import HELPER
from inisched.executors.command import exit_message
from inisched.model.address import Address

log = logging.getLogger("inisched")

FIRST_PAUSE, LONGEST_PAUSE = 1.0, 60.0
"""Seconds between the death of the process and the next one; doubled each time."""

READY = b"ready\n"
"""What it prints once it listens; what it prints else says why it does not."""

MOST_WORDS = 4096


class Exporter:
    """At most one process of `module`, which is run as `python -m MODULE HOST PORT SOCKET PID`.

    It hangs what that says into the selector as the daemon does: `key.data(key.fd)`. `look()` is
    to be called at every turn of the loop, the latest after `patience()` seconds.
    """

    def __init__(
        self,
        selector: selectors.BaseSelector,
        module: str,
        socket: Path,
        *,
        monotonic: Callable[[], float] = time.monotonic,
    ) -> None:
        self._selector = selector
        self._module = module
        self._socket = socket
        self._monotonic = monotonic
        self._address: Address | None = None
        self._process: subprocess.Popen[bytes] | None = None
        self._heard = b""
        self._again: float | None = None
        self._deaths = 0
        self._born = 0.0
        self._told = ""

    @property
    def pids(self) -> set[int]:
        return set() if self._process is None else {self._process.pid}

    def serve(self, address: Address | None) -> None:
        """Serve there from now on, None: nowhere. Nothing happens for the same address."""
        if address == self._address or not self._module:
            return
        self.close()
        self._address, self._deaths, self._told = address, 0, ""
        if address is not None:
            self._begin()

    def look(self) -> None:
        """See to a process that has ended, and begin another when it is time to."""
        if self._process is not None and self._process.poll() is not None:
            self._bury()
        if self._again is not None and self._monotonic() >= self._again:
            self._begin()

    def patience(self) -> float:
        """Seconds until `look()` must be called even if nothing moves."""
        return 3600.0 if self._again is None else max(0.0, self._again - self._monotonic())

    def close(self) -> None:
        """Serve nowhere any more: the process has nothing to lose."""
        if self._process is not None:
            self._process.kill()
            self._part()
        self._address = self._again = None

    def _begin(self) -> None:
        assert self._address is not None
        self._again, self._born = None, self._monotonic()
        host, port = self._address
        words = (host, str(port), str(self._socket), str(os.getpid()))
        try:
            self._process = subprocess.Popen(
                [sys.executable, "-P", "-m", self._module, *words],
                stdin=subprocess.DEVNULL,
                stdout=subprocess.PIPE,
                stderr=subprocess.STDOUT,
                cwd="/",
                env=os.environ | {HELPER: "1"},
                start_new_session=True,
            )
        except OSError as error:
            self._later(str(error.strerror or error))
            return
        assert self._process.stdout is not None
        os.set_blocking(self._process.stdout.fileno(), False)
        self._selector.register(self._process.stdout, selectors.EVENT_READ, self._hear)

    def _hear(self, descriptor: int) -> None:
        """What it says: at its end that may be all there is to know."""
        try:
            data = os.read(descriptor, MOST_WORDS)
        except BlockingIOError:
            return
        if not data:
            self._selector.unregister(descriptor)
        self._heard = (self._heard + data)[-MOST_WORDS:]
        if self._heard == READY:
            self._heard, self._told = b"", ""
            log.info("metrics are served at http://%s/metrics", self._address)

    def _bury(self) -> None:
        assert self._process is not None and self._process.stdout is not None
        descriptor = self._process.stdout.fileno()
        if descriptor in self._selector.get_map():
            self._hear(descriptor)
        words = self._heard.decode("utf-8", "backslashreplace").strip().rpartition("\n")[2]
        ending = f"the process for it ended: {exit_message(self._part())}"
        self._later(words or ending)

    def _part(self) -> int:
        """Let go of a process that ends; its exit code."""
        process = self._process
        assert process is not None and process.stdout is not None
        with suppress(KeyError):
            self._selector.unregister(process.stdout)
        process.stdout.close()
        self._process, self._heard = None, b""
        return process.wait()

    def _later(self, why: str) -> None:
        """Another one after a pause; the same reason is said once."""
        if self._monotonic() - self._born > LONGEST_PAUSE:
            self._deaths = 0
        pause = min(FIRST_PAUSE * 2**self._deaths, LONGEST_PAUSE)
        self._deaths += 1
        self._again = self._monotonic() + pause
        if why != self._told:
            self._told = why
            text = "metrics cannot be served at %s: %s; tried again in %g s, then less often"
            log.error(text, self._address, why, pause)
