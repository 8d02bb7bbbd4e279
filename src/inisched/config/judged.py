"""A file together with what was found of its callbacks."""

from __future__ import annotations

import json
from collections.abc import Iterable, Mapping
from hashlib import blake2b
from types import MappingProxyType
from typing import TYPE_CHECKING

from msgspec import Struct, field
from msgspec.structs import replace

from inisched.config.judgement import Judgement, Request, diagnostics
from inisched.config.keys import JOB
from inisched.config.loader import Config, JobSection
from inisched.config.problem import Problem
from inisched.model.diagnostic import Diagnostic, Level
from inisched.model.job import Call, Command, Job, Manage

if TYPE_CHECKING:
    from inisched.config.judge import JudgeProcess

Passed = Mapping[str, object]
"""What a callback is handed, as a view may show it."""


class Judged(Struct, frozen=True):
    """A config whose callbacks have been looked at. `passed` is by job."""

    config: Config
    passed: Mapping[str, Passed] = field(default_factory=lambda: MappingProxyType({}))


def requests(config: Config) -> list[Request]:
    """What there is to judge in a file: the callback or management command, and the gates, of
    every job that is not broken already."""
    found = []
    for section in config.sections:
        job = section.job
        if job is None:
            continue
        call = None if isinstance(job.action, Command) else job.action
        gates = _gates(job, section)
        if call is not None or gates:
            found.append(Request(job.name, call, job.schedule.zone, section.keys_set, gates))
    return found


def _gates(job: Job, section: JobSection) -> dict[str, Call]:
    """The gates by their keys, as the section has them; by their proper names where it is not the
    section that has them."""
    if not (job.gates.should_run or job.gates.ready):
        return {}
    gates = {"should_run": job.gates.should_run, "ready": job.gates.ready}
    words = {key.name: word for word in section.keys_set if (key := JOB.find(word))}
    return {words.get(name, name): call for name, call in gates.items() if call is not None}


def judging(config: Config, asked: Iterable[Request], *, time_limit: float) -> JudgeProcess:
    """Begin to judge these callbacks of the file; each import may take `time_limit` seconds."""
    from inisched.config.judge import JudgeProcess

    return JudgeProcess(
        asked,
        folder=config.real_path.parent,
        python_path=config.settings.python_path,
        key_names=JOB.words,
        time_limit=time_limit,
    )


def with_judgements(
    config: Config, asked: Iterable[Request], judgements: Mapping[str, Judgement]
) -> Judged:
    """The config with its judgements: jobs they break are broken, their problems are told."""
    found = diagnostics(asked, judgements)
    told = [one for one in config.diagnostics if not _answered(one, found, judgements)]
    told += [config.complete(one) for one in found]
    told.sort(key=lambda one: (one.place.line, one.place.column))
    sections = tuple(
        _judged_section(section, judgements.get(section.name)) for section in config.sections
    )
    passed = {name: dict(judgement.passed) for name, judgement in judgements.items()}
    return Judged(replace(config, sections=sections, diagnostics=tuple(told)), passed)


def _answered(
    suspicion: Diagnostic, found: Iterable[Diagnostic], judgements: Mapping[str, Judgement]
) -> bool:
    """Whether the judgement settles the suspicion that a keyword argument is a misspelt key:
    the callback names it, or refuses it and says so itself."""
    if suspicion.code != "resembles-key":
        return False
    judgement = judgements.get(suspicion.job or "", Judgement())
    key = (suspicion.key or "").removeprefix("arg.")
    return key in judgement.named or any(
        (one.place, one.code) == (suspicion.place, "unknown-argument") for one in found
    )


def _judged_section(section: JobSection, judgement: Judgement | None) -> JobSection:
    if judgement is None or section.job is None:
        return section
    description = section.description or judgement.doc
    job = replace(section.job, description=description) if judgement.ok else None
    return replace(section, job=job, description=description)


# -- remembered judgements ---------------------------------------------------------------------


def fingerprint(request: Request, config: Config) -> str:
    """The same for two requests that would be judged alike as long as no module changes."""
    facts = [
        [(key, *_facts(call)) for key, call in sorted(request.parts.items())],
        request.zone,
        sorted(request.keys_set),
        [str(path) for path in config.settings.python_path],
    ]
    return blake2b(json.dumps(facts).encode(), digest_size=16).hexdigest()


def _facts(call: Call | Manage) -> tuple[object, ...]:
    if isinstance(call, Manage):
        return call.target, call.words
    return call.target, [(a.name, a.text, a.from_default) for a in call.arguments]


def remembered(request: Request, judgement: Judgement, config: Config) -> str:
    """A judgement as the ledger keeps it, for those who do not import."""
    return json.dumps(
        {
            "of": fingerprint(request, config),
            "errors": [(p.gate, p.message) for p in judgement.problems if p.level is Level.ERROR],
            "passed": dict(judgement.passed),
            "doc": judgement.doc,
        }
    )


def recall(request: Request, text: str | None, config: Config) -> Judgement | None:
    """The judgement the ledger remembers of this request; None where nobody has judged it."""
    if text is None:
        return None
    known = json.loads(text)
    if known.get("of") != fingerprint(request, config):
        return None
    problems = (Problem(code="judged", message=text, gate=gate) for gate, text in known["errors"])
    return Judgement(tuple(problems), known["passed"], (), known["doc"])


def errors(found: Iterable[Diagnostic]) -> list[Diagnostic]:
    """Those that break something."""
    return [one for one in found if one.level is Level.ERROR]
