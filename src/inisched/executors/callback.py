"""Callbacks and management commands: each run in a fresh interpreter of its own.

It is told what to do on a file of its own.
"""

from __future__ import annotations

import os
import subprocess
import sys
from collections.abc import Sequence
from pathlib import Path
from typing import IO

from msgspec.structs import replace

from inisched.executors import surroundings
from inisched.executors.kept import Kept, cut_message
from inisched.executors.request import Request
from inisched.executors.returned import outcome, within
from inisched.executors.running import Running, Task
from inisched.executors.tree import MARK
from inisched.model.current import CurrentRun
from inisched.model.job import Action, Call, Manage
from inisched.model.run import Outcome

_COMMAND = (sys.executable, "-P", "-m", "inisched.executors.child")


def start_call(task: Task, *, folder: Path, python_path: Sequence[str]) -> Running:
    """Start a callback's process. Raises OSError where it cannot be made."""
    inner, result = os.pipe()
    try:
        with _unseen_file() as told:
            request = request_for(task, folder, python_path, result)
            told.write(request.encode())
            told.seek(0)
            around = task.job.around
            process = subprocess.Popen(
                surroundings.wrapped([*_COMMAND, str(told.fileno())], around),
                stdin=subprocess.DEVNULL,
                stdout=subprocess.PIPE,
                stderr=subprocess.PIPE,
                env=surroundings.environment(around, folder, {MARK: task.mark}),
                pass_fds=(told.fileno(), result),
                start_new_session=True,
                bufsize=0,
                **surroundings.options(around, folder),
            )
    except BaseException:
        os.close(inner)
        raise
    finally:
        os.close(result)
    return Running(
        process,
        lambda run: conclude(run, task),
        output_limit=task.job.output_limit,
        result=inner,
    )


def _unseen_file() -> IO[bytes]:
    """A file in memory where the system has such, so that no secret reaches a disk."""
    if hasattr(os, "memfd_create"):
        return open(os.memfd_create("inisched"), "w+b")
    from tempfile import TemporaryFile  # slow to import

    return TemporaryFile()


def run_inline(task: Task, *, folder: Path, python_path: Sequence[str]) -> Outcome:
    """Call it here, inside the daemon, and be back when it has ended. `python_path` is absolute."""
    from inisched.executors.inline import call_inline

    request = request_for(task, folder, python_path, None, resolved=True)
    ended = call_inline(request, success_codes=task.job.success_codes)
    if not (ended.stdout or ended.stderr or ended.output):
        return ended
    stdout, stderr = Kept(task.job.output_limit), Kept(task.job.output_limit)
    for stream, printed in ((stdout, ended.stdout), (stderr, ended.stderr)):
        stream.hide(task.job.secrets)
        stream.add(printed)
    message = ended.message or cut_message(stdout, stderr)
    kept = replace(ended, stdout=stdout.data(), stderr=stderr.data(), message=message)
    return within(kept, task.job.output_limit)


def request_for(
    task: Task,
    folder: Path,
    python_path: Sequence[str],
    result: int | None,
    *,
    resolved: bool = False,
) -> Request:
    """What the process of a run is told; `result` and `resolved` as in Request."""
    assert isinstance(task.job.action, Call | Manage)
    run = CurrentRun(
        id=task.run_id,
        job=task.job.name,
        scheduled_for=task.scheduled_for,
        attempt=task.attempt,
        period_start=task.period_start,
        period_end=task.period_end,
        override=task.override,
    )
    return Request(
        call=task.job.action,
        run=run,
        zone=task.job.schedule.zone,
        folder=folder,
        python_path=tuple(python_path),
        result_fd=result,
        mark=task.mark,
        resolved=resolved,
    )


def conclude(run: Running, task: Task) -> Outcome:
    """How a callback's run ended, its process being gone."""
    ended = outcome(
        run.result.data(),
        run.process.returncode,
        success_codes=task.job.success_codes,
        stdout=run.stdout.data(),
        stderr=run.stderr.data(),
        stdout_total=run.stdout.total,
        stderr_total=run.stderr.total,
        output_limit=run.stdout.limit,
        who="gate" if is_gate(task.job.action) else "callback",
    )
    return replace(ended, message=ended.message or cut_message(run.stdout, run.stderr))


def is_gate(action: Action) -> bool:
    return isinstance(action, Call) and action.gate
