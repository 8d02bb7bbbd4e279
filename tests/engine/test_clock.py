"""How exactly the daemon sleeps."""

from __future__ import annotations

import subprocess
import sys
from datetime import UTC, datetime, timedelta

import pytest

from inisched.engine.clock import SystemClock


def test_until_a_moment_is_told_to_the_microsecond() -> None:
    clock = SystemClock()
    before = datetime.now(UTC)
    left = clock.until(before + timedelta(seconds=10))
    assert 10 - (datetime.now(UTC) - before).total_seconds() <= left <= 10


@pytest.mark.skipif(sys.platform != "linux", reason="timer slack is Linux's")
def test_what_is_started_after_a_sleep_has_the_usual_timers() -> None:
    slack = [sys.executable, "-c", "print(open('/proc/self/timerslack_ns').read())"]
    usual = subprocess.check_output(slack)
    SystemClock().sleep(0.001)
    assert subprocess.check_output(slack) == usual
