"""What a fire passes before it starts, as far as a section says it alone.

The names of other jobs are filled in by `links`, which knows them all.
"""

from __future__ import annotations

from datetime import timedelta

from inisched.config.desk import Desk
from inisched.model.diagnostic import Unreadable
from inisched.model.duration import read_duration
from inisched.model.job import Action, Argument, Call, Ending, Gates, Period
from inisched.model.place import Place

_EVERY = timedelta(minutes=15)

_IDLE_WITHOUT = {
    "ready_every": ("ready",),
    "override_after": ("ready",),
    "after_on": ("after", "after_future"),
    "wait_limit": ("after", "after_future", "ready"),
    "then_on": ("then",),
}
"""Keys that say something about others, and mean nothing without one of them."""

_KEYS = {"should_run", *_IDLE_WITHOUT}.union(*_IDLE_WITHOUT.values())
NO_GATES = Gates()


def read_gates(desk: Desk, action: Action | None) -> Gates:
    """Read every key of them but the names; what cannot be read keeps its default.

    A gate is offered the arguments of the callback; other actions have none.
    """
    if desk.known.keys().isdisjoint(_KEYS):
        return NO_GATES
    arguments = action.arguments if isinstance(action, Call) else ()
    _warn_of_idle(desk)
    return Gates(
        should_run=_gate(desk, "should_run", arguments),
        ready=_gate(desk, "ready", arguments),
        ready_every=desk.read("ready_every", _EVERY, _pause),
        override_after=desk.read("override_after", None),
        after_on=Ending(desk.read("after_on", "success")),
        wait_limit=desk.read("wait_limit", None),
    )


def read_period(desk: Desk) -> Period | None:
    """The period the job reports on."""
    word = desk.read("report_period", "")
    return Period(word) if word else None


def read_names(desk: Desk) -> None:
    """Read the lists of names only to find what is wrong with them."""
    desk.given({"after": "", "after_future": "", "then": ""})


def _gate(desk: Desk, name: str, arguments: tuple[Argument, ...]) -> Call | None:
    target, field = desk.read(name, ""), desk.get(name)
    if not target or field is None:
        return None
    place = Place(desk.report.file, field.entry.line, field.entry.value_column)
    return Call(target, arguments, place, shown=field.shown if field.opaque else "", gate=True)


def _pause(text: str) -> timedelta:
    pause = read_duration(text)
    if not pause:
        raise Unreadable(f"'{text}' is no pause at all", expected="1 s or more")
    return pause


def _warn_of_idle(desk: Desk) -> None:
    """Warn of a section's keys that mean nothing without another that is not there."""
    for name, needed in _IDLE_WITHOUT.items():
        field = desk.get(name)
        if field is None or field.from_default or any(map(desk.has, needed)):
            continue
        *others, last = (f"'{key}'" for key in needed)
        words = f"{', '.join(others)} or {last}" if others else last
        desk.warn(field, "no-effect", f"'{field.entry.key}' has no effect without {words}")
