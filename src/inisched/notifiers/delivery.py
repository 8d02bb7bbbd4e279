"""A parcel delivered, letter by letter, within its time."""

from __future__ import annotations

import threading
from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from queue import Empty, SimpleQueue

from inisched.notifiers.deadline import Deadline
from inisched.notifiers.message import Message
from inisched.notifiers.undelivered import Undelivered, own_secrets, sentence
from inisched.notifiers.ways import opened
from inisched.notifiers.wire import Letter, Parcel

_PATIENCE = 1.0
"""Seconds beyond the limit in which a way may still say itself that time is up."""


@dataclass(frozen=True, slots=True)
class Done:
    """What became of one letter.

    `error` is why it did not arrive; of one that did, what is to be remarked (one of several
    recipients was refused). `final`: trying again is useless.
    """

    id: int
    ok: bool
    error: str = ""
    final: bool = False


def deliver(parcel: Parcel) -> Iterator[Done]:
    """Deliver the letters in order and tell of each at once; never raises, always tells of all.

    What takes longer than `parcel.limit` seconds, be it the look-up of a name, is left to itself
    in its thread, which dies with this process.
    """
    deadline = Deadline(parcel.limit)
    answers: SimpleQueue[Done] = SimpleQueue()
    work = threading.Thread(target=_work, args=(parcel, deadline, answers), daemon=True)
    work.start()
    for number in range(len(parcel.letters)):
        try:
            yield answers.get(timeout=deadline.left + _PATIENCE)
        except Empty:
            late = Undelivered(f"not done within {deadline.shown}")
            yield from _failed(parcel, parcel.letters[number:], late)
            return


def _work(parcel: Parcel, deadline: Deadline, answers: SimpleQueue[Done]) -> None:
    for done in _sent(parcel, deadline):
        answers.put(done)


def _sent(parcel: Parcel, deadline: Deadline) -> Iterator[Done]:
    """Each letter sent; once nobody can be reached the rest is not tried."""
    messages = _messages(parcel)
    try:
        with opened(parcel, deadline) as send:
            while messages:
                try:
                    remark = send(messages[0])
                except Exception as error:
                    if getattr(error, "unreachable", False):
                        raise
                    yield from _failed(parcel, messages[0].letters, error)
                else:
                    said = sentence(remark, _secrets(parcel))
                    yield from (Done(letter.id, True, said) for letter in messages[0].letters)
                del messages[0]
    except Exception as error:
        for message in messages:
            yield from _failed(parcel, message.letters, error)


def _messages(parcel: Parcel) -> list[Message]:
    if parcel.digest:
        return [Message(parcel.letters, digest=True)] if parcel.letters else []
    return [Message([letter]) for letter in parcel.letters]


def _failed(parcel: Parcel, letters: Sequence[Letter], error: Exception) -> Iterator[Done]:
    expected = isinstance(error, Undelivered)
    text = str(error) if expected else f"{type(error).__name__}: {error}"
    shown = sentence(text, _secrets(parcel))
    final = isinstance(error, Undelivered) and error.final and not error.unreachable
    yield from (Done(letter.id, False, shown, final) for letter in letters)


def _secrets(parcel: Parcel) -> list[str]:
    return [*parcel.secrets, *own_secrets(parcel.way)]
