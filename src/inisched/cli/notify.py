"""`inisched notify NAME --test`: a trial notice, sent now and from here."""

from __future__ import annotations

import json
import os
import socket
import subprocess
import sys
from datetime import UTC, datetime

import click

from inisched.cli.exits import Exit, Trouble
from inisched.cli.files import path_option, read_file
from inisched.cli.place import find_file
from inisched.cli.testing import move_to_the_daemon
from inisched.config.drawing import draw, escaped
from inisched.config.judged import errors
from inisched.config.loader import Config, load
from inisched.config.wire import HELPER
from inisched.model.event import Event, Kind
from inisched.model.notifier import Mail, Notifier, Pipe, Relay, Webhook
from inisched.notifiers import wire
from inisched.timing.nearest import did_you_mean

LIMIT = 10.0
"""Seconds a trial may take, as any notice may."""


@click.command("notify")
@click.argument("name")
@path_option
@click.option("--test", is_flag=True, help="Send a trial notice now.")
def notify_command(name: str, path: str | None, test: bool) -> int:
    """Send a trial notice to [notify:NAME], and tell how that went.

    It goes out from here in the daemon's environment, within 10 s, whether a daemon is up or not.
    Exit code 0 where it was delivered, else 1.

    \b
    Example: inisched notify ops --test -P /srv/app/scheduler.ini
    """
    if not test:
        raise Trouble("say --test: a trial notice is all there is to send", Exit.MISUSE)
    file = find_file(path)
    move_to_the_daemon(read_file(file))
    config = load(file, strict_references=True)
    notifier = _notifier(config, name)
    error, delivered = _send(config, notifier)
    if not delivered:
        raise Trouble(f"notify:{name}: {error}")
    click.echo(escaped(f"notify:{name}: delivered {_whither(notifier)}"))
    if error:
        click.echo(escaped(f"notify:{name}: {error}"), err=True)
    return Exit.FINE


def _notifier(config: Config, name: str) -> Notifier:
    """The notifier, if it can be read; else what is wrong is said, and that is the end."""
    found = config.notifiers.get(name)
    if found is not None:
        return found
    if config.fatal or name in config.notifiers:
        click.echo(draw(errors(config.diagnostics)), err=True, nl=False)
        raise SystemExit(Exit.PROBLEM)
    hint = did_you_mean(name, config.notifiers)
    missing = f"there is no section [notify:{name}]"
    raise Trouble(missing + (f"; {hint}" if hint else ""), Exit.UNKNOWN)


def _send(config: Config, notifier: Notifier) -> tuple[str, bool]:
    """What was said of it, and whether it was delivered; by a process of its own."""
    now = datetime.now(UTC)
    event = Event(
        kind=Kind.TEST,
        at=now,
        job="",
        zone=config.settings.timezone,
        file=os.path.abspath(config.path),
        host=socket.gethostname(),
    )
    parcel = wire.Parcel(
        way=notifier.way,
        letters=[wire.Letter(id=1, key=f"test.{now.timestamp():.3f}", event=event)],
        folder=str(config.real_path.parent),
        limit=LIMIT,
        secrets=notifier.secrets,
    )
    try:
        done = subprocess.run(
            [sys.executable, "-P", "-m", "inisched.notifiers.courier"],
            input=wire.pack(parcel),
            stdout=subprocess.PIPE,
            env=os.environ | {HELPER: "1"},
            timeout=LIMIT + 1,
        )
        told = json.loads(done.stdout)
    except subprocess.TimeoutExpired:
        return f"no answer within {LIMIT:g} s", False
    except ValueError:
        return "the process that delivers ended early", False
    return str(told.get("error", "")), bool(told["ok"])


def _whither(notifier: Notifier) -> str:
    match notifier.way:
        case Mail(to=to, smtp=smtp):
            return f"to {', '.join(to)} by {smtp.host}:{smtp.port}"
        case Webhook():
            return "by webhook"
        case Relay():
            return "by Apprise"
        case Pipe():
            return "to the command"
    return ""
