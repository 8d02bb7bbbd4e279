"""Shell commands: /bin/sh in a session of its own, spawned straight from the loop."""

from __future__ import annotations

import os
import subprocess
from datetime import UTC
from pathlib import Path

from inisched.executors.kept import cut_message
from inisched.executors.returned import signal_name
from inisched.executors.running import Running, Task
from inisched.model.job import Command
from inisched.model.run import Outcome, State


def start_command(task: Task, *, folder: Path) -> Running:
    """Start a command job. Raises OSError where the process cannot be made."""
    assert isinstance(task.job.action, Command)
    process = subprocess.Popen(
        ["/bin/sh", "-c", task.job.action.script],
        stdin=subprocess.DEVNULL,
        stdout=subprocess.PIPE,
        stderr=subprocess.PIPE,
        cwd=folder,
        env=environment(task),
        start_new_session=True,
        bufsize=0,
    )
    codes = task.job.success_codes
    return Running(process, lambda run: _outcome(run, codes), output_limit=task.job.output_limit)


def environment(task: Task) -> dict[str, str]:
    """The daemon's environment, and what a command learns of its run by it.

    Nothing stays of what the daemon was told itself, where a run had started it.
    """
    told: dict[str, str | None] = {
        "INISCHED_JOB": task.job.name,
        "INISCHED_RUN_ID": str(task.run_id),
        "INISCHED_SCHEDULED_FOR": task.scheduled_for.astimezone(UTC).isoformat(),
        "INISCHED_ATTEMPT": str(task.attempt),
        "INISCHED_PERIOD_START": task.period_start.isoformat() if task.period_start else None,
        "INISCHED_PERIOD_END": task.period_end.isoformat() if task.period_end else None,
        "INISCHED_OVERRIDE": "1" if task.override else None,
    }
    return {name: value for name, value in {**os.environ, **told}.items() if value is not None}


def _outcome(run: Running, success_codes: tuple[int, ...]) -> Outcome:
    code = run.process.returncode
    success = code in success_codes
    message = cut_message(run.stdout, run.stderr)
    if not success:
        message = exit_message(code)
    return Outcome(
        state=State.SUCCESS if success else State.FAILURE,
        exit_code=code,
        message=message,
        stdout=run.stdout.data(),
        stderr=run.stderr.data(),
        stdout_total=run.stdout.total,
        stderr_total=run.stderr.total,
    )


def exit_message(code: int) -> str:
    """Why a process failed: "exit code 3", "killed by SIGKILL"."""
    return f"exit code {code}" if code >= 0 else f"killed by {signal_name(-code)}"
