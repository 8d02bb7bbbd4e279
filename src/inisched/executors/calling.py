"""One callback or management command called: found, bound, run to its end whatever that is.

In whichever process.
"""

from __future__ import annotations

import functools
import os
import sys
import traceback
from collections.abc import Callable
from contextlib import suppress
from importlib.util import find_spec
from pathlib import Path
from types import CoroutineType, FunctionType, TracebackType
from typing import TYPE_CHECKING

from inisched.config.problem import CannotRun
from inisched.config.target import Finder
from inisched.current import carrying_out
from inisched.executors.request import Request
from inisched.executors.returned import Verdict, answered, failed, raised, returned, unanswered
from inisched.model.diagnostic import Level
from inisched.model.job import Call, Manage
from inisched.model.result import Skip

if TYPE_CHECKING:
    from inisched.config.signature import Bound

_SPECIAL = 0x4 | 0x8 | 0x20 | 0x200
"""CO_VARARGS, CO_VARKEYWORDS, CO_GENERATOR, CO_ASYNC_GENERATOR of `inspect`, slow to import."""

_known: dict[str, FunctionType] = {}


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


def meet(target: str, finder: Finder) -> None:
    """Find a callback, and what it takes, for good: for a process that changes no more.

    Its forks need not look for it. Whatever cannot be found now is looked for when it is called.
    """
    with suppress(Exception):
        function = finder.find(target)
        if isinstance(function, FunctionType):
            _known[target] = function
            if not _takes_nothing(function):
                _bound_alone(function, gate=False)
                _bound_alone(function, gate=True)


def _called(request: Request, call: Call) -> object:
    function = _known.get(call.target) or Finder(request.folder, request.paths).find(call.target)
    return _finished(function(**_keywords(function, call, request)))


def _keywords(function: Callable[..., object], call: Call, request: Request) -> dict[str, object]:
    if call.arguments or not isinstance(function, FunctionType):
        bound = _bound(function, call, request.zone)
    elif _takes_nothing(function):
        return {}
    else:
        bound = _bound_alone(function, gate=call.gate)
    if not bound.ok:
        raise CannotRun(*(p for p in bound.problems if p.level is Level.ERROR))
    return bound.keywords(request.run)


def _takes_nothing(function: FunctionType) -> bool:
    """Whether it has no parameters, nor stands for another function that may have some."""
    code = function.__code__
    return not (
        code.co_argcount or code.co_kwonlyargcount or code.co_flags & _SPECIAL or function.__dict__
    )


@functools.lru_cache(maxsize=1024)
def _bound_alone(function: FunctionType, *, gate: bool) -> Bound:
    """A function that is passed nothing by its section: the same at each call."""
    return _bound(function, Call("", gate=gate), zone="UTC")


def _bound(function: Callable[..., object], call: Call, zone: str) -> Bound:
    from inisched.config.signature import bind, bind_gate

    return (bind_gate if call.gate else bind)(function, call.arguments, zone=zone)


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
