"""Jobs and tasks said in short, and a watch over a run until its process has ended."""

from __future__ import annotations

import select
import time
from datetime import UTC, datetime

from inisched.executors.running import Running, Task
from inisched.model.job import Action, Command, Job
from inisched.model.place import Place
from inisched.model.schedule import Every, Schedule

SCHEDULED = datetime(2026, 7, 1, 7, 30, tzinfo=UTC)


def task(action: Action | str, *, run_id: int = 17, attempt: int = 1, **job: object) -> Task:
    """An attempt at a job; text is the script of a command."""
    made = Job(
        name="sweep",
        place=Place("x.ini", 1, 1),
        action=Command(action) if isinstance(action, str) else action,
        schedule=Schedule(zone="Europe/Berlin", text="never", every=Every()),
        **job,  # type: ignore[arg-type]
    )
    return Task(run_id=run_id, job=made, scheduled_for=SCHEDULED, attempt=attempt)


def await_end(running: Running, *, seconds: float = 20) -> None:
    """Take what it says until its process has ended; pipes others hold open are not waited for."""
    until(lambda: running.exit_code() is not None, running, seconds=seconds)


def until(met: object, running: Running, *, seconds: float = 20) -> None:
    """Take what the run says until the condition is met."""
    assert callable(met)
    deadline = time.monotonic() + seconds
    while not met():
        assert time.monotonic() < deadline, "too late"
        ready, _, _ = select.select(list(running.streams), [], [], 0.01)
        if not ready:
            time.sleep(0.002)
        for descriptor in ready:
            running.read(descriptor)
