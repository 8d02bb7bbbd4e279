"""From `pkg.mod.func` or `pkg.mod:func` to the function, or to the reason why there is none."""

from __future__ import annotations

import sys
from collections.abc import Callable, Sequence
from functools import lru_cache
from importlib import import_module
from importlib.util import find_spec
from pathlib import Path
from types import ModuleType

from msgspec import Struct

from inisched.config.problem import CannotRun, Problem, quoted
from inisched.config.whereabouts import raised_at, where_else
from inisched.timing.nearest import did_you_mean

EXPECTED = "a dotted path such as pkg.mod.func or pkg.mod:func"


class Finder(Struct, frozen=True):
    """Finds callbacks for a file that lies in `folder`; `python_path` is absolute.

    `importing` is told the name of each module before it is imported.
    """

    folder: Path
    python_path: tuple[str, ...] = ()
    importing: Callable[[str], None] = lambda name: None

    def find(self, target: str) -> Callable[..., object]:
        """The object `target` names; whether it can be called is for the signature to say.

        Raises CannotRun with one Problem whose start and length are places in `target`.
        """
        modules, names = _split(target)
        module, count = self._import_front(modules)
        found: object = module
        whole = [*modules, *names]
        if ":" in target and count < len(modules):
            raise CannotRun(self._no_module(whole, count, module))
        for index in range(count, len(whole)):
            found = self._attribute(found, whole, index)
        return found  # type: ignore[return-value]

    def find_module(self, name: str) -> ModuleType:
        """The module of that name. Raises CannotRun likewise."""
        names = name.split(".")
        module, count = self._import_front(names)
        if count < len(names):
            raise CannotRun(self._no_module(names, count, module))
        return module

    def _import_front(self, modules: Sequence[str]) -> tuple[ModuleType, int]:
        """Import the longest front part that is a module; how many names it has."""
        module: ModuleType | None = None
        for count in range(len(modules)):
            name = ".".join(modules[: count + 1])
            if _exists(name, module):
                module = self._import(name)
            elif module is None:
                raise CannotRun(self._no_module(modules, 0, None))
            else:
                return module, count
        assert module is not None
        return module, len(modules)

    def _import(self, name: str) -> ModuleType:
        self.importing(name)
        try:
            return import_module(name)
        except BaseException as error:  # sys.exit() and ^C at import are the module's fault too
            raise CannotRun(self._import_failed(name, error)) from error

    def _attribute(self, owner: object, names: Sequence[str], index: int) -> object:
        name = names[index]
        try:
            return getattr(owner, name)
        except AttributeError:
            pass
        except Exception as error:
            path = ".".join(names[: index + 1])
            raise CannotRun(_failed(f"looking up {quoted(path)}", path, error)) from error
        return self._submodule(owner, names, index)

    def _submodule(self, owner: object, names: Sequence[str], index: int) -> ModuleType:
        """The module of a package that its attribute would be, had somebody imported it.

        Whether somebody has, as another job's path may, must make no difference.
        """
        if isinstance(owner, ModuleType) and hasattr(owner, "__path__"):
            name = f"{owner.__name__}.{names[index]}"
            if _exists(name, owner):
                return self._import(name)
            if index < len(names) - 1:
                raise CannotRun(self._no_module(names, index, owner))
        raise CannotRun(_no_attribute(owner, names, index))

    def _no_module(self, names: Sequence[str], index: int, parent: ModuleType | None) -> Problem:
        paths = self.python_path if parent is None else list(getattr(parent, "__path__", ()))
        name = ".".join(names[: index + 1])
        hint = where_else(names, folder=self.folder, python_path=self.python_path)
        return Problem(
            code="no-such-module",
            message=f"module {quoted(name)} not found",
            hint=hint or did_you_mean(names[index], _modules_in(paths)),
            start=_start(names, index),
            length=len(names[index]),
        )

    def _import_failed(self, name: str, error: BaseException) -> Problem:
        hint = ""
        if isinstance(error, ModuleNotFoundError) and error.name:
            missing = error.name.split(".")
            hint = where_else(missing, folder=self.folder, python_path=self.python_path)
        place = raised_at(error, folder=self.folder)
        hints = [h for h in (hint, f"raised at {place}" if place else "") if h]
        return _failed(f"importing {quoted(name)}", name, error, hint="; ".join(hints))


@lru_cache(maxsize=1024)
def _split(target: str) -> tuple[Sequence[str], Sequence[str]]:
    """The names that may be modules and those that cannot be; at least one of each."""
    front, colon, back = target.partition(":")
    modules, names = (front.split("."), back.split(".")) if colon else (front.split("."), [])
    start = 0
    for name in (*modules, *names):
        if not name.isidentifier():
            raise CannotRun(_no_path(target, start, max(len(name), 1)))
        start += len(name) + 1
    if not colon:
        modules, names = modules[:-1], modules[-1:]
    if not modules:
        raise CannotRun(_no_path(target, 0, len(target)))
    return modules, names


def _no_path(target: str, start: int, length: int) -> Problem:
    return Problem(
        code="bad-path",
        message=f"{quoted(target)} does not name a function in a module",
        expected=EXPECTED,
        start=start,
        length=length,
    )


def _exists(name: str, parent: ModuleType | None) -> bool:
    if name in sys.modules:
        return True
    if parent is not None and not hasattr(parent, "__path__"):
        return False
    try:
        return find_spec(name) is not None
    except Exception:  # an import hook of the callbacks' own
        return False


def _failed(doing: str, path: str, error: BaseException, *, hint: str = "") -> Problem:
    return Problem(
        code="import-failed",
        message=f"{doing} failed: {describe(error)}",
        hint=hint,
        length=len(path),
    )


def describe(error: BaseException) -> str:
    """An exception in one line: "ValueError: text"."""
    kind = type(error).__qualname__
    try:
        text = str(error).strip()
    except Exception:
        return f"<unprintable {kind}>"
    return f"{kind}: {text.splitlines()[0]}" if text else kind


def _no_attribute(owner: object, names: Sequence[str], index: int) -> Problem:
    kind = "module" if isinstance(owner, ModuleType) else "object"
    if isinstance(owner, type):
        kind = "class"
    hint = did_you_mean(names[index], [n for n in dir(owner) if not n.startswith("_")])
    if not hint and kind == "module" and getattr(owner, "__file__", None) is None:
        folders = ", ".join(getattr(owner, "__path__", ()))
        hint = f"the module is a plain folder: {folders}" if folders else ""
    return Problem(
        code="no-such-attribute",
        message=f"{kind} {quoted('.'.join(names[:index]))} has no {quoted(names[index])}",
        hint=hint,
        start=_start(names, index),
        length=len(names[index]),
    )


def _start(names: Sequence[str], index: int) -> int:
    """Where names[index] begins; dots and colon are one character each."""
    return sum(len(n) + 1 for n in names[:index])


def _modules_in(paths: Sequence[str]) -> list[str]:
    from pkgutil import iter_modules

    return [m.name for m in iter_modules(paths)]
