"""What systemd hears, and what the daemon's children must not."""

from __future__ import annotations

import math
import os
import socket
from collections.abc import Callable, Iterator
from pathlib import Path

import pytest

from inisched.engine.systemd import Systemd

Heard = Callable[[], list[str]]


@pytest.fixture
def manager(tmp_path: Path) -> Iterator[tuple[str, Heard]]:
    """An address to notify, and what has been heard there."""
    with socket.socket(socket.AF_UNIX, socket.SOCK_DGRAM) as ear:
        ear.bind(str(tmp_path / "notify"))
        ear.setblocking(False)
        yield str(tmp_path / "notify"), lambda: _all(ear)


def _all(ear: socket.socket) -> list[str]:
    heard = []
    while True:
        try:
            heard.append(ear.recv(4096).decode())
        except BlockingIOError:
            return heard


def test_each_turn_of_its_life_is_told(manager: tuple[str, Heard]) -> None:
    address, heard = manager
    systemd = Systemd({"NOTIFY_SOCKET": address})
    systemd.ready()
    systemd.stopping()
    assert heard() == ["READY=1", "STOPPING=1"]


def test_reloading_tells_its_moment_too(manager: tuple[str, Heard]) -> None:
    address, heard = manager
    Systemd({"NOTIFY_SOCKET": address}).reloading()
    [told] = heard()
    first, second = told.split("\n")
    assert first == "RELOADING=1"
    assert second.removeprefix("MONOTONIC_USEC=").isdecimal()


def test_a_status_is_told_only_when_it_has_changed(manager: tuple[str, Heard]) -> None:
    address, heard = manager
    systemd = Systemd({"NOTIFY_SOCKET": address})
    for text in ("1 job, 0 running", "1 job, 0 running", "1 job, 1 running"):
        systemd.status(text)
    assert heard() == ["STATUS=1 job, 0 running", "STATUS=1 job, 1 running"]


def test_signs_of_life_come_at_half_of_what_is_allowed(manager: tuple[str, Heard]) -> None:
    address, heard = manager
    systemd = Systemd({"NOTIFY_SOCKET": address, "WATCHDOG_USEC": "3000000"})
    patience = []
    for now in (10.0, 10.5, 11.4, 11.5, 12.0):
        systemd.beat(now)
        patience.append(systemd.patience(now))
    assert heard() == ["WATCHDOG=1"] * 2
    assert patience == pytest.approx([1.5, 1.0, 0.1, 1.5, 1.0])


def test_a_watchdog_meant_for_another_process_gets_no_sign(manager: tuple[str, Heard]) -> None:
    address, heard = manager
    theirs = {"NOTIFY_SOCKET": address, "WATCHDOG_USEC": "3000000", "WATCHDOG_PID": "1"}
    systemd = Systemd(theirs)
    systemd.beat(10.0)
    assert (heard(), systemd.patience(10.0)) == ([], math.inf)


def test_a_watchdog_meant_for_this_process_gets_its_sign(manager: tuple[str, Heard]) -> None:
    address, heard = manager
    mine = {"NOTIFY_SOCKET": address, "WATCHDOG_USEC": "3000000", "WATCHDOG_PID": str(os.getpid())}
    Systemd(mine).beat(10.0)
    assert heard() == ["WATCHDOG=1"]


def test_an_abstract_address_is_understood() -> None:
    with socket.socket(socket.AF_UNIX, socket.SOCK_DGRAM) as ear:
        name = f"inisched-test-{os.getpid()}"
        ear.bind("\0" + name)
        Systemd({"NOTIFY_SOCKET": "@" + name}).ready()
        ear.settimeout(10)
        assert ear.recv(100) == b"READY=1"


def test_what_is_meant_for_the_daemon_leaves_the_environment() -> None:
    environment = {
        "NOTIFY_SOCKET": "/run/x",
        "WATCHDOG_USEC": "1",
        "WATCHDOG_PID": "1",
        "PATH": "/bin",
    }
    Systemd(environment)
    assert environment == {"PATH": "/bin"}


@pytest.mark.parametrize("address", ["", "/nowhere/at/all", "vsock:2:1234", "@" * 300])
def test_a_manager_that_cannot_be_reached_is_no_trouble(address: str) -> None:
    Systemd({"NOTIFY_SOCKET": address}).ready()
