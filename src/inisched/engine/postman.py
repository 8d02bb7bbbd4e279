"""Has the letters in the outbox delivered, each way by itself, and never waits for any of it."""

from __future__ import annotations

import logging
import selectors
from collections.abc import Callable, Iterable, Sequence
from datetime import datetime, timedelta
from typing import Protocol

from inisched.config.loader import Config
from inisched.engine.addresses import Addresses
from inisched.engine.clock import Clock
from inisched.engine.herald import PING, Herald
from inisched.engine.messenger import Messenger, Told
from inisched.engine.outage import Outage
from inisched.engine.queue import Queue, pause
from inisched.engine.seat import Seat
from inisched.executors import tree
from inisched.model.duration import show_duration
from inisched.model.notifier import Pipe
from inisched.stores.ledger import Ledger, LedgerDown
from inisched.stores.post import Waiting

log = logging.getLogger("inisched")

LIMIT = 10.0
"""Seconds one process has for the letters it was given."""

MARGIN = 2.0
"""Seconds beyond that in which it can start, and tell."""

MOST_AT_ONCE = 10
"""Processes that deliver at a time; never two for one way."""

MOST_FAILING = 5
"""Of them for ways that failed last time."""

PATIENCE, PING_PATIENCE = timedelta(days=1), timedelta(minutes=10)
"""How long a letter is tried before it is given up; a late ping tells the wrong thing."""

OUTAGE = 1.0
"""Seconds until it is seen again whether the ledger can be written."""

GLANCE = 0.2
"""Seconds between two looks at a process that a former daemon left with letters in hand."""


class Served(Protocol):
    """What the postman needs of the engine."""

    ledger: Ledger
    seats: dict[str, Seat]
    outage: Outage


class Postman:
    """The letters of one daemon, carried out by processes that hang in its selector."""

    def __init__(
        self,
        engine: Served,
        selector: selectors.BaseSelector,
        clock: Clock,
        config: Callable[[], Config],
        herald: Herald,
    ) -> None:
        self._engine = engine
        self._addresses = Addresses(engine, herald, config)
        self._post = engine.ledger.post
        self._selector = selector
        self._clock = clock
        self._queues: dict[str, Queue] = {}
        self._leaving: list[Messenger] = []
        self._again = 0.0

    @property
    def pids(self) -> set[int]:
        """The processes that deliver, and those that are about to end."""
        return {messenger.pid for messenger in (*self._at_work, *self._leaving)}

    @property
    def idle(self) -> bool:
        """Whether nothing is under way, and nothing could be now."""
        if self._post.changed or self._at_work:
            return False
        now, monotonic = self._clock.now(), self._clock.monotonic()
        return not any(self._due(queue, now, monotonic) for queue in self._queues.values())

    def patience(self) -> float:
        """Seconds until `look` must be called even if nothing moves."""
        monotonic, now = self._clock.monotonic(), self._clock.now()
        if self._engine.outage:
            return OUTAGE
        moments = [monotonic] if self._post.changed else []
        if self._leaving or any(queue.blocked for queue in self._queues.values()):
            moments.append(monotonic + GLANCE)
        for queue in self._queues.values():
            if queue.messenger is not None:
                ended = queue.messenger.finished
                moments.append(monotonic if ended else queue.messenger.deadline)
            elif self._has_room(queue) and (due := self._due_at(queue)) is not None:
                moments.append(max(queue.rested, monotonic + (due - now).total_seconds()))
        return max(0.0, self._again - monotonic, min(moments, default=monotonic + 3600) - monotonic)

    def look(self) -> None:
        """Hear of what was delivered, and hand out what is due."""
        monotonic = self._clock.monotonic()
        if self._engine.outage or monotonic < self._again:
            return
        try:
            self._end_those_that_hang(monotonic)
            for queue in self._queues.values():
                self._settle(queue)
            if self._post.changed or any(queue.blocked for queue in self._queues.values()):
                self._sort(self._post.waiting())
            self._leaving = [one for one in self._leaving if one.process.poll() is None]
            for queue in sorted(self._queues.values(), key=lambda q: (q.failures > 0, q.served)):
                if self._has_room(queue):
                    self._hand_out(queue, self._clock.now(), monotonic)
        except LedgerDown:
            self._again = monotonic + OUTAGE

    def handed_over(self, told: Sequence[Told]) -> None:
        """What a process that outlived its daemon has done. Raises LedgerDown."""
        self._enter(told, self._clock.now())

    def mended(self) -> None:
        """The file was read again: letters to another address than before need not wait."""
        self._post.changed = True
        for queue in self._queues.values():
            address = self._addresses.of(queue.letters[0]) if queue.letters else None
            if queue.failures and address != queue.address:
                queue.failures, queue.rested = 0, 0.0
                self._hasten(queue)

    def _hasten(self, queue: Queue) -> None:
        try:
            self._post.hasten([letter.id for letter in queue.letters])
        except LedgerDown:
            pass  # they go when their time comes

    @property
    def _at_work(self) -> list[Messenger]:
        return [q.messenger for q in self._queues.values() if q.messenger is not None]

    # -- sorting -------------------------------------------------------------------------------

    def _sort(self, letters: Iterable[Waiting]) -> None:
        for queue in self._queues.values():
            queue.letters, queue.blocked = [], False
        lost, freed = [], []
        in_hand = {number for messenger in self._at_work for number in messenger.letters}
        for letter in letters:
            name = self._addresses.way_of(letter)
            queue = self._queues.setdefault(name or "", Queue(name or ""))
            if letter.id in in_hand:
                continue
            if letter.pid is not None and _lives(letter):
                queue.blocked = True
                continue
            freed += [letter.id] if letter.pid is not None else []
            if name is None:
                lost.append(letter.id)
            else:
                queue.letters.append(letter)
        if freed:
            self._post.take_back(freed)
        if lost:
            log.warning("%d notice(s) dropped: their way is no longer in the file", len(lost))
            self._post.settle((), lost=lost)
        self._post.changed = False

    # -- handing out ---------------------------------------------------------------------------

    def _has_room(self, queue: Queue) -> bool:
        """Whether another process may be started for a way."""
        failing = [q for q in self._queues.values() if q.messenger is not None and q.failures]
        if queue.failures and len(failing) >= MOST_FAILING:
            return False
        return len(self._at_work) < MOST_AT_ONCE

    def _due_at(self, queue: Queue) -> datetime | None:
        """When the next letter of a way may go; None where none waits, or nobody takes it."""
        if not queue.letters or queue.blocked or self._addresses.of(queue.letters[0]) is None:
            return None
        digest = self._addresses.digest(queue.letters[0])
        if digest is not None:
            first = queue.together()[0]
            return max(first.entered + digest, first.not_before)
        return min(letter.not_before for letter in queue.letters)

    def _due(self, queue: Queue, now: datetime, monotonic: float) -> list[Waiting]:
        due = self._due_at(queue)
        if queue.messenger is not None or monotonic < queue.rested or due is None or due > now:
            return []
        if self._addresses.digest(queue.letters[0]) is not None:
            return queue.together()
        letters = queue.next(now)
        first = self._addresses.of(letters[0]) if letters else None
        return [letter for letter in letters if self._addresses.of(letter) == first]

    def _hand_out(self, queue: Queue, now: datetime, monotonic: float) -> None:
        letters = self._due(queue, now, monotonic)
        address = self._addresses.of(letters[0]) if letters else None
        if address is None:
            return
        queue.address, queue.served = address, monotonic
        ledger, ids = self._engine.ledger.id, [letter.id for letter in letters]
        parcel = self._addresses.parcel(letters, address, self._post, ledger=ledger, limit=LIMIT)
        mark = f"{ledger}:post:{ids[0]}" if isinstance(address, Pipe) else ""
        deadline = monotonic + LIMIT + MARGIN
        try:
            messenger = Messenger(
                parcel, ids, self._engine.ledger.path, deadline=deadline, mark=mark
            )
        except OSError as error:
            self._failed(queue, f"no process can be started: {error.strerror or error}")
            return
        queue.messenger = messenger
        self._selector.register(messenger, selectors.EVENT_READ, lambda fd: self._hear(queue))
        self._post.hand_out(ids, messenger.pid, messenger.started)
        messenger.begin()

    # -- hearing -------------------------------------------------------------------------------

    def _hear(self, queue: Queue) -> None:
        messenger = queue.messenger
        if messenger is not None and not messenger.hear():
            self._part(queue, messenger.last_words() or "the process that delivers ended early")

    def _end_those_that_hang(self, monotonic: float) -> None:
        for queue in self._queues.values():
            messenger = queue.messenger
            if messenger and not messenger.finished and monotonic >= messenger.deadline:
                self._part(queue, f"no answer within {LIMIT:g} s")

    def _part(self, queue: Queue, error: str) -> None:
        """The process has told all it will; what it was at failed, the rest was not tried."""
        messenger = queue.messenger
        assert messenger is not None
        self._selector.unregister(messenger)
        known = {told.id for told in messenger.told}
        rest = [number for number in messenger.letters if number not in known]
        messenger.told += [Told(number, False, error) for number in rest[:1]]
        messenger.told += [Told(number, False, tried=False) for number in rest[1:]]
        messenger.finished = True
        if rest or not all(told.ok for told in messenger.told):
            messenger.end()

    def _settle(self, queue: Queue) -> None:
        """Enter what became of letters so far. Raises LedgerDown, and then it is entered later.

        How the way does is known once its process has told everything.
        """
        messenger = queue.messenger
        if messenger is None:
            return
        ended = messenger.finished
        new = [each for each in messenger.told if each.id not in messenger.settled]
        new = [each for each in new if ended or each.ok]
        if new:
            self._enter(new, self._clock.now())
            messenger.settled.update(each.id for each in new)
        if ended:
            self._judge(queue, messenger.told)
            messenger.known()
            messenger.close()
            self._leaving.append(messenger)
            queue.messenger = None

    def _judge(self, queue: Queue, told: Sequence[Told]) -> None:
        """Whether the way works, by what one process has told."""
        failed = [each for each in told if each.tried and not each.ok and not each.final]
        if any(each.ok or each.final for each in told):
            queue.failures = 0
            if failed:
                log.warning("%s: %d put off: %s", queue.name, len(failed), failed[0].error)
        else:
            self._failed(queue, next((each.error for each in failed), ""))

    def _enter(self, told: Iterable[Told], now: datetime) -> None:
        """Write what became of letters into the ledger, and into the log."""
        waiting = {letter.id: letter for letter in self._post.waiting()}
        known = [(waiting[each.id], each) for each in told if each.id in waiting]
        later, lost = [], []
        for letter, each in known:
            if each.ok:
                continue
            if each.final or self._is_too_old(letter, now):
                lost.append(letter.id)
            elif each.tried:
                later.append((letter.id, now + pause(letter.tries + 1)))
        self._post.settle(
            [letter.id for letter, each in known if each.ok],
            later=later,
            lost=lost,
            left=[each.id for _, each in known if not each.tried and each.id not in lost],
        )
        for letter, each in known:
            _tell(letter, each, dropped=letter.id in lost)

    def _failed(self, queue: Queue, error: str) -> None:
        queue.failures += 1
        rest = pause(queue.failures)
        queue.rested = self._clock.monotonic() + rest.total_seconds()
        log.warning("%s: %s; tried again in %s", queue.name, error, show_duration(rest))

    def _is_too_old(self, letter: Waiting, now: datetime) -> bool:
        patience = PING_PATIENCE if letter.way == PING else PATIENCE
        return now - letter.entered > patience


def _tell(letter: Waiting, told: Told, *, dropped: bool) -> None:
    """A line of the log on what became of a letter."""
    if told.ok:
        log.debug("%s: a notice of %s is delivered", letter.way, letter.job)
    if dropped:
        log.error("%s: a notice of %s is dropped: %s", letter.way, letter.job, told.error)
    elif told.error:
        level = logging.WARNING if told.ok else logging.DEBUG
        log.log(level, "%s: a notice of %s: %s", letter.way, letter.job, told.error)


def _lives(letter: Waiting) -> bool:
    """Whether the process that had the letter in hand is at it still."""
    process = tree.look(letter.pid or 0)
    return process is not None and process.started == letter.pid_started
