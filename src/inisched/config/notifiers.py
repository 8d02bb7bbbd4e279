"""`[notify:NAME]`: who hears of events, and by which way."""

from __future__ import annotations

from collections.abc import Iterable
from datetime import timedelta

from msgspec import Struct

from inisched.config.desk import Desk
from inisched.config.document import Section
from inisched.config.extras import check_extra
from inisched.config.fields import Gatherer
from inisched.config.keys import NOTIFY
from inisched.config.reserved import reserved_desk, say
from inisched.model.diagnostic import Unreadable
from inisched.model.duration import read_duration
from inisched.model.event import Kind
from inisched.model.notifier import Mail, Notices, Notifier, Pipe, Relay, Smtp, Way, Webhook
from inisched.model.schedule import Schedule

PREFIX = "notify:"
WAYS = ("mail", "url", "webhook", "command")
_ONE = f"exactly one of {', '.join(WAYS[:-1])} and {WAYS[-1]}"
_A_SERVER = "a line in [inisched] such as: smtp = smtp://localhost"


class Post(Struct, frozen=True):
    """What `[inisched]` says of mail; `server` None: nothing, or it cannot be read."""

    server: Smtp | None = None
    sender: str = ""
    given: bool = False
    secrets: tuple[str, ...] = ()


def read_post(desk: Desk) -> Post:
    """The mail server and the sender, as the desk of `[inisched]` has them."""
    server: Smtp | None = desk.read("smtp", None)
    field, secrets = desk.get("smtp"), list[str]()
    if field is not None and server is not None:
        secrets = [*field.secrets, server.password]
    return Post(server, desk.read("mail_from", ""), desk.has("smtp"), tuple(filter(None, secrets)))


def read_notifiers(
    sections: Iterable[Section], gatherer: Gatherer, post: Post
) -> dict[str, Notifier | None]:
    """The notifiers by name; None for one that cannot be read."""
    found: dict[str, Notifier | None] = {}
    for section in sections:
        name = section.name.removeprefix(PREFIX)
        if section.name.startswith(PREFIX) and name.strip():
            desk = reserved_desk(section, NOTIFY, gatherer)
            notifier = _notifier(name, desk, section, post)
            broken = desk.broken or bool(section.spoilt) or name in found
            found[name] = None if broken else notifier
    return found


def _notifier(name: str, desk: Desk, section: Section, post: Post) -> Notifier | None:
    way = _way(desk, section, post)
    on: tuple[str, ...] | None = desk.read("on", None)
    usual = desk.read("default", True)
    repeat: timedelta | None = desk.read("repeat", None, read_length)
    digest: timedelta | None = desk.read("digest", None)
    if way is None:
        return None
    secrets = {secret for field in desk.known.values() for secret in field.secrets}
    return Notifier(
        name=name,
        way=way,
        on=kinds_of(on),
        usual=usual,
        repeat=repeat,
        digest=digest or None,
        secrets=tuple(sorted(secrets | set(post.secrets))),
    )


def _way(desk: Desk, section: Section, post: Post) -> Way | None:
    given = [field for name in WAYS if (field := desk.get(name)) is not None]
    if not given and not section.spoilt:
        desk.broken = True
        say(desk.report, section, "no-way", f"[{section.name}] reaches nobody", expected=_ONE)
    for other in sorted(given, key=lambda field: field.entry.line)[1:]:
        desk.fail(other, "too-many", f"'{other.entry.key}' is one way too many", expected=_ONE)
    mail: tuple[str, ...] = desk.read("mail", ())
    url, webhook, command = (desk.read(name, "") for name in WAYS[1:])
    if mail:
        return _mail(desk, mail, post)
    if url:
        check_extra(desk, "url", "apprise", "notify")
        return Relay(url)
    if webhook:
        return Webhook(webhook)
    return Pipe(command) if command else None


def _mail(desk: Desk, to: tuple[str, ...], post: Post) -> Mail | None:
    field = desk.get("mail")
    if post.server is None and not post.given and field is not None:
        desk.fail(
            field, "no-server", f"'{field.entry.key}' needs a mail server", expected=_A_SERVER
        )
    return None if post.server is None else Mail(to=to, smtp=post.server, sender=post.sender)


def read_length(text: str) -> timedelta:
    """A duration that is more than nothing."""
    length = read_duration(text)
    if not length:
        raise Unreadable(f"'{text}' is no time at all", expected="1 s or more")
    return length


def kinds_of(words: Iterable[str] | None) -> frozenset[Kind] | None:
    """The kinds of events that some words name."""
    return None if words is None else frozenset(map(Kind, words))


_NOTICES = {"notify", "notify_on", "warn_after", "expect_within", "ping"}
NO_NOTICES = Notices()


def read_notices(desk: Desk, schedule: Schedule | None) -> Notices:
    """What a job says of who hears of it; the names are filled in by `links`, which knows them."""
    if desk.known.keys().isdisjoint(_NOTICES):
        return NO_NOTICES
    desk.read("notify", "")
    on = kinds_of(desk.read("notify_on", None))
    if on is not None and Kind.LATE in on and not desk.has("expect_within"):
        _warn_of_no_effect(desk, "notify_on", "'late' in '{}'", "without 'expect_within'")
    if schedule is not None and schedule.on_demand:
        _warn_of_no_effect(desk, "expect_within", "'{}'", "for a job that has no fires")
    return Notices(
        on=on,
        warn_after=desk.read("warn_after", None, read_length),
        expect_within=desk.read("expect_within", None, read_length),
        ping=desk.read("ping", None),
    )


def _warn_of_no_effect(desk: Desk, name: str, what: str, why: str) -> None:
    field = desk.get(name)
    if field is not None and not field.from_default:
        message = f"{what.format(field.entry.key)} has no effect {why}"
        desk.warn(field, "no-effect", message)
