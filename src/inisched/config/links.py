"""Names that one section has for another: jobs, pools, notifiers; and rings of jobs."""

from __future__ import annotations

from collections.abc import Iterable, Mapping

from msgspec import Struct, field
from msgspec.structs import replace

from inisched.config.fields import Field
from inisched.config.followers import LISTS, Follower, warn_of_followers
from inisched.config.jobs import Draft
from inisched.config.keys import NAMING
from inisched.config.lists import listed
from inisched.model.diagnostic import Unreadable
from inisched.timing.nearest import did_you_mean

_PATIENCE = 100_000
"""Names looked at in all for likely cures; looking through many takes long."""

_NOBODY = "none"

_EXPECTED = {
    "job": "the name of a job in this file",
    "pool": "the NAME of a section [pool:NAME] in this file",
    "notifier": "the NAME of a section [notify:NAME] in this file, or none",
}

_RINGS = {
    "after": ("waits for itself", "jobs wait for each other"),
    "then": ("starts itself again and again", "jobs start each other again and again"),
}


class Links(Struct):
    """Holds the names in the drafts against what there is."""

    jobs: frozenset[str]
    pools: frozenset[str]
    notifiers: frozenset[str]
    _patience: int = field(default=_PATIENCE)

    def check(self, drafts: Iterable[Draft]) -> None:
        """Fill names in; report unknown ones, rings, and a job that follows itself against its
        overlap."""
        drafts = list(drafts)
        if all(draft.desk.known.keys().isdisjoint(NAMING) for draft in drafts):
            return
        graphs: dict[str, dict[str, tuple[str, ...]]] = {key: {} for key in LISTS}
        followers = []
        for draft in drafts:
            follower = Follower(draft)
            followers.append(follower)
            if draft.desk.known.keys().isdisjoint(NAMING):
                continue
            for key in LISTS:
                names = self._read(draft, key, self.jobs, "job")
                if names:
                    follower.names[key] = graphs[key][draft.section.name] = names
            self._read(draft, "pool", self.pools, "pool")
            self._fill_in_notifiers(draft)
            follower.check_overlap()
            follower.fill_in()
        by_name = {follower.name: follower.draft for follower in followers}
        for key, (alone, together) in _RINGS.items():
            for ring in rings(graphs[key]):
                _refuse_ring(by_name, ring, key, alone if len(ring) == 1 else together)
        warn_of_followers(followers)

    def _fill_in_notifiers(self, draft: Draft) -> None:
        """Let the job say who hears of it: those it names, or nobody."""
        names = self._read(draft, "notify", self.notifiers | {_NOBODY}, "notifier")
        field = draft.desk.get("notify")
        if _NOBODY in names and len(names) > 1 and field is not None:
            error = Unreadable("'none' stands beside a name", expected="names, or none alone")
            draft.desk.refuse_value(field, error, "none-and-others")
        if draft.job is not None and names:
            notices = replace(draft.job.notices, to=tuple(n for n in names if n != _NOBODY))
            draft.job = replace(draft.job, notices=notices)

    def _read(self, draft: Draft, key: str, known: frozenset[str], what: str) -> tuple[str, ...]:
        """The names of a list that are known, each once; the others are reported."""
        field = draft.desk.get(key)
        if field is None or not field.text or key in draft.desk.failed:
            return ()
        if field.text in known:
            return (field.text,)
        names = []
        for name, start in listed(field.text):
            if name in known:
                names.append(name)
            else:
                self._refuse(draft, field, name, start, known, what)
        return tuple(dict.fromkeys(names))

    def _refuse(
        self, draft: Draft, field: Field, name: str, start: int, known: frozenset[str], what: str
    ) -> None:
        self._patience -= len(known)
        hint = did_you_mean(name, sorted(known)) if self._patience > 0 else ""
        problem = f"there is no {what} '{name}'"
        expected = _EXPECTED[what]
        error = Unreadable(problem, start=start, length=len(name), expected=expected, hint=hint)
        draft.desk.refuse_value(field, error, f"unknown-{what}")


def _refuse_ring(
    by_name: Mapping[str, Draft], ring: tuple[str, ...], key: str, message: str
) -> None:
    """Report a ring at the first of its jobs in the file; all of them are broken."""
    drafts = [by_name[name] for name in ring]
    first = min(range(len(ring)), key=lambda position: drafts[position].section.line)
    order = (*ring[first:], *ring[: first + 1])
    shown = " → ".join(order) if len(order) <= 12 else " → ".join((*order[:11], "…", order[0]))
    subject = f"job '{ring[0]}' {message}" if len(ring) == 1 else message
    for draft in drafts:
        draft.desk.broken = True
    field = drafts[first].desk.get(key)
    if field is not None:
        hint = f"take a name out of '{key}' in one of them" if len(ring) > 1 else ""
        hint = hint or f"take it out of '{key}'"
        drafts[first].desk.fail(field, "ring", f"{subject}: {shown}", hint=hint)


def rings(graph: Mapping[str, tuple[str, ...]]) -> Iterable[tuple[str, ...]]:
    """Rings in a graph that have no name in common, each as the names along it.

    Of rings that are knotted together the first found is told.
    """
    state: dict[str, int] = {}
    told: set[str] = set()
    for start in graph:
        if start in state:
            continue
        path = [start]
        state[start] = _OPEN
        ahead = [iter(graph[start])]
        while path:
            name = next(ahead[-1], None)
            if name is None:
                state[path.pop()] = _DONE
                ahead.pop()
            elif state.get(name) == _OPEN:
                if name not in told and path[-1] not in told:
                    ring = tuple(path[path.index(name) :])
                    told.update(ring)
                    yield ring
            elif name not in state and name in graph:
                state[name] = _OPEN
                path.append(name)
                ahead.append(iter(graph[name]))


_OPEN, _DONE = 1, 2
