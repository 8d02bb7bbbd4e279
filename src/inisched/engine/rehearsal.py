"""A job run here and now by the daemon's own code, outside of any daemon: what `test` does."""

from __future__ import annotations

import os
import selectors
import signal
from base64 import b64decode, b64encode
from collections.abc import Callable, Iterator
from datetime import date, datetime
from typing import Any

from msgspec import Struct
from msgspec.structs import replace

from inisched.engine.clock import Clock
from inisched.engine.endings import concluded
from inisched.engine.nursery import GLANCE, Nursery
from inisched.engine.signals import Signals
from inisched.executors.asking import Answer, answer, question
from inisched.executors.running import Running, Task
from inisched.executors.starting import Executors
from inisched.executors.tree import adopt_orphans
from inisched.model.job import Call, Job
from inisched.model.run import Fire, Outcome, Reason, State, Trigger
from inisched.timing.period import period_of

NO_RUN = 0
"""The id of a run that has no row."""

HURRIED = 2.0
"""Seconds between TERM and KILL once somebody has asked twice."""

Echo = Callable[[bytes], object]
Days = tuple[date, date]


class Rehearsal(Struct, frozen=True, kw_only=True):
    """A run that took place. `stopped`: somebody broke it off."""

    fire: Fire
    outcome: Outcome
    started: datetime
    ended: datetime
    stopped: bool = False

    def packed(self) -> dict[str, Any]:
        """As JSON takes it."""
        outcome = self.outcome
        return {
            "job": self.fire.job,
            "fire_at": self.fire.moved.isoformat(),
            "period": [day.isoformat() for day in self.fire.period] if self.fire.period else None,
            "started": self.started.isoformat(),
            "ended": self.ended.isoformat(),
            "state": outcome.state.value,
            "reason": outcome.reason.value if outcome.reason else None,
            "exit_code": outcome.exit_code,
            "message": outcome.message,
            "output": outcome.output,
            "stdout": b64encode(outcome.stdout).decode(),
            "stderr": b64encode(outcome.stderr).decode(),
            "stdout_total": outcome.stdout_total,
            "stderr_total": outcome.stderr_total,
        }

    @classmethod
    def unpacked(cls, packed: dict[str, Any]) -> Rehearsal:
        """Raises ValueError, KeyError or TypeError for what `packed` did not make."""
        outcome = Outcome(
            state=State(packed["state"]),
            reason=Reason(packed["reason"]) if packed["reason"] else None,
            exit_code=None if packed["exit_code"] is None else int(packed["exit_code"]),
            message=str(packed["message"]),
            output=str(packed["output"]),
            stdout=b64decode(packed["stdout"]),
            stderr=b64decode(packed["stderr"]),
            stdout_total=int(packed["stdout_total"]),
            stderr_total=int(packed["stderr_total"]),
        )
        return cls(
            fire=asked_for(
                str(packed["job"]), _moment(packed["fire_at"]), _days(packed.get("period"))
            ),
            outcome=outcome,
            started=_moment(packed["started"]),
            ended=_moment(packed["ended"]),
        )


def _moment(text: str) -> datetime:
    moment = datetime.fromisoformat(text)
    if moment.tzinfo is None:
        raise ValueError("a moment needs an offset")
    return moment


def _days(packed: list[str] | None) -> Days | None:
    if packed is None:
        return None
    first, last = packed
    return date.fromisoformat(first), date.fromisoformat(last)


def asked_for(job: str, moment: datetime, period: Days | None = None) -> Fire:
    """The fire of a person who wants the job run for that moment."""
    return Fire(job=job, at=moment, moved=moment, trigger=Trigger.MANUAL, period=period)


class Asked(Struct, frozen=True):
    """A gate that was asked, by its key. `stopped`: somebody broke it off."""

    key: str
    gate: Call
    answer: Answer
    stopped: bool = False


def inquire(
    job: Job, moment: datetime, executors: Executors, clock: Clock, *, out: Echo, err: Echo
) -> Iterator[Asked]:
    """Ask the job's gates for that moment, one after the other, as `rehearse` runs it."""
    task = _task(job, _fire(job, moment))
    for key, gate in (("ready", job.gates.ready), ("should_run", job.gates.should_run)):
        if gate is not None:
            outcome, stopped = _carried_out(question(task, gate), executors, clock, out, err)
            yield Asked(key, gate, answer(outcome), stopped)


def is_ready(job: Job, fire: Fire, executors: Executors, clock: Clock) -> Asked:
    """Ask only whether the job is ready for the fire; nobody hears what the gate prints, and it
    leaves no bytecode behind."""
    assert job.gates.ready is not None
    around = replace(job.around, env=(*job.around.env, ("PYTHONDONTWRITEBYTECODE", "1")))
    task = question(_task(replace(job, around=around), fire), job.gates.ready)
    outcome, stopped = _carried_out(task, executors, clock, _unheard, _unheard)
    return Asked("ready", job.gates.ready, answer(outcome), stopped)


def _unheard(data: bytes) -> None:
    pass


def rehearse(
    job: Job, moment: datetime, executors: Executors, clock: Clock, *, out: Echo, err: Echo
) -> Rehearsal:
    """Run the job for that moment and wait for its end; `out` and `err` hear it live.

    TERM and INT end it as the daemon would, a second one hurries.
    """
    fire, started = _fire(job, moment), clock.now()
    outcome, stopped = _carried_out(_task(job, fire), executors, clock, out, err)
    return Rehearsal(
        fire=fire, outcome=outcome, started=started, ended=clock.now(), stopped=stopped
    )


def _fire(job: Job, moment: datetime) -> Fire:
    days = job.report_period and period_of(job.report_period, moment, job.schedule.zone)
    return asked_for(job.name, moment, days)


def _task(job: Job, fire: Fire) -> Task:
    return replace(Task.of(NO_RUN, job, fire), mark=f"test:{os.getpid()}")


def _carried_out(
    task: Task, executors: Executors, clock: Clock, out: Echo, err: Echo
) -> tuple[Outcome, bool]:
    """Start the task and wait for its end; how it ended, and whether it was broken off."""
    try:
        running = executors.start(task)
    except OSError as error:
        message = f"could not start: {error.strerror or error}"
        return Outcome(state=State.FAILURE, message=message), False
    if isinstance(running, Outcome):
        out(running.stdout)
        err(running.stderr)
        return running, False
    running.stdout.echo, running.stderr.echo = out, err
    return _attended(running, task.job, clock)


def _attended(running: Running, job: Job, clock: Clock) -> tuple[Outcome, bool]:
    """Wait for the run and for what it left behind; how it ended, and whether it was broken off."""
    adopt_orphans()
    stopped, outcome = False, None
    selector = selectors.DefaultSelector()
    nursery = Nursery(selector, clock)
    nursery.adopt(NO_RUN, running, job)
    try:
        with selector, Signals(selector) as signals:
            while outcome is None or running.members():
                for departed in nursery.departed():
                    outcome = concluded(running.outcome(), departed, job)
                patience = nursery.patience() if outcome is None else GLANCE
                for key, _ in selector.select(patience):
                    key.data(key.fd)
                if outcome is None and {signal.SIGTERM, signal.SIGINT} & set(signals.taken()):
                    nursery.end(NO_RUN, HURRIED if stopped else None)
                    stopped = True
    finally:
        running.signal_tree(signal.SIGKILL)
    if stopped:
        outcome = replace(outcome, state=State.STOPPED, message="broken off", reason=None)
    return outcome, stopped
