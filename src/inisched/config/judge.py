"""All callbacks of a file judged in one throw-away process: imported there, never here."""

from __future__ import annotations

import json
import os
import selectors
import signal
import subprocess
import sys
import time
from collections.abc import Iterable, Sequence
from pathlib import Path

from msgspec.structs import replace

from inisched.config.judgement import Judgement, Request
from inisched.config.misfits import veiled
from inisched.config.problem import Problem
from inisched.config.wire import HELPER, Json, pack_call, unpack_problem

TIME_LIMIT = 30.0
"""Seconds one import may take."""

START_LIMIT = 10.0
"""Seconds beyond that for the process itself to come up or to move on."""


class JudgeProcess:
    """A judgement under way, for a loop: select on `fileno()`, call `read_ready()` until `done`.

    `results` fills as jobs are judged. When `deadline` (monotonic seconds) passes, or to give up,
    `kill()`: jobs without a result then get one that says so. It must be brought to `done`.
    """

    def __init__(
        self,
        requests: Iterable[Request],
        *,
        folder: Path,
        python_path: Sequence[str | Path] = (".",),
        key_names: Iterable[str] = (),
        time_limit: float = TIME_LIMIT,
    ) -> None:
        folder = folder.resolve()
        self._jobs = {r.job: r for r in requests}
        self._time_limit = time_limit
        self._buffer = b""
        self._judged: dict[str, dict[str, Judgement]] = {job: {} for job in self._jobs}
        self.results: dict[str, Judgement] = {}
        self.done = False
        asked = {
            "requests": [part for r in self._jobs.values() for part in _packed(r)],
            "folder": str(folder),
            "python_path": [str((folder / p).resolve()) for p in python_path],
            "key_names": sorted(key_names),
            "time_limit": time_limit,
        }
        self._fd, answers = os.pipe()
        try:
            self._process = _start(asked | {"answers_fd": answers}, answers, folder)
        except BaseException:
            os.close(self._fd)
            raise
        finally:
            os.close(answers)
        self.deadline = time.monotonic() + time_limit + START_LIMIT

    @property
    def pid(self) -> int:
        return self._process.pid

    def fileno(self) -> int:
        return self._fd

    def read_ready(self) -> None:
        """Take in what has arrived; blocks only where nothing has."""
        data = os.read(self._fd, 65536)
        *lines, self._buffer = (self._buffer + data).split(b"\n")
        self.deadline = time.monotonic() + self._time_limit + START_LIMIT
        ended = not data
        for line in map(json.loads, lines):
            ended = ended or "end" in line
            if "job" in line:
                request = self._jobs[line["job"]]
                self._take(request, line["gate"], _judgement(line, request))
        if ended:
            self._finish("the process that judges callbacks ended early")

    def _take(self, request: Request, gate: str, judgement: Judgement) -> None:
        """One part is judged; with the last one the job is."""
        judged = self._judged[request.job]
        judged[gate] = judgement
        if judged.keys() == request.parts.keys():
            self.results[request.job] = _together([judged[part] for part in request.parts])

    def kill(self) -> None:
        """End it now; jobs not judged yet are reported as such."""
        if not self.done:
            self._finish(f"not judged within {self._time_limit:g} s")

    def _finish(self, reason: str) -> None:
        # Nothing a module started outlives its judgement. The zombie still holds the group's id.
        try:
            os.killpg(self._process.pid, signal.SIGKILL)
        except (ProcessLookupError, PermissionError):
            pass
        self._process.wait()
        os.close(self._fd)
        for request in self._jobs.values():
            for gate in request.parts.keys() - self._judged[request.job].keys():
                who = f"'{gate}'" if gate else "the callback"
                text = f"{who} was not checked: {reason}"
                problem = Problem(code="not-judged", message=text, gate=gate)
                self._take(request, gate, Judgement((problem,)))
        self.done = True


def judge(
    requests: Iterable[Request],
    *,
    folder: Path,
    python_path: Sequence[str | Path] = (".",),
    key_names: Iterable[str] = (),
    time_limit: float = TIME_LIMIT,
) -> dict[str, Judgement]:
    """Judge all requests and wait for it. `python_path` is taken from `folder`."""
    asked = tuple(requests)
    if not asked:
        return {}
    process = JudgeProcess(
        asked,
        folder=folder,
        python_path=python_path,
        key_names=key_names,
        time_limit=time_limit,
    )
    try:
        with selectors.DefaultSelector() as selector:
            selector.register(process, selectors.EVENT_READ)
            while not process.done and selector.select(process.deadline - time.monotonic()):
                process.read_ready()
    finally:
        process.kill()
    return process.results


def _start(asked: Json, answers: int, folder: Path) -> subprocess.Popen[bytes]:
    process = subprocess.Popen(
        [sys.executable, "-P", "-B", "-m", "inisched.config.judging"],
        stdin=subprocess.PIPE,
        stdout=subprocess.DEVNULL,
        stderr=subprocess.DEVNULL,
        pass_fds=(answers,),
        env=os.environ | {HELPER: "1"},
        cwd=folder,
        start_new_session=True,
    )
    assert process.stdin is not None
    try:
        with process.stdin as stdin:
            stdin.write(json.dumps(asked).encode())
    except BrokenPipeError:
        pass  # it died at once; the end of its answers says so
    return process


def _packed(request: Request) -> list[Json]:
    about = {"job": request.job, "zone": request.zone, "keys_set": list(request.keys_set)}
    return [about | {"gate": key, "call": pack_call(c)} for key, c in request.parts.items()]


def _judgement(line: Json, request: Request) -> Judgement:
    gate = line["gate"]
    call = request.parts[gate]
    problems = (veiled(unpack_problem(p), call) for p in line["problems"])
    return Judgement(
        tuple(replace(problem, gate=gate) for problem in problems),
        {} if gate else line.get("passed", {}),
        () if gate else tuple(line.get("injected", ())),
        "" if gate else line.get("doc", ""),
        tuple(line.get("named", ())),
    )


def _together(parts: Sequence[Judgement]) -> Judgement:
    """The judgement of a job by those of its parts, the callback's first."""
    return replace(
        parts[0],
        problems=tuple(problem for part in parts for problem in part.problems),
        named=tuple(name for part in parts for name in part.named),
    )
