"""A section's arguments held against the signature of its callback: converted and checked."""

from __future__ import annotations

import functools
import inspect
import sys
import types
import typing
from collections.abc import Callable, Iterable, Mapping
from inspect import Parameter

from msgspec import Struct, field
from msgspec.structs import replace

from inisched.config.convert import convert
from inisched.config.misfits import (
    BY_NAME,
    missing,
    not_callable,
    shadowed,
    unknown,
    unoffered,
    unreadable,
)
from inisched.config.problem import Problem
from inisched.config.shown import show_argument
from inisched.model.current import CurrentRun
from inisched.model.diagnostic import Level, Unreadable
from inisched.model.job import Argument

INJECTED: Mapping[str, Callable[[CurrentRun], object]] = {
    "scheduled_for": lambda run: run.scheduled_for,
    "period_start": lambda run: run.period_start,
    "period_end": lambda run: run.period_end,
    "override": lambda run: run.override,
    "attempt": lambda run: run.attempt,
    "run_id": lambda run: run.id,
    "job": lambda run: run.job,
}
"""What a callback is handed when it names it and the section does not."""


class Bound(Struct, frozen=True):
    """What a callback is called with, and what is wrong with that.

    `values` holds the converted arguments; it is complete only where `ok`. `shown` is what a view
    may say of them. `injected` are the names to be filled from the run; those in `defaulted`
    have a default of their own, kept where the run has nothing to give. `named` are the parameters
    that can be passed by name.
    """

    values: dict[str, object]
    shown: dict[str, object] = field(default_factory=dict)
    injected: tuple[str, ...] = ()
    defaulted: frozenset[str] = frozenset()
    problems: tuple[Problem, ...] = ()
    named: tuple[str, ...] = ()

    @property
    def ok(self) -> bool:
        return not any(p.level is Level.ERROR for p in self.problems)

    def keywords(self, run: CurrentRun) -> dict[str, object]:
        """All keyword arguments of one run."""
        filled = dict(self.values)
        for name in self.injected:
            value = INJECTED[name](run)
            if value is not None or name not in self.defaulted:
                filled[name] = value
        return filled


def bind(
    function: Callable[..., object],
    arguments: Iterable[Argument],
    *,
    zone: str,
    key_names: Iterable[str] = (),
    keys_set: Iterable[str] = (),
) -> Bound:
    """Hold `arguments` against the signature of `function`.

    `key_names` are the keys inisched knows, for hints; `keys_set` those of them the section itself
    sets: one that is a parameter too earns a warning. Defaults of the file reach only parameters
    the callback names. A callable without a signature takes everything as it is.
    """
    wrong = not_callable(function)
    if wrong:
        return Bound({}, problems=(wrong,))
    parameters = signature(function)
    if parameters is None:
        return _bind_all((a for a in arguments if not a.from_default), {}, zone=zone)
    named = {n: p for n, p in parameters.items() if p.kind in BY_NAME}
    takes_all = any(p.kind is Parameter.VAR_KEYWORD for p in parameters.values())
    taken, strangers = _sort(arguments, named, takes_all=takes_all)
    bound = _bind_all(taken, named, zone=zone)
    key_names = tuple(key_names)
    given = {a.name for a in taken}
    injected = tuple(n for n in INJECTED if n in named and n not in given)
    problems = (
        *(unknown(a, parameters, key_names) for a in strangers),
        *bound.problems,
        *missing(parameters, given.union(injected), strangers, {k.lower() for k in key_names}),
        *shadowed(named, given, keys_set),
    )
    defaulted = frozenset(n for n in injected if named[n].default is not Parameter.empty)
    return Bound(bound.values, bound.shown, injected, defaulted, problems, tuple(named))


def bind_gate(
    function: Callable[..., object],
    arguments: Iterable[Argument],
    *,
    zone: str,
    who: str = "the gate",
) -> Bound:
    """Hold what a section offers, and what a run tells, against a gate that takes some of it.

    It is passed what it names, with **kwargs all that the section itself says; what it does not
    name is no error. `who` is what messages call it.
    """
    wrong = not_callable(function, who)
    if wrong:
        return Bound({}, problems=(wrong,))
    parameters = signature(function)
    if parameters is None:
        return Bound({})
    named = {n: p for n, p in parameters.items() if p.kind in BY_NAME}
    takes_all = any(p.kind is Parameter.VAR_KEYWORD for p in parameters.values())
    arguments = tuple(arguments)
    taken, _ = _sort(arguments, named, takes_all=takes_all)
    bound = _bind_all(taken, named, zone=zone)
    given = {a.name for a in taken}
    injected = tuple(n for n in INJECTED if n in named and n not in given)
    offered = dict.fromkeys((*(a.name for a in arguments), *INJECTED))
    misread = (replace(p, expected=f"{p.expected} of {who}") for p in bound.problems)
    problems = (*misread, *unoffered(parameters, offered, who))
    defaulted = frozenset(n for n in injected if named[n].default is not Parameter.empty)
    return Bound(bound.values, bound.shown, injected, defaulted, problems, tuple(named))


def signature(function: Callable[..., object]) -> dict[str, Parameter] | None:
    """The parameters by name with their annotations resolved; None where Python knows none."""
    try:
        found = inspect.signature(function).parameters
    except (ValueError, TypeError):
        return None
    names = _namespace(function)
    return {n: p.replace(annotation=_resolved(p.annotation, names)) for n, p in found.items()}


def _resolved(annotation: object, names: dict[str, object]) -> object:
    """An annotation without strings in it; none where a name in it cannot be found."""

    def holder() -> None: ...

    holder.__annotations__ = {"it": annotation}
    if annotation is Parameter.empty:
        return annotation
    try:
        return typing.get_type_hints(holder, globalns=names)["it"]
    except Exception:  # evaluating an annotation runs whatever it says
        return annotation if not isinstance(annotation, str) else Parameter.empty


def _namespace(function: object) -> dict[str, object]:
    """The names an annotation of this callable was written among."""
    while True:
        if isinstance(function, functools.partial):
            function = function.func
        elif isinstance(function, types.MethodType):
            function = function.__func__
        elif hasattr(function, "__wrapped__"):
            function = function.__wrapped__
        else:
            break
    if hasattr(function, "__globals__"):
        return typing.cast("dict[str, object]", function.__globals__)
    kind = function if isinstance(function, type) else type(function)
    return vars(sys.modules[kind.__module__]) if kind.__module__ in sys.modules else {}


def _sort(
    arguments: Iterable[Argument], named: Mapping[str, Parameter], *, takes_all: bool
) -> tuple[list[Argument], list[Argument]]:
    """The arguments to be passed, and those nobody takes."""
    taken: dict[str, Argument] = {}
    strangers = []
    for argument in sorted(arguments, key=lambda a: not a.from_default):
        if argument.name in named or (takes_all and not argument.from_default):
            taken[argument.name] = argument
        elif not argument.from_default:
            strangers.append(argument)
    return list(taken.values()), strangers


def _bind_all(arguments: Iterable[Argument], named: Mapping[str, Parameter], *, zone: str) -> Bound:
    values: dict[str, object] = {}
    shown: dict[str, object] = {}
    problems = []
    for argument in arguments:
        parameter = named.get(argument.name)
        annotation = parameter.annotation if parameter else Parameter.empty
        if _is_open(argument):
            annotation = str
        try:
            value = convert(argument.text, annotation, zone=zone)
        except Unreadable as error:
            problems.append(unreadable(argument, error))
            continue
        values[argument.name] = value
        shown[argument.name] = show_argument(argument, value)
    return Bound(values, shown, problems=tuple(problems))


def _is_open(argument: Argument) -> bool:
    """True for a reference with nothing behind it: it cannot be judged, and stays as it is."""
    return argument.text == argument.shown and (
        "${env:" in argument.text or "${file:" in argument.text
    )
