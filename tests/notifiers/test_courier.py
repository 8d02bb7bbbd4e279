"""The courier: a process that delivers and tells of each letter by a line of JSON."""

from __future__ import annotations

import json
import os
import signal
import subprocess
import sys
import time
from pathlib import Path

from inisched.model.notifier import Pipe, Way, Webhook
from inisched.notifiers.courier import line
from inisched.notifiers.delivery import Done
from inisched.notifiers.wire import Parcel, pack
from notifiers.samples import other
from notifiers.web import Site, free_port

COURIER = [sys.executable, "-P", "-m", "inisched.notifiers.courier"]


def parcel(way: Way, *numbers: int, folder: Path = Path("/")) -> bytes:
    letters = tuple(other(number) for number in numbers or (1,))
    return pack(Parcel(way=way, letters=letters, folder=str(folder)))


def carried(data: bytes) -> subprocess.CompletedProcess[bytes]:
    return subprocess.run(COURIER, input=data, capture_output=True, timeout=20)


def test_each_letter_gets_its_line(site: Site) -> None:
    site.statuses = [200, 500, 400]
    done = carried(parcel(Webhook(site.url), 7, 8, 9))
    error = f"{site.url}: answered"
    assert [json.loads(line) for line in done.stdout.splitlines()] == [
        {"id": 7, "ok": True},
        {"id": 8, "ok": False, "error": f"{error} 500 Internal Server Error", "final": False}
        | {"tried": True},
        {"id": 9, "ok": False, "error": f"{error} 400 Bad Request", "final": True, "tried": True},
    ]
    assert (done.returncode, done.stderr) == (0, b"")


def test_where_nobody_is_there_the_rest_is_not_tried() -> None:
    port = free_port()
    done = carried(parcel(Webhook(f"http://127.0.0.1:{port}"), 7, 8))
    error = f"http://127.0.0.1:{port}: Connection refused"
    assert [json.loads(line) for line in done.stdout.splitlines()] == [
        {"id": 7, "ok": False, "error": error, "final": False, "tried": True},
        {"id": 8, "ok": False, "error": "", "final": False, "tried": False},
    ]


def test_a_line_comes_as_soon_as_its_letter_is_delivered(tmp_path: Path) -> None:
    os.mkfifo(tmp_path / "gate")
    pipe = Pipe("test -e first && cat gate; touch first")
    process = subprocess.Popen(COURIER, stdin=subprocess.PIPE, stdout=subprocess.PIPE)
    with process:
        assert process.stdin is not None
        assert process.stdout is not None
        process.stdin.write(parcel(pipe, 7, 8, folder=tmp_path))
        process.stdin.close()
        assert json.loads(process.stdout.readline()) == {"id": 7, "ok": True}
        assert process.poll() is None
        (tmp_path / "gate").write_text("go")
        assert json.loads(process.stdout.readline()) == {"id": 8, "ok": True}


def test_it_delivers_although_nobody_hears_of_it(tmp_path: Path) -> None:
    process = subprocess.Popen(
        COURIER, stdin=subprocess.PIPE, stdout=subprocess.PIPE, stderr=subprocess.PIPE
    )
    with process:
        assert process.stdin is not None
        assert process.stdout is not None
        process.stdout.close()
        process.stdin.write(parcel(Pipe("echo x >> got"), 1, 2, 3, folder=tmp_path))
        process.stdin.close()
        assert process.stderr is not None
        assert process.stderr.read() == b""
        assert process.wait(20) == 0
    assert (tmp_path / "got").read_text() == "x\nx\nx\n"


def test_it_delivers_without_any_standard_output(tmp_path: Path) -> None:
    (tmp_path / "parcel").write_bytes(parcel(Pipe("echo x >> got"), 1, 2, folder=tmp_path))
    words = " ".join(COURIER)
    subprocess.run(["/bin/sh", "-c", f"{words} < parcel >&-"], cwd=tmp_path, check=True, timeout=20)
    assert (tmp_path / "got").read_text() == "x\nx\n"


def test_what_is_no_parcel_is_refused_without_showing_it() -> None:
    done = carried(b'{"way": {"way": "webhook", "url": "http://secret"}}')
    assert (done.returncode, done.stdout) == (2, b"")
    assert done.stderr == b"courier: the request cannot be read: KeyError\n"


def test_it_stands_behind_the_jobs(tmp_path: Path) -> None:
    before = os.getpriority(os.PRIO_PROCESS, 0)
    carried(parcel(Pipe("ps -o ni= -p $$ > got || nice > got"), folder=tmp_path))
    assert int((tmp_path / "got").read_text()) == min(before + 10, 19)


def test_it_can_be_ended_by_signals_that_were_ignored_or_blocked(tmp_path: Path) -> None:
    def deaf() -> None:
        signal.signal(signal.SIGTERM, signal.SIG_IGN)
        signal.pthread_sigmask(signal.SIG_BLOCK, {signal.SIGTERM})

    process = subprocess.Popen(
        COURIER, stdin=subprocess.PIPE, stdout=subprocess.DEVNULL, preexec_fn=deaf
    )
    assert process.stdin is not None
    process.stdin.write(parcel(Pipe("touch there; sleep 3"), folder=tmp_path))
    process.stdin.close()
    deadline = time.monotonic() + 20
    while not (tmp_path / "there").exists():
        assert time.monotonic() < deadline
        time.sleep(0.01)
    process.terminate()
    assert process.wait(20) == -signal.SIGTERM


def test_it_imports_only_what_its_way_needs() -> None:
    script = (
        "import sys, inisched.notifiers.courier;"
        "print({'apprise', 'sentry_sdk', 'smtplib', 'http.client', 'sqlite3'} & set(sys.modules))"
    )
    done = subprocess.run([sys.executable, "-P", "-c", script], capture_output=True, check=True)
    assert done.stdout == b"set()\n"


def test_a_remark_about_a_delivered_letter_stands_in_its_line() -> None:
    text = '{"id": 7, "ok": true, "error": "gone@x is refused: 550 no"}'
    assert line(Done(7, True, "gone@x is refused: 550 no")) == text
