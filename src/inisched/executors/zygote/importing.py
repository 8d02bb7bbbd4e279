"""Imports what a plan names, inside the zygote, and finds out what cannot be forked."""

from __future__ import annotations

import os
import signal
import sys
import time
from collections.abc import Callable, Mapping
from importlib import import_module
from importlib.util import find_spec
from types import FunctionType, MethodType

from msgspec import Struct, field

from inisched.config.problem import CannotRun, Problem, quoted
from inisched.config.target import Finder, describe
from inisched.executors.calling import meet
from inisched.executors.returned import signal_name
from inisched.executors.zygote.files import blamed
from inisched.executors.zygote.wire import Message, Plan
from inisched.model.job import DjangoSettings, Manage

_CO_COROUTINE = 0x80

TRANSIENT = 0.1
"""Seconds threads that an import started have to end."""


class NotForkable(Exception):
    """An import left something behind that its own process only can carry on with."""

    def __init__(self, module: str, why: str) -> None:
        super().__init__(module, why)
        self.module, self.why = module, why


class Importer(Struct):
    """`broken` are the targets and modules that failed, and why; `suspects` the files of those."""

    plan: Plan
    say: Callable[[Message], None]
    broken: dict[str, str] = field(default_factory=dict)
    suspects: set[str] = field(default_factory=set)
    _current: str = ""

    def import_all(self) -> None:
        """Raises NotForkable at the first module that is not."""
        finder = Finder(self.plan.folder, self.plan.python_path, self._importing)
        for name in self.plan.preload:
            self._try(name, lambda name=name: self._preload(name))  # type: ignore[misc]
        for target in self.plan.targets:
            if target not in self.plan.commands:
                self._try(target, lambda target=target: finder.find(target))  # type: ignore[misc]
        if self.plan.commands:
            self._import_commands(finder)
        for target in self.plan.targets:
            if target not in self.plan.commands and target not in self.broken:
                meet(target, finder)

    def _import_commands(self, finder: Finder) -> None:
        """Set Django up, after all callbacks; they are to find the environment as it was."""
        from inisched.config.django import close_connections, find_command

        before = dict(os.environ)
        for target, (name, module) in self.plan.commands.items():
            action = Manage((name,), DjangoSettings(module))
            self._try(target, lambda action=action: find_command(action, finder))  # type: ignore[misc]
        os.environ.clear()
        os.environ.update(before)
        time.tzset()
        close_connections()

    def _try(self, name: str, get: Callable[[], object]) -> None:
        before = _surroundings()
        try:
            found = get()
        except CannotRun as error:
            self.broken[name] = str(error)
            self.suspects |= blamed(error)
        else:
            if _is_async(found):
                import_module("asyncio")
        why = _difference(before, _surroundings())
        if why:
            raise NotForkable(self._current, f"importing {quoted(self._current)} {why}")

    def _preload(self, name: str) -> None:
        self._importing(name)
        try:
            import_module(name)
        except BaseException as error:  # sys.exit() too
            text = f"importing {quoted(name)} failed: {describe(error)}"
            raise CannotRun(Problem(code="import-failed", message=text)) from error

    def _importing(self, name: str) -> None:
        self._current = name
        if name in self.plan.refused:
            self.suspects |= _origin(name)
            problem = Problem(code="import-failed", message=self.plan.refused[name])
            raise CannotRun(problem)
        if name not in sys.modules:
            self.say(["importing", name])


def _is_async(found: object) -> bool:
    if not isinstance(found, FunctionType | MethodType):
        return False
    return bool(found.__code__.co_flags & _CO_COROUTINE)


def _origin(name: str) -> set[str]:
    """The file a module would come from, where there is one."""
    try:
        spec = find_spec(name)
    except Exception:  # an import hook of the callbacks' own, or a parent that fails
        return set()
    return {spec.origin} if spec is not None and spec.origin else set()


class _Surroundings(Struct, frozen=True):
    """What of a process a run expects to find as its own import left it."""

    folder: str
    mask: int
    handlers: Mapping[int, object]
    threads: int


def _surroundings() -> _Surroundings:
    mask = os.umask(0)
    os.umask(mask)
    handlers = {int(n): signal.getsignal(n) for n in signal.valid_signals()}
    return _Surroundings(_folder(), mask, handlers, _threads())


def _difference(before: _Surroundings, after: _Surroundings) -> str:
    """What an import did to its process, as the end of a sentence; "" for nothing."""
    if after.threads > 1:
        return f"started threads ({after.threads} run)"
    if after.folder != before.folder:
        return "changed the working directory"
    if after.mask != before.mask:
        return "changed the umask"
    for number, handler in after.handlers.items():
        if handler != before.handlers[number]:
            return f"installed a handler for {signal_name(number)}"
    return ""


def _threads() -> int:
    """How many threads run, once those that only begin and end are gone."""
    deadline = time.monotonic() + TRANSIENT
    while (count := len(os.listdir("/proc/self/task"))) > 1 and time.monotonic() < deadline:
        time.sleep(0.005)
    return count


def _folder() -> str:
    try:
        return os.getcwd()
    except OSError:
        return ""
