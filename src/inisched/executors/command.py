"""Shell commands: /bin/sh in a session of its own, spawned straight from the loop."""

from __future__ import annotations

import re
import subprocess
from datetime import UTC
from pathlib import Path
from typing import Any

from inisched.executors import surroundings
from inisched.executors.kept import cut_message
from inisched.executors.returned import signal_name
from inisched.executors.running import Running, Task
from inisched.executors.tree import MARK
from inisched.model.job import Command
from inisched.model.run import Outcome, State

_PLAIN = re.compile(r"[A-Za-z0-9_./:@%+,-][A-Za-z0-9_./:@%+,=-]*")
"""A word that a shell would hand on as it stands."""


def start_command(task: Task, *, folder: Path) -> Running:
    """Start a command job. Raises OSError where the process cannot be made."""
    assert isinstance(task.job.action, Command)
    around = task.job.around
    script = task.job.action.script
    shell = surroundings.wrapped(["/bin/sh", "-c", script], around)
    environment = surroundings.environment(around, folder, told(task))
    options = surroundings.options(around, folder)
    words = plain_words(script) if around.nice is None and around.memory_limit is None else []
    try:
        process = _spawn(words or shell, environment, options)
    except OSError:
        if not words:
            raise
        process = _spawn(shell, environment, options)  # the shell knows better, or says why not
    codes = task.job.success_codes
    return Running(process, lambda run: _outcome(run, codes), output_limit=task.job.output_limit)


def _spawn(
    argv: list[str], environment: dict[bytes, bytes], options: dict[str, Any]
) -> subprocess.Popen[bytes]:
    return subprocess.Popen(
        argv,
        stdin=subprocess.DEVNULL,
        stdout=subprocess.PIPE,
        stderr=subprocess.PIPE,
        env=environment,
        start_new_session=True,
        bufsize=0,
        **options,
    )


def plain_words(script: str) -> list[str]:
    """The words of a line that means the same without a shell: an absolute path and plain words.

    An empty list for every other script.
    """
    words = script.split(" ")
    if not script.startswith("/") or not all(_PLAIN.fullmatch(word) for word in words):
        return []
    return words


def told(task: Task) -> dict[str, str]:
    """What a command learns of its run, by environment."""
    facts: dict[str, str | None] = {
        "INISCHED_JOB": task.job.name,
        "INISCHED_RUN_ID": str(task.run_id),
        "INISCHED_SCHEDULED_FOR": task.scheduled_for.astimezone(UTC).isoformat(),
        "INISCHED_ATTEMPT": str(task.attempt),
        "INISCHED_PERIOD_START": task.period_start.isoformat() if task.period_start else None,
        "INISCHED_PERIOD_END": task.period_end.isoformat() if task.period_end else None,
        "INISCHED_OVERRIDE": "1" if task.override else None,
        MARK: task.mark or None,
    }
    return {name: value for name, value in facts.items() if value is not None}


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
