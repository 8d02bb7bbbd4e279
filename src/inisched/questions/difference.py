"""What sets two files apart, by meaning: sections and keys."""

from __future__ import annotations

from collections.abc import Iterator

from msgspec import Struct

from inisched.config.keys import is_reserved
from inisched.config.loader import Config, JobSection
from inisched.config.meaning import START_ONLY, same, start_only
from inisched.config.said import Said, said
from inisched.model.job import Job


class Change(Struct, frozen=True):
    """A key that means something else. Values as views show them; None where it is not written."""

    key: str
    old: str | None
    new: str | None


class Pair(Struct, frozen=True):
    """One name in both files. Of a job `old` and `new` are its sections, None where it is not.

    `in_old` and `in_new` say whether a section of that name stands there, a job or not. A job
    that is in one file only has no changes.
    """

    name: str
    old: JobSection | None
    new: JobSection | None
    in_old: bool
    in_new: bool
    changes: tuple[Change, ...] = ()

    @property
    def is_job(self) -> bool:
        return not is_reserved(self.name)

    @property
    def added(self) -> bool:
        return self.old is None and self.new is not None

    @property
    def removed(self) -> bool:
        return self.old is not None and self.new is None

    @property
    def old_job(self) -> Job | None:
        """The job as the old file has it; None where it is broken or not there."""
        return self.old.job if self.old else None

    @property
    def new_job(self) -> Job | None:
        return self.new.job if self.new else None

    @property
    def zone(self) -> str:
        """The zone to show the job's moments in: the new file's where both have it."""
        section = self.new or self.old
        return section.zone if section else "UTC"

    @property
    def broken(self) -> tuple[bool, bool]:
        """Whether the job is broken in the old file, and in the new."""
        one, other = self.old, self.new
        return one is not None and one.job is None, other is not None and other.job is None

    @property
    def differs(self) -> bool:
        """Whether anything but fires tells them apart."""
        return self.added or self.removed or bool(self.changes) or len(set(self.broken)) > 1


def pairs(old: Config, new: Config) -> Iterator[Pair]:
    """Every section of two files: in the order of the new one, then what only the old one has."""
    olds, news = said(old), said(new)
    old_jobs, new_jobs = _jobs(old), _jobs(new)
    for name in dict.fromkeys((*news, *olds)):
        one, other = olds.get(name), news.get(name)
        yield Pair(
            name=name,
            old=old_jobs.get(name),
            new=new_jobs.get(name),
            in_old=one is not None,
            in_new=other is not None,
            changes=tuple(_changes(name, one, other)),
        )


def _jobs(config: Config) -> dict[str, JobSection]:
    """By name; of two with one name the first."""
    return {section.name: section for section in reversed(config.sections)}


def _changes(name: str, old: Said | None, new: Said | None) -> Iterator[Change]:
    """A pool or notifier in one file only changes by all that is written there."""
    if old is not None and new is not None:
        passed_over = START_ONLY if start_only(old) and start_only(new) else ()
        for key in dict.fromkeys((*new.fields, *old.fields)):
            if key not in passed_over and not same(old, new, key):
                yield _change(old, new, key)
    elif is_reserved(name):
        for section in (new, old):
            yield from (_change(old, new, key) for key in (section.fields if section else ()))


def _change(old: Said | None, new: Said | None, key: str) -> Change:
    """Arguments go by the name they are written with, keys by their own."""
    one = old.fields.get(key) if old else None
    other = new.fields.get(key) if new else None
    written = other or one
    assert written is not None
    return Change(
        key=written.name if written.key is not None else written.entry.key,
        old=one.shown if one else None,
        new=other.shown if other else None,
    )
