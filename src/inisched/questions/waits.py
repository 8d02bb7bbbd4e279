"""What a waiting fire waits for, in sentences: whether it will come, and until when it waits."""

from __future__ import annotations

import shlex
from collections.abc import Iterator
from datetime import timedelta

from inisched.model.duration import show_duration
from inisched.model.job import Ending
from inisched.questions.case import Case
from inisched.questions.judgements import as_remembered
from inisched.questions.sentences import counted, listed
from inisched.questions.waiting import Waiter, waiting
from inisched.stores.past import Entry

WANTED = {Ending.SUCCESS: "success", Ending.FAILURE: "failure", Ending.FINISHED: "end"}
"""What those that follow a job wait for."""

_MILLISECOND = timedelta(milliseconds=1)

IDLE = {
    "inactive": "{} is inactive (active = no), and runs only if somebody asks for it.",
    "broken": "{} is broken in the file: see inisched validate.",
    "not in the file": "{} is not in the file any more.",
}


def waiter_of(case: Case, row: Entry) -> Waiter | None:
    """The row as one that waits; None where it only waits for its moment."""
    config = as_remembered(case.config, case.history)[0].config
    told = case.gates if case.presence.looks else None
    found = waiting(case.history.open_rows(), config, case.history, case.now, told=told)
    return next((one for one in found if one.row["id"] == row.id), None)


def what_for(case: Case, waiter: Waiter) -> str:
    """What follows "waiting"."""
    if waiter.kind == "after":
        return f" for {_upstream(case, waiter)}"
    if waiter.kind == "ready":
        return f" for its data ({_asked(case, waiter)})"
    if waiter.kind == "line" and waiter.failed is not None:
        return f" for {_failed(case, waiter.failed)}"
    if waiter.kind == "retry":
        return _retry(case, waiter)
    plain = {
        "line": "the fires of its job before it",
        "overlap": "the run of its job before it",
        "pool": f"a place in the pool {waiter.name}",
        "max_running": f"a place (max_running = {case.config.settings.max_running})",
        "hold": _hold(case, waiter),
    }
    return f" for {plain[waiter.kind]}" if waiter.kind in plain else f" for {waiter.gate}"


def what_else(case: Case, waiter: Waiter) -> Iterator[str]:
    """Whether what it waits for is to be expected, and how long it waits."""
    for name in waiter.missing:
        why = waiter.idle.get(name)
        if why in IDLE:
            yield IDLE[why].format(name)
        else:
            yield from _under_way(case, name)
    if waiter.kind == "line" and waiter.failed is not None:
        yield from _tried_again(case, waiter)
    if waiter.kind == "ready" and waiter.override is not None:
        verb = "runs" if waiter.override > case.now else "was to run"
        yield f"It {verb} in any case at {case.speaker.time(waiter.override)}."
    elif waiter.limit is not None and waiter.gates.wait_limit is not None:
        verb = "gives" if waiter.limit > case.now else "was to give"
        limit = show_duration(waiter.gates.wait_limit)
        yield f"It {verb} up at {case.speaker.time(waiter.limit)} (wait_limit = {limit})."


def period_in_words(period: tuple[str, str] | None) -> str:
    """ "the period 2026-11-20", "the period 2026-11-14 to 2026-11-20"; "" for none."""
    if period is None:
        return ""
    first, last = period
    return f"the period {last}" if first == last else f"the period {first} to {last}"


def _upstream(case: Case, waiter: Waiter) -> str:
    wanted = WANTED[waiter.gates.after_on]
    since = f"since {case.speaker.time(waiter.since)}" if waiter.since is not None else "yet"
    return f"{listed(waiter.missing)} (no {wanted} {since})"


def _under_way(case: Case, name: str) -> Iterator[str]:
    """That the job runs now."""
    if not case.presence.looks:
        return
    for row in case.history.past(name).newest(case.now)[:1]:
        if row.state == "running" and row.started_at is not None:
            yield f"{name} is running since {case.speaker.time(row.started_at)} (run {row.id})."


def _asked(case: Case, waiter: Waiter) -> str:
    call, asked_at = waiter.gates.ready, waiter.asked_at
    gate = (call.shown or call.target) if call is not None else "its gate"
    if asked_at is None:
        return f"{gate} has not been asked yet"
    message = waiter.row["message"]
    said = f"{gate} gave no answer: {message};" if message else f"{gate} says no,"
    return f"{said} last asked {case.speaker.time(asked_at)}"


def _failed(case: Case, failed: Entry) -> str:
    period = period_in_words(failed.period) or "a period"
    clear = f"inisched clear {shlex.quote(case.name)} lets it go on"
    return f"{period}, which failed in run {failed.id}, to succeed ({clear})"


def _tried_again(case: Case, waiter: Waiter) -> Iterator[str]:
    row = waiter.row
    if row["period_end"] is not None:
        yield f"Its own is {period_in_words((row['period_start'], row['period_end']))}."
    coming = case.beats.after(case.now + _MILLISECOND) if case.beats is not None else None
    if coming is not None:
        yield f"The failed one is tried again at the next fire, {case.speaker.time(coming)}."


def _retry(case: Case, waiter: Waiter) -> str:
    moment = waiter.row["not_before"]
    if moment is None or moment <= case.now:
        return " for its next attempt"
    return f": attempt {waiter.row['attempt']} comes at {case.speaker.time(moment)}"


def _hold(case: Case, waiter: Waiter) -> str:
    count = waiter.row["count"]
    return (
        f"the release of the hold, with {counted(count, 'fire')}"
        if count > 1
        else ("the release of the hold")
    )
