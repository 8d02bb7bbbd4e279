"""A parcel delivered, letter by letter, within its time."""

from __future__ import annotations

import threading
from collections.abc import Iterator, Sequence
from queue import Empty, SimpleQueue

from msgspec import Struct

from inisched.notifiers.deadline import Deadline
from inisched.notifiers.message import Message
from inisched.notifiers.undelivered import Undelivered, own_secrets, sentence
from inisched.notifiers.ways import opened
from inisched.notifiers.wire import Letter, Parcel

_PATIENCE = 1.0
"""Seconds beyond the limit in which a way may still say itself that time is up."""

_ENOUGH = 0.5
"""The share of the limit that must be left for another letter to be begun: what is cut off while
it is being taken may arrive twice."""


class Done(Struct, frozen=True):
    """What became of one letter.

    `error` is why it did not arrive; of one that did, what is to be remarked (one of several
    recipients was refused). `final`: trying again is useless. One that was not `tried` was left
    for another time: there was too little of it, nobody to be reached, or an older letter of its
    job that did not arrive.
    """

    id: int
    ok: bool
    error: str = ""
    final: bool = False
    tried: bool = True


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
            end = len(parcel.letters) if parcel.digest else number + 1
            yield from _failed(parcel, parcel.letters[number:end], late)
            yield from (_left(letter) for letter in parcel.letters[end:])
            return


def _work(parcel: Parcel, deadline: Deadline, answers: SimpleQueue[Done]) -> None:
    for done in _sent(parcel, deadline):
        answers.put(done)


def _sent(parcel: Parcel, deadline: Deadline) -> Iterator[Done]:
    """Each letter sent; once nobody can be reached, or time is short, the rest is left."""
    messages = _messages(parcel)
    stuck: set[str] = set()
    try:
        with opened(parcel, deadline) as send:
            for message in list(messages):
                first = len(messages) == len(parcel.letters) or parcel.digest
                if not first and deadline.left < parcel.limit * _ENOUGH:
                    break
                del messages[0]
                if message.job in stuck:
                    yield from map(_left, message.letters)
                    continue
                try:
                    remark = send(message)
                except Exception as error:
                    yield from _failed(parcel, message.letters, error)
                    if getattr(error, "unreachable", False):
                        break
                    stuck |= set() if getattr(error, "final", False) else {message.job}
                else:
                    said = sentence(remark, _secrets(parcel))
                    yield from (Done(letter.id, True, said) for letter in message.letters)
    except Exception as error:
        if messages:
            yield from _failed(parcel, messages.pop(0).letters, error)
    for message in messages:
        yield from map(_left, message.letters)


def _left(letter: Letter) -> Done:
    return Done(letter.id, False, tried=False)


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
