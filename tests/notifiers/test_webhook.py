"""Webhooks: what is posted to a real server, and what a bad one can do."""

from __future__ import annotations

import json
import re
import socket
import ssl
import threading
from pathlib import Path
from typing import Any

import pytest

from inisched import __version__
from inisched.model.event import Event, Kind
from inisched.model.notifier import Webhook
from inisched.notifiers import asking, webhook
from inisched.notifiers.undelivered import Undelivered
from notifiers.samples import delivered, event, letter, message, other
from notifiers.web import Rude, Site, free_port, reset, rude

OK = (1, True, "", False)
PAGE = Path(__file__).parents[2] / "docs" / "reference" / "notices.md"


def failure(url: str, **options: Any) -> tuple[str, bool]:
    """The error and whether it is final."""
    with pytest.raises(Undelivered) as caught:
        webhook.send(Webhook(url), message(), **options)
    return str(caught.value), caught.value.final


def test_an_event_is_posted_as_json(site: Site) -> None:
    assert delivered(Webhook(f"{site.url}/hook?room=ops")) == [OK]
    [asked] = site.asked
    assert (asked.method, asked.path) == ("POST", "/hook?room=ops")
    assert asked.headers["Content-Type"] == "application/json; charset=utf-8"
    assert asked.headers["User-Agent"] == f"inisched/{__version__}"
    assert asked.headers["Idempotency-Key"] == "abc-1"


def test_the_json_is_the_event_with_subject_and_text(site: Site) -> None:
    delivered(Webhook(site.url))
    posted = json.loads(site.asked[0].body)
    assert posted["subject"] == "flaky failed: exit code 3"
    assert posted["text"].startswith("flaky failed: exit code 3\n\njob:        flaky\n")
    rest = {name: value for name, value in posted.items() if name not in ("subject", "text")}
    assert rest == event().as_json()
    assert Event.from_json(posted) == event()


def test_the_json_holds_the_fields_that_are_documented(site: Site) -> None:
    delivered(Webhook(site.url))
    text = PAGE.read_text().split("\n## webhook\n")[1].split("\n## ")[0]
    told = {
        word
        for row in re.findall(r"^\| (`.*?) \|", text, re.M)
        for word in re.findall(r"`(\w+)`", row)
    }
    posted = json.loads(site.asked[0].body)
    assert told == {*posted, "events"}
    [example] = re.findall(r"^```json\n(.*?)^```", text, re.M | re.S)
    assert list(json.loads(example)) == list(posted)


def test_every_kind_of_event_is_documented() -> None:
    told = set(re.findall(r"^\| `(\w+)` \|", PAGE.read_text().split("\n## Events\n")[1], re.M))
    assert {kind.value for kind in Kind} <= told


def test_a_digest_is_posted_once_with_all_its_events(site: Site) -> None:
    told = delivered(Webhook(site.url), letter(1), letter(2, job="backup"), digest=True)
    assert told == [OK, (2, True, "", False)]
    [asked] = site.asked
    posted = json.loads(asked.body)
    assert asked.headers["Idempotency-Key"] == "abc-1-digest"
    assert list(posted) == ["event", "subject", "text", "events"]
    assert (posted["event"], posted["subject"]) == ("digest", "2 notices about flaky and backup")
    assert posted["events"] == [event().as_json(), event(job="backup").as_json()]


def test_what_is_no_character_does_not_spoil_the_json(site: Site) -> None:
    assert delivered(Webhook(site.url), letter(stdout="caf\udce9 größe")) == [OK]
    assert json.loads(site.asked[0].body)["stdout"] == "caf? größe"


def test_a_login_in_the_url_becomes_a_header(site: Site) -> None:
    delivered(Webhook(f"http://me:p%40ss@127.0.0.1:{site.port}/"))
    assert site.asked[0].headers["Authorization"] == "Basic bWU6cEBzcw=="


def test_a_path_beyond_ascii_is_encoded(site: Site) -> None:
    delivered(Webhook(f"{site.url}/größe %41?x=ü"))
    assert site.paths == ["POST /gr%C3%B6%C3%9Fe%20%41?x=%C3%BC"]


@pytest.mark.parametrize("status", [200, 201, 202, 204, 299])
def test_any_2xx_is_delivered(status: int, site: Site) -> None:
    site.statuses = [status]
    assert delivered(Webhook(site.url)) == [OK]


def test_a_redirect_is_not_followed(site: Site) -> None:
    site.statuses, site.headers = [302], {"Location": f"{site.url}/elsewhere"}
    error = f"{site.url}: answered 302 Found, and redirects are not followed"
    assert delivered(Webhook(f"{site.url}/hook")) == [(1, False, error, False)]
    assert site.paths == ["POST /hook"]


@pytest.mark.parametrize(
    ("status", "words", "final"),
    [
        (500, "500 Internal Server Error", False),
        (503, "503 Service Unavailable", False),
        (429, "429 Too Many Requests", False),
        (404, "404 Not Found", False),
        (400, "400 Bad Request", True),
        (410, "410 Gone", True),
        (413, "413 Request Entity Too Large", True),
        (422, "422 Unprocessable Entity", True),
    ],
)
def test_another_answer_is_told_and_final_where_the_message_is_not_wanted(
    status: int, words: str, final: bool, site: Site
) -> None:
    site.statuses = [status]
    assert delivered(Webhook(site.url)) == [(1, False, f"{site.url}: answered {words}", final)]


def test_a_failure_does_not_stop_the_next(site: Site) -> None:
    site.statuses = [500, 200]
    told = delivered(Webhook(site.url), letter(1), other(2))
    error = f"{site.url}: answered 500 Internal Server Error"
    assert told == [(1, False, error, False), (2, True, "", False)]


def test_an_error_shows_scheme_and_host_only(site: Site) -> None:
    site.statuses = [500]
    error, _ = failure(f"http://me:pass@127.0.0.1:{site.port}/token-1?key=token-2#token-3")
    assert error == f"{site.url}: answered 500 Internal Server Error"


def test_where_nobody_is_there_one_letter_is_tried() -> None:
    port = free_port()
    error = f"http://127.0.0.1:{port}: Connection refused"
    told = delivered(Webhook(f"http://127.0.0.1:{port}/token"), letter(1), letter(2))
    assert told == [(1, False, error, False), (2, False, "", False)]


@pytest.mark.parametrize("url", ["ftp://h/x", "file:///etc/passwd", "http:///x", "http://h:port/"])
def test_what_is_no_web_address_is_refused(url: str) -> None:
    assert failure(url) == ("the URL is not an http:// or https:// one", True)


# -- bad servers --------------------------------------------------------------------------------


def hear(connection: socket.socket) -> None:
    """Read until the headers of the request are there."""
    heard = b""
    while b"\r\n\r\n" not in heard:
        heard += connection.recv(65536)


def dripping(first: bytes) -> Any:
    def speak(connection: socket.socket, here: Rude) -> None:
        hear(connection)
        connection.sendall(first)
        while not here.over.wait(0.02):
            connection.sendall(b"x")

    return speak


@pytest.mark.parametrize("first", [b"", b"HTTP/1.1 200 OK\r\nX-Long: "])
def test_a_server_that_drips_its_headers_is_cut(first: bytes) -> None:
    with rude(dripping(first)) as server:
        error = f"{server.url}: no answer within 0.3 s"
        assert failure(server.url, limit=0.3) == (error, False)


def test_an_answer_whose_body_drips_is_an_answer_all_the_same() -> None:
    with rude(dripping(b"HTTP/1.1 200 OK\r\n\r\n")) as server:
        webhook.send(Webhook(server.url), message(), limit=0.3)


def test_a_server_that_says_nothing_is_left_when_time_is_up() -> None:
    with rude(lambda connection, here: here.over.wait(5)) as server:
        assert failure(server.url, limit=0.3) == (f"{server.url}: no answer within 0.3 s", False)


def test_of_a_gigabyte_64_kib_are_read() -> None:
    sent: list[int] = []
    over = threading.Event()

    def speak(connection: socket.socket, here: Rude) -> None:
        connection.setsockopt(socket.SOL_SOCKET, socket.SO_SNDBUF, 65536)
        hear(connection)
        connection.sendall(b"HTTP/1.1 200 OK\r\nContent-Length: 1000000000\r\n\r\n")
        try:
            sent.extend(connection.send(b"x" * 100_000) for _ in range(10_000))
        except OSError:
            over.set()

    with rude(speak) as server:
        webhook.send(Webhook(server.url), message())
        assert over.wait(5)
    assert asking.LARGEST_ANSWER == 65536
    assert sum(sent) < 20_000_000


def test_a_reset_is_told() -> None:
    def speak(connection: socket.socket, here: Rude) -> None:
        hear(connection)
        reset(connection)

    with rude(speak) as server:
        assert failure(server.url) == (f"{server.url}: the connection was closed", False)


def test_a_server_that_hangs_up_is_told() -> None:
    def speak(connection: socket.socket, here: Rude) -> None:
        hear(connection)
        connection.shutdown(socket.SHUT_WR)
        here.over.wait(5)

    with rude(speak) as server:
        assert failure(server.url) == (f"{server.url}: the connection was closed", False)


def test_an_answer_that_is_not_http_is_told() -> None:
    def speak(connection: socket.socket, here: Rude) -> None:
        hear(connection)
        connection.sendall(b"220 mail.example.com ESMTP\r\n")
        here.over.wait(5)

    with rude(speak) as server:
        assert failure(server.url, limit=5) == (f"{server.url}: its answer is not HTTP", False)


def test_an_answer_given_before_all_was_read_counts() -> None:
    def speak(connection: socket.socket, here: Rude) -> None:
        connection.sendall(b"HTTP/1.1 413 Too Large\r\nContent-Length: 0\r\n\r\n")
        connection.shutdown(socket.SHUT_WR)
        while connection.recv(65536):
            pass

    with rude(speak) as server:
        assert failure(server.url) == (f"{server.url}: answered 413 Too Large", True)


def test_a_certificate_nobody_trusts_is_refused(self_made: ssl.SSLContext) -> None:
    def speak(connection: socket.socket, here: Rude) -> None:
        self_made.wrap_socket(connection, server_side=True).close()

    with rude(speak) as server:
        where = f"https://127.0.0.1:{server.port}"
        error = f"{where}: its certificate is not trusted: self-signed certificate"
        assert failure(f"{where}/token") == (error, False)


def test_a_handshake_that_hangs_is_left_when_time_is_up() -> None:
    with rude(lambda connection, here: here.over.wait(5)) as server:
        where = f"https://127.0.0.1:{server.port}"
        assert failure(where, limit=0.3) == (f"{where}: no answer within 0.3 s", False)
