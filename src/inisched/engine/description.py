"""Events made of what the engine knows: whole, with the same fields in good times and bad."""

from __future__ import annotations

import shlex
from datetime import datetime, timedelta
from typing import Any
from zoneinfo import ZoneInfo

from msgspec import Struct

from inisched.engine.run import Run
from inisched.model.event import Event, Kind
from inisched.model.job import Job
from inisched.model.run import Outcome
from inisched.stores.claims import Claimed

LINES, LONGEST_LINE = 40, 500
"""How many lines of each stream an event has, and how many characters of each."""


class Description(Struct, frozen=True):
    """Describes what happens to the jobs of the file at `path`, on this host."""

    path: str
    host: str

    def of_run(
        self, kind: Kind, run: Run, outcome: Outcome, ended: datetime, **facts: Any
    ) -> Event:
        """A run that has ended."""
        return self.of_entry(
            kind,
            run.seat.job,
            run.claimed,
            ended,
            state=outcome.state,
            reason=outcome.reason,
            started_at=run.started,
            ended_at=ended,
            duration=max(timedelta(0), ended - run.started),
            exit_code=outcome.exit_code,
            message=outcome.message,
            stdout=tail(outcome.stdout),
            stderr=tail(outcome.stderr),
            result=outcome.output,
            **facts,
        )

    def of_entry(self, kind: Kind, job: Job, entry: Claimed, at: datetime, **facts: Any) -> Event:
        """An attempt at a fire."""
        fire = entry.fire
        start, end = fire.period or (None, None)
        return self.event(
            kind,
            job,
            at,
            run=entry.run_id,
            fire_at=fire.moved,
            trigger=fire.trigger,
            attempt=entry.attempt,
            period_start=start,
            period_end=end,
            override=fire.override,
            **facts,
        )

    def event(self, kind: Kind, job: Job, at: datetime, **facts: Any) -> Event:
        """Anything of a job."""
        zone = job.schedule.zone
        return Event(
            kind=kind,
            at=at,
            job=job.name,
            description=job.description,
            zone=zone,
            again=_again(job.name, self.path, facts.get("fire_at"), zone),
            file=self.path,
            host=self.host,
            **facts,
        )


def tail(stream: bytes) -> str:
    """The last lines of what was kept of a stream."""
    lines = stream.decode(errors="backslashreplace").splitlines()[-LINES:]
    return "\n".join(
        f"{line[:LONGEST_LINE]}…" if len(line) > LONGEST_LINE else line for line in lines
    )


def _again(job: str, path: str, fire_at: datetime | None, zone: str) -> str:
    words = ["inisched", "test", *([] if job.startswith("-") else [job]), "-P", path]
    if fire_at is not None:
        words += ["--at", fire_at.astimezone(ZoneInfo(zone)).isoformat(timespec="seconds")]
    return shlex.join([*words, "--", job] if job.startswith("-") else words)
