"""Where arguments and a callback do not fit together, said as problems."""

from __future__ import annotations

import inspect
from collections.abc import Collection, Iterable, Mapping
from inspect import Parameter

from msgspec.structs import replace

from inisched.config.problem import Problem, is_secret, quoted
from inisched.config.shown import masked
from inisched.model.diagnostic import Level, Unreadable
from inisched.model.job import Argument, Call, Manage
from inisched.timing.nearest import did_you_mean, nearest

BY_NAME = (Parameter.POSITIONAL_OR_KEYWORD, Parameter.KEYWORD_ONLY)
"""The parameters a keyword argument can reach."""


def not_callable(function: object, who: str = "the callback") -> Problem | None:
    if not callable(function):
        kind = type(function).__name__
        return Problem(code="not-callable", message=f"{who} is not a function but of type {kind}")
    call = function if isinstance(function, type) else type(function).__call__
    both = (function, call)
    if any(inspect.isgeneratorfunction(f) or inspect.isasyncgenfunction(f) for f in both):
        return Problem(
            code="generator",
            message=f"{who} is a generator function: calling it runs nothing",
            expected="a function that returns",
            hint="let a function run through the generator and name that one",
        )
    return None


_VEILED = {
    "other-settings": "is not what Django has been set up with",
    "bad-path": "does not name a function in a module",
    "no-such-module": "names a module that is not found",
    "no-such-attribute": "names what its module does not have",
    "import-failed": "cannot be imported",
    "import-slow": "takes too long to import",
}
"""What is said of a target that must not be shown, by the code of its problem."""


def veiled(problem: Problem, call: Call | Manage) -> Problem:
    """A problem of a callback, without the target where the file has a reference for it.

    Of a management command the same goes for the settings module.
    """
    if isinstance(call, Manage):
        shown = call.settings.shown if problem.key else ""
        expected = "a module such as shop.settings"
    else:
        shown = call.shown if problem.key is None and call.shown != call.target else ""
        expected = "a dotted path such as pkg.mod.func or pkg.mod:func"
    if not shown:
        return problem
    told = _VEILED.get(problem.code)
    if told is None:
        return replace(problem, start=0, length=None)
    return replace(
        problem,
        message=f"what {quoted(shown)} stands for {told}",
        expected=expected,
        hint="",
        start=0,
        length=None,
    )


def unreadable(argument: Argument, error: Unreadable) -> Problem:
    plain = argument.text == argument.shown and not is_secret(argument.name)
    end = None if error.length is None else error.start + error.length
    value = argument.text[error.start : end] if plain else masked(argument)
    expected = f"{error.expected} for '{argument.name}'" if error.expected else ""
    return Problem(
        code="cannot-convert",
        message=f"{quoted(value)} {error.problem}",
        expected=expected,
        hint=error.hint if plain else "",
        key=argument.key,
        start=error.start if plain else 0,
        length=error.length if plain else None,
    )


def unknown(
    argument: Argument, parameters: Mapping[str, Parameter], key_names: tuple[str, ...]
) -> Problem:
    named = [n for n, p in parameters.items() if p.kind in BY_NAME]
    own = parameters.get(argument.name)
    if own is not None and own.kind is Parameter.POSITIONAL_ONLY:
        return _positional(argument.name, key=argument.key)
    # A key of inisched that is a parameter too can be meant as either.
    found = nearest(argument.name, [*named, *key_names])
    return Problem(
        code="unknown-argument",
        message=f"the callback takes no argument {quoted(argument.name)}",
        expected=f"one of its arguments {', '.join(named)}, or a key of inisched"
        if named
        else "a key of inisched: the callback takes no arguments",
        hint=f"did you mean '{found}'?" if found else "",
        key=argument.key,
        at_key=True,
    )


def _positional(name: str, *, key: str | None, who: str = "the callback") -> Problem:
    return Problem(
        code="positional-only",
        message=f"{who} takes '{name}' by position only, and a section passes names",
        hint="let a function of your own call it",
        key=key,
        at_key=True,
    )


def missing(
    parameters: Mapping[str, Parameter],
    given: set[str],
    strangers: list[Argument],
    key_names: set[str],
) -> Iterable[Problem]:
    """Parameters without a default that nobody fills.

    One that a stranger is a misspelling of was reported with the stranger already.
    """
    excused = {nearest(s.name, parameters) for s in strangers}
    for name, parameter in parameters.items():
        if parameter.default is not Parameter.empty or name in given or name in excused:
            continue
        if parameter.kind is Parameter.POSITIONAL_ONLY:
            yield _positional(name, key=None)
        elif parameter.kind in BY_NAME:
            own = f"arg.{name}" if name.lower() in key_names else name
            yield Problem(
                code="missing-argument",
                message=f"the callback needs an argument '{name}'",
                expected=f"a line such as: {own} = …",
                hint="a method needs an object: make it static" if name == "self" else "",
            )


def unoffered(
    parameters: Mapping[str, Parameter], offered: Collection[str], who: str
) -> Iterable[Problem]:
    """Parameters of a gate without a default that are not among what it is offered."""
    for name, parameter in parameters.items():
        if parameter.default is not Parameter.empty:
            continue
        if parameter.kind is Parameter.POSITIONAL_ONLY:
            yield _positional(name, key=None, who=who)
        elif parameter.kind in BY_NAME and name not in offered:
            yield Problem(
                code="missing-argument",
                message=f"{who} needs an argument '{name}', which nobody gives",
                expected=f"only some of {', '.join(offered)}",
                hint="a method needs an object: make it static"
                if name == "self"
                else did_you_mean(name, offered),
            )


def shadowed(
    named: Mapping[str, Parameter], given: set[str], keys_set: Iterable[str]
) -> Iterable[Problem]:
    by_lower = {n.lower(): n for n in named}
    for key in keys_set:
        name = by_lower.get(key.lower())
        if name is not None and name not in given:
            yield Problem(
                code="shadowed-parameter",
                message=f"'{key}' is a key of inisched and an argument of the callback: "
                "only inisched gets it",
                level=Level.WARNING,
                hint=f"to pass it to the callback, write arg.{name} = …",
                key=key,
                at_key=True,
            )
