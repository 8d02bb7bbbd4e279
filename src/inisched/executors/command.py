"""Shell commands: /bin/sh in a session of its own, spawned straight from the loop."""

from __future__ import annotations

import os
import signal
import subprocess
from datetime import UTC
from pathlib import Path

from inisched.executors.kept import cut_message
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
        env=os.environ | told(task),
        start_new_session=True,
        bufsize=0,
    )
    codes = task.job.success_codes
    return Running(process, lambda run: _outcome(run, codes), output_limit=task.job.output_limit)


def told(task: Task) -> dict[str, str]:
    """What a command learns of its run, by environment."""
    values: dict[str, str | None] = {
        "JOB": task.job.name,
        "RUN_ID": str(task.run_id),
        "SCHEDULED_FOR": task.scheduled_for.astimezone(UTC).isoformat(),
        "ATTEMPT": str(task.attempt),
        "PERIOD_START": task.period_start.isoformat() if task.period_start else None,
        "PERIOD_END": task.period_end.isoformat() if task.period_end else None,
        "OVERRIDE": "1" if task.override else None,
    }
    return {f"INISCHED_{name}": value for name, value in values.items() if value is not None}


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
    if code >= 0:
        return f"exit code {code}"
    try:
        return f"killed by {signal.Signals(-code).name}"
    except ValueError:
        return f"killed by signal {-code}"
