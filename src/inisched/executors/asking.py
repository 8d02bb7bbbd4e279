"""Gates asked: each in a process of its own, as what it was asked for would run."""

from __future__ import annotations

from datetime import timedelta

from msgspec import Struct
from msgspec.structs import replace

from inisched.executors.returned import NO, YES
from inisched.executors.running import Task
from inisched.model.job import Call, Executor, Gates, Retry
from inisched.model.run import Outcome, State

TIME_LIMIT = timedelta(seconds=30)
KILL_AFTER = timedelta(seconds=2)

OUTPUT_LIMIT = 4 * 1024
"""Bytes of each stream that are kept of what a gate prints."""


class Answer(Struct, frozen=True):
    """What a gate says. `yes` None: it gave no answer, and `words` say why ("returned None").

    `printed` is what it wrote meanwhile, to both streams.
    """

    yes: bool | None
    words: str = ""
    printed: str = ""


def question(task: Task, call: Call) -> Task:
    """The task that asks a gate before `task`: in its surroundings, told what it would be told."""
    job = replace(
        task.job,
        action=call,
        executor=Executor.PROCESS,
        timeout=TIME_LIMIT,
        kill_after=KILL_AFTER,
        success_codes=(0,),
        output_limit=OUTPUT_LIMIT,
        retry=Retry(),
        rerun_interrupted=False,
        linger=False,
        gates=Gates(),
        then=(),
    )
    return replace(task, job=job, mark=question_mark(task.mark))


def question_mark(mark: str) -> str:
    """The mark of whatever a gate starts: not the run's own, which ends by itself."""
    return f"{mark}:gate" if mark else ""


def answer(outcome: Outcome) -> Answer:
    """What the end of a question means: only a process that ended well has answered."""
    printed = b"\n".join(filter(None, (outcome.stdout.strip(), outcome.stderr.strip())))
    text = printed.decode("utf-8", "backslashreplace")
    if outcome.state is State.SUCCESS and outcome.output in (YES, NO):
        return Answer(outcome.output == YES, "", text)
    return Answer(None, outcome.message or "gave no answer", text)
