"""One callback or management command called: found, bound, run to its end whatever that is.

In whichever process.
"""

from __future__ import annotations

import functools
import os
import sys
import traceback
from collections.abc import Callable
from importlib.util import find_spec
from pathlib import Path
from types import CoroutineType, FunctionType, TracebackType

from inisched.config.problem import CannotRun
from inisched.config.signature import Bound, bind, bind_gate
from inisched.config.target import Finder
from inisched.current import carrying_out
from inisched.executors.request import Request
from inisched.executors.returned import Verdict, answered, failed, raised, returned, unanswered
from inisched.model.diagnostic import Level
from inisched.model.job import Call, Manage
from inisched.model.result import Skip


def carry_out(request: Request) -> Verdict:
    """Run what `request` asks for. Nothing it raises gets past; tracebacks go to stderr."""
    try:
        with carrying_out(request.run):
            if isinstance(request.call, Manage):
                return _managed(request.call, request)
            if request.call.gate:
                return _asked(request, request.call)
            return returned(_called(request, request.call))
    except CannotRun as error:
        return _refused(error)
    except Skip as error:
        return raised(error)
    except SystemExit as error:
        if not isinstance(error.code, int | None):
            say(f"{error.code}\n")
        return raised(error)
    except BaseException as error:  # KeyboardInterrupt and GeneratorExit end a run, no more
        say(_traceback(error))
        return raised(error)


def _managed(action: Manage, request: Request) -> Verdict:
    from inisched.executors.django import manage

    return manage(action, Finder(request.folder, request.paths), say)


def _asked(request: Request, gate: Call) -> Verdict:
    """A gate's answer; whatever it raises is none, also where asking for the truth raises it."""
    try:
        return answered(_called(request, gate))
    except CannotRun:
        raise
    except BaseException as error:
        say(_traceback(error))
        return unanswered(error)


def _called(request: Request, call: Call) -> object:
    function = Finder(request.folder, request.paths).find(call.target)
    bound = _bound(function, call, request.zone)
    if not bound.ok:
        raise CannotRun(*(p for p in bound.problems if p.level is Level.ERROR))
    return _finished(function(**bound.keywords(request.run)))


def _bound(function: Callable[..., object], call: Call, zone: str) -> Bound:
    if not call.arguments and isinstance(function, FunctionType):
        return _bound_alone(function, zone, gate=call.gate)
    return (bind_gate if call.gate else bind)(function, call.arguments, zone=zone)


@functools.lru_cache(maxsize=1024)
def _bound_alone(function: FunctionType, zone: str, *, gate: bool) -> Bound:
    """A function that is passed nothing by its section: the same at each call."""
    return (bind_gate if gate else bind)(function, (), zone=zone)


def _finished(value: object) -> object:
    """A coroutine run to its end; everything else is at its end already."""
    if not isinstance(value, CoroutineType):
        return value
    import asyncio

    return asyncio.run(value)


def _refused(error: CannotRun) -> Verdict:
    for problem in error.problems:
        parts = (f"error: {problem.message}", problem.expected and f"expected {problem.expected}")
        hint = problem.hint and f"hint: {problem.hint}"
        say("\n    ".join(p for p in (*parts, hint) if p) + "\n")
    if error.__cause__ is not None:
        say(_traceback(error.__cause__))
    return failed("; ".join(p.message for p in error.problems))


def say(text: str) -> None:
    """Write to stderr, past whatever a callback made of it."""
    try:
        sys.stderr.write(text)
        sys.stderr.flush()
    except Exception:
        try:
            os.write(2, text.encode("utf-8", "backslashreplace"))
        except OSError:
            pass


def _traceback(error: BaseException) -> str:
    """The traceback from the first frame on that is not of the machinery."""
    frame = error.__traceback__
    while frame is not None and _is_machinery(frame):
        frame = frame.tb_next
    return "".join(traceback.format_exception(type(error), error, frame))


def _is_machinery(frame: TracebackType) -> bool:
    file = frame.tb_frame.f_code.co_filename
    return file.startswith(("<frozen importlib", *_MACHINERY))


def _home(package: str) -> str:
    spec = find_spec(package)
    assert spec is not None and spec.origin is not None
    return str(Path(spec.origin).parent) + os.sep


_MACHINERY = tuple(_home(p) for p in ("inisched", "asyncio", "importlib"))
