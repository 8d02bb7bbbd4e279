"""Under a real supervisord, with the block of contrib/supervisord.conf: restarted when it dies,
stopped in good order, one tenant beside another.
"""

import configparser
import contextlib
import importlib.util
import json
import os
import shutil
import signal
import subprocess
import sys
import tempfile
import time
import xmlrpc.client
from collections.abc import Callable, Iterator
from dataclasses import dataclass
from pathlib import Path
from typing import Any, TypeVar

import pytest

if importlib.util.find_spec("supervisor") is None:
    pytest.skip(
        "the package 'supervisor' is not installed (it comes with inisched[test])",
        allow_module_level=True,
    )

CONTRIB = Path(__file__).parents[2] / "contrib"
PATIENCE = 30.0
"""Seconds until something that should happen is given up."""

INI = """\
[beat]
command = echo beating
every = 1 second
"""

T = TypeVar("T")


def eventually(question: Callable[[], T | None], why: str) -> T:
    """The first true answer; the question is asked again until PATIENCE runs out."""
    end = time.monotonic() + PATIENCE
    while not (answer := question()):
        assert time.monotonic() < end, f"{why}: still not after {PATIENCE:.0f} s"
        time.sleep(0.05)
    return answer


def is_alive(pid: int) -> bool:
    """True for a process that runs; a zombie has ended."""
    try:
        return Path(f"/proc/{pid}/stat").read_text().rpartition(")")[2].split()[0] != "Z"
    except OSError:
        return False


def inisched(*words: str | Path) -> subprocess.CompletedProcess[str]:
    return subprocess.run(
        [sys.executable, "-P", "-m", "inisched", *words],
        capture_output=True,
        text=True,
        timeout=PATIENCE,
        check=False,
    )


@dataclass
class Supervisor:
    """A supervisord of our own with the tenants it looks after."""

    folder: Path
    proxy: xmlrpc.client.ServerProxy

    @property
    def server(self) -> Any:
        return self.proxy.supervisor

    def state(self, tenant: str) -> str:
        return str(self.info(tenant)["statename"])

    def info(self, tenant: str) -> dict[str, Any]:
        return dict(self.server.getProcessInfo(f"inisched-{tenant}"))

    def start(self, tenant: str) -> int:
        """Start the daemon and wait until supervisord calls it running; its pid."""
        self.server.startProcess(f"inisched-{tenant}", False)
        eventually(lambda: self.state(tenant) != "STARTING", f"{tenant} starts")
        assert self.state(tenant) == "RUNNING", self.log(tenant)
        return int(self.info(tenant)["pid"])

    def stop(self, tenant: str) -> None:
        self.server.stopProcess(f"inisched-{tenant}")

    def log(self, tenant: str) -> str:
        return "".join(p.read_text() for p in sorted(self.folder.glob(f"{tenant}.*.log")))

    def ini(self, tenant: str) -> Path:
        return self.folder / f"{tenant}.ini"

    def history(self, tenant: str) -> list[dict[str, Any]]:
        """The ledger as the command line tells it, newest first."""
        done = inisched("history", "beat", "-n", "1000", "--json", "-P", self.ini(tenant))
        assert done.returncode == 0, done.stderr
        return list(json.loads(done.stdout))

    def successes(self, tenant: str) -> int:
        return sum(row["state"] == "success" for row in self.history(tenant))


def tenant_block(folder: Path, tenant: str) -> str:
    """The block of contrib/ with its name, paths and user changed, as its first lines ask."""
    text = (CONTRIB / "supervisord.conf").read_text()
    path = os.environ["PATH"]
    changes = {
        "command": folder / "scheduler.sh",
        "directory": folder,
        "user": None,
        "autostart": "false",  # the test says when
        "startsecs": "1",
        "environment": ",".join(
            (
                'PYTHONUNBUFFERED="1"',
                f'PATH="{path}"',
                f'INISCHED_VENV="{folder}/venv"',
                f'INISCHED_SOURCE="{folder}"',
                f'INISCHED_PATH="{folder}/{tenant}.ini"',
            )
        ),
        "stdout_logfile": folder / f"{tenant}.out.log",
        "stderr_logfile": folder / f"{tenant}.err.log",
    }
    block = configparser.RawConfigParser(delimiters=("=",), comment_prefixes=(";",))
    block.read_string(text)
    lines = [f"[program:inisched-{tenant}]"]
    for key, value in block.items("program:inisched-example"):
        new = changes.get(key, value)
        lines += [] if new is None else [f"{key}={new}"]
    return "\n".join(lines)


def lay_out(folder: Path, tenants: tuple[str, ...]) -> Path:
    """Write what a deploy would: INI files, virtualenv, start script, supervisord.conf."""
    # What activate does for scheduler.sh: it makes this test's `inisched` the one that is found.
    activate = folder / "venv" / "bin" / "activate"
    activate.parent.mkdir(parents=True)
    activate.write_text(f'PATH="{folder}/venv/bin:$PATH"\nexport PATH\n')
    start = activate.with_name("inisched")
    start.write_text(f'#!/bin/sh\nexec "{sys.executable}" -P -m inisched "$@"\n')
    start.chmod(0o755)
    shutil.copy(CONTRIB / "scheduler.sh", folder)
    for tenant in tenants:
        (folder / f"{tenant}.ini").write_text(INI)
    conf = folder / "supervisord.conf"
    conf.write_text(
        f"""\
[unix_http_server]
file={folder}/s.sock
[supervisord]
directory={folder}
logfile={folder}/supervisord.log
pidfile={folder}/supervisord.pid
childlogdir={folder}
nodaemon=true
{f"user={os.geteuid()}" if os.geteuid() == 0 else ""}
[rpcinterface:supervisor]
supervisor.rpcinterface_factory = supervisor.rpcinterface:make_main_rpcinterface
"""
        + "\n".join(tenant_block(folder, tenant) for tenant in tenants)
    )
    return conf


@pytest.fixture
def supervisor() -> Iterator[Supervisor]:
    """supervisord with the tenants "one" and "two", not started yet; nothing of it stays."""
    # Not tmp_path: the path of a socket must be short.
    folder = Path(tempfile.mkdtemp(prefix="inisched-"))
    conf = lay_out(folder, ("one", "two"))
    process = subprocess.Popen(
        [sys.executable, "-m", "supervisor.supervisord", "-c", conf],
        stdin=subprocess.DEVNULL,
        stdout=subprocess.DEVNULL,
        stderr=subprocess.DEVNULL,
    )
    try:
        proxy = eventually(lambda: reach(folder), "supervisord answers")
        yield Supervisor(folder, proxy)
        proxy("close")()
    finally:
        end(process, folder)
        shutil.rmtree(folder)


def reach(folder: Path) -> xmlrpc.client.ServerProxy | None:
    """A connection to supervisord; None while nobody answers."""
    from supervisor.xmlrpc import SupervisorTransport  # type: ignore[import-untyped]

    transport = SupervisorTransport(None, None, f"unix://{folder}/s.sock")
    proxy = xmlrpc.client.ServerProxy("http://localhost", transport=transport)
    try:
        proxy.supervisor.getState()
    except OSError:
        proxy("close")()
        return None
    return proxy


def end(process: subprocess.Popen[bytes], folder: Path) -> None:
    """TERM lets supervisord stop its daemons; if it cannot, they are ended by their pids."""
    process.terminate()
    try:
        process.wait(PATIENCE)
    except subprocess.TimeoutExpired:
        process.kill()
        process.wait()
        for lock in folder.glob("*.lock"):
            with contextlib.suppress(OSError, ValueError, KeyError):
                os.kill(json.loads(lock.read_text())["pid"], signal.SIGKILL)


def test_a_killed_daemon_is_started_again_and_its_rhythm_goes_on(supervisor: Supervisor) -> None:
    first = supervisor.start("one")
    before = eventually(lambda: supervisor.successes("one"), "a first run succeeds")
    os.kill(first, signal.SIGKILL)
    second = eventually(
        lambda: supervisor.state("one") == "RUNNING" and supervisor.info("one")["pid"] != first,
        "supervisord starts it again",
    )
    assert second
    eventually(lambda: supervisor.successes("one") > before + 1, "runs go on")
    fires = [row["fire_at"] for row in supervisor.history("one") if row["attempt"] == 1]
    assert len(fires) == len(set(fires))


def test_a_stop_drains_and_ends_with_exit_code_0(supervisor: Supervisor) -> None:
    pid = supervisor.start("one")
    eventually(lambda: supervisor.successes("one"), "a first run succeeds")
    supervisor.stop("one")
    assert (supervisor.state("one"), supervisor.info("one")["exitstatus"]) == ("STOPPED", 0)
    assert not is_alive(pid)
    assert {row["state"] for row in supervisor.history("one")} <= {"success", "stopped"}


def test_two_tenants_run_side_by_side(supervisor: Supervisor) -> None:
    pids = {supervisor.start("one"), supervisor.start("two")}
    assert len(pids) == 2
    eventually(lambda: supervisor.successes("one"), "one runs its job")
    eventually(lambda: supervisor.successes("two"), "two runs its job")
    supervisor.stop("one")
    after = supervisor.successes("two")
    eventually(lambda: supervisor.successes("two") > after, "two goes on without one")


def test_a_second_daemon_for_the_same_file_says_who_has_it(supervisor: Supervisor) -> None:
    pid = supervisor.start("one")
    done = inisched("run", "-P", supervisor.ini("one"))
    assert done.returncode == 5
    assert f"already running: pid {pid} on " in done.stderr
    assert supervisor.info("one")["pid"] == pid


def test_the_block_of_contrib_leaves_the_daemon_time_to_drain() -> None:
    block = configparser.RawConfigParser(delimiters=("=",), comment_prefixes=(";",))
    block.read(CONTRIB / "supervisord.conf")
    program = block["program:inisched-example"]
    assert program["autorestart"] == "true"
    assert program["stopasgroup"] == "false"
    assert program["killasgroup"] == "true"
    assert int(program["stopwaitsecs"]) > 30 + 5
