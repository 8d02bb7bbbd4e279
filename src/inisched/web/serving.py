"""A small HTTP server for programs that only look: GET alone, few guests, little patience."""

from __future__ import annotations

import socket
import threading
import time
from collections.abc import Callable, Mapping
from contextlib import suppress
from http.server import BaseHTTPRequestHandler
from socketserver import TCPServer, ThreadingMixIn

from inisched.model.address import Address

MOST_GUESTS = 32
"""Connections at a time; beyond that whoever has kept us waiting longest has to go."""

PATIENCE = 5.0
"""Seconds a guest has to say what it wants, and again to take the answer."""

GLANCE = 0.25
"""Seconds between two looks at the guests' time, and at whether to go on."""

Page = Callable[[str], tuple[str, bytes]]
"""Makes a page for an Accept header: its content type, and its bytes."""


class Server(ThreadingMixIn, TCPServer):
    """Serves pages by their paths. Raises OSError where it cannot listen."""

    allow_reuse_address = True
    daemon_threads = True
    block_on_close = False
    request_queue_size = MOST_GUESTS

    def __init__(self, address: Address, pages: Mapping[str, Page]) -> None:
        found = socket.getaddrinfo(*address, type=socket.SOCK_STREAM, flags=socket.AI_PASSIVE)
        self.address_family, _, _, _, where = found[0]
        self.pages = pages
        self._guests: dict[socket.socket, float | None] = {}
        self._lock = threading.Lock()
        super().__init__(where, Handler)  # type: ignore[arg-type]

    def serve_while(self, wanted: Callable[[], bool]) -> None:
        """Serve as long as that is so."""
        self.timeout = GLANCE
        while wanted():
            self.handle_request()
            self._show_out()

    def verify_request(self, request: object, client_address: object) -> bool:
        """Whether there is room, or can be made."""
        assert isinstance(request, socket.socket)
        with self._lock:
            if len(self._guests) >= MOST_GUESTS and not self._make_room():
                return False
            self._guests[request] = time.monotonic() + PATIENCE
            return True

    def _make_room(self) -> bool:
        slow = ((until, one) for one, until in self._guests.items() if until is not None)
        _, slowest = min(slow, key=lambda pair: pair[0], default=(None, None))
        if slowest is None:
            return False
        del self._guests[slowest]
        _end(slowest)
        return True

    def allow(self, guest: socket.socket, seconds: float | None) -> None:
        """A guest has so many seconds from now on; None: it waits for us."""
        with self._lock:
            if guest in self._guests:
                self._guests[guest] = None if seconds is None else time.monotonic() + seconds

    def shutdown_request(self, request: object) -> None:
        assert isinstance(request, socket.socket)
        with self._lock:
            self._guests.pop(request, None)
        super().shutdown_request(request)

    def handle_error(self, request: object, client_address: object) -> None:
        """A guest that breaks off is nobody's trouble."""

    def _show_out(self) -> None:
        """End what takes too long: its thread then finds the line closed."""
        now = time.monotonic()
        with self._lock:
            late = [one for one, until in self._guests.items() if until is not None and now > until]
        for guest in late:
            _end(guest)


class Handler(BaseHTTPRequestHandler):
    """One request of one guest."""

    server: Server

    def do_GET(self) -> None:
        path = self.path.partition("?")[0]
        page = self.server.pages.get(path)
        self.server.allow(self.connection, None)
        if path == "/":
            self._send(200, "text/plain; charset=utf-8", _index(self.server.pages))
        elif page is None:
            self._send(404, "text/plain; charset=utf-8", b"There is nothing here.\n")
        else:
            self._send(200, *page(self.headers.get("Accept", "")))

    def _send(self, code: int, kind: str, body: bytes) -> None:
        self.server.allow(self.connection, PATIENCE)
        self.send_response(code)
        self.send_header("Content-Type", kind)
        self.send_header("Content-Length", str(len(body)))
        self.end_headers()
        self.wfile.write(body)

    def version_string(self) -> str:
        return "inisched"

    def log_message(self, format: str, *args: object) -> None:
        """Who asked is of no interest."""


def _end(guest: socket.socket) -> None:
    with suppress(OSError):
        guest.shutdown(socket.SHUT_RDWR)


def _index(pages: Mapping[str, Page]) -> bytes:
    return f"inisched: see {', '.join(pages)}\n".encode()
