"""What one section of the file asks for."""

from __future__ import annotations

from datetime import timedelta
from enum import Enum
from typing import ClassVar

from msgspec import Struct, field

from inisched.model.guarded import Guarded
from inisched.model.notifier import Notices
from inisched.model.place import Place
from inisched.model.run import FAILURES, SUCCESSES, State
from inisched.model.schedule import Schedule


class Executor(Enum):
    """What carries a run out."""

    PROCESS = "process"
    INLINE = "inline"


class Misfire(Enum):
    """What becomes of fires taken up more than `grace` late."""

    COALESCE = "coalesce"
    SKIP = "skip"
    ALL = "all"


class Overlap(Enum):
    """What a fire does that finds its job still running."""

    SKIP = "skip"
    QUEUE = "queue"
    REPLACE = "replace"
    ALLOW = "allow"


class Period(Enum):
    """The stretch of days a report is about; it ended on the day before its fire."""

    DAY = "day"
    WEEK = "week"
    MONTH = "month"


class Ending(Enum):
    """How a run must have ended to count for those that follow it."""

    SUCCESS = "success"
    FAILURE = "failure"
    FINISHED = "finished"

    def takes(self, state: State) -> bool:
        """Whether a run that ended so counts; only success and failure are ends of their own."""
        good, bad = state in SUCCESSES, state in FAILURES
        return {"success": good, "failure": bad, "finished": good or bad}[self.value]


class Pool(Struct, frozen=True):
    """Places that jobs share: `max` of them, and how long a fire waits for one (None: no limit)."""

    max: int = 1
    wait: timedelta | None = None


class Retry(Struct, frozen=True):
    """Further attempts of a fire after a failure or timeout."""

    retries: int = 0
    delay: timedelta = timedelta(seconds=60)
    backoff: float = 2.0
    max_delay: timedelta = timedelta(hours=1)

    def pause(self, attempt: int) -> timedelta:
        """How long to wait after that attempt, counted from 1, has ended."""
        if not self.delay:
            return self.delay
        steps = min(attempt - 1, 64)
        factor = min(self.backoff**steps, self.max_delay / self.delay)
        return min(self.delay * factor, self.max_delay)


class Surroundings(Guarded, frozen=True, kw_only=True):
    """What a run finds around it. None: as the daemon has it; `cwd` None: the file's folder."""

    hidden: ClassVar = frozenset({"env"})

    cwd: str | None = None
    env: tuple[tuple[str, str], ...] = ()
    env_file: str | None = None
    run_as: str | None = None
    umask: int | None = None
    nice: int | None = None
    memory_limit: int | None = None


class Argument(Struct, frozen=True):
    """A keyword argument of a callback as the file gives it, before conversion.

    `text` is the value with its references replaced, `shown` what a view may print. `key` is
    the key as written (`arg.x` or `x`), `place` where its value starts and `key_place` where the
    key itself stands.
    """

    name: str
    text: str
    shown: str
    key: str
    place: Place
    from_default: bool = False
    key_place: Place | None = None


class Call(Struct, frozen=True):
    """A Python callback: `module` and the attribute path in it, as far as the text tells.

    `target` is the text of the file, references replaced. With `pkg.mod:func` the border is known;
    with `pkg.mod.func` the longest importable front part is the module. `place` is where it stands.
    `shown` is what a view may print where that is not the target itself, else "". A `gate` is
    asked a question: it is passed only what it names.
    """

    target: str
    arguments: tuple[Argument, ...] = ()
    place: Place | None = None
    shown: str = ""
    gate: bool = False


class Command(Struct, frozen=True, gc=False):
    """A line or script for /bin/sh."""

    script: str


class DjangoSettings(Struct, frozen=True):
    """The settings module of a Django project, and the key that names it.

    `place` is where the value starts; None for one from the daemon's environment. `shown` is as
    in Call.
    """

    module: str
    key: str = ""
    place: Place | None = None
    shown: str = ""


class Manage(Struct, frozen=True):
    """A Django management command: its name and its arguments, as a shell would split them.

    `text` is the value as the file has it, and `place` where it stands.
    """

    words: tuple[str, ...]
    settings: DjangoSettings
    text: str = ""
    place: Place | None = None

    @property
    def name(self) -> str:
        return self.words[0]

    @property
    def shown(self) -> str:
        """What a view calls it."""
        return f"manage {self.name}"

    @property
    def target(self) -> str:
        """Names what a run needs imported; never the target of a callback."""
        return f"manage {self.name} of {self.settings.module}"


Action = Call | Command | Manage


class Gates(Struct, frozen=True, kw_only=True):
    """What a fire passes before it starts, and how long it waits. None: no such gate, no limit.

    `after` and `future` are names of jobs; a `future` one is met where this job never ran.
    """

    should_run: Call | None = None
    ready: Call | None = None
    ready_every: timedelta = timedelta(minutes=15)
    override_after: timedelta | None = None
    after: tuple[str, ...] = ()
    after_on: Ending = Ending.SUCCESS
    future: tuple[str, ...] = ()
    wait_limit: timedelta | None = None

    @property
    def upstream(self) -> tuple[str, ...]:
        """All jobs that are followed, each once, in the order of the file."""
        return tuple(dict.fromkeys((*self.after, *self.future)))


class Job(Guarded, frozen=True, kw_only=True, gc=False):
    """One job. Durations are never negative; None means: none, no limit."""

    hidden: ClassVar = frozenset({"secrets"})

    name: str
    place: Place
    action: Action
    schedule: Schedule
    active: bool = True
    description: str = ""
    executor: Executor = Executor.PROCESS
    run_at_start: bool = False
    grace: timedelta = timedelta(seconds=60)
    misfire: Misfire = Misfire.COALESCE
    max_catchup: int = 1000
    output_limit: int = 64 * 1024
    success_codes: tuple[int, ...] = (0,)
    overlap: Overlap = Overlap.SKIP
    pool: str | None = None
    timeout: timedelta | None = None
    kill_after: timedelta = timedelta(seconds=5)
    retry: Retry = Retry()
    rerun_interrupted: bool = False
    linger: bool = False
    around: Surroundings = Surroundings()
    gates: Gates = Gates()
    report_period: Period | None = None
    then: tuple[str, ...] = ()
    then_on: Ending = Ending.SUCCESS
    notices: Notices = field(default_factory=Notices)
    secrets: tuple[str, ...] = ()
