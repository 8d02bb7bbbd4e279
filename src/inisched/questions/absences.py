"""Why nobody looked: the daemon was down or asleep, the machine slept, the clock was set."""

from __future__ import annotations

import socket
from collections.abc import Iterable, Iterator, Sequence
from datetime import datetime, timedelta

from msgspec import Struct

from inisched.engine.holder import Holder
from inisched.model.duration import show_duration
from inisched.questions.health import STALE
from inisched.questions.sentences import Speaker, listed, sentence
from inisched.stores.history import History
from inisched.stores.stretches import Kind, Stretch

MOST_TOLD = 3
"""Stretches that are told one by one."""


class Presence(Struct, frozen=True):
    """Whether a daemon looks now: "up", "down" or "asleep", and since when that is so.

    `since` is None for one that is up, and where none has ever run. `stopped`: by a signal.
    `once`: it is a single pass, which looks only once.
    """

    state: str
    since: datetime | None = None
    stopped: bool = False
    once: bool = False

    @property
    def looks(self) -> bool:
        return self.state == "up"

    def told(self, speaker: Speaker) -> str:
        """Without its stop; "" where all is well."""
        if self.looks:
            return ""
        if self.since is None:
            return "no daemon has run yet"
        told = f"the daemon has been {self.state} since {speaker.time(self.since)}"
        if self.state == "down":
            return told
        if self.stopped:
            return f"{told} (its process is stopped)"
        return f"{told} (its process is stopped or starved, or it cannot write the ledger)"


def presence(
    history: History, holder: Holder | None, looks: Iterable[datetime | None], now: datetime
) -> Presence:
    """Whether the daemon that holds the lock looks; heartbeats tell down from asleep.

    `looks` are moments at which it is known to have looked: beside the heartbeat a sign of life.
    """
    life = history.last_life()
    up = Presence("up", once=holder is not None and holder.role == "once")
    if life is None:
        return up if holder is not None else Presence("down")
    signs = (look for look in looks if look is not None and life.started <= look <= now)
    seen = life.ended or max(life.heartbeat, *signs, life.started)
    if holder is None:
        return Presence("down", seen)
    if life.pid != holder.pid or life.ended is not None:
        return up
    stopped = _is_stopped(holder)
    if stopped or now - life.heartbeat >= STALE:
        return Presence("asleep", seen, stopped)
    return up


def _is_stopped(holder: Holder) -> bool:
    """Whether somebody has stopped the process with a signal, as far as this machine can tell."""
    if holder.host != socket.gethostname():
        return False
    try:
        with open(f"/proc/{holder.pid}/stat", "rb") as file:
            return file.read().rpartition(b")")[2].split()[0] in (b"T", b"t")
    except (OSError, IndexError):
        return False


def told(stretches: Sequence[Stretch], speaker: Speaker) -> Iterator[str]:
    """A sentence for each kind of absence, in order of the first of each."""
    for kind in dict.fromkeys(stretch.kind for stretch in stretches):
        yield _told(kind, [one for one in stretches if one.kind is kind], speaker)


def _told(kind: Kind, stretches: Sequence[Stretch], speaker: Speaker) -> str:
    parts = [_part(stretch, speaker) for stretch in stretches[:MOST_TOLD]]
    more = len(stretches) - len(parts)
    parts += [f"{more} more time{'s' if more > 1 else ''}"] if more else []
    why = " (its process was stopped or starved)" if kind is Kind.ASLEEP else ""
    subject = {
        Kind.DOWN: "The daemon was down",
        Kind.ASLEEP: "The daemon was asleep",
        Kind.MACHINE: "The machine slept",
        Kind.STEP: "The clock was set",
    }[kind]
    if kind is Kind.DOWN and stretches[0].since is None:
        return sentence("No daemon had run", listed(parts))
    return sentence(subject, listed(parts) + why)


def _part(stretch: Stretch, speaker: Speaker) -> str:
    if stretch.since is None:
        return f"before {speaker.time(stretch.until)}"
    if stretch.kind is Kind.STEP:
        way = "forward" if stretch.step > timedelta(0) else "back"
        length = show_duration(abs(stretch.step))
        return f"{way} by {length} at {speaker.time(stretch.since)}"
    return speaker.stretch(stretch.since, stretch.until)
