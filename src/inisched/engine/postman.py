"""Has the letters in the outbox delivered, each way by itself, and never waits for any of it."""

from __future__ import annotations

import logging
import selectors
from collections import Counter
from collections.abc import Callable, Iterable
from dataclasses import dataclass, field
from datetime import datetime, timedelta
from typing import Protocol

from inisched.config.loader import Config
from inisched.engine.addresses import Addresses
from inisched.engine.clock import Clock
from inisched.engine.herald import PING, Herald
from inisched.engine.messenger import Messenger, Told
from inisched.engine.outage import Outage
from inisched.engine.seat import Seat
from inisched.executors import tree
from inisched.model.duration import show_duration
from inisched.stores.ledger import Ledger, LedgerDown
from inisched.stores.post import Waiting

log = logging.getLogger("inisched")

LIMIT = 10.0
"""Seconds one process has for the letters it was given."""

MARGIN = 2.0
"""Seconds beyond that in which it can start, and tell."""

MOST_AT_ONCE = 6
"""Processes that deliver at a time; never two for one way."""

BATCH = 50
"""Letters one process is given."""

FIRST_PAUSE, LONGEST_PAUSE = timedelta(seconds=5), timedelta(minutes=10)
"""Until a way that failed is tried again; doubled each time."""

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


@dataclass(slots=True)
class _Way:
    """One way out: its letters, the oldest first, and how it does.

    `rested` is the monotonic moment from which on it is tried again.
    """

    name: str
    letters: list[Waiting] = field(default_factory=list)
    messenger: Messenger | None = None
    failures: int = 0
    rested: float = 0.0


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
        self._ways: dict[str, _Way] = {}
        self._told: list[tuple[_Way, Told]] = []
        self._elsewhere: list[Waiting] = []
        self._leaving: list[Messenger] = []
        self._again = 0.0

    @property
    def pids(self) -> set[int]:
        """The processes that deliver, and those that are about to end."""
        at_it = [way.messenger for way in self._ways.values() if way.messenger is not None]
        return {messenger.pid for messenger in (*at_it, *self._leaving)}

    @property
    def idle(self) -> bool:
        """Whether nothing is under way, and nothing could be now."""
        if self._post.changed or self._told or any(w.messenger for w in self._ways.values()):
            return False
        now, monotonic = self._clock.now(), self._clock.monotonic()
        return not any(self._due(way, now, monotonic) for way in self._ways.values())

    def patience(self) -> float:
        """Seconds until `look` must be called even if nothing moves."""
        monotonic, now = self._clock.monotonic(), self._clock.now()
        if self._engine.outage:
            return OUTAGE
        moments = [monotonic + GLANCE] if self._elsewhere or self._leaving else []
        moments += [monotonic] if self._post.changed or self._told else []
        full = len(self.pids) >= MOST_AT_ONCE
        for way in self._ways.values():
            if way.messenger is not None:
                moments.append(monotonic if way.messenger.finished else way.messenger.deadline)
            elif not full and (due := self._due_at(way)) is not None:
                moments.append(max(way.rested, monotonic + (due - now).total_seconds()))
        return max(0.0, self._again - monotonic, min(moments, default=monotonic + 3600) - monotonic)

    def look(self) -> None:
        """Hear of what was delivered, and hand out what is due."""
        monotonic = self._clock.monotonic()
        if self._engine.outage or monotonic < self._again:
            return
        try:
            self._end_those_that_hang(monotonic)
            self._settle()
            if self._post.changed or self._elsewhere:
                self._sort(self._post.waiting())
            self._leaving = [one for one in self._leaving if one.process.poll() is None]
            for way in list(self._ways.values()):
                if len(self.pids) < MOST_AT_ONCE:
                    self._hand_out(way, self._clock.now(), monotonic)
        except LedgerDown:
            self._again = monotonic + OUTAGE

    def handed_over(self, told: Iterable[Told]) -> None:
        """What a process that outlived its daemon has done. Raises LedgerDown."""
        way = _Way("")
        self._told += [(way, each) for each in told]
        self._settle()

    # -- sorting -------------------------------------------------------------------------------

    def _sort(self, letters: Iterable[Waiting]) -> None:
        for way in self._ways.values():
            way.letters = []
        self._elsewhere, lost, freed = [], [], []
        in_hand = {n for way in self._ways.values() if way.messenger for n in way.messenger.letters}
        for letter in letters:
            if letter.id in in_hand:
                continue
            if letter.pid is not None and _lives(letter):
                self._elsewhere.append(letter)
                continue
            freed += [letter.id] if letter.pid is not None else []
            name = self._addresses.way_of(letter)
            if name is None:
                lost.append(letter.id)
            else:
                self._ways.setdefault(name, _Way(name)).letters.append(letter)
        if freed:
            self._post.take_back(freed)
        if lost:
            log.warning("%d notice(s) are dropped: their way is no longer in the file", len(lost))
            self._post.settle((), later=(), lost=lost)
        self._post.changed = False

    # -- handing out ---------------------------------------------------------------------------

    def _due_at(self, way: _Way) -> datetime | None:
        """When the next letter of a way may go; None where none waits, or nobody takes it."""
        if not way.letters or self._addresses.of(way.letters[0]) is None:
            return None
        digest = self._addresses.digest(way.letters[0])
        if digest is not None:
            first = way.letters[0]
            return max(first.entered + digest, first.not_before)
        return min(letter.not_before for letter in way.letters)

    def _due(self, way: _Way, now: datetime, monotonic: float) -> list[Waiting]:
        due = self._due_at(way)
        if way.messenger is not None or monotonic < way.rested or due is None or due > now:
            return []
        if self._addresses.digest(way.letters[0]) is not None:
            return way.letters
        first = self._addresses.of(way.letters[0])
        ready = [letter for letter in way.letters if letter.not_before <= now]
        same = [letter for letter in ready if self._addresses.of(letter) == first]
        return (same or ready)[:BATCH]

    def _hand_out(self, way: _Way, now: datetime, monotonic: float) -> None:
        letters = self._due(way, now, monotonic)
        address = self._addresses.of(letters[0]) if letters else None
        if address is None:
            return
        letters = [letter for letter in letters if self._addresses.of(letter) == address]
        ledger = self._engine.ledger.id
        parcel = self._addresses.parcel(letters, address, self._post, ledger=ledger, limit=LIMIT)
        ids = [letter.id for letter in letters]
        try:
            messenger = Messenger(
                parcel, ids, self._engine.ledger.path, deadline=monotonic + LIMIT + MARGIN
            )
        except OSError as error:
            self._failed(way, f"no process can be started: {error.strerror or error}", monotonic)
            return
        way.messenger = messenger
        self._selector.register(messenger, selectors.EVENT_READ, lambda fd: self._hear(way))
        self._post.hand_out(ids, messenger.pid, messenger.started)
        messenger.begin()

    # -- hearing -------------------------------------------------------------------------------

    def _hear(self, way: _Way) -> None:
        messenger = way.messenger
        if messenger is None:
            return
        before = len(messenger.told)
        goes_on = messenger.hear()
        self._told += [(way, told) for told in messenger.told[before:]]
        if not goes_on:
            self._part(way, messenger.last_words() or "the process that delivers ended early")

    def _end_those_that_hang(self, monotonic: float) -> None:
        for way in self._ways.values():
            messenger = way.messenger
            if messenger and not messenger.finished and monotonic >= messenger.deadline:
                self._part(way, f"no answer within {LIMIT:g} s")

    def _part(self, way: _Way, error: str) -> None:
        """The process has told all it will; of the rest of its letters nothing is known."""
        messenger = way.messenger
        assert messenger is not None
        known = {told.id for told in messenger.told}
        rest = [number for number in messenger.letters if number not in known]
        self._told += [(way, Told(number, False, error)) for number in rest]
        self._selector.unregister(messenger)
        messenger.finished = True
        if rest:
            messenger.end()

    def _settle(self) -> None:
        """Enter what became of letters. Raises LedgerDown, and then it is entered later."""
        if self._told:
            self._enter(self._told)
            self._told = []
        for way in self._ways.values():
            if way.messenger is not None and way.messenger.finished:
                way.messenger.known()
                way.messenger.close()
                self._leaving.append(way.messenger)
                way.messenger = None

    def _enter(self, told: list[tuple[_Way, Told]]) -> None:
        now, monotonic = self._clock.now(), self._clock.monotonic()
        worked = {id(way) for way, each in told if each.ok}
        for name, number in Counter(way.name for way, each in told if each.ok).items():
            log.info("%s: %d notice(s) delivered", name or "outbox", number)
        waiting = {letter.id: letter for letter in self._post.waiting()}
        later, lost = [], []
        for way, each in told:
            if each.ok and each.error:
                log.warning("%s: %s", way.name, each.error)
        for way in {id(way): way for way, _ in told}.values():
            failed = [each for other, each in told if other is way and not each.ok]
            if failed and id(way) not in worked:
                self._failed(way, failed[0].error, monotonic)
            elif failed:
                log.warning("%s: %s", way.name, failed[0].error)
            if id(way) in worked:
                way.failures = 0
            for each in failed:
                letter = waiting.get(each.id)
                if letter is None:
                    continue
                if each.final or self._is_too_old(letter, now):
                    log.error(
                        "%s: a notice of %s is dropped: %s", letter.way, letter.job, each.error
                    )
                    lost.append(each.id)
                else:
                    later.append((each.id, now + _pause(max(way.failures, letter.tries + 1))))
        self._post.settle([each.id for _, each in told if each.ok], later=later, lost=lost)

    def _failed(self, way: _Way, error: str, monotonic: float) -> None:
        way.failures += 1
        pause = _pause(way.failures)
        way.rested = monotonic + pause.total_seconds()
        log.warning("%s: %s; tried again in %s", way.name, error, show_duration(pause))

    def _is_too_old(self, letter: Waiting, now: datetime) -> bool:
        patience = PING_PATIENCE if letter.way == PING else PATIENCE
        return now - letter.entered > patience


def _pause(failures: int) -> timedelta:
    doublings: int = min(max(failures, 1) - 1, 10)
    return min(FIRST_PAUSE * (1 << doublings), LONGEST_PAUSE)


def _lives(letter: Waiting) -> bool:
    """Whether the process that had the letter in hand is at it still."""
    process = tree.look(letter.pid or 0)
    return process is not None and process.started == letter.pid_started
