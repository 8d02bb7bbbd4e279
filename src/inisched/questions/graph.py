"""Which jobs follow which: what `graph` shows."""

from __future__ import annotations

from msgspec import Struct

from inisched.config.loader import Config
from inisched.model.job import Gates, Job


class Node(Struct, frozen=True, kw_only=True):
    """One job that follows others or is followed. `job` is None where its section is broken: then
    what it follows is not known. A `broken` one may be so for its callback alone."""

    name: str
    job: Job | None
    active: bool
    broken: bool

    @property
    def gates(self) -> Gates:
        return self.job.gates if self.job is not None else Gates()

    @property
    def then(self) -> tuple[str, ...]:
        return self.job.then if self.job is not None else ()

    @property
    def followed(self) -> tuple[str, ...]:
        """All jobs it names."""
        return (*self.gates.upstream, *self.then)


def graph(config: Config, judged: Config) -> list[Node]:
    """The jobs that follow others or are followed, in file order; `judged` is the same file with
    what is known of its callbacks."""
    sound = {section.name for section in judged.sections if section.job is not None}
    nodes = [
        Node(
            name=section.name,
            job=section.job,
            active=section.active,
            broken=section.name not in sound,
        )
        for section in config.sections
    ]
    named = {name for node in nodes for name in node.followed}
    return [node for node in nodes if node.followed or node.name in named]
