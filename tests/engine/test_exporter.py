"""The process that serves metrics is begun, begun again and ended; here it is a small fake."""

from __future__ import annotations

import logging
import os
import selectors
import signal
import time
from collections.abc import Callable, Iterator
from dataclasses import dataclass, field
from pathlib import Path

import pytest

from inisched.engine.exporter import Exporter
from inisched.model.address import Address

HERE = Address("127.0.0.1", 9090)

LISTENS = "import time\nprint('ready', flush=True)\ntime.sleep(600)\n"
REFUSES = "import sys\nsys.exit('Address already in use')\n"


@dataclass
class Stage:
    """An exporter of a fake module, a loop for it, and a clock that stands."""

    folder: Path
    now: float = 1000.0
    selector: selectors.BaseSelector = field(default_factory=selectors.DefaultSelector)

    def __post_init__(self) -> None:
        self.exporter = Exporter(
            self.selector, "fake_server", Path("/run/x.sock"), monotonic=lambda: self.now
        )

    def module(self, text: str) -> None:
        (self.folder / "fake_server.py").write_text(text)

    def until(self, happens: Callable[[], object]) -> None:
        """Turn the loop until that is true."""
        deadline = time.monotonic() + 20
        while not happens():
            assert time.monotonic() < deadline, "it did not come to pass"
            for key, _ in self.selector.select(0.01):
                key.data(key.fd)
            self.exporter.look()

    def die(self) -> None:
        """Turn the loop until the process is gone."""
        self.until(lambda: not self.exporter.pids)


@pytest.fixture
def stage(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Iterator[Stage]:
    monkeypatch.setenv("PYTHONPATH", str(tmp_path))
    made = Stage(tmp_path)
    yield made
    made.exporter.close()
    assert not made.selector.get_map()
    made.selector.close()


def test_nothing_is_begun_before_there_is_an_address(stage: Stage) -> None:
    stage.exporter.serve(None)
    stage.exporter.look()
    assert (stage.exporter.pids, stage.exporter.patience()) == (set(), 3600.0)


def test_it_is_told_where_to_listen_whom_to_ask_and_that_it_is_a_helper(stage: Stage) -> None:
    said = stage.folder / "said"
    stage.module(
        f"import os, sys\nopen({str(said)!r}, 'w').write("
        f"' '.join([*sys.argv[1:], os.environ['INISCHED_HELPER']]))\n{LISTENS}"
    )
    stage.exporter.serve(HERE)
    stage.until(said.exists)
    stage.until(lambda: said.read_text())
    assert said.read_text() == f"127.0.0.1 9090 /run/x.sock {os.getpid()} 1"


def test_it_says_where_metrics_are_once_they_are_there(
    stage: Stage, caplog: pytest.LogCaptureFixture
) -> None:
    caplog.set_level(logging.INFO, "inisched")
    stage.module(LISTENS)
    stage.exporter.serve(Address("::1", 9090))
    stage.until(lambda: caplog.messages)
    assert caplog.messages == ["metrics are served at http://[::1]:9090/metrics"]


def test_one_that_is_killed_comes_back_after_a_second(
    stage: Stage, caplog: pytest.LogCaptureFixture
) -> None:
    caplog.set_level(logging.INFO, "inisched")
    stage.module(LISTENS)
    stage.exporter.serve(HERE)
    stage.until(lambda: caplog.messages)
    [pid] = stage.exporter.pids
    os.kill(pid, signal.SIGKILL)
    stage.die()
    assert caplog.messages[1] == (
        "metrics cannot be served at 127.0.0.1:9090: the process for it ended: killed by SIGKILL; "
        "tried again in 1 s, then less often"
    )
    assert stage.exporter.patience() == 1.0
    stage.now += 1
    stage.until(lambda: len(caplog.messages) == 3)
    assert caplog.messages[2] == caplog.messages[0]
    assert stage.exporter.pids != {pid}


def test_one_that_cannot_listen_is_tried_again_less_and_less_often_and_that_is_said_once(
    stage: Stage, caplog: pytest.LogCaptureFixture
) -> None:
    stage.module(REFUSES)
    stage.exporter.serve(HERE)
    pauses = []
    for _ in range(3):
        stage.die()
        pauses.append(stage.exporter.patience())
        stage.now += pauses[-1]
        stage.exporter.look()
    assert pauses == [1.0, 2.0, 4.0]
    assert caplog.messages == [
        "metrics cannot be served at 127.0.0.1:9090: Address already in use; tried again in 1 s, "
        "then less often"
    ]


def test_the_same_address_changes_nothing_and_another_one_begins_afresh(stage: Stage) -> None:
    stage.module(LISTENS)
    stage.exporter.serve(HERE)
    former = stage.exporter.pids
    stage.exporter.serve(HERE)
    assert stage.exporter.pids == former
    stage.exporter.serve(Address("127.0.0.1", 9091))
    assert len(stage.exporter.pids - former) == 1
    with pytest.raises(ProcessLookupError):
        os.kill(*former, 0)


def test_without_an_address_it_ends(stage: Stage) -> None:
    stage.module(LISTENS)
    stage.exporter.serve(HERE)
    [pid] = stage.exporter.pids
    stage.exporter.serve(None)
    assert stage.exporter.pids == set()
    with pytest.raises(ProcessLookupError):
        os.kill(pid, 0)
