"""Makes a job of a section, or says why that cannot be."""

from __future__ import annotations

from collections.abc import Container, Mapping, Sequence
from types import MappingProxyType

from msgspec import Struct, field
from msgspec.structs import replace

from inisched.config.desk import Desk
from inisched.config.document import Section
from inisched.config.fields import Field, Fields, Gatherer
from inisched.config.gates import read_gates, read_names, read_period
from inisched.config.how import read_how
from inisched.config.keys import ACTIONS, JOB, NAMING, RHYTHMS, is_reserved
from inisched.config.notifiers import read_notices
from inisched.config.report import Report
from inisched.config.strangers import (
    A_RHYTHM,
    AN_ACTION,
    refuse_arguments,
    refuse_misspelt,
    warn_of_resemblance,
)
from inisched.config.what import read_action, read_executor
from inisched.config.when import AT_START, read_schedule, warn_of_silenced
from inisched.model.job import DjangoSettings, Ending, Job, Misfire
from inisched.model.place import Place

_PLAIN = {
    name: name
    for name in (
        "active", "description", "run_at_start", "grace", "misfire", "max_catchup", "output_limit",
        "success_codes", "then_on",
    )
}  # fmt: skip
"""Keys a job has under their own names, as they are read; what is not given is the Job's affair."""

_OF_ITS_OWN = {*ACTIONS, "description"}
"""Keys that say something else in nearly every section."""

_WITH_PLACE = {"should_run", "ready"}
"""Keys whose values know where they stand."""

_JUDGED = {"call", "manage", *_WITH_PLACE}
_NOTHING_SET: Mapping[str, Place] = MappingProxyType({})


class Draft(Struct):
    """A section on its way to a job; broken where `job` is None or its desk says so.

    `zone` is the one to reckon with, None where none can be read; `timezone` the section's own, as
    a view has it. `keys_set` is as in JobSection.
    """

    section: Section
    desk: Desk
    place: Place
    zone: str | None = None
    timezone: str | None = None
    job: Job | None = None
    active: bool = True
    keys_set: Mapping[str, Place] = _NOTHING_SET

    @property
    def broken(self) -> bool:
        return self.job is None or self.desk.broken


class Drafter(Struct):
    """Drafts the jobs of one file.

    `zone` and the Django `project` are the file's own, None where they cannot be read. `blank` is a
    desk with nothing on it.
    """

    report: Report
    gatherer: Gatherer
    default: Fields
    zone: str | None
    project: DjangoSettings | None
    blank: Desk
    _misspelt: dict[str, Field] = field(default_factory=dict)
    _alike: dict[tuple[str, ...], Draft] = field(default_factory=dict)

    def draft(self, section: Section) -> Draft:
        """Read a section to its end, whatever is wrong with it.

        In a large file most sections say the same as one before them, but for what they run: then
        that alone is read.
        """
        own = self.gatherer.gather(section, JOB)
        desk = Desk(section.name, own.under(self.default), self.report)
        desk.broken = bool(section.spoilt)
        draft = Draft(section, desk, Place(self.report.file, section.line, section.column))
        likeness = _likeness(own)
        like = None if desk.broken else self._alike.get(likeness)
        if like is not None:
            self._draft_like(draft, like)
        else:
            said = len(self.report)
            self._draft(draft)
            sound = not (draft.broken or desk.failed or len(self.report) > said)
            if sound and _WITH_PLACE.isdisjoint(desk.known):
                self._alike[likeness] = draft
        self._finish(draft)
        return draft

    def _draft_like(self, draft: Draft, like: Draft) -> None:
        """Read what a section has of its own; with the rest of it nothing is wrong."""
        desk = draft.desk
        action = read_action(desk, self.project)
        desk.check("description")
        draft.active, draft.zone = like.active, like.zone
        if action is not None and like.job is not None:
            said = description(desk)
            draft.job = replace(
                like.job,
                name=draft.section.name,
                place=draft.place,
                action=action,
                description=said,
            )

    def _finish(self, draft: Draft) -> None:
        """Keep what is asked for later. A section of which nothing more will be said lets go of
        what it was read from: that is many times as large as the job."""
        desk = draft.desk
        zone = desk.get("timezone")
        draft.timezone = None if zone is None else zone.shown
        if not _JUDGED.isdisjoint(desk.known):
            draft.keys_set = _keys_set(desk)
        if not draft.broken and NAMING.isdisjoint(desk.known):
            draft.desk = self.blank
            draft.section.entries.clear()

    def _draft(self, draft: Draft) -> None:
        desk = draft.desk
        misspelt = refuse_misspelt(desk)
        if misspelt:
            self._misspelt |= {key: f for key, f in misspelt.items() if f.from_default}
        if desk.has("call") or "call" in misspelt:
            warn_of_resemblance(desk, misspelt)
        elif desk.has("command") or desk.has("manage"):
            refuse_arguments(desk, misspelt)
        _check_exactly_one(draft, ACTIONS, misspelt)
        _check_exactly_one(draft, RHYTHMS, misspelt)
        draft.active = desk.read("active", True)
        draft.zone = self._zone(desk)
        draft.job = self._job(desk, draft.place, draft.zone)

    def check_default(self) -> None:
        """Read [DEFAULT] by itself, so that its errors are said even where no job uses it.

        Comes last: a key some job showed to be misspelt is not warned of again.
        """
        desk = Desk(None, self.default, self.report)
        desk.read("active", True)
        self._job(desk, Place(self.report.file, 1, 1), self._zone(desk))
        warn_of_resemblance(desk, self._misspelt)
        warn_of_silenced(desk)
        for argument in self.default.arguments.values():
            desk.warn_of_comment(argument)

    def _zone(self, desk: Desk) -> str | None:
        """The zone to reckon with; None where none can be read."""
        zone: str | None = desk.read("timezone", self.zone)
        desk.broken |= zone is None
        return zone

    def _job(self, desk: Desk, place: Place, zone: str | None) -> Job | None:
        """Read every key; None where there is no action or no schedule to make a job of."""
        action = read_action(desk, self.project)
        schedule = read_schedule(desk, zone)
        said = desk.given(_PLAIN) | read_how(desk)
        executor = read_executor(desk)
        report_period = read_period(desk)
        misfire = Misfire(said.pop("misfire", "all" if report_period else "coalesce"))
        then_on = Ending(said.pop("then_on", "success"))
        gates = read_gates(desk, action)
        notices = read_notices(desk, schedule)
        read_names(desk)
        desk.read_later_keys()
        if action is None or schedule is None or desk.name is None:
            return None
        if schedule.text == AT_START:
            said["run_at_start"] = True
        return Job(
            name=desk.name,
            place=place,
            action=action,
            schedule=schedule,
            executor=executor,
            misfire=misfire,
            gates=gates,
            report_period=report_period,
            then_on=then_on,
            notices=notices,
            **said | {"description": description(desk)},
        )


def _likeness(own: Fields) -> tuple[str, ...]:
    """The same for two sections that say the same, but for what they run and what it is for."""
    words = []
    for name, said in own.known.items():
        words.append(said.entry.key)
        if name not in _OF_ITS_OWN:
            words.append(said.entry.value)
    words.extend(argument.entry.key for argument in own.arguments.values())
    return tuple(words)


def _keys_set(desk: Desk) -> Mapping[str, Place]:
    return {
        field.entry.key: Place(desk.report.file, field.entry.line, field.entry.column)
        for field in desk.known.values()
        if not field.from_default
    }


def description(desk: Desk) -> str:
    """What the section says the job is for, references as they stand."""
    field = desk.get("description")
    return field.shown if field is not None else ""


def _check_exactly_one(draft: Draft, names: Sequence[str], excused: Container[str]) -> None:
    """Report that several of the keys are given, or none; one is as it should be."""
    desk = draft.desk
    known = desk.known
    given = [known[name] for name in names if name in known]
    if len(given) > 1:
        _refuse_several(desk, given, names)
    elif not given:
        desk.broken = True
        if "" not in draft.section.spoilt and not any(name in excused for name in names):
            _refuse_none(draft, names)


def _refuse_several(desk: Desk, given: list[Field], names: Sequence[str]) -> None:
    first, *others = sorted(given, key=lambda field: field.entry.line)
    for other in others:
        desk.fail(
            other,
            "too-many",
            f"'{other.entry.key}' stands beside '{first.entry.key}' of line {first.entry.line}",
            expected=f"only one of {', '.join(names[:-1])} and {names[-1]}",
        )


def _refuse_none(draft: Draft, names: Sequence[str]) -> None:
    name, of_action = draft.section.name, names is ACTIONS
    hint = _reserved_hint(name)
    if hint and not of_action:
        return
    draft.desk.report.at(
        draft.section.line,
        draft.section.column,
        len(name),
        "nothing-to-run" if of_action else "never-scheduled",
        f"job '{name}' has nothing to run" if of_action else f"job '{name}' is never scheduled",
        job=name,
        expected=AN_ACTION if of_action else A_RHYTHM,
        hint=hint,
    )


def _reserved_hint(name: str) -> str:
    """A cure where the name is that of a reserved section but for its case."""
    lower = name.strip().lower()
    if lower == "default":
        return "did you mean [DEFAULT]?"
    return f"did you mean [{lower}]?" if is_reserved(lower) else ""
