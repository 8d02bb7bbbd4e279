"""The daemon forks its callbacks, and nothing of that outlives it."""

from __future__ import annotations

import json
import os
import signal
import sys
from collections.abc import Callable
from typing import Any

import pytest

from inisched.executors.running import process_start
from story.site import Site, stop

pytestmark = pytest.mark.skipif(sys.platform != "linux", reason="there is a zygote on Linux only")

Make = Callable[..., Site]

JOB = "[inisched]\npreload = heavy\n[a]\ncall = jobs.f\nevery = 1 second\n"
CODE = "import os, sys\ndef f(): return repr(('old', os.getppid(), 'heavy' in sys.modules))\n"


def outputs(site: Site) -> list[tuple[str, int, bool]]:
    """What the runs returned that have ended well, oldest first."""
    ended = [row["id"] for row in site.rows() if row["state"] == "success"]
    return [returned(site, run) for run in ended]


def returned(site: Site, run: int) -> Any:
    shown = json.loads(site.inisched("show", str(run), "--json").stdout)
    return eval(shown["result"]["output"])


def forked(site: Site, daemon: int, code: str = "old") -> int:
    """The zygote that a run was forked from, once one was."""

    def last() -> int | None:
        word, parent, early = next(iter(outputs(site)[-1:]), ("", 0, False))
        return parent if (word, early) == (code, True) and parent != daemon else None

    found = site.wait(last)
    assert isinstance(found, int)
    return found


def test_callbacks_are_forked_and_changed_code_is_taken_up(site: Make) -> None:
    s = site(JOB, jobs=CODE, heavy="")
    with s.daemon() as daemon:
        old = forked(s, daemon.pid)
        (s.folder / "jobs.py").write_text(CODE.replace("old", "new!"))
        new = forked(s, daemon.pid, "new!")
        assert stop(daemon) == 0
    assert [process_start(pid) for pid in (old, new)] == [0, 0]
    assert "warning" not in s.log


def test_the_zygote_leaves_with_a_daemon_that_was_killed(site: Make) -> None:
    s = site(JOB, jobs=CODE, heavy="")
    with s.daemon() as daemon:
        zygote = forked(s, daemon.pid)
        stop(daemon, signal.SIGKILL)
        s.wait(lambda: process_start(zygote) == 0)


def test_the_daemon_goes_on_when_its_zygote_is_killed(site: Make) -> None:
    s = site(JOB, jobs=CODE, heavy="")
    with s.daemon() as daemon:
        zygote = forked(s, daemon.pid)
        os.kill(zygote, signal.SIGKILL)
        s.wait(lambda: forked(s, daemon.pid) != zygote)
        assert stop(daemon) == 0
