"""From a path to a Config: the jobs of a file, its settings, and all that is wrong with it."""

from __future__ import annotations

import os
from collections.abc import Iterator, Mapping
from pathlib import Path
from typing import ClassVar

from msgspec import Struct, field
from msgspec.structs import replace

from inisched.config.desk import Desk
from inisched.config.document import Document, Section
from inisched.config.fields import Fields, Gatherer
from inisched.config.ini import read_ini
from inisched.config.jobs import Draft, Drafter, description
from inisched.config.keys import JOB, is_key, is_reserved
from inisched.config.links import Links
from inisched.config.manage import read_django
from inisched.config.names import warn_of_names
from inisched.config.notifiers import read_notifiers, read_post
from inisched.config.references import References
from inisched.config.report import Lines, Report
from inisched.config.reserved import check_reserved, named, read_pools, settings_desk
from inisched.config.settings import (
    Settings,
    default_settings,
    read_settings,
    warn_of_host_zone,
)
from inisched.config.source import Refused, read_text
from inisched.config.when import raw_text
from inisched.model.collector import collector_resting
from inisched.model.diagnostic import Diagnostic, Level
from inisched.model.guarded import Guarded
from inisched.model.job import DjangoSettings, Job, Pool
from inisched.model.notifier import Notifier
from inisched.model.place import Place


class JobSection(Struct, frozen=True, kw_only=True, gc=False):
    """A section that is a job, as views show it: references as they stand, secrets masked.

    `job` is None where the section is broken. `schedule_text` and `timezone` are for showing
    only; `zone` is the one to reckon with, the file's where the section's own cannot be read.
    `keys_set` are the keys of inisched the section itself sets, as written, and where; only a
    section with a callback, a management command or a gate has them, for its judgement.
    """

    name: str
    place: Place
    job: Job | None
    active: bool
    description: str
    schedule_text: str
    timezone: str
    zone: str
    keys_set: Mapping[str, Place]


class Config(Guarded, frozen=True, kw_only=True):
    """A file as it was read, with all that is wrong with it, in file order.

    `path` is as the user typed it. A notifier that cannot be read is None. `fatal` says that the
    file cannot be read as INI at all, and `settings_broken` that `[inisched]` is wrong about
    something no run can do without. A name that stands there twice is two sections, both broken.
    """

    hidden: ClassVar = frozenset({"lines"})

    path: str
    real_path: Path
    settings: Settings
    sections: tuple[JobSection, ...] = ()
    pools: Mapping[str, Pool] = field(default_factory=dict)
    notifiers: Mapping[str, Notifier | None] = field(default_factory=dict)
    diagnostics: tuple[Diagnostic, ...] = ()
    fatal: bool = False
    settings_broken: bool = False
    lines: Lines | None = None

    @property
    def jobs(self) -> tuple[Job, ...]:
        """The jobs that can run, in file order; inactive ones too."""
        return tuple(section.job for section in self.sections if section.job is not None)

    @property
    def broken(self) -> tuple[JobSection, ...]:
        return tuple(section for section in self.sections if section.job is None)

    @property
    def database(self) -> Path:
        """Where state and ledger are kept: as the file says, else beside it."""
        return Path(os.path.realpath(self.settings.database or self.real_path.with_suffix(".db")))

    def complete(self, diagnostic: Diagnostic) -> Diagnostic:
        """Add the source line, masked, to a diagnostic made elsewhere about this file."""
        return self.lines.complete(diagnostic) if self.lines else diagnostic


@collector_resting()
def load(path: str | Path, *, strict_references: bool) -> Config:
    """Read a file and everything it says; whatever is wrong becomes a diagnostic, never an error.

    With `strict_references` a reference with nothing behind it is an error, else a note.
    """
    shown = os.fspath(path)
    real_path = _real(shown)
    try:
        text = read_text(real_path, shown)
    except Refused as refused:
        return _refused(shown, real_path, refused.diagnostic)
    document = read_ini(text, shown, is_key)
    if document.headless:
        report = Report(document)
        return _refused(shown, real_path, *report.finished())
    return _Loading(document, real_path, strict_references).config()


def _real(path: str) -> Path:
    """The path without links; one that cannot be followed stays as it is, and cannot be opened."""
    try:
        return Path(os.path.realpath(path))
    except (OSError, ValueError):
        return Path(path)


def _refused(shown: str, real_path: Path, *diagnostics: Diagnostic) -> Config:
    return Config(
        path=shown,
        real_path=real_path,
        settings=default_settings(real_path.parent),
        diagnostics=diagnostics,
        fatal=True,
    )


class _Loading:
    """One reading of a document: what its steps share."""

    def __init__(self, document: Document, real_path: Path, strict: bool) -> None:
        self.document = document
        self.real_path = real_path
        self.report = Report(document)
        self.gatherer = Gatherer(self.report, References(real_path.parent), strict)

    def config(self) -> Config:
        sections = self.document.sections
        jobs = [section for section in sections if not is_reserved(section.name)]
        desk = self._settings_desk()
        settings = read_settings(desk, self.real_path)
        for section in sections:
            if is_reserved(section.name) and section.name != "inisched":
                check_reserved(section, self.gatherer)
        pools = read_pools(sections, self.gatherer)
        notifiers = read_notifiers(sections, self.gatherer, read_post(desk))
        zone = None if "timezone" in desk.failed else settings.timezone
        drafts = self._drafts(jobs, zone, read_django(desk))
        warn_of_names(jobs, self.report)
        self._check_links(drafts)
        self._hide_secrets(drafts)
        file_zone = desk.get("timezone")
        shown_zone = settings.timezone if file_zone is None else file_zone.shown
        if file_zone is None and any(draft.timezone is None for draft in drafts):
            warn_of_host_zone(self.report)
        if not jobs:
            self._warn_of_no_jobs()
        return Config(
            path=self.document.file,
            real_path=self.real_path,
            settings=settings,
            sections=tuple(_job_sections(drafts, shown_zone, settings.timezone)),
            pools=pools,
            notifiers=notifiers,
            diagnostics=self.report.finished(),
            settings_broken="database" in desk.failed,
            lines=self.report.lines,
        )

    def _settings_desk(self) -> Desk:
        """The desk of the first `[inisched]`; an empty one where there is none."""
        for section in self.document.sections:
            if section.name == "inisched":
                desk = settings_desk(section, self.gatherer)
                desk.broken |= bool(section.spoilt)
                return desk
        return Desk(None, Fields(), self.report)

    def _drafts(
        self, jobs: list[Section], zone: str | None, project: DjangoSettings | None
    ) -> list[Draft]:
        default = self.gatherer.gather(self.document.default, JOB)
        blank = Desk(None, Fields(), self.report)
        drafter = Drafter(self.report, self.gatherer, default, zone, project, blank)
        drafts = [drafter.draft(section) for section in jobs]
        drafter.check_default()
        return drafts

    def _hide_secrets(self, drafts: list[Draft]) -> None:
        """No job's output may show what stands behind any reference of the file."""
        secrets = self.gatherer.references.secrets
        for draft in drafts if secrets else ():
            if draft.job is not None:
                draft.job = replace(draft.job, secrets=secrets)

    def _check_links(self, drafts: list[Draft]) -> None:
        sections = self.document.sections
        names = frozenset(draft.section.name for draft in drafts)
        Links(names, named("pool:", sections), named("notify:", sections)).check(drafts)

    def _warn_of_no_jobs(self) -> None:
        place = Place(self.document.file, 0, 0)
        self.report.add(
            Diagnostic(
                place=place,
                code="no-jobs",
                message="there is no job in this file",
                level=Level.WARNING,
                expected="a section such as [name] with 'call' or 'command', and 'every'",
            )
        )


def _job_sections(drafts: list[Draft], shown_zone: str, zone: str) -> Iterator[JobSection]:
    """Sections in the place of their drafts, which are used up.

    `shown_zone` and `zone` are the file's, as a view has it and to reckon with.
    """
    drafts.reverse()
    while drafts:
        yield _job_section(drafts.pop(), shown_zone, zone)


def _job_section(draft: Draft, shown_zone: str, zone: str) -> JobSection:
    desk, job = draft.desk, None if draft.broken else draft.job
    return JobSection(
        name=draft.section.name,
        place=draft.place,
        job=job,
        active=draft.active,
        description=job.description if job is not None else description(desk),
        schedule_text=job.schedule.text if job is not None else raw_text(desk),
        timezone=draft.timezone if draft.timezone is not None else shown_zone,
        zone=draft.zone or zone,
        keys_set=draft.keys_set,
    )
