"""Mail: what arrives at a real server, and what is said where it does not."""

from __future__ import annotations

import socket
import ssl
from email import message_from_bytes
from email.policy import default
from typing import Any

import pytest

from inisched.model.notifier import Mail, Smtp
from inisched.notifiers import greeting
from inisched.notifiers.letterhead import compose
from notifiers.post_office import Office, office
from notifiers.samples import delivered, letter, mail, message, other
from notifiers.web import Rude, free_port, reset, rude

pytestmark = pytest.mark.filterwarnings("ignore::ResourceWarning")  # aiosmtpd leaves them open

OK = (1, True, "", False)


def test_a_mail_arrives_with_its_headers_and_text(post: Office) -> None:
    assert delivered(mail(post.port, "ops@example.com", "dev@example.com")) == [OK]
    [got] = post.mails
    headers = {name: got[name] for name in got if not name.startswith("X-") or "Inis" in name}
    assert {name: str(value) for name, value in headers.items()} == {
        "From": "inisched@web1",
        "To": "ops@example.com, dev@example.com",
        "Subject": "flaky failed: exit code 3",
        "Date": "Sat, 21 Nov 2026 02:30:12 +0100",
        "Message-ID": "<abc-1@web1>",
        "Auto-Submitted": "auto-generated",
        "X-Inisched-Job": "flaky",
        "Content-Type": 'text/plain; charset="utf-8"',
        "Content-Transfer-Encoding": "quoted-printable",
        "MIME-Version": "1.0",
    }
    assert "exit code:  3\n" in post.text()
    assert post.envelopes[0].rcpt_tos == ["ops@example.com", "dev@example.com"]


def test_a_mail_sent_twice_is_the_same_mail() -> None:
    first, second = (compose(message(), sender="a@x", to=["b@x"], utf8=False) for _ in range(2))
    assert first == second


def test_several_letters_go_over_one_connection(post: Office) -> None:
    letters = [letter(number, job=f"job-{number}") for number in (1, 2, 3)]
    assert delivered(mail(post.port), *letters) == [OK, (2, True, "", False), (3, True, "", False)]
    assert post.subjects == [f"job-{number} failed: exit code 3" for number in (1, 2, 3)]
    assert len({id(session) for session in post.sessions}) == 1


def test_a_digest_is_one_mail_and_each_letter_hears_of_it(post: Office) -> None:
    assert delivered(mail(post.port), letter(1), letter(2), digest=True) == [
        OK,
        (2, True, "", False),
    ]
    assert post.subjects == ["2 notices about flaky"]
    assert str(post.mails[0]["Message-ID"]) == "<abc-1-digest@web1>"


def test_the_sender_is_the_one_that_is_asked_for(post: Office) -> None:
    delivered(mail(post.port, sender="cron@example.com"))
    assert post.envelopes[0].mail_from == "cron@example.com"
    assert str(post.mails[0]["From"]) == "cron@example.com"


def test_an_address_may_bring_its_name(post: Office) -> None:
    delivered(mail(post.port, "Die Ops <ops@example.com>"))
    assert post.envelopes[0].rcpt_tos == ["ops@example.com"]
    assert str(post.mails[0]["To"]) == "Die Ops <ops@example.com>"


def test_a_line_with_a_single_dot_ends_no_mail(post: Office) -> None:
    delivered(mail(post.port), letter(message="a\n.\nb"))
    assert "message:    a\n            .\n            b\n" in post.text()


# -- characters beyond ASCII --------------------------------------------------------------------


def test_names_and_texts_beyond_ascii_arrive(post: Office) -> None:
    assert delivered(mail(post.port), letter(job="größe-日报", stdout="Übergröße 日本\n")) == [OK]
    [got] = post.mails
    assert str(got["Subject"]) == "größe-日报 failed: exit code 3"
    assert str(got["X-Inisched-Job"]) == "größe-日报"
    assert "    Übergröße 日本\n" in post.text()


def test_names_beyond_ascii_need_no_smtputf8() -> None:
    with office(enable_SMTPUTF8=False) as post:
        assert delivered(mail(post.port), letter(job="größe")) == [OK]
        assert str(post.mails[0]["Subject"]) == "größe failed: exit code 3"


def test_a_mail_is_ascii_on_the_wire() -> None:
    said = message(job="größe", stdout="Übergröße")
    assert compose(said, sender="a@x", to=["b@x"], utf8=False).isascii()


def test_an_address_beyond_ascii_is_written_to_by_smtputf8(post: Office) -> None:
    assert delivered(mail(post.port, "jürgen@example.com")) == [OK]
    assert post.envelopes[0].rcpt_tos == ["jürgen@example.com"]


def test_without_smtputf8_an_address_beyond_ascii_is_left_out_and_told() -> None:
    with office(enable_SMTPUTF8=False) as post:
        way = mail(post.port, "jürgen@example.com", "ops@example.com")
        remark = "jürgen@example.com needs SMTPUTF8, which the server does not offer"
        assert delivered(way) == [(1, True, remark, False)]
        assert post.envelopes[0].rcpt_tos == ["ops@example.com"]


def test_without_smtputf8_nobody_is_left_to_write_to() -> None:
    with office(enable_SMTPUTF8=False) as post:
        error = "jürgen@example.com needs SMTPUTF8, which the server does not offer"
        told = delivered(mail(post.port, "jürgen@example.com"))
        assert told == [(1, False, f"127.0.0.1:{post.port}: {error}", True)]


def test_a_domain_beyond_ascii_needs_no_smtputf8() -> None:
    with office(enable_SMTPUTF8=False) as post:
        assert delivered(mail(post.port, "ops@bücher.example")) == [OK]
        assert post.envelopes[0].rcpt_tos == ["ops@xn--bcher-kva.example"]


@pytest.mark.parametrize("key", ["L/1 2>@x", "a" * 300, "ü"])
def test_any_key_makes_a_message_id_on_one_line(key: str) -> None:
    from msgspec.structs import replace

    said = message(replace(letter(), key=key))
    got = message_from_bytes(compose(said, sender="a@x", to=["b@x"], utf8=False), policy=default)
    assert got["Message-ID"].endswith("@web1>")
    assert not got["Message-ID"].defects


# -- refusals -----------------------------------------------------------------------------------


def test_one_refused_recipient_of_several_is_told_and_the_others_get_it(post: Office) -> None:
    post.refuses = {"gone@example.com": "550 no such user"}
    told = delivered(mail(post.port, "gone@example.com", "ops@example.com"))
    assert told == [(1, True, "gone@example.com is refused: 550 no such user", False)]
    assert post.envelopes[0].rcpt_tos == ["ops@example.com"]


@pytest.mark.parametrize(
    ("answers", "final"),
    [(("550 no such user", "550 gone"), True), (("550 no such user", "450 later"), False)],
)
def test_all_recipients_refused_for_good_is_final(
    post: Office, answers: tuple[str, str], final: bool
) -> None:
    post.refuses = dict(zip(("a@x.example", "b@x.example"), answers, strict=True))
    text = f"a@x.example is refused: {answers[0]}; b@x.example is refused: {answers[1]}"
    told = delivered(mail(post.port, "a@x.example", "b@x.example"))
    assert told == [(1, False, f"127.0.0.1:{post.port}: {text}", final)]


@pytest.mark.parametrize(("answer", "final"), [("552 too big", True), ("451 disk full", False)])
def test_a_refused_message_does_not_stop_the_next(post: Office, answer: str, final: bool) -> None:
    post.answers = [answer]
    told = delivered(mail(post.port), letter(1), other(2))
    error = f"127.0.0.1:{post.port}: refused: {answer}"
    assert told == [(1, False, error, final), (2, True, "", False)]


# -- connections that fail ----------------------------------------------------------------------


def test_where_nobody_is_there_one_letter_is_tried() -> None:
    port = free_port()
    error = f"127.0.0.1:{port}: Connection refused"
    told = delivered(mail(port), letter(1), letter(2))
    assert told == [(1, False, error, False), (2, False, "", False)]


def test_a_server_that_hangs_after_data_is_left_when_time_is_up(post: Office) -> None:
    post.answers = ["hang"]
    error = f"127.0.0.1:{post.port}: no answer within 0.4 s"
    told = delivered(mail(post.port), letter(1), letter(2), limit=0.4)
    assert told == [(1, False, error, False), (2, False, "", False)]


def test_a_server_that_resets_after_data_leaves_the_rest(post: Office) -> None:
    post.answers = [None, "reset"]
    told = delivered(mail(post.port), letter(1), letter(2), letter(3))
    error = f"127.0.0.1:{post.port}: the connection was closed"
    assert told == [OK, (2, False, error, False), (3, False, "", False)]


def test_a_server_that_never_greets_is_left_when_time_is_up() -> None:
    with rude(lambda connection, here: here.over.wait(5)) as server:
        error = f"127.0.0.1:{server.port}: no answer within 0.3 s"
        assert delivered(mail(server.port), limit=0.3) == [(1, False, error, False)]


def test_a_server_that_drips_its_greeting_is_left_when_time_is_up() -> None:
    def drip(connection: socket.socket, here: Rude) -> None:
        while not here.over.wait(0.02):
            connection.sendall(b"2")

    with rude(drip) as server:
        told = delivered(mail(server.port), limit=0.3)
        assert told == [(1, False, "not done within 0.3 s", False)]


def test_a_server_that_hangs_up_at_once_is_told() -> None:
    with rude(lambda connection, here: None) as server:
        error = f"127.0.0.1:{server.port}: the connection was closed"
        assert delivered(mail(server.port)) == [(1, False, error, False)]


def test_a_reset_at_once_is_told() -> None:
    with rude(lambda connection, here: reset(connection)) as server:
        error = f"127.0.0.1:{server.port}: the connection was closed"
        assert delivered(mail(server.port)) == [(1, False, error, False)]


def test_a_server_that_wants_no_mail_is_worth_another_try() -> None:
    with rude(lambda connection, here: connection.sendall(b"554 go away\r\n")) as server:
        error = f"127.0.0.1:{server.port}: 554 go away"
        assert delivered(mail(server.port)) == [(1, False, error, False)]


def test_a_host_without_an_address_is_told() -> None:
    [(_, ok, error, final)] = delivered(mail(25, host="mail.invalid"))
    assert (ok, final) == (False, False)
    assert error.startswith("mail.invalid:25: ")


# -- TLS and logins -----------------------------------------------------------------------------


def test_starttls_is_used_where_it_is_offered(self_made: ssl.SSLContext) -> None:
    with office(tls_context=self_made) as post:
        assert delivered(mail(post.port)) == [OK]
        assert post.sessions[0].ssl is not None


def test_starttls_can_be_demanded(self_made: ssl.SSLContext) -> None:
    with office(tls_context=self_made) as post:
        assert delivered(mail(post.port, starttls=True)) == [OK]
        assert post.sessions[0].ssl is not None


def test_starttls_that_is_demanded_and_not_offered_is_an_error(post: Office) -> None:
    text = "the server does not offer STARTTLS, which smtp+starttls:// demands"
    told = delivered(mail(post.port, starttls=True))
    assert told == [(1, False, f"127.0.0.1:{post.port}: {text}", False)]


def test_tls_from_the_first_byte(self_made: ssl.SSLContext) -> None:
    with office(smtps=self_made) as post:
        assert delivered(mail(post.port, tls=True)) == [OK]
        assert post.subjects == ["flaky failed: exit code 3"]


def test_tls_with_a_server_that_speaks_none_is_told(post: Office) -> None:
    [(_, ok, error, _)] = delivered(mail(post.port, tls=True))
    assert (ok, error.split(": ")[:2]) == (False, [f"127.0.0.1:{post.port}", "TLS failed"])


@pytest.mark.parametrize("safe", ["starttls", "tls", "login"])
def test_a_certificate_nobody_trusts_is_refused_elsewhere_than_on_loopback(
    safe: str, self_made: ssl.SSLContext, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(greeting, "is_loopback", lambda host: False)
    with office(smtps=self_made) if safe == "tls" else office(tls_context=self_made) as post:
        how: dict[str, Any] = {safe: True} if safe != "login" else {"user": "u", "password": "p"}
        text = "its certificate is not trusted: self-signed certificate"
        told = delivered(mail(post.port, **how))
        assert told == [(1, False, f"127.0.0.1:{post.port}: {text}", False)]


def test_without_a_login_starttls_that_happens_to_be_there_is_not_checked(
    self_made: ssl.SSLContext, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(greeting, "is_loopback", lambda host: False)
    with office(tls_context=self_made) as post:
        assert delivered(mail(post.port)) == [OK]


def test_a_login_is_made(self_made: ssl.SSLContext) -> None:
    with office(tls_context=self_made, login=True) as post:
        assert delivered(mail(post.port, user="me", password="secret-1")) == [OK]
        assert post.logins == [("me", "secret-1")]


def test_on_loopback_a_login_may_go_in_clear() -> None:
    with office(login=True) as post:
        assert delivered(mail(post.port, user="me", password="secret-1")) == [OK]


def test_elsewhere_a_password_is_never_sent_in_clear(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(greeting, "is_loopback", lambda host: False)
    with office(login=True) as post:
        text = (
            "the server does not offer STARTTLS, and a password is not sent in clear: try smtps://"
        )
        told = delivered(mail(post.port, user="me", password="secret-1"))
        assert told == [(1, False, f"127.0.0.1:{post.port}: {text}", False)]
        assert post.logins == []


def test_a_refused_login_is_told_without_the_password() -> None:
    with office(login=True) as post:
        post.good_login = False
        text = "the login is refused: 535 5.7.8 Authentication credentials invalid"
        told = delivered(mail(post.port, user="me", password="secret-1"))
        assert told == [(1, False, f"127.0.0.1:{post.port}: {text}", False)]


def test_a_server_without_logins_is_told(post: Office) -> None:
    told = delivered(mail(post.port, user="me", password="secret-1"))
    assert told == [(1, False, f"127.0.0.1:{post.port}: the server offers no login", False)]


def test_a_password_beyond_ascii_is_told() -> None:
    with office(login=True) as post:
        told = delivered(mail(post.port, user="me", password="geheim-ü"))
        text = "user and password can be ASCII only"
        assert told == [(1, False, f"127.0.0.1:{post.port}: {text}", False)]


@pytest.mark.parametrize(
    ("host", "expected"),
    [
        ("localhost", True),
        ("127.0.0.1", True),
        ("127.8.8.8", True),
        ("::1", True),
        ("[::1]", True),
        ("localhost.example.com", False),
        ("10.0.0.1", False),
        ("mail.example.com", False),
    ],
)
def test_what_is_loopback(host: str, expected: bool) -> None:
    assert greeting.is_loopback(host) == expected


def test_a_place_shows_an_ipv6_address_in_brackets() -> None:
    assert greeting.place(Smtp(host="::1", port=25)) == "[::1]:25"


def test_a_mail_without_a_host_is_from_this_host(post: Office) -> None:
    delivered(mail(post.port), letter(host=""))
    assert post.envelopes[0].mail_from == f"inisched@{socket.gethostname()}"


def test_ways_show_no_password() -> None:
    way = Mail(to=("a@x",), smtp=Smtp(host="h", port=25, user="u", password="secret-1"))
    assert "secret-1" not in repr(way)
