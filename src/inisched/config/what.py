"""Makes the action of a job: what it runs, and with which arguments."""

from __future__ import annotations

from inisched.config.desk import Desk
from inisched.config.fields import Field
from inisched.config.keys import ACTIONS
from inisched.config.manage import read_manage
from inisched.model.diagnostic import Unreadable
from inisched.model.job import Action, Argument, Call, Command, DjangoSettings, Executor
from inisched.model.place import Place


def read_action(desk: Desk, project: DjangoSettings | None) -> Action | None:
    """The action of a section that has exactly one; None where it cannot be read.

    `project` is the file's, None where it cannot be read.
    """
    if desk.has("manage") and sum(map(desk.has, ACTIONS)) == 1:
        return read_manage(desk, project)
    target = desk.read("call", "")
    script = desk.read("command", "")
    if script:
        return Command(script)
    field = desk.get("call")
    if not target or field is None:
        return None
    arguments = tuple(_argument(desk, field) for field in desk.fields.arguments.values())
    place = Place(desk.report.file, field.entry.line, field.entry.value_column)
    return Call(target, arguments, place, shown=field.shown if field.opaque else "")


def _argument(desk: Desk, field: Field) -> Argument:
    """An argument as the file gives it; one without anything behind it keeps its reference."""
    entry, file = field.entry, desk.report.file
    desk.broken |= field.wrong
    if not field.from_default:
        desk.warn_of_comment(field)
    return Argument(
        name=field.name,
        text=field.shown if field.text is None else field.text,
        shown=field.shown,
        key=entry.key,
        place=Place(file, entry.line, entry.value_column),
        from_default=field.from_default,
        key_place=Place(file, entry.line, entry.column),
    )


def read_executor(desk: Desk) -> Executor:
    """What carries the run out; `inline` is for callbacks that may take their time."""
    executor = Executor(desk.read("executor", "process"))
    field, timeout = desk.get("executor"), desk.get("timeout")
    if executor is not Executor.INLINE or field is None or desk.name is None:
        return executor
    if not desk.has("call"):
        problem = "a command cannot run inside the daemon"
        error = Unreadable(problem, expected="executor = process, or a 'call'")
        desk.refuse_value(field, error, "inline-command")
    elif timeout is not None:
        message = f"'{timeout.entry.key}' cannot end a run inside the daemon"
        hint = f"'executor = inline' stands on line {field.entry.line}"
        desk.fail(timeout, "inline-timeout", message, hint=hint)
    return executor
