"""The small server: what it answers, and how long it bears with whom."""

from __future__ import annotations

import http.client
import socket
import threading
import time
from collections.abc import Callable, Iterator
from contextlib import ExitStack

import pytest

from inisched.model.address import Address
from inisched.web import serving
from inisched.web.serving import Server


def page(accept: str) -> tuple[str, bytes]:
    return "text/plain", f"you accept {accept or 'anything'}\n".encode()


@pytest.fixture
def serve() -> Iterator[Callable[..., int]]:
    """A server that serves until the test is over; its port."""
    over = threading.Event()
    threads = []
    servers = []

    def begin(host: str = "127.0.0.1", pages: object = None) -> int:
        server = Server(Address(host, 0), pages or {"/metrics": page})  # type: ignore[arg-type]
        thread = threading.Thread(target=server.serve_while, args=(lambda: not over.is_set(),))
        thread.start()
        threads.append(thread)
        servers.append(server)
        return int(server.server_address[1])

    yield begin
    over.set()
    for thread in threads:
        thread.join()
    for server in servers:
        server.server_close()


def get(port: int, path: str, host: str = "127.0.0.1", method: str = "GET") -> tuple[int, str]:
    line = http.client.HTTPConnection(host, port, timeout=10)
    try:
        line.request(method, path, headers={"Accept": "text/x"})
        answer = line.getresponse()
        return answer.status, answer.read().decode()
    finally:
        line.close()


@pytest.mark.parametrize(
    ("path", "answer"),
    [
        ("/metrics", (200, "you accept text/x\n")),
        ("/metrics?name[]=x", (200, "you accept text/x\n")),
        ("/", (200, "inisched: see /metrics\n")),
        ("/other", (404, "There is nothing here.\n")),
    ],
)
def test_a_page_is_served_at_its_path(
    path: str, answer: tuple[int, str], serve: Callable[..., int]
) -> None:
    assert get(serve(), path) == answer


def test_nothing_but_get_is_understood(serve: Callable[..., int]) -> None:
    assert get(serve(), "/metrics", method="POST")[0] == 501


def test_it_listens_at_its_address_alone(serve: Callable[..., int]) -> None:
    port = serve("127.0.0.1")
    with pytest.raises(ConnectionRefusedError):
        socket.create_connection(("127.0.0.2", port))
    everywhere = serve("0.0.0.0")
    socket.create_connection(("127.0.0.2", everywhere)).close()


def test_it_listens_at_an_address_of_the_sixth_version(serve: Callable[..., int]) -> None:
    try:
        port = serve("::1")
    except OSError:
        pytest.skip("this machine has no ::1")
    assert get(port, "/", "::1") == (200, "inisched: see /metrics\n")


def test_an_address_in_use_is_refused(serve: Callable[..., int]) -> None:
    port = serve()
    with pytest.raises(OSError, match="in use"):
        Server(Address("127.0.0.1", port), {})


def drip(line: socket.socket) -> None:
    """Send a request that never ends; OSError once nobody takes it any more."""
    while True:
        line.sendall(b"G")
        time.sleep(0.05)


def test_a_guest_that_says_nothing_or_drips_is_shown_out(
    serve: Callable[..., int], monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(serving, "PATIENCE", 0.4)
    port = serve()
    with ExitStack() as stack:
        silent, dripping = (
            stack.enter_context(socket.create_connection(("127.0.0.1", port), timeout=10))
            for _ in range(2)
        )
        begun = time.monotonic()
        with pytest.raises(OSError):
            drip(dripping)
        assert silent.recv(1) == b""
        assert time.monotonic() - begun < 8


def test_a_guest_that_does_not_take_its_answer_is_shown_out(
    serve: Callable[..., int], monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(serving, "PATIENCE", 0.4)
    written = threading.Event()

    def large(accept: str) -> tuple[str, bytes]:
        written.set()
        return "text/plain", b"x" * 50_000_000

    port = serve(pages={"/large": large})
    with socket.create_connection(("127.0.0.1", port), timeout=10) as line:
        line.sendall(b"GET /large HTTP/1.0\r\n\r\n")
        assert written.wait(10)
        deadline = time.monotonic() + 10
        while any(
            thread.name.startswith("Thread") and "process_request" in thread.name
            for thread in threading.enumerate()
        ):
            assert time.monotonic() < deadline
            time.sleep(0.02)


def test_where_all_places_are_taken_the_slowest_guest_makes_room(
    serve: Callable[..., int], monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(serving, "MOST_GUESTS", 2)
    port = serve()
    with ExitStack() as stack:
        first, second = (
            stack.enter_context(socket.create_connection(("127.0.0.1", port), timeout=10))
            for _ in range(2)
        )
        assert get(port, "/")[0] == 200
        assert first.recv(1) == b""
        second.sendall(b"GET / HTTP/1.0\r\n\r\n")
        assert second.recv(12) == b"HTTP/1.0 200"


def test_where_all_wait_for_their_pages_a_guest_is_turned_away(
    serve: Callable[..., int], monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(serving, "MOST_GUESTS", 1)
    asked, told = threading.Event(), threading.Event()

    def slow(accept: str) -> tuple[str, bytes]:
        asked.set()
        assert told.wait(10)
        return "text/plain", b"at last\n"

    port = serve(pages={"/slow": slow})
    with socket.create_connection(("127.0.0.1", port), timeout=10) as first:
        first.sendall(b"GET /slow HTTP/1.0\r\n\r\n")
        assert asked.wait(10)
        with socket.create_connection(("127.0.0.1", port), timeout=10) as second:
            assert second.recv(1) == b""
        told.set()
        assert first.recv(12) == b"HTTP/1.0 200"


def test_a_page_that_is_long_in_the_making_is_waited_for(
    serve: Callable[..., int], monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(serving, "PATIENCE", 0.2)

    def slow(accept: str) -> tuple[str, bytes]:
        time.sleep(0.8)
        return "text/plain", b"at last\n"

    assert get(serve(pages={"/slow": slow}), "/slow") == (200, "at last\n")
