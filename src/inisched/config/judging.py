"""The throw-away process that imports and judges a file's callbacks: `python -m` this.

It imports nothing of them itself. A forked worker does and reports line by line; when an import
hangs or takes the worker down, that module is refused from then on and a new worker takes up the
rest. So one bad module costs its own jobs and no others.
"""

from __future__ import annotations

import functools
import inspect
import json
import os
import signal
import sys
import time
from collections.abc import Callable, Iterator
from contextlib import suppress
from pathlib import Path
from select import select
from typing import Any

from msgspec import Struct

from inisched.config import django
from inisched.config.problem import CannotRun, Problem, quoted
from inisched.config.signature import Bound, bind, bind_gate
from inisched.config.target import Finder, describe
from inisched.config.wire import Json, pack_problem, unpack_call, unpack_problem
from inisched.model.job import Call, Manage

Say = Callable[[Json], None]

LINGER = 1.0
"""Seconds a worker has to be gone after it closed its end of the pipe."""


class Worker(Struct):
    """One forked worker as its parent sees it.

    `module` is the one it imports, or imported last for the job it is at; `answered` counts the
    functions it got through; `silent` is set when it said nothing for too long.
    """

    pid: int
    fd: int
    module: str | None = None
    answered: int = 0
    silent: bool = False
    buffer: bytes = b""


def main() -> None:
    """Read the requests from standard input, answer on the descriptor they name."""
    asked = json.load(sys.stdin.buffer)
    answers = asked["answers_fd"]
    os.set_inheritable(answers, False)
    sys.path[:0] = asked["python_path"]
    nothing = os.open(os.devnull, os.O_RDWR)
    for fd in (0, 1, 2):
        os.dup2(nothing, fd)
    _judge_all(asked, lambda line: _write(answers, line))
    _write(answers, {"end": True})


def _judge_all(asked: Json, say: Say) -> None:
    # Callbacks come first: they are not to find Django set up by a management command.
    waiting = sorted(asked["requests"], key=lambda request: "manage" in request["call"])
    refused: dict[str, Json] = {}
    while waiting:
        worker = _fork(asked, waiting, refused)
        try:
            for line in _lines(worker, asked["time_limit"]):
                say(line)
                if "importing" in line:
                    worker.module = line["importing"]
                else:
                    worker.module, worker.answered = None, worker.answered + 1
                    waiting = waiting[1:]
        finally:
            ending = _end(worker, asked["time_limit"])
        if waiting and (worker.silent or not worker.answered):
            waiting = _blame(worker, waiting, refused, ending, say)


def _blame(
    worker: Worker, waiting: list[Json], refused: dict[str, Json], ending: str, say: Say
) -> list[Json]:
    """Refuse the module a worker died in; without one the job itself is refused, and left out.

    Called for the first job of a worker only (or one that hangs): any later one may have died of
    what an earlier module left behind, and is tried again in a worker of its own.
    """
    code = "import-slow" if worker.silent else "import-failed"
    if worker.module is None:
        problem = Problem(code=code, message=f"examining {_who(waiting[0])} {ending}")
        say({**_about(waiting[0]), "problems": [pack_problem(problem)]})
        return waiting[1:]
    name = worker.module
    problem = Problem(code=code, message=f"importing {quoted(name)} {ending}", length=len(name))
    refused[name] = pack_problem(problem)
    return waiting


def _fork(asked: Json, waiting: list[Json], refused: dict[str, Json]) -> Worker:
    reader, writer = os.pipe()
    pid = os.fork()
    if pid:
        os.close(writer)
        return Worker(pid, reader)
    try:
        os.close(reader)
        os.close(asked["answers_fd"])
        _work(asked, waiting, refused, _voice(writer))
    finally:
        os._exit(0)  # nobody waits for what the modules left to threads and exit handlers


def _voice(fd: int) -> Say:
    """Say lines as this very process: a copy that a module forks off ends before it speaks."""
    pid = os.getpid()
    os.register_at_fork(after_in_child=lambda: _close(fd))

    def say(line: Json) -> None:
        if os.getpid() != pid:
            os._exit(0)
        _write(fd, line)

    return say


def _close(fd: int) -> None:
    """Close what a module may have closed before."""
    with suppress(OSError):
        os.close(fd)


def _work(asked: Json, waiting: list[Json], refused: dict[str, Json], say: Say) -> None:
    def importing(name: str) -> None:
        if name in refused:
            raise CannotRun(unpack_problem(refused[name]))
        if name not in sys.modules:
            say({"importing": name})

    finder = Finder(Path(asked["folder"]), tuple(asked["python_path"]), importing)
    path = list(sys.path)
    for number, request in enumerate(waiting):
        if number and _needs_a_process(request):
            break
        say({**_about(request), **_judged(request, finder, asked["key_names"])})
        os.chdir(asked["folder"])
        sys.path[:] = path
    say({"end": True})


def _needs_a_process(request: Json) -> bool:
    """Whether it is a management command under other settings than this process has by now."""
    call = unpack_call(request["call"])
    return isinstance(call, Manage) and django.is_taken() and not django.is_set_up(call.settings)


def _judged(request: Json, finder: Finder, key_names: list[str]) -> Json:
    call = unpack_call(request["call"])
    try:
        if isinstance(call, Manage):
            passed, doc = django.examine(call, finder)
            return {"problems": [], "passed": passed, "doc": doc}
        function = finder.find(call.target)
        bound = _bound(function, call, request, key_names)
        return {
            "problems": [pack_problem(p) for p in bound.problems],
            "passed": bound.shown,
            "injected": bound.injected,
            "named": bound.named,
            "doc": _summary(function),
        }
    except CannotRun as error:
        return {"problems": [pack_problem(p) for p in error.problems]}
    except Exception as error:  # an annotation, a signature or a docstring with a life of its own
        text = f"{_who(request)} cannot be examined: {describe(error)}"
        return {"problems": [pack_problem(Problem(code="not-callable", message=text))]}


def _bound(
    function: Callable[..., object], call: Call, request: Json, key_names: list[str]
) -> Bound:
    zone = request["zone"]
    if call.gate:
        return bind_gate(function, call.arguments, zone=zone, who=_who(request))
    keys_set = request["keys_set"]
    return bind(function, call.arguments, zone=zone, key_names=key_names, keys_set=keys_set)


def _about(request: Json) -> Json:
    """What an answer is the answer to."""
    return {"job": request["job"], "gate": request["gate"]}


def _who(request: Json) -> str:
    """What messages call the function to be judged: a gate goes by its key."""
    return f"'{request['gate']}'" if request["gate"] else "the callback"


def _summary(function: object) -> str:
    """The first line of the docstring."""
    while isinstance(function, functools.partial):
        function = function.func
    text = inspect.getdoc(function)
    return text.strip().partition("\n")[0] if isinstance(text, str) else ""


def _lines(worker: Worker, time_limit: float) -> Iterator[dict[str, Any]]:
    """What the worker says, until it ends or says nothing for `time_limit` seconds."""
    until = time.monotonic() + time_limit
    while select([worker.fd], [], [], max(until - time.monotonic(), 0))[0]:
        data = os.read(worker.fd, 65536)
        *lines, worker.buffer = (worker.buffer + data).split(b"\n")
        for line in map(json.loads, lines):
            if "end" in line:
                return
            until = time.monotonic() + time_limit
            yield line
        if not data:
            return
    worker.silent = True


def _end(worker: Worker, time_limit: float) -> str:
    """See a worker out, by force where it hangs; how it went, as the end of a sentence."""
    os.close(worker.fd)
    until = time.monotonic() + (0 if worker.silent else LINGER)
    while (ended := os.waitpid(worker.pid, os.WNOHANG))[0] == 0:
        if time.monotonic() >= until:
            os.kill(worker.pid, signal.SIGKILL)
            ended = os.waitpid(worker.pid, 0)
            break
        time.sleep(0.001)
    if worker.silent:
        return f"took longer than {time_limit:g} s"
    code = os.waitstatus_to_exitcode(ended[1])
    if code < 0:
        return f"ended the process: killed by {signal.Signals(-code).name}"
    return f"ended the process: exit code {code}"


def _write(fd: int, line: Json) -> None:
    data = json.dumps(line).encode() + b"\n"
    while data:
        data = data[os.write(fd, data) :]


if __name__ == "__main__":
    main()
