"""People hear of it: real daemons, real servers, and what is done to both."""

from __future__ import annotations

import json
import re
import time
from collections.abc import Callable, Iterator
from typing import Any

import pytest

from inisched.stores.history import History
from notifiers.post_office import Office, office
from notifiers.web import Site as Web
from notifiers.web import site as web_site
from story.site import Site, stop

Make = Callable[..., Site]

FLAKY = '[flaky]\ncommand = test -e ok || { echo "disk is full"; exit 3; }\nevery = 1 second\n'


@pytest.fixture
def post() -> Iterator[Office]:
    with office() as here:
        yield here


@pytest.fixture
def web() -> Iterator[Web]:
    with web_site() as here:
        yield here


def mailed(port: int, more: str = "") -> str:
    return (
        f"[inisched]\nsmtp = smtp://127.0.0.1:{port}\n[notify:ops]\nmail = ops@example.com\n{more}"
    )


def outbox(site: Site) -> tuple[int, int]:
    """How many notices are on their way, and how many were dropped."""
    history = History(site.ini.with_suffix(".db"))
    try:
        return history.outbox(), history.dropped()
    finally:
        history.close()


def test_many_failures_are_one_mail_and_the_first_success_another(site: Make, post: Office) -> None:
    s = site(mailed(post.port) + FLAKY)
    with s.daemon() as daemon:
        s.wait_for_rows(lambda rows: len([r for r in rows if r["state"] == "failure"]) >= 3)
        (s.folder / "ok").touch()
        s.wait(lambda: len(post.mails) == 2)
        s.wait_for_rows(lambda rows: rows[-2]["state"] == rows[-1]["state"] == "success")
        assert stop(daemon) == 0
    failures = len([row for row in s.rows() if row["state"] == "failure"])
    assert post.subjects[0] == "flaky failed: exit code 3"
    assert re.fullmatch(
        rf"flaky works again, after {failures} failures since \d\d:\d\d", post.subjects[1]
    )
    assert "disk is full" in post.mails[0].get_content()


@pytest.mark.parametrize("wait", [0.0, 1.5])
def test_a_daemon_killed_while_a_server_thinks_sends_one_mail(
    wait: float, site: Make, post: Office
) -> None:
    post.thinks = 1.0
    s = site(mailed(post.port) + FLAKY)
    with s.daemon() as daemon:
        s.wait(lambda: post.thinking)
        daemon.kill()
        daemon.wait()
    time.sleep(wait)  # the process that delivers tells the ledger itself, or the next daemon
    with s.daemon():
        s.wait(lambda: post.mails and outbox(s) == (0, 0))
    assert post.subjects == ["flaky failed: exit code 3"]


def test_a_server_that_hangs_holds_up_no_job(site: Make, post: Office) -> None:
    post.answers = ["hang"] * 9
    s = site(mailed(post.port) + FLAKY + "[steady]\ncommand = true\nevery = 1 second\n")
    with s.daemon():
        rows = s.wait_for_rows(lambda rows: len([r for r in rows if r["job"] == "steady"]) >= 4)
    steady = [row for row in rows if row["job"] == "steady"]
    assert [row["state"] for row in steady[:3]] == ["success"] * 3
    assert all(row["count"] == 1 and row["reason"] is None for row in steady)


def test_a_server_that_comes_up_later_gets_the_mail(site: Make) -> None:
    with office() as gone:
        port = gone.port
    s = site(mailed(port) + FLAKY)
    with s.daemon():
        s.wait(lambda: "tried again in 5 s" in s.log)
        with office(port=port) as post:
            s.wait(lambda: post.mails)
    assert post.subjects == ["flaky failed: exit code 3"]
    assert f"notify:ops: 127.0.0.1:{port}: Connection refused; tried again in 5 s" in s.log


def test_a_single_pass_delivers_before_it_leaves(site: Make, post: Office) -> None:
    s = site(mailed(post.port) + "[a]\ncommand = exit 4\nevery = day\nactive_from = 2026-01-01\n")
    assert s.inisched("run", "--once").returncode == 1
    assert post.subjects == ["a failed: exit code 4"]


def test_a_way_that_hangs_holds_up_no_other(site: Make, post: Office, web: Web) -> None:
    post.answers = ["hang"] * 9
    s = site(mailed(post.port, f"[notify:chat]\nwebhook = {web.url}/hook\n") + FLAKY)
    with s.daemon():
        s.wait(lambda: web.paths)
    assert web.paths == ["POST /hook"]


def test_a_command_gets_the_event_on_its_input(site: Make) -> None:
    s = site("[notify:ops]\ncommand = cat > event.json; mv event.json told.json\n" + FLAKY)
    with s.daemon():
        told = s.folder / "told.json"
        s.wait(told.exists)
    event: dict[str, Any] = json.loads(told.read_text())
    assert (event["event"], event["job"], event["exit_code"]) == ("failure", "flaky", 3)
    assert event["stdout"] == "disk is full"
    assert event["again"].startswith(f"inisched test flaky -P {s.ini} --at ")


def test_a_job_is_pinged_at_its_start_and_its_end(site: Make, web: Web) -> None:
    s = site(f"[a]\ncommand = true\nevery = 1 second\nping = {web.url}/id\n")
    with s.daemon():
        s.wait(lambda: len(web.paths) >= 4)
    assert web.paths[:4] == ["GET /id/start", "GET /id", "GET /id/start", "GET /id"]


def test_what_changed_since_it_last_worked_is_told(site: Make, post: Office) -> None:
    job = "[a]\ncommand = test ! -e broken\nevery = never\n"
    s = site(mailed(post.port) + job)
    with s.daemon():
        s.inisched("trigger", "a")
        s.wait_for_rows(lambda rows: [row["state"] for row in rows] == ["success"])
        s.write(mailed(post.port) + job + "grace = 5\nenv.API_TOKEN = hunter2\n")
        assert s.inisched("reload").returncode == 0
        (s.folder / "broken").touch()
        s.inisched("trigger", "a")
        s.wait(lambda: post.mails)
    text = post.text()
    assert "- 'grace' was added: '5'" in text
    assert "- 'env.API_TOKEN' was added: ***" in text
    assert "hunter2" not in text


def test_secrets_appear_nowhere(site: Make) -> None:
    with office(login=True) as post:
        post.good_login = False
        s = site(
            f"[inisched]\nsmtp = smtp://ann:${{env:MAIL_PASSWORD}}@127.0.0.1:{post.port}\n"
            "[notify:ops]\nmail = ops@example.com\n"
            "[a]\ncommand = echo $TOKEN; exit 1\nevery = 1 second\nenv.TOKEN = ${env:TOKEN}\n"
        )
        with s.daemon(MAIL_PASSWORD="hunter2hunter2", TOKEN="s3cr3ts3cr3t"):
            s.wait(lambda: "tried again" in s.log)
        assert set(post.logins) == {("ann", "hunter2hunter2")}
    kept = b"".join(file.read_bytes() for file in s.folder.iterdir() if file.is_file())
    for secret in ("hunter2hunter2", "s3cr3ts3cr3t"):
        assert secret.encode() not in kept


def test_what_stands_behind_a_reference_of_a_notifier_is_in_no_output(site: Make, web: Web) -> None:
    s = site(
        f"[notify:chat]\nwebhook = {web.url}/${{env:HOOK}}\n"
        "[a]\ncommand = echo $HOOK; exit 1\nevery = 1 second\n"
    )
    with s.daemon(HOOK="s3cr3ts3cr3t"):
        s.wait(lambda: web.asked)
    kept = b"".join(file.read_bytes() for file in s.folder.iterdir() if file.is_file())
    assert b"s3cr3ts3cr3t" not in kept
    assert "s3cr3ts3cr3t" not in web.asked[0].body.decode()


def test_a_digest_is_one_mail(site: Make, post: Office) -> None:
    jobs = "".join(f"[j{n}]\ncommand = exit 1\nevery = 1 second\n" for n in range(5))
    s = site(mailed(post.port, "digest = 2\n") + jobs)
    with s.daemon():
        s.wait(lambda: post.mails)
    assert post.subjects == ["5 notices about j0, j1 and 3 other jobs"]


def test_a_trial_notice_is_sent_from_the_command_line(site: Make, post: Office) -> None:
    s = site(mailed(post.port) + FLAKY)
    done = s.inisched("notify", "ops", "--test")
    assert (done.returncode, done.stdout) == (
        0,
        f"notify:ops: delivered to ops@example.com by 127.0.0.1:{post.port}\n",
    )
    assert post.subjects == ["a trial notice from inisched"]


def test_a_trial_notice_that_cannot_be_sent_says_why(site: Make) -> None:
    with office() as gone:
        port = gone.port
    done = site(mailed(port) + FLAKY).inisched("notify", "ops", "--test")
    assert done.returncode == 1
    assert done.stderr.endswith(f"inisched: notify:ops: 127.0.0.1:{port}: Connection refused\n")


@pytest.mark.parametrize(
    ("words", "code", "error"),
    [
        (("opps", "--test"), 4, "there is no section [notify:opps]; did you mean 'ops'?"),
        (("ops",), 2, "say --test: a trial notice is all there is to send"),
    ],
)
def test_what_notify_cannot_do_is_said(
    words: tuple[str, ...], code: int, error: str, site: Make
) -> None:
    done = site(mailed(25) + FLAKY).inisched("notify", *words)
    assert (done.returncode, done.stderr.splitlines()[-1]) == (code, f"inisched: {error}")


def test_status_tells_incidents_and_what_is_on_its_way(site: Make) -> None:
    with office() as gone:
        port = gone.port
    s = site(mailed(port) + FLAKY)
    with s.daemon():
        s.wait(lambda: "tried again" in s.log)
        told = json.loads(s.inisched("status", "--json").stdout)
        lines = s.inisched("status").stdout
    [incident] = told["incidents"]
    assert (incident["job"], incident["kind"]) == ("flaky", "failure")
    assert (told["outbox"], told["dropped"]) == (1, 0)
    assert "fails: flaky since " in lines
    assert "1 notice(s) on their way" in lines
