"""What the daemon answers to each question that comes in by its socket."""

from __future__ import annotations

import logging
import os
from collections.abc import Callable
from datetime import datetime, timedelta
from typing import Any, Protocol

from msgspec import Struct

from inisched.config.drawing import draw, summary
from inisched.config.judged import errors
from inisched.config.loader import Config
from inisched.engine.change import Change
from inisched.engine.clock import Clock
from inisched.engine.control import Message, NotUnderstood
from inisched.engine.engine import Engine
from inisched.engine.figures import figures
from inisched.engine.messenger import Told
from inisched.engine.postman import Postman
from inisched.engine.pruning import Pruner
from inisched.model.duration import LONGEST
from inisched.stores.ledger import LedgerDown

log = logging.getLogger("inisched")


class Reading(Struct, frozen=True):
    """How the last reading of the file came out; `problem` says why it is not in force."""

    config: Config
    problem: str = ""


class Served(Protocol):
    """The daemon, as far as questions go."""

    config: Config
    engine: Engine
    pruner: Pruner
    postman: Postman
    clock: Clock
    since: datetime
    heartbeat: datetime
    reading: Reading | None
    """None while the file is being read."""

    @property
    def hindrance(self) -> str:
        """Why nothing can be started: "starting", "stopping", or "" where it can."""

    def read_again(self) -> None:
        """Begin to read the file."""

    def switched(self, change: Change, now: datetime) -> None:
        """Go by a change that is in the ledger."""


class Refused(Exception):
    """The answer is no: a word for programs, a sentence for people."""

    def __init__(self, error: str, message: str) -> None:
        super().__init__(message)
        self.error = error


_HINDRANCES = {
    "starting": "the daemon is only just starting",
    "stopping": "the daemon is about to stop",
}


class Answers:
    """Called with a question, returns its answer; raises NotUnderstood."""

    def __init__(self, daemon: Served) -> None:
        self._daemon = daemon
        self._doors: dict[str, Callable[[Message], Message]] = {
            "trigger": self._trigger,
            "stop": self._stop,
            "reload": self._reload,
            "reading": self._reading,
            "status": self._status,
            "environment": self._environment,
            "record": self._record,
            "prune": self._prune,
            "pruning": self._pruning,
            "switch": self._switch,
            "delivered": self._delivered,
            "metrics": self._metrics,
        }

    def __call__(self, question: Message) -> Message:
        door = self._doors.get(_text(question, "ask"))
        if door is None:
            raise NotUnderstood
        try:
            return door(question)
        except Refused as no:
            return {"error": no.error, "message": str(no)}
        except LedgerDown as error:
            return {"error": "not_now", "message": f"the ledger cannot be written: {error}"}

    def _trigger(self, question: Message) -> Message:
        name, delay = _text(question, "job"), _number(question, "delay_ms")
        if not 0 <= delay <= LONGEST / timedelta(milliseconds=1):
            raise NotUnderstood
        self._must_be_free("starting", "stopping")
        daemon = self._daemon
        if name not in daemon.engine.seats:
            if any(section.name == name for section in daemon.config.broken):
                raise Refused("broken", f"'{name}' is broken in the file; see inisched validate")
            raise Refused("unknown", f"there is no job '{name}'")
        if daemon.engine.gates.held:
            raise Refused("not_now", "not now: all is held")
        now = daemon.clock.now()
        run_id, refused = daemon.engine.trigger(name, now, timedelta(milliseconds=delay))
        return {"run": run_id, "refused": refused}

    def _stop(self, question: Message) -> Message:
        run_id, by = _number(question, "run"), _text(question, "by")
        self._must_be_free("starting")
        return {"stopped": self._daemon.engine.stop(run_id, by[:80])}

    def _reload(self, question: Message) -> Message:
        if self._daemon.config.settings.reload == "never":
            raise Refused("not_now", "the file is not read again, for reload = never")
        self._must_be_free("stopping")
        self._daemon.read_again()
        return {}

    def _reading(self, question: Message) -> Message:
        """How the reading came out; to be asked until it is done."""
        reading = self._daemon.reading
        if reading is None:
            return {"done": False}
        config = reading.config
        jobs, fine = len(config.sections), len(config.jobs)
        return {
            "done": True,
            "ok": not reading.problem and not errors(config.diagnostics),
            "problem": reading.problem,
            "drawn": draw(config.diagnostics),
            "summary": summary(config.diagnostics, file=config.path, jobs=jobs, fine=fine),
        }

    def _status(self, question: Message) -> Message:
        engine = self._daemon.engine
        outage = bool(engine.outage)
        return {"running": list(engine.runs), "waiting": waiting(engine), "outage": outage}

    def _environment(self, question: Message) -> Message:
        return {"environment": dict(os.environ), "user": os.geteuid()}

    def _record(self, question: Message) -> Message:
        try:
            from inisched.engine.rehearsal import Rehearsal

            run = Rehearsal.unpacked(question["run"])
        except (ValueError, KeyError, TypeError):
            raise NotUnderstood from None
        record = self._daemon.engine.ledger.record
        return {"run": record(run.fire, run.outcome, started=run.started, ended=run.ended)}

    def _prune(self, question: Message) -> Message:
        """Begins a pass; `pruning` is to be asked until it is done."""
        self._must_be_free("starting", "stopping")
        keep = self._daemon.config.settings.retention
        if keep is None:
            text = "everything is kept while [inisched] has an error; see inisched validate"
            raise Refused("broken", text)
        self._daemon.pruner.ask(keep)
        return {}

    def _pruning(self, question: Message) -> Message:
        """How far the latest pass has come."""
        self._must_be_free("stopping")
        pruner, outage = self._daemon.pruner, self._daemon.engine.outage
        if pruner.trouble or (outage and not pruner.done):
            raise LedgerDown(pruner.trouble or "the log says why")
        rows, outputs = pruner.gone
        return {"done": pruner.done, "rows": rows, "outputs": outputs}

    def _switch(self, question: Message) -> Message:
        """Throw a switch; whether anything was there to be switched.

        What has come due by now is taken up before. A daemon that only just starts, or is about
        to stop, leaves it to the ledger: it counts from the start on, or for the next one.
        """
        try:
            change = Change.unpacked(question["change"])
        except (ValueError, KeyError, TypeError):
            raise NotUnderstood from None
        daemon, now = self._daemon, self._daemon.clock.now()
        busy = bool(daemon.hindrance)
        if not busy:
            daemon.engine.look(now)
        done = change.enter(daemon.engine.ledger.switches, now)
        log.info("%s", change)
        if done and not busy:
            daemon.switched(change, now)
        return {"done": done}

    def _delivered(self, question: Message) -> Message:
        """A process that outlived its daemon tells what became of its letters."""
        try:
            told = [Told(**each) for each in question["told"]]
        except (KeyError, TypeError):
            raise NotUnderstood from None
        self._daemon.postman.handed_over(told)
        return {}

    def _metrics(self, question: Message) -> Message:
        """A page of the daemon's numbers, from the job of that number on."""
        first = _number(question, "first")
        if first < 0:
            raise NotUnderstood
        return figures(self._daemon, first)

    def _must_be_free(self, *hindrances: str) -> None:
        found = self._daemon.hindrance
        if found in hindrances:
            raise Refused("starting" if found == "starting" else "not_now", _HINDRANCES[found])


def waiting(engine: Engine) -> list[tuple[int, str]]:
    """The ids of attempts that wait, and for what; one asked for later does not wait yet."""
    engine.count_places()
    found = []
    for seat in engine.seats.values():
        for place, entry in enumerate(seat.line):
            shut = engine.gates.shut(seat, entry) if place == 0 else "line"
            found.append((entry.run_id, shut or "line"))
        found += [(e.run_id, "retry") for e in seat.pending.values() if e.attempt > 1]
        found += [(seat.held[0].run_id, "hold")] if seat.held is not None else []
    return found


def _text(question: Message, name: str) -> str:
    value: Any = question.get(name)
    if not isinstance(value, str):
        raise NotUnderstood
    return value


def _number(question: Message, name: str) -> int:
    value: Any = question.get(name)
    if type(value) is not int or not -(2**63) <= value < 2**63:
        raise NotUnderstood
    return value
