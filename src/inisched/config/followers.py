"""Jobs that follow others: whom each names, and what of that will hardly be meant."""

from __future__ import annotations

from collections.abc import Iterable, Mapping

from msgspec import Struct, field
from msgspec.structs import replace

from inisched.config.jobs import Draft
from inisched.config.lists import listed
from inisched.model.diagnostic import Unreadable
from inisched.model.job import Overlap

LISTS = ("after", "after_future", "then")
"""The keys that name jobs."""


class Follower(Struct):
    """One job and the jobs it names, by key; only those there are, each once."""

    draft: Draft
    names: dict[str, tuple[str, ...]] = field(default_factory=dict)

    @property
    def name(self) -> str:
        return self.draft.section.name

    @property
    def follows_itself(self) -> bool:
        return self.name in self.names.get("after_future", ())

    def fill_in(self) -> None:
        """Let the job say whom it names. One that follows itself queues its fires."""
        job = self.draft.job
        if job is None or not self.names:
            return
        after, future, then = (self.names.get(key, ()) for key in LISTS)
        self.draft.job = replace(
            job,
            gates=replace(job.gates, after=after, future=future),
            then=then,
            overlap=Overlap.QUEUE if self.follows_itself else job.overlap,
        )

    def check_overlap(self) -> None:
        """A job that follows itself queues its fires; another overlap beside that is an error."""
        desk = self.draft.desk
        overlap = desk.get("overlap")
        if overlap is None or overlap.text is None or not self.follows_itself:
            return
        if overlap.text.lower() != "queue" and "overlap" not in desk.failed:
            problem = "a job that names itself in 'after_future' queues its fires"
            error = Unreadable(problem, expected="overlap = queue, or no 'overlap'")
            desk.refuse_value(overlap, error, "overlap-of-itself")

    def warn(self, key: str, name: str, code: str, message: str, *, hint: str = "") -> None:
        """Warn of a name in one of the lists."""
        found = self.draft.desk.get(key)
        if found is not None and found.text is not None:
            whole = found.text == name
            start = 0 if whole else dict(listed(found.text)).get(name, 0)
            self.draft.desk.warn_value(found, start, len(name), code, message, hint=hint)


def warn_of_followers(followers: Iterable[Follower]) -> None:
    """Warn of jobs that wait for, or start, what will not come as it stands.

    Comes last: until then a job may still turn out to be broken.
    """
    by_name = {follower.name: follower for follower in followers}
    for follower in by_name.values():
        for name in follower.names.get("after_future", ()):
            _warn_of_one_way(follower, by_name[name])
        if follower.draft.active and not follower.draft.broken:
            _warn_of_idle(follower, by_name)


def _warn_of_one_way(follower: Follower, other: Follower) -> None:
    """A future dependency belongs beside one that goes the other way."""
    own, name = follower.name, other.name
    if own != name and own not in other.names.get("after", ()):
        message = f"job '{name}' does not wait for '{own}' in turn"
        direct = name in follower.names.get("after", ())
        rest = "take it out here" if direct else f"'{name}' in 'after' here"
        hint = f"name '{own}' in 'after' of [{name}], or {rest}"
        follower.warn("after_future", name, "one-way-future", message, hint=hint)


def _warn_of_idle(follower: Follower, by_name: Mapping[str, Follower]) -> None:
    for key, names in follower.names.items():
        for name in names:
            draft = by_name[name].draft
            why = "broken" if draft.broken else "" if draft.active else "inactive"
            if not why or name == follower.name:
                continue
            end = ": it is not started" if key == "then" else ", and this one waits for it"
            hint = "" if draft.broken else f"write active = yes in [{name}], or take it out here"
            follower.warn(key, name, "idle-job", f"job '{name}' is {why}{end}", hint=hint)
