"""Keys that are none of ours: misspelt, or arguments of the callback, or nobody's."""

from __future__ import annotations

from inisched.config.desk import Desk
from inisched.config.fields import Field
from inisched.config.keys import ACTIONS, INISCHED, JOB, NOTIFY, POOL, RHYTHMS, Table
from inisched.config.typos import resembled

A_RHYTHM = "a line such as: every = 10 minutes"
A_KEY = "a key of inisched: only a callback takes others, as arguments"
AN_ACTION = "a line such as: call = package.module.function, or command = /path/to/script"


def refuse_misspelt(desk: Desk) -> dict[str, Field]:
    """Report strangers that resemble a key the job cannot be without, and does not have.

    Returns them by that key: what they were meant to say is not reported missing.
    """
    misspelt = {}
    for field in desk.fields.arguments.values():
        key = None if _is_prefixed(field) else _missing_key(desk, field)
        if key is None:
            continue
        misspelt[key] = field
        desk.fail(
            field,
            "unknown-key",
            f"'{field.entry.key}' is not a key",
            expected=AN_ACTION if key in ACTIONS else A_RHYTHM,
            hint=did_you_mean(field, JOB),
        )
    return misspelt


def _missing_key(desk: Desk, field: Field) -> str | None:
    word = resembled(field.entry.key, JOB)
    key = JOB.find(word) if word else None
    for names in (ACTIONS, RHYTHMS):
        if key is not None and key.name in names and not any(map(desk.has, names)):
            return key.name
    return None


def warn_of_resemblance(desk: Desk, said: dict[str, Field]) -> None:
    """Warn of arguments that are one slip away from a key, save those said already.

    Those of [DEFAULT] are warned of when it is read by itself.
    """
    for field in desk.fields.arguments.values():
        if _is_prefixed(field) or field in said.values():
            continue
        word = resembled(field.entry.key, JOB)
        if word is not None and (desk.name is None or not field.from_default):
            key = field.entry.key
            desk.warn(
                field,
                "resembles-key",
                f"'{key}' is passed to the callback as a keyword argument",
                hint=f"did you mean '{word}'? if not, write arg.{key} = …",
            )


def refuse_arguments(desk: Desk, said: dict[str, Field]) -> None:
    """Report the strangers of a job without a callback to pass them to."""
    for field in desk.fields.arguments.values():
        if field.from_default or field in said.values():
            continue
        if field.wrong and _is_prefixed(field):
            continue
        if _is_prefixed(field):
            message = "only a callback takes arguments, and this job has no 'call'"
            hint = "a command finds variables in its environment: write env.NAME = …"
            desk.fail(field, "unknown-key", message, hint=hint)
        else:
            refuse_unknown(desk, field, JOB, f"job '{desk.name}'")


def refuse_unknown(desk: Desk, field: Field, table: Table, owner: str) -> None:
    """Report a key its section does not have."""
    desk.fail(
        field,
        "unknown-key",
        f"{owner} has no key called '{field.entry.key}'",
        expected=A_KEY if table is JOB else f"one of {', '.join(table.words)}",
        hint=did_you_mean(field, table) or _home(field, table),
    )


def did_you_mean(field: Field, table: Table) -> str:
    word = resembled(field.entry.key, table)
    return f"did you mean '{word}'?" if word else ""


def _home(field: Field, table: Table) -> str:
    """Which other sort of section has such a key."""
    word = field.entry.key
    homes = [t.heading for t in (INISCHED, JOB, POOL, NOTIFY) if t is not table and t.find(word)]
    return f"'{word}' is a key of {homes[0]}" if homes else ""


def _is_prefixed(field: Field) -> bool:
    """Whether it was written arg.NAME, which is never a slip."""
    return field.entry.key != field.name
