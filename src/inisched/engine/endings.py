"""What a run's outcome is, once it is known how the nursery saw it go."""

from __future__ import annotations

from dataclasses import replace

from inisched.engine.nursery import Departed
from inisched.model.duration import show_duration
from inisched.model.job import Job
from inisched.model.run import Outcome, State


def concluded(outcome: Outcome, departed: Departed, job: Job) -> Outcome:
    """With what its process could not say: that it timed out, or left others behind."""
    if departed.timed_out and job.timeout is not None:
        message = f"timed out after {show_duration(job.timeout)}"
        return replace(outcome, state=State.TIMEOUT, message=message, reason=None)
    if departed.left:
        noun = "a process" if departed.left == 1 else f"{departed.left} processes"
        parts = (outcome.message, f"left {noun} behind, ended")
        return replace(outcome, message="; ".join(part for part in parts if part))
    return outcome
