"""Callbacks and problems as JSON, for the processes that judge.

Values go through standard input or a pipe and never through a command line: they may be secret.
"""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

from msgspec import to_builtins
from msgspec.structs import asdict

from inisched.config.problem import Problem
from inisched.model.diagnostic import Level
from inisched.model.job import Argument, Call, DjangoSettings, Manage
from inisched.model.place import Place

Json = dict[str, Any]

HELPER = "INISCHED_HELPER"
"""The environment variable of the daemon's own helpers, which belong to no run."""
_NOWHERE = Place("", 1, 1)


def pack_call(call: Call | Manage) -> Json:
    """A callback or command without its places: the other side has no use for them."""
    if isinstance(call, Manage):
        return {"manage": call.words, "text": call.text, "settings": to_builtins(call.settings)}
    return {
        "target": call.target,
        "gate": call.gate,
        "arguments": [
            {
                "name": a.name,
                "text": a.text,
                "shown": a.shown,
                "key": a.key,
                "from_default": a.from_default,
            }
            for a in call.arguments
        ],
    }


def unpack_call(packed: Mapping[str, Any]) -> Call | Manage:
    if "manage" in packed:
        settings = DjangoSettings(**packed["settings"] | {"place": None})
        return Manage(tuple(packed["manage"]), settings, packed["text"])
    arguments = [Argument(**a, place=_NOWHERE) for a in packed["arguments"]]
    return Call(packed["target"], tuple(arguments), gate=packed["gate"])


def pack_problem(problem: Problem) -> Json:
    return asdict(problem) | {"level": problem.level.value}


def unpack_problem(packed: Mapping[str, Any]) -> Problem:
    return Problem(**{**packed, "level": Level(packed["level"])})
