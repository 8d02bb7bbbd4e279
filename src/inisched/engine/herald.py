"""Decides what people are told: which incidents open and close, and who gets a letter of it.

What it decides is a Report; that is written in the transaction it belongs to, and counts only
once it has been: `accept` it then.
"""

from __future__ import annotations

from collections.abc import Container, Iterable, Mapping
from datetime import datetime, timedelta
from typing import Any

from msgspec.structs import replace

from inisched.engine.audience import Setting
from inisched.engine.description import Description
from inisched.engine.run import Run
from inisched.engine.seat import Seat
from inisched.model.duration import show_duration
from inisched.model.event import Event, Kind
from inisched.model.job import Job
from inisched.model.run import FAILURES, SUCCESSES, Outcome, Reason, State
from inisched.stores.claims import Claimed
from inisched.stores.post import Incident, Letter, Post, Report

BY_PEOPLE = frozenset(
    {Reason.PAUSED, Reason.HELD, Reason.DISABLED, Reason.REMOVED, Reason.COALESCED}
)
"""Skips nobody is told of: somebody wanted them so, or another run stands for the fire."""


class Herald:
    """What people are told of one ledger's jobs."""

    def __init__(self, post: Post) -> None:
        self._post = post
        self.setting = Setting()
        self._says = Description("", "")
        self.slow: dict[int, datetime] = {}
        """When runs that go on will have taken longer than expected."""
        self._incidents: dict[tuple[str, Kind], Incident] = {}
        self._troubled: set[str] = set()
        self._newest = 0
        self._audiences: dict[tuple[str, Kind], tuple[str, ...]] = {}
        self._reminders: datetime | None = None
        self._unswept = True
        self.resting: set[str] = set()
        """Jobs of which nobody is reminded: they are switched off."""

    @property
    def incidents(self) -> list[Incident]:
        """Those of failure and lateness that last, the oldest first."""
        wrong = (Kind.FAILURE, Kind.LATE)
        found = [one for one in self._incidents.values() if one.kind in wrong]
        return sorted(found, key=lambda incident: incident.id)

    @property
    def due(self) -> datetime | None:
        """When somebody must be told something even if nothing happens."""
        moments = [*self.slow.values(), *([self._reminders] if self._reminders else [])]
        return min(moments, default=None)

    # -- what the file and the ledger say ------------------------------------------------------

    def heed(self, setting: Setting) -> None:
        """Go by a file from now on."""
        self.setting = setting
        self._says = Description(setting.path, setting.host)
        self.adopted(self.resting)

    def adopted(self, resting: Iterable[str]) -> None:
        """The jobs are others now; `resting` ones are switched off."""
        self.resting = set(resting)
        self._audiences.clear()
        self._unswept = True
        self._note_reminders()

    def recall(self) -> None:
        """Know what the ledger says of incidents. Raises LedgerDown."""
        self._incidents = {(one.job, one.kind): one for one in self._post.incidents()}
        self._newest = max(self._newest, self._post.newest_incident())
        self._take_stock()

    def is_late(self, job: str) -> bool:
        """Whether it is known already that the job is late."""
        return (job, Kind.LATE) in self._incidents

    def move(self, step: timedelta) -> None:
        """The clock was set."""
        self.slow = {run: moment + step for run, moment in self.slow.items()}
        for incident in self._incidents.values():
            incident.told = {name: at + step for name, at in incident.told.items()}
        self._note_reminders()

    def accept(self, report: Report | None) -> None:
        """A report has been written."""
        if not report:
            return
        by_id = {incident.id: incident for incident in self._incidents.values()}
        for new in report.opened:
            self._incidents[new.job, new.kind] = by_id[new.id] = new
        for number in report.failed_again:
            by_id[number].failures += 1
        for number in report.closed:
            incident = by_id[number]
            self._incidents.pop((incident.job, incident.kind), None)
        for number, notifier in report.told:
            by_id[number].told[notifier] = report.at
        self._take_stock()

    def _take_stock(self) -> None:
        self._troubled = {job for job, _ in self._incidents}
        self._note_reminders()

    # -- what happens --------------------------------------------------------------------------

    def started(self, entries: Iterable[tuple[Seat, Claimed]], now: datetime) -> Report | None:
        """Runs are about to start."""
        report = Report(now)
        for seat, entry in entries:
            job = seat.job
            if job.notices.warn_after is not None:
                self.slow[entry.run_id] = now + job.notices.warn_after
            if entry.attempt == 1 and self._programs(job):
                event = self._says.of_entry(Kind.STARTED, job, entry, now, started_at=now)
                self._tell_programs(report, job, event)
        return report or None

    def ended(
        self,
        run: Run,
        outcome: Outcome,
        ended: datetime,
        *,
        worked: datetime | None = None,
        late: bool = False,
    ) -> Report | None:
        """The last attempt at a fire has ended, of a job that last `worked` then.

        It is `late` still where another fire has been awaited in vain meanwhile.
        """
        job, report, state = run.seat.job, Report(ended), outcome.state
        if state in FAILURES:
            self._failed(report, run, outcome, worked)
        elif state in SUCCESSES:
            if job.name in self._troubled or self._asks(job, Kind.SUCCESS, Kind.WARNING):
                self._worked(report, run, outcome, late=late)
        elif state is State.SKIPPED:
            self._passed_over(report, self._says.of_run(Kind.SKIPPED, run, outcome, ended), job)
        if job.name in self._troubled and state is not State.SKIPPED:
            self._close(report, job, Kind.SKIPPED)
        self._was_slow(report, run, outcome)
        if self._programs(job) and state is not State.STOPPED:
            kind = _KINDS.get(state, Kind.SKIPPED)
            self._tell_programs(report, job, self._says.of_run(kind, run, outcome, ended))
        return report or None

    def _failed(self, report: Report, run: Run, outcome: Outcome, worked: datetime | None) -> None:
        job, ended = run.seat.job, report.at
        lasting = self._incidents.get((job.name, Kind.FAILURE))
        if lasting is not None:
            report.failed_again.append(lasting.id)
            return
        incident = self._open(report, job, Kind.FAILURE, failures=1)
        changed = self.setting.changed(job, worked, ended - run.started)
        event = self._says.of_run(Kind.FAILURE, run, outcome, ended, changed=changed)
        self._tell(report, job, _with(event, incident), incident)

    def _worked(self, report: Report, run: Run, outcome: Outcome, *, late: bool) -> None:
        job, ended = run.seat.job, report.at
        failed = self._close(report, job, Kind.FAILURE)
        was_late = None if late else self._close(report, job, Kind.LATE)
        if self.slow.get(run.claimed.run_id, ended) > ended:
            self._close(report, job, Kind.SLOW)
        told: set[str] = set()
        lasting = failed or was_late
        if lasting is not None:
            event = _with(self._says.of_run(Kind.RECOVERY, run, outcome, ended), lasting)
            event = replace(event, late_since=was_late.fire_at if was_late else None)
            told = self._tell(report, job, event)
        kind = _KINDS[outcome.state]
        if kind is Kind.WARNING or _speaks(outcome):
            event = self._says.of_run(kind, run, outcome, ended)
            self._tell(report, job, event, without=told)

    def _was_slow(self, report: Report, run: Run, outcome: Outcome) -> None:
        """Tell of a run that took longer than expected, where that was not told meanwhile."""
        job, due = run.seat.job, self.slow.get(run.claimed.run_id)
        if due is None or due > report.at or (job.name, Kind.SLOW) in self._incidents:
            return
        took, expected = report.at - run.started, job.notices.warn_after
        assert expected is not None
        message = f"took {show_duration(took)}, expected were {show_duration(expected)}"
        event = self._says.of_run(Kind.SLOW, run, outcome, report.at)
        event = replace(event, message=message)
        self._tell(report, job, event, self._open(report, job, Kind.SLOW))

    def skipped(self, report: Report, job: Job, reason: Reason, message: str, **facts: Any) -> None:
        """A fire, or a stretch of them, does not run."""
        if reason in BY_PEOPLE:
            return
        event = self._says.event(
            Kind.SKIPPED,
            job,
            report.at,
            state=State.SKIPPED,
            reason=reason,
            message=message,
            **facts,
        )
        self._passed_over(report, event, job)

    def _passed_over(self, report: Report, event: Event, job: Job) -> None:
        """One skip is told of each stretch of them: until a run has ended there is no other."""
        known = any(new.job == job.name and new.kind is Kind.SKIPPED for new in report.opened)
        if known or (job.name, Kind.SKIPPED) in self._incidents:
            return
        if self._audience(job, Kind.SKIPPED):
            self._tell(report, job, event, self._open(report, job, Kind.SKIPPED))

    def interrupted(self, job: Job, entry: Claimed, now: datetime) -> Report | None:
        """A run was cut off by the daemon's death: a program that counts runs learns its end."""
        if not self.setting.sentry:
            return None
        event = self._says.of_entry(Kind.INTERRUPTED, job, entry, now, state=State.INTERRUPTED)
        return Report(now, letters=[Letter(SENTRY, event)])

    # -- what happens by itself ----------------------------------------------------------------

    def late(self, report: Report, seat: Seat, fire: datetime, why: str) -> None:
        """No run has started in the time after a fire in which one was expected."""
        job = seat.job
        incident = self._open(report, job, Kind.LATE, fire_at=fire)
        event = self._says.event(Kind.LATE, job, report.at, fire_at=fire, message=why)
        self._tell(report, job, replace(_with(event, incident), late_since=fire), incident)

    def overdue(self, report: Report, runs: Mapping[int, Run]) -> list[int]:
        """Tell of runs that go on longer than expected; which they are, to be `forget`-ed then."""
        overdue = [run_id for run_id, moment in self.slow.items() if moment <= report.at]
        for run_id in overdue:
            run = runs.get(run_id)
            if run is None or (run.seat.job.name, Kind.SLOW) in self._incidents:
                continue
            job, expected = run.seat.job, run.seat.job.notices.warn_after
            message = f"still running after {show_duration(expected)}" if expected else ""
            event = self._says.of_entry(
                Kind.SLOW, job, run.claimed, report.at, state=State.RUNNING,
                started_at=run.started, duration=report.at - run.started, message=message,
            )  # fmt: skip
            self._tell(report, job, event, self._open(report, job, Kind.SLOW))
        return overdue

    def forget(self, runs: Iterable[int]) -> None:
        """These runs have ended, or it was told that they take long."""
        for run_id in runs:
            self.slow.pop(run_id, None)

    def remind(self, report: Report, seats: Mapping[str, Seat], broken: Container[str]) -> None:
        """Tell once more of what lasts, whoever wants that; close what concerns no job any more.

        A `broken` job is one of the file still. What it finds is to be `swept` then.
        """
        if not self._unswept and (self._reminders is None or self._reminders > report.at):
            return
        for incident in list(self._incidents.values()):
            if incident.job not in seats:
                report.closed += [] if incident.job in broken else [incident.id]
                continue
            job = seats[incident.job].job
            for name, moment in self._reminders_of(incident):
                if moment > report.at:
                    continue
                event = self._says.event(incident.kind, job, report.at, reminder=True)
                event = replace(_with(event, incident), late_since=incident.fire_at)
                report.letters.append(Letter(f"notify:{name}", event))
                report.told.append((incident.id, name))

    def swept(self) -> None:
        """What concerned no job any more is closed."""
        self._unswept = False

    def _reminders_of(self, incident: Incident) -> Iterable[tuple[str, datetime]]:
        if incident.kind not in (Kind.FAILURE, Kind.LATE) or incident.job in self.resting:
            return
        for name, told in incident.told.items():
            notifier = self.setting.notifiers.get(name)
            if notifier is not None and notifier.repeat is not None:
                yield name, told + notifier.repeat

    def _note_reminders(self) -> None:
        found = [m for one in self._incidents.values() for _, m in self._reminders_of(one)]
        self._reminders = min(found, default=None)

    # -- incidents and letters -----------------------------------------------------------------

    def _open(self, report: Report, job: Job, kind: Kind, **facts: Any) -> Incident:
        self._newest += 1
        incident = Incident(self._newest, job.name, kind, report.at, **facts)
        report.opened.append(incident)
        return incident

    def _close(self, report: Report, job: Job, kind: Kind) -> Incident | None:
        incident = self._incidents.get((job.name, kind))
        if incident is not None:
            report.closed.append(incident.id)
        return incident

    def _tell(
        self,
        report: Report,
        job: Job,
        event: Event,
        incident: Incident | None = None,
        *,
        without: Iterable[str] = (),
    ) -> set[str]:
        """Write to everybody who wants to hear of such an event; to whom."""
        names = [name for name in self._audience(job, event.kind) if name not in without]
        for name in names:
            report.letters.append(Letter(f"notify:{name}", event))
            if incident is not None:
                report.told.append((incident.id, name))
        return set(names)

    def _programs(self, job: Job) -> bool:
        """Whether programs follow each run of a job."""
        return self.setting.sentry or job.notices.ping is not None

    def _tell_programs(self, report: Report, job: Job, event: Event) -> None:
        if job.notices.ping is not None and event.kind is not Kind.INTERRUPTED:
            report.letters.append(Letter(PING, event))
        if self.setting.sentry:
            report.letters.append(Letter(SENTRY, event))

    def _asks(self, job: Job, *kinds: Kind) -> bool:
        """Whether anybody hears of such events of a job."""
        return bool(self.setting.notifiers) and any(self._audience(job, kind) for kind in kinds)

    def _audience(self, job: Job, kind: Kind) -> tuple[str, ...]:
        """Who hears of such an event of a job, in the order of the file."""
        key = job.name, kind
        if key not in self._audiences:
            self._audiences[key] = self.setting.audience(job, kind)
        return self._audiences[key]


PING, SENTRY = "ping", "sentry"
"""The ways of letters that go to programs."""

_KINDS = {
    State.FAILURE: Kind.FAILURE,
    State.TIMEOUT: Kind.FAILURE,
    State.SUCCESS: Kind.SUCCESS,
    State.WARNING: Kind.WARNING,
}


def _speaks(outcome: Outcome) -> bool:
    """Whether a run that worked has anything to tell, as cron would mail it."""
    return bool(outcome.stdout or outcome.stderr or outcome.output or outcome.message)


def _with(event: Event, incident: Incident) -> Event:
    return replace(event, incident=incident.id, since=incident.opened, failures=incident.failures)
