"""The daemon's socket: private, reachable however deep it lies, deaf to noise."""

from __future__ import annotations

import json
import os
import selectors
import socket
import threading
import time
from collections.abc import Callable, Iterator
from pathlib import Path

import pytest

from inisched.engine.control import (
    MOST_GUESTS,
    Control,
    Message,
    NotUnderstood,
    Unreachable,
    ask,
    socket_of,
)

BIG = 4_000_000
TURN = 0.01


def answer(question: Message) -> Message:
    if question.get("ask") == "big":
        return {"big": "x" * BIG}
    if "ask" not in question:
        raise NotUnderstood
    return {"heard": question["ask"]}


class Host:
    """A loop of its own around one control, in a thread."""

    def __init__(self, database: Path) -> None:
        self.path = socket_of(database)
        self.control = Control(database, selector := selectors.DefaultSelector(), answer)
        self.turns, self._selector, self._over = 0, selector, False
        self._thread = threading.Thread(target=self._loop)

    def _loop(self) -> None:
        while not self._over:
            for key, _ in self._selector.select(TURN):
                key.data(key.fd)
            self.turns += 1

    def __enter__(self) -> Host:
        self.control.__enter__()
        self._thread.start()
        return self

    def __exit__(self, *_: object) -> None:
        self._over = True
        self._thread.join()
        self.control.__exit__(None, None, None)
        self._selector.close()

    def guest(self) -> socket.socket:
        line = socket.socket(socket.AF_UNIX)
        line.settimeout(10)
        line.connect(str(self.path))
        return line


@pytest.fixture
def host(tmp_path: Path) -> Iterator[Host]:
    with Host(tmp_path / "jobs.db") as host:
        yield host


# -- where it lies


def test_a_question_is_answered(host: Host) -> None:
    assert ask(host.path, {"ask": "x"}) == {"heard": "x"}


def test_the_socket_lies_beside_the_database_for_its_owner_alone(
    host: Host, tmp_path: Path
) -> None:
    found = {path.name: oct(path.stat().st_mode) for path in tmp_path.iterdir()}
    assert found == {"jobs.sock": "0o140600"}


@pytest.mark.parametrize("name", ["deep/" * 40 + "jobs.db", "n" * 200 + ".db"], ids=len)
def test_a_path_longer_than_an_address_is_reached(tmp_path: Path, name: str) -> None:
    (tmp_path / name).parent.mkdir(parents=True, exist_ok=True)
    with Host(tmp_path / name) as host:
        assert ask(host.path, {"ask": "x"}) == {"heard": "x"}
    assert not host.path.exists()


def test_what_a_dead_daemon_left_is_replaced(tmp_path: Path) -> None:
    with socket.socket(socket.AF_UNIX) as dead:
        dead.bind(str(tmp_path / "jobs.sock"))
    with Host(tmp_path / "jobs.db") as host:
        assert ask(host.path, {"ask": "x"}) == {"heard": "x"}


def test_the_socket_is_gone_at_the_end(tmp_path: Path) -> None:
    with Host(tmp_path / "jobs.db"):
        pass
    assert list(tmp_path.iterdir()) == []


def test_what_lies_there_instead_by_then_is_left_alone(tmp_path: Path) -> None:
    with Host(tmp_path / "jobs.db") as host:
        host.path.unlink()
        host.path.write_text("somebody else's")
    assert host.path.read_text() == "somebody else's"


@pytest.mark.skipif(os.geteuid() != 0, reason="only root can give files away")
def test_what_root_makes_belongs_to_the_owner_of_the_database(tmp_path: Path) -> None:
    database = tmp_path / "jobs.db"
    database.touch()
    os.chown(database, 1234, 2345)
    with Host(database) as host:
        found = host.path.stat()
    assert (found.st_uid, found.st_gid) == (1234, 2345)


def test_where_no_socket_can_be_made_the_daemon_goes_on_and_says_so(
    tmp_path: Path, caplog: pytest.LogCaptureFixture
) -> None:
    with Host(tmp_path / "missing" / "jobs.db"):
        pass
    path = tmp_path / "missing" / "jobs.sock"
    assert caplog.messages == [
        f"no command can reach this daemon: {path}: No such file or directory"
    ]


# -- guests


NOISE = {
    "no JSON": b"\xff\xfe\x00\n",
    "no object": b"[1, 2]\n",
    "no question": b'{"a": 1}\n',
    "a nest": b"[" * 50_000 + b"\n",
    "a number without end": b'{"ask": ' + b"9" * 10_000 + b"}\n",
}


@pytest.mark.parametrize("noise", NOISE.values(), ids=NOISE)
def test_what_is_no_question_is_told_so(host: Host, noise: bytes) -> None:
    with host.guest() as guest:
        guest.sendall(noise)
        told = json.loads(guest.makefile().read())
    assert told == {
        "error": "not_understood",
        "message": "the daemon does not know this question",
    }


def test_a_guest_that_leaves_in_the_middle_of_a_word_disturbs_nobody(host: Host) -> None:
    with host.guest() as guest:
        guest.sendall(b'{"ask')
    assert ask(host.path, {"ask": "x"}) == {"heard": "x"}


def test_a_guest_that_does_not_wait_for_its_answer_disturbs_nobody(host: Host) -> None:
    with host.guest() as guest:
        guest.sendall(b'{"ask": "big"}\n')
    assert ask(host.path, {"ask": "x"}) == {"heard": "x"}


def test_a_guest_that_reads_slowly_holds_nobody_up_and_hears_it_all(host: Host) -> None:
    with host.guest() as slow:
        slow.sendall(b'{"ask": "big"}\n')
        assert ask(host.path, {"ask": "x"}) == {"heard": "x"}
        assert json.loads(slow.makefile().read()) == {"big": "x" * BIG}


def test_a_question_may_come_in_pieces(host: Host) -> None:
    with host.guest() as guest:
        for piece in (b'{"ask"', b': "x"', b"}\n"):
            guest.sendall(piece)
        assert json.loads(guest.makefile().read()) == {"heard": "x"}


def test_where_the_room_is_full_whoever_is_silent_longest_leaves(host: Host) -> None:
    crowd = [host.guest() for _ in range(MOST_GUESTS + 1)]
    assert crowd[0].recv(1) == b""
    assert ask(host.path, {"ask": "x"}) == {"heard": "x"}
    for guest in crowd:
        guest.close()


def test_silent_guests_do_not_keep_the_loop_busy(host: Host) -> None:
    with host.guest():
        ask(host.path, {"ask": "x"})
        before, since = host.turns, time.monotonic()
        threading.Event().wait(0.2)
        assert host.turns - before <= (time.monotonic() - since) / TURN + 1


# -- no answer


def told(path: Path, patience: float = 5) -> str:
    with pytest.raises(Unreachable) as caught:
        ask(path, {"ask": "x"}, patience=patience)
    return str(caught.value)


def test_where_there_is_no_socket_no_daemon_can_be_reached(tmp_path: Path) -> None:
    assert told(tmp_path / "jobs.sock") == "no daemon can be reached"


def test_behind_a_dead_daemons_socket_no_daemon_can_be_reached(tmp_path: Path) -> None:
    with socket.socket(socket.AF_UNIX) as dead:
        dead.bind(str(tmp_path / "jobs.sock"))
    assert told(tmp_path / "jobs.sock") == "no daemon can be reached"


@pytest.mark.parametrize("waiting", [0, 8], ids=["alone", "behind a crowd"])
def test_a_daemon_that_hangs_does_not_answer(tmp_path: Path, waiting: int) -> None:
    with socket.socket(socket.AF_UNIX) as hung:
        hung.bind(str(tmp_path / "jobs.sock"))
        hung.listen(1)
        crowd = [socket.socket(socket.AF_UNIX) for _ in range(waiting)]
        for one in crowd:
            one.setblocking(False)
            one.connect_ex(str(tmp_path / "jobs.sock"))
        text = told(tmp_path / "jobs.sock", patience=0.05)
        for one in crowd:
            one.close()
    assert text == "the daemon does not answer within 0.05 s"


def test_a_daemon_that_dies_before_its_answer_cannot_be_reached(tmp_path: Path) -> None:
    def die(listener: socket.socket) -> None:
        listener.accept()[0].close()

    assert _with(tmp_path, die) == "no daemon can be reached"


def test_an_answer_that_is_none_is_said(tmp_path: Path) -> None:
    def mumble(listener: socket.socket) -> None:
        guest, _ = listener.accept()
        guest.recv(100)
        guest.sendall(b"[]\n")
        guest.close()

    assert _with(tmp_path, mumble) == "the daemon's answer is not understood"


def _with(folder: Path, behave: Callable[[socket.socket], None]) -> str:
    """What `ask` says of a daemon that behaves so."""
    with socket.socket(socket.AF_UNIX) as listener:
        listener.bind(str(folder / "jobs.sock"))
        listener.listen()
        thread = threading.Thread(target=behave, args=(listener,))
        thread.start()
        text = told(folder / "jobs.sock")
        thread.join()
    return text
