"""What a line of the log knows of a job, for those who read it by program."""

from __future__ import annotations

from datetime import timedelta

from inisched.model.run import Outcome
from inisched.stores.claims import Claimed

Extra = dict[str, dict[str, object]]
"""The `extra` of a call to the log: all in one attribute, so that no name clashes with its own."""


def facts(**known: object) -> Extra:
    """What is not None of it."""
    return {"facts": {name: value for name, value in known.items() if value is not None}}


def of_attempt(entry: Claimed, **more: object) -> Extra:
    """An attempt, and what else is known."""
    fire = entry.fire
    return facts(
        job=fire.job,
        run=entry.run_id,
        fire_at=fire.moved,
        attempt=entry.attempt,
        trigger=fire.trigger.value,
        **more,
    )


def of_end(entry: Claimed, outcome: Outcome, took: timedelta) -> Extra:
    """An attempt that has ended."""
    return of_attempt(
        entry,
        state=outcome.state.value,
        duration_s=round(took.total_seconds(), 3),
        exit_code=outcome.exit_code,
        reason=None if outcome.reason is None else outcome.reason.value,
    )
