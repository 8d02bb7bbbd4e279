"""What a fire waits for, in a few words: for tables."""

from __future__ import annotations

from inisched.questions.sentences import Speaker, counted, listed
from inisched.questions.waiting import Waiter


def in_brief(waiter: Waiter, speaker: Speaker) -> str:
    """ "ready; asked 3 times, again 06:45", "after b, which is inactive", "pool db"."""
    words = {
        "ready": _ready,
        "after": lambda waiter, _: (
            f"after {listed([_upstream(waiter, n) for n in waiter.missing])}"
        ),
        "pool": lambda waiter, _: f"pool {waiter.name}",
        "retry": _retry,
        "line": _line,
        "hold": _hold,
    }
    return words[waiter.kind](waiter, speaker) if waiter.kind in words else waiter.gate


def _upstream(waiter: Waiter, name: str) -> str:
    why = waiter.idle.get(name)
    return f"{name}, which is {why}" if why else name


def _ready(waiter: Waiter, speaker: Speaker) -> str:
    asked = waiter.row["asked"]
    if not asked:
        return "ready"
    times = "once" if asked == 1 else f"{asked} times"
    again = waiter.again
    ahead = f", again {speaker.time(again)}" if again is not None and again > speaker.now else ""
    return f"ready; asked {times}{ahead}"


def _retry(waiter: Waiter, speaker: Speaker) -> str:
    moment = waiter.row["not_before"]
    ahead = moment is not None and moment > speaker.now
    return f"retry at {speaker.time(moment)}" if ahead else "retry"


def _line(waiter: Waiter, speaker: Speaker) -> str:
    if waiter.failed is None or waiter.failed.period is None:
        return "line"
    return f"line; the period {waiter.failed.period[1]} failed in run {waiter.failed.id}"


def _hold(waiter: Waiter, speaker: Speaker) -> str:
    count = waiter.row["count"]
    return f"hold; {counted(count, 'fire')}" if waiter.row["fire_until"] else "hold"
