"""Picks the executor of a task, and keeps secrets out of what comes back."""

from __future__ import annotations

from collections.abc import Sequence
from functools import cached_property
from pathlib import Path

from msgspec import Struct
from msgspec.structs import replace

from inisched.executors import tree
from inisched.executors.callback import run_inline, start_call
from inisched.executors.command import start_command
from inisched.executors.kept import mask
from inisched.executors.request import absolute
from inisched.executors.running import Running, Task
from inisched.executors.zygote.keeper import ZygoteKeeper
from inisched.model.job import Command, Executor
from inisched.model.run import Outcome


class Executors(Struct, frozen=True, dict=True):
    """Carries tasks out for one file, whose folder is their working directory.

    Callbacks are forked by `keeper` where it can; without one each has a fresh interpreter.
    """

    folder: Path
    python_path: Sequence[str]
    keeper: ZygoteKeeper | None = None

    @cached_property
    def paths(self) -> tuple[str, ...]:
        """`python_path`, absolute: where callbacks inside the daemon come from."""
        return absolute(self.python_path, self.folder)

    def start(self, task: Task) -> Running | Outcome:
        """Start an attempt; an Outcome at once where it ran inside the daemon.

        Raises OSError where no process can be made.
        """
        secrets, is_command = task.job.secrets, isinstance(task.job.action, Command)
        if task.job.executor is Executor.INLINE and not is_command:
            ended = run_inline(task, folder=self.folder, python_path=self.paths)
            return masked(ended, secrets)
        since = tree.ticks()
        if is_command:
            started = start_command(task, folder=self.folder)
        else:
            started = self._forked(task) or start_call(
                task, folder=self.folder, python_path=self.python_path
            )
        for stream in (started.stdout, started.stderr):
            stream.hide(secrets)
        started.mark, started.since = task.mark, since
        started.veil = lambda outcome: masked(outcome, secrets)
        return started

    def _forked(self, task: Task) -> Running | None:
        return self.keeper.start(task) if self.keeper is not None else None


def masked(outcome: Outcome, secrets: tuple[str, ...]) -> Outcome:
    """The outcome without the values that stood behind references."""
    if not secrets:
        return outcome
    return replace(
        outcome,
        stdout=mask(outcome.stdout, secrets),
        stderr=mask(outcome.stderr, secrets),
        message=mask(outcome.message.encode(), secrets).decode(),
        output=mask(outcome.output.encode(), secrets).decode(),
    )
