"""What goes out at once: one event, or the events of a digest."""

from __future__ import annotations

import json
from collections.abc import Sequence
from typing import Any

from msgspec import Struct

from inisched.model.event import Event
from inisched.notifiers import words
from inisched.notifiers.wire import Letter


class Message(Struct, frozen=True):
    """At least one letter; more than one, or `digest`, and they are told together."""

    letters: Sequence[Letter]
    digest: bool = False

    @property
    def events(self) -> list[Event]:
        return [letter.event for letter in self.letters]

    @property
    def key(self) -> str:
        """The same however often this is sent."""
        return self.letters[0].key + ("-digest" if self.digest else "")

    @property
    def subject(self) -> str:
        events = self.events
        return words.digest_subject(events) if self.digest else words.subject(events[0])

    @property
    def text(self) -> str:
        events = self.events
        return words.digest_body(events) if self.digest else words.body(events[0])

    @property
    def kind(self) -> str:
        """What it tells: the event's kind, or "digest"."""
        return "digest" if self.digest else self.letters[0].event.kind.value

    @property
    def job(self) -> str:
        """The job it is about; "" for several."""
        jobs = {event.job for event in self.events}
        return jobs.pop() if len(jobs) == 1 else ""

    def as_json(self) -> dict[str, Any]:
        """What webhooks and commands get, as documented."""
        said = {"subject": self.subject, "text": self.text}
        if not self.digest:
            return {"event": self.kind, **said} | self.letters[0].event.as_json()
        return {"event": "digest", **said, "events": [event.as_json() for event in self.events]}

    def encode(self) -> bytes:
        """The JSON as UTF-8; what is no character becomes a question mark."""
        return json.dumps(self.as_json(), ensure_ascii=False).encode(errors="replace")
