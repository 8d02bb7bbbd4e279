"""Which file a command is about."""

from __future__ import annotations

import os

from inisched.cli.exits import Trouble

USUAL_PLACES = ("scheduler.ini", "config/scheduler.ini")


def find_file(path: str | None) -> str:
    """The file asked for, else the first of the usual places that is there."""
    given = path or os.environ.get("INISCHED_PATH")
    if given and os.path.isabs(given):
        return given
    try:
        os.getcwd()
    except FileNotFoundError:
        raise Trouble("this folder is gone: use -P with a path from the root") from None
    if given:
        return given
    for place in USUAL_PLACES:
        if os.path.lexists(place):
            return place
    raise Trouble(
        "no file given: use -P FILE, set INISCHED_PATH, or put a scheduler.ini into this folder "
        "or into its folder config"
    )
