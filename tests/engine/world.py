"""An engine in a small world: a real ledger file, an injected clock, runs that end when told."""

from __future__ import annotations

from dataclasses import dataclass
from datetime import UTC, datetime, timedelta
from pathlib import Path
from typing import Any

from inisched.config.loader import Config, load
from inisched.engine import switching
from inisched.engine.audience import Setting
from inisched.engine.change import Action, Change
from inisched.engine.engine import Engine
from inisched.engine.herald import Herald
from inisched.engine.nursery import Departed
from inisched.engine.recovery import recover
from inisched.executors.returned import NO, YES
from inisched.executors.running import Task
from inisched.model.event import Event
from inisched.model.job import Call
from inisched.model.run import Outcome, State
from inisched.stores.history import History, Row
from inisched.stores.ledger import Ledger

START = datetime(2026, 11, 20, 10, 0, 0, tzinfo=UTC)


@dataclass
class FakeRun:
    """A run without a process; it ends as `ends` says."""

    task: Task
    ends: Outcome
    pid: int = 1
    started: int = 0

    def outcome(self) -> Outcome:
        return self.ends


def said(value: object) -> Outcome:
    """How a question ends that was answered so; a text says what went wrong."""
    if isinstance(value, str):
        return Outcome(state=State.FAILURE, exit_code=1, message=value)
    words = {True: YES, False: NO, None: ""}[value]  # type: ignore[index]
    return Outcome(state=State.SUCCESS, exit_code=0, output=words)


class World:
    """One INI file and its daemons, one after the other."""

    def __init__(
        self,
        folder: Path,
        text: str,
        *,
        start: datetime = START,
        settings: str = "max_running = 2",
    ) -> None:
        self.file = folder / "jobs.ini"
        self.settings = settings
        self.started: list[tuple[str, str]] = []
        self.outcome: Outcome | OSError = Outcome(state=State.SUCCESS, exit_code=0)
        self.asked: list[tuple[str, str]] = []
        self.now = start
        self.write(text)
        self.ledger = Ledger(self.config.database, full=False)
        self.begin()

    def write(self, text: str) -> None:
        self.file.write_text(f"[inisched]\ntimezone = UTC\n{self.settings}\n{text}")

    @property
    def config(self) -> Config:
        return load(self.file, strict_references=True)

    # -- what happens --------------------------------------------------------------------------

    def begin(self) -> None:
        """A daemon starts."""
        config = self.config
        self.told_to_end: list[int] = []
        self.know(config)
        self.engine = Engine(
            self.ledger,
            self._start,
            max_running=config.settings.max_running,
            pools=config.pools,
            end=self.told_to_end.append,
            ask=self._ask,
            herald=self.herald,
            stopwatch=lambda: 0.0,
        )
        waiting = recover(self.ledger, None, config, self.now, herald=self.herald)
        self.engine.adopt(config.jobs, self.now)
        unfinished = switching.begin(self.engine, self.now)
        self.engine.resume(waiting)
        for change in unfinished:
            switching.take_effect(self.engine, change, self.now)
        self.engine.look(self.now, at_start=True)

    def restart(self, **later: float) -> None:
        """The daemon dies, and comes back so much later."""
        self.ledger.close()
        self.now += timedelta(**later)
        self.ledger = Ledger(self.config.database, full=False)
        self.begin()

    def know(self, config: Config) -> None:
        """A daemon knows who hears of things, and what they have been told."""
        self.herald = Herald(self.ledger.post)
        self.heed(config)
        self.herald.recall()

    def heed(self, config: Config) -> None:
        """The file says who hears of things."""
        changed = lambda job, worked, took: ("something",)  # noqa: E731
        sentry = config.settings.sentry_dsn is not None
        self.herald.heed(Setting(config.notifiers, sentry, "/srv/jobs.ini", "here", changed))

    @property
    def letters(self) -> list[tuple[str, str]]:
        """What is on its way, in order: the way and what it tells."""
        waiting = self.ledger.post.waiting()
        events = [self.ledger.post.event(letter.id) for letter in waiting]
        return [
            (one.way, event.kind.value) for one, event in zip(waiting, events, strict=True) if event
        ]

    def letter(self, number: int = -1) -> Event:
        """One letter whole."""
        event = self.ledger.post.event(self.ledger.post.waiting()[number].id)
        assert event is not None
        return event

    def reload(self, text: str) -> None:
        self.write(text)
        self.heed(self.config)
        self.engine.adopt(self.config.jobs, self.now)

    def go(self, **later: float) -> None:
        """Time passes, and the daemon looks once."""
        self.now += timedelta(**later)
        self.engine.look(self.now)

    def throw(self, action: str, job: str | None = None, **more: Any) -> bool:
        """Ann throws a switch."""
        change = Change(action=Action(action), by="ann", job=job, **more)
        self.engine.look(self.now)
        done = change.enter(self.ledger.switches, self.now)
        if done:
            switching.take_effect(self.engine, change, self.now)
        return done

    def end(self, job: str, *, timed_out: bool = False) -> None:
        """The oldest run of the job ends now."""
        run_id = next(n for n, run in self.engine.runs.items() if run.seat.job.name == job)
        self.engine.ended(Departed(run_id, ago=0.0, timed_out=timed_out, left=0), self.now)
        self.engine.look(self.now)

    def answer(self, job: str, value: object) -> None:
        """The job's gate answers the question under way; a text says what went wrong."""
        run_id = next(n for n, q in self.engine.waiting.questions.items() if q.seat.job.name == job)
        self.engine.waiting.questions[run_id].running.ends = said(value)  # type: ignore[attr-defined]
        self.engine.waiting.answered(Departed(-run_id, ago=0.0, timed_out=False, left=0))
        self.engine.look(self.now)

    def _ask(self, task: Task, call: Call) -> FakeRun:
        self.asked.append((call.target, f"{task.scheduled_for:%H:%M:%S}"))
        return FakeRun(task, said(None))

    def _start(self, task: Task) -> FakeRun:
        if isinstance(self.outcome, OSError):
            raise self.outcome
        state = self.row(task.run_id)["state"]
        assert state == "running", f"started while its row says {state}"
        self.started.append((task.job.name, f"{task.scheduled_for:%H:%M:%S}"))
        return FakeRun(task, self.outcome)

    # -- what is to be seen --------------------------------------------------------------------

    def rows(self, job: str | None = None) -> list[Row]:
        """The ledger, oldest first."""
        history = History(self.config.database)
        try:
            return history.rows(job)[::-1]
        finally:
            history.close()

    def row(self, run_id: int) -> Row:
        return next(row for row in self.rows() if row["id"] == run_id)

    def account(self, job: str | None = None) -> list[str]:
        """The ledger in short, oldest first: "10:10:00 success schedule"."""
        return [_short(row) for row in self.rows(job)]


def _short(row: Row) -> str:
    fire = row["fire_at"][11:19]
    if row["fire_until"] is None:
        return f"{fire} {row['state']} {row['trigger']}"
    return f"{fire} to {row['fire_until'][11:19]} {row['reason']} x{row['count']}"
