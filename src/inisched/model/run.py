"""A run: one attempt to carry out a fire, and the row that tells of it."""

from __future__ import annotations

from datetime import date, datetime, timedelta
from enum import Enum

from msgspec import Struct


class State(Enum):
    """Where a run stands; the first two are on their way, the rest are ends."""

    __hash__ = object.__hash__  # an Enum's own asks Python for it at each look into a set

    WAITING = "waiting"
    RUNNING = "running"
    SUCCESS = "success"
    WARNING = "warning"
    FAILURE = "failure"
    TIMEOUT = "timeout"
    INTERRUPTED = "interrupted"
    STOPPED = "stopped"
    SKIPPED = "skipped"


SUCCESSES = frozenset({State.SUCCESS, State.WARNING})
FAILURES = frozenset({State.FAILURE, State.TIMEOUT})
"""What else a run may end as is neither."""


class Reason(Enum):
    """Why a fire did not run (or why a run was stopped)."""

    MISFIRE = "misfire"
    COALESCED = "coalesced"
    OVERLAP = "overlap"
    SHOULD_RUN = "should_run"
    NOT_READY = "not_ready"
    DEPENDENCY = "dependency"
    POOL = "pool"
    HELD = "held"
    PAUSED = "paused"
    DISABLED = "disabled"
    REMOVED = "removed"
    SKIP = "skip"
    REPLACED = "replaced"


class Trigger(Enum):
    """What brought a run about."""

    SCHEDULE = "schedule"
    CATCHUP = "catchup"
    RETRY = "retry"
    MANUAL = "manual"
    THEN = "then"
    START = "start"


class Fire(Struct, frozen=True, kw_only=True):
    """One moment at which a job is meant to run.

    `at` is the moment the rhythm, grace and account go by; `moved` is the same moment after
    jitter, and what people see. `period` are the first and the last day a report is about;
    `override`: it runs although its data is not ready.
    """

    job: str
    at: datetime
    moved: datetime
    trigger: Trigger = Trigger.SCHEDULE
    period: tuple[date, date] | None = None
    override: bool = False


class Gap(Struct, frozen=True, kw_only=True):
    """A stretch of fires that did not run, and why: `first` to `last`, both inclusive.

    `exact` is False where counting stopped and `count` is a lower bound.
    """

    job: str
    first: datetime
    last: datetime
    count: int
    reason: Reason
    message: str = ""
    exact: bool = True


class Run(Struct, frozen=True, kw_only=True):
    """One row of the ledger as it is read back. Moments are aware UTC."""

    id: int
    job: str
    fire_at: datetime
    state: State
    trigger: Trigger
    attempt: int = 1
    era: int = 0
    fire_until: datetime | None = None
    count: int = 1
    reason: Reason | None = None
    started_at: datetime | None = None
    ended_at: datetime | None = None
    exit_code: int | None = None
    message: str = ""
    period_start: date | None = None
    period_end: date | None = None
    override: bool = False

    @property
    def duration(self) -> timedelta | None:
        """From start to end; None while one of the two is missing."""
        if self.started_at is None or self.ended_at is None:
            return None
        return self.ended_at - self.started_at


class Outcome(Struct, frozen=True, kw_only=True):
    """How an executor saw a run end.

    `status`, `message` and `output` are the callback's own words where it said any. Streams are
    what was kept of them, `*_total` how many bytes there were.
    """

    state: State
    exit_code: int | None = None
    message: str = ""
    output: str = ""
    reason: Reason | None = None
    stdout: bytes = b""
    stderr: bytes = b""
    stdout_total: int = 0
    stderr_total: int = 0
