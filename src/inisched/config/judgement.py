"""What is asked of a job's callback before it runs, what was found, and where it stands."""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from types import MappingProxyType

from msgspec import Struct, field

from inisched.config.problem import Problem
from inisched.model.diagnostic import Diagnostic, Level
from inisched.model.job import Argument, Call, Manage
from inisched.model.place import Place


class Request(Struct, frozen=True):
    """One job's callback or management command to be judged, and its gates.

    `call` is None where there is nothing to import but gates. `keys_set` are the keys of inisched
    its section sets, as written, and where they stand; `gates` go by their keys as written.
    """

    job: str
    call: Call | Manage | None
    zone: str
    keys_set: Mapping[str, Place] = field(default_factory=lambda: MappingProxyType({}))
    gates: Mapping[str, Call] = field(default_factory=lambda: MappingProxyType({}))

    @property
    def parts(self) -> dict[str, Call | Manage]:
        """What is judged one by one: the gates by their keys, all else under ""."""
        return ({} if self.call is None else {"": self.call}) | dict(self.gates)


class Judgement(Struct, frozen=True):
    """What became of one request.

    `passed` is what a view may show of the callback's arguments; `injected` the names filled at
    each run; `doc` the first line of its docstring; `named` the parameters that it or a gate names.
    """

    problems: tuple[Problem, ...] = ()
    passed: Mapping[str, object] = field(default_factory=lambda: MappingProxyType({}))
    injected: tuple[str, ...] = ()
    doc: str = ""
    named: tuple[str, ...] = ()

    @property
    def ok(self) -> bool:
        return not any(p.level is Level.ERROR for p in self.problems)


def diagnostics(
    requests: Iterable[Request], judgements: Mapping[str, Judgement]
) -> list[Diagnostic]:
    """The problems at their places in the file; `source` is left to whoever has the file.

    What several jobs have from one line, as in DEFAULT, is said once.
    """
    found: dict[tuple[Place, str, str], Diagnostic] = {}
    for request in requests:
        judgement = judgements.get(request.job, Judgement())
        for one in (_diagnostic(request, p) for p in judgement.problems):
            found.setdefault((one.place, one.code, one.message), one)
    return list(found.values())


def _diagnostic(request: Request, problem: Problem) -> Diagnostic:
    place, length = _place(request, problem)
    return Diagnostic(
        place=place,
        length=max(length, 1),
        code=problem.code,
        message=problem.message,
        level=problem.level,
        job=request.job,
        key=_key(request.parts[problem.gate], problem),
        expected=problem.expected,
        hint=problem.hint,
    )


def _key(call: Call | Manage, problem: Problem) -> str:
    """The key at fault, as the file has it."""
    if isinstance(call, Call):
        return problem.key or problem.gate or "call"
    return call.settings.key if problem.key and call.settings.place else "manage"


def _place(request: Request, problem: Problem) -> tuple[Place, int]:
    """Where a problem stands and how far it reaches on its line."""
    call = request.parts[problem.gate]
    if isinstance(call, Manage):
        return _place_of_command(call, problem)
    if problem.key is None:
        return _piece(call.place or Place("", 1, 1), call.shown or call.target, problem)
    argument = next((a for a in call.arguments if a.key == problem.key), None)
    if argument is None:
        return request.keys_set[problem.key], len(problem.key)
    if problem.at_key and argument.key_place is not None:
        return argument.key_place, len(argument.key)
    return _value(argument, problem)


def _place_of_command(action: Manage, problem: Problem) -> tuple[Place, int]:
    """In the settings, where a line of the file names them; else in the command."""
    settings, text = action.settings, action.text.partition("\n")[0]
    if problem.key is None:
        return _piece(action.place or Place("", 1, 1), text, problem)
    if settings.place is None:
        return action.place or Place("", 1, 1), len(text)
    return _piece(settings.place, settings.shown or settings.module, problem)


def _value(argument: Argument, problem: Problem) -> tuple[Place, int]:
    """The piece at fault; the whole of a value that stands on several lines or is a reference."""
    if argument.text != argument.shown or "\n" in argument.text:
        return argument.place, len(argument.shown.partition("\n")[0])
    return _piece(argument.place, argument.text, problem)


def _piece(place: Place, text: str, problem: Problem) -> tuple[Place, int]:
    length = len(text) - problem.start if problem.length is None else problem.length
    return Place(place.file, place.line, place.column + problem.start), length
