"""Callbacks that say themselves when they want to run: `schedule.register(...)`.

Registering only takes note. `inisched discover`, which finds these notes and offers them for the
INI file, comes in a later version: the daemon runs what the file says and nothing else.
"""

from __future__ import annotations

from collections.abc import Callable, Mapping
from typing import Any, TypeVar, overload

from msgspec import Struct, field

F = TypeVar("F", bound=Callable[..., Any])


class Registration(Struct, frozen=True):
    """One callback that asked to be a job of `app`."""

    app: str
    function: Callable[..., object]
    every: str | None = None
    at: str | None = None
    description: str = ""
    arguments: Mapping[str, object] = field(default_factory=dict)

    @property
    def target(self) -> str:
        """What the file's `call` would say."""
        return f"{self.function.__module__}:{self.function.__qualname__}"


class Registry:
    """The registrations of this process, in the order they were made."""

    def __init__(self) -> None:
        self.registrations: list[Registration] = []

    @overload
    def register(
        self,
        app: str,
        func: F,
        every: str | None = None,
        at: str | None = None,
        description: str = "",
        **kwargs: object,
    ) -> F: ...

    @overload
    def register(
        self,
        app: str,
        func: None = None,
        every: str | None = None,
        at: str | None = None,
        description: str = "",
        **kwargs: object,
    ) -> Callable[[F], F]: ...

    def register(
        self,
        app: str,
        func: F | None = None,
        every: str | None = None,
        at: str | None = None,
        description: str = "",
        **kwargs: object,
    ) -> F | Callable[[F], F]:
        """Take note that `func` wants to be a job of `app`, and hand it back unchanged.

        Without `func` it is a decorator. Other keywords are arguments of the callback. Nothing is
        scheduled by this: discovery reads the notes.
        """

        def note(function: F) -> F:
            self.registrations.append(
                Registration(app, function, every, at, description, dict(kwargs))
            )
            return function

        return note if func is None else note(func)


schedule = Registry()
