"""The ledger's writing side: claims, ends, gaps. One connection, one writer: the daemon."""

from __future__ import annotations

import sqlite3
from collections.abc import Callable, Collection, Iterable, Iterator, Mapping, Sequence
from contextlib import AbstractContextManager, contextmanager
from datetime import datetime, timedelta
from itertools import islice, starmap
from pathlib import Path
from typing import Any

from msgspec.structs import replace

from inisched.model.retention import Retention
from inisched.model.run import Fire, Gap, Outcome, Reason, State, Trigger
from inisched.stores.claims import Absence, Claimed, Ended, GapRow, Held, OpenRun, Stretch, Take
from inisched.stores.entries import (
    first_attempt,
    has_output,
    last_words,
    note_of_end,
    open_run,
    output,
    run_values,
)
from inisched.stores.grip import Grip
from inisched.stores.job_state import (
    Beginning,
    JobState,
    beginning_values,
    job_values,
    read_job_state,
    read_job_states,
)
from inisched.stores.life import Life, read_life
from inisched.stores.moments import from_ms, maybe_moment, to_ms
from inisched.stores.opening import transaction
from inisched.stores.pieces import Access
from inisched.stores.post import Post, Report
from inisched.stores.pruning import Pruning
from inisched.stores.queries import queries
from inisched.stores.soundness import Unusable
from inisched.stores.switches import Switches

_MILLISECOND = timedelta(milliseconds=1)


class LedgerDown(Exception):
    """The database cannot be read or written now; nothing of the call has happened."""


class Ledger:
    """The account of every fire. Each method is one transaction, or raises LedgerDown."""

    def __init__(
        self, path: Path, *, full: bool = True, ours: bool = False, brief: bool = False
    ) -> None:
        """`ours`: nobody chose the file's name, so that something broken there was ours. `brief`:
        it is held for a moment only, and looked at no longer than that.

        Raises Unusable, and of that NotNow where waiting may help.
        """
        self._grip = Grip(path, full=full, ours=ours, brief=brief)
        self._sql = queries()
        self._lost = ""
        self._identity = self.id
        self._life: int | None = None
        self._lived: dict[str, Any] = {}
        self._begun: set[str] = set()
        """Jobs of which a waiting fire has started since their last gap, or that have rested: it
        does not grow."""
        self.switches = Switches(self._together, self._run)
        self.post = Post(self._together, self._run)

    @property
    def id(self) -> str:
        """The database's own identity."""
        return str(self._one("identity")["value"])

    @property
    def path(self) -> Path:
        return self._grip.path

    @property
    def _db(self) -> sqlite3.Connection:
        return self._grip.db

    def together(self) -> AbstractContextManager[None]:
        """What is written within is one transaction: none of it has happened where one fails.

        LedgerDown must be let out of it.
        """
        return self._together()

    def close(self) -> None:
        self._grip.close()

    # -- jobs ----------------------------------------------------------------------------------

    def jobs(self) -> dict[str, JobState]:
        """Every job ever seen, by name."""
        return read_job_states(self._run("all_jobs"), self._run("fires_ahead"))

    def latest_look(self) -> datetime | None:
        """The latest look at any job whose rhythm had begun by then."""
        return maybe_moment(self._one("latest_look")["looked"])

    def seat(
        self,
        beginnings: Collection[Beginning],
        now: datetime,
        *,
        resting: Mapping[str, str] | None = None,
        stale: Iterable[str] = (),
        back: Iterable[str] = (),
        known: Mapping[str, JobState] | None = None,
        missed: Iterable[tuple[JobState, Gap]] = (),
    ) -> dict[str, JobState]:
        """Enter jobs and where their rhythms stand; what the ledger now knows of them, by name.

        Those named in `resting` rest, each for its reason, those in `stale` are stale; the others
        are not. Those named in `back` are back at the file's schedule. `known` is what `jobs` has
        said of them just now. `missed` are gaps that come before the rhythms go on.
        """
        resting, known = resting or {}, self.jobs() if known is None else known
        with self._together():
            for job, gap in missed:
                self._note_gap(job, gap)
            states = self._enter_rhythms(beginnings, known)
            for state in states.values():
                if state.resting and state.name not in resting:
                    states[state.name] = self._wake(state)
            for name, reason in resting.items():
                self._rest(name, reason, now)
            self._run("no_job_is_stale")
            for name in stale:
                self._run("job_is_stale", name=name)
            for name in back:
                self._run("drop_former_rhythm", name=name)
        return states

    def _enter_rhythms(
        self, beginnings: Collection[Beginning], known: Mapping[str, JobState]
    ) -> dict[str, JobState]:
        """Enter the rhythms that do not go on just as they are known to stand."""
        states = {new.name: known.get(new.name) for new in beginnings}
        new = {b.name: b for b in beginnings if not b.goes_on(states[b.name])}
        if new:
            self._db.executemany(self._sql["seat_job"], map(beginning_values, new.values()))
            entered = (row for row in self._run("all_jobs") if row["name"] in new)
            states |= read_job_states(entered, (), {name: name for name in new})
        return {name: state for name, state in states.items() if state is not None}

    def _wake(self, state: JobState) -> JobState:
        assert state.looked is not None
        self._run("wake_job", id=state.id)
        self._run("end_rest", job_id=state.id, until=to_ms(state.looked))
        self._begun.add(state.name)
        return replace(state, resting=False)

    def _rest(self, name: str, reason: str, now: datetime) -> None:
        job = self._one("rest_job", name=name)
        former = self._one("open_rest", job_id=job["id"])
        if former is None and job["looked"] is not None:
            self._run("begin_rest", job_id=job["id"], reason=reason, since=job["looked"])
        elif former is not None and former["reason"] != reason:
            self._run("end_rest", job_id=job["id"], until=to_ms(now))
            self._run("begin_rest", job_id=job["id"], reason=reason, since=to_ms(now))

    def judged(self, judgements: Mapping[str, str]) -> None:
        """Remember what was found of each job's callback."""
        with self._together():
            for name, judged in judgements.items():
                self._run("note_judged", name=name, judged=judged)

    # -- the clock -----------------------------------------------------------------------------

    def gaps_beyond(self, present: datetime) -> list[GapRow]:
        """Gaps of fixed times that reach past the moment, and what a hold has of them."""
        return [self._gap(row) for row in self._run("gaps_beyond", present=to_ms(present))]

    def _gap(self, row: sqlite3.Row) -> GapRow:
        first, last = from_ms(row["fire_at"]), from_ms(row["fire_until"])
        ran = self.ran_within(row["job_id"], first, last)
        return GapRow(row["id"], row["job"], first, last, row["count"], ran)

    def ran_within(self, job_id: int, first: datetime, last: datetime) -> frozenset[datetime]:
        """Fires of a job's fixed times that ran, unmoved, of those from one moment to another.

        Both are as people see them, and inclusive.
        """
        values = {"job_id": job_id, "first": to_ms(first), "last": to_ms(last)}
        return frozenset(from_ms(run["fire_unmoved"]) for run in self._run("runs_within", **values))

    def cuts(self) -> dict[tuple[str, datetime], list[tuple[datetime, datetime]]]:
        """What gaps have `lost` before the first look and nobody has looked at again since.

        By job and the moment its rhythm began, earliest first; the stretches may overlap.
        """
        found: dict[tuple[str, datetime], list[tuple[datetime, datetime]]] = {}
        for row in self._run("cuts"):
            stretch = from_ms(row["since"]), from_ms(row["until"])
            found.setdefault((row["job"], from_ms(row["anchor"])), []).append(stretch)
        return found

    def set_clock(
        self,
        absence: Absence,
        present: datetime,
        jobs: Iterable[JobState],
        gaps: Iterable[GapRow],
        missed: Iterable[tuple[JobState, Gap]] = (),
    ) -> None:
        """The clock was set: where jobs stand now, and how far gaps reach (count 0: nowhere).

        Nothing is looked at further than `present` after a step back. What was `missed` by a step
        forward and will not be looked at any more is entered here.
        """
        assert absence.step is not None
        with self._together():
            self._run("forget_cuts")
            for job, gap in missed:
                self._note_gap(job, gap)
            if absence.step < timedelta(0):
                self._run("set_all_back", present=to_ms(present))
            for job in jobs:
                self._run("set_job", **job_values(job))
            for row in gaps:
                self._cut(row)
            self._run("set_waiting", step=absence.step // _MILLISECOND)
            self._run("move_ends", step=absence.step // _MILLISECOND)
            self.post.move(absence.step)
            self._note_absence(absence)

    def _cut(self, gap: GapRow) -> None:
        if gap.lost is not None:
            since, until = gap.lost
            self._run("note_cut", id=gap.id, since=to_ms(since), until=to_ms(until))
        if gap.count:
            self._run("cut_gap", id=gap.id, last=to_ms(gap.last), count=gap.count)
        else:
            self._run("delete_run", id=gap.id)

    def was_away(self, absence: Absence) -> None:
        """A stretch in which nobody looked."""
        with self._together():
            self._note_absence(absence)

    def _note_absence(self, absence: Absence) -> None:
        self._run(
            "note_absence",
            since=to_ms(absence.since),
            until=to_ms(absence.until),
            step=None if absence.step is None else absence.step // _MILLISECOND,
            machine=absence.machine,
        )

    # -- fires ---------------------------------------------------------------------------------

    def claim(
        self, takes: Iterable[Take], now: datetime, *, report: Report | None = None
    ) -> list[tuple[Take, list[Claimed]]]:
        """Enter everything one wake took up, in one transaction, before anything starts.

        A fire that already has its row is left out of what comes back. The `report` of what was
        skipped is written with it.
        """
        takes, moment = list(takes), to_ms(now)
        claimed: list[tuple[Take, list[Claimed]]] = []
        with self._together():
            for group in _groups(takes):
                first, last = group[0], group[-1]
                rows = [self._note_gap(first.job, gap) for gap in first.gaps]
                entered = self._enter_fires(group, now)
                self._name_the_run(first.gaps, rows, entered[0])
                if last.held is not None:
                    last.held_row = self._hold(last, last.held, now)
                claimed += zip(group, entered, strict=True)
            looks = [(to_ms(t.upto), moment if t.start else None, t.job.id) for t in takes]
            self._run_all("note_looked", looks)
            self.post.write(report)
        return claimed

    def _enter_fires(self, takes: Sequence[Take], now: datetime) -> list[list[Claimed]]:
        """Enter the fires of each take; those that had their rows already are left out."""
        number = self._next_run()
        wanted = []
        for take in takes:
            alone = len(take.start) + len(take.wait) == 1
            for fires, start in ((take.start, True), (take.wait, False)):
                for fire in fires:
                    entry = Claimed(
                        run_id=number,
                        fire=fire,
                        taken_at=now,
                        start=start,
                        alone=alone and not start,
                    )
                    wanted.append((take.job, entry))
                    number += 1
        entered = iter(self._insert_all(wanted))
        return [
            [entry for entry in islice(entered, len(take.start) + len(take.wait)) if entry]
            for take in takes
        ]

    def _hold(self, take: Take, held: Stretch, now: datetime) -> int | None:
        """The id of the row that grew, or was entered."""
        last = to_ms(held.last_moved)
        if take.held_row is not None:
            self._run("grow_held", id=take.held_row, last=last, count=held.count)
            return take.held_row
        values = {
            "job_id": take.job.id,
            "first": to_ms(held.first_moved),
            "first_unmoved": to_ms(held.first),
            "last": last,
            "count": held.count,
            "era": take.job.era,
            "taken_at": to_ms(now),
        }
        row = self._one("insert_held", **values)
        if row is None and self._give_way(take.job, held.first_moved):
            row = self._one("insert_held", **values)
        return None if row is None else int(row["id"])

    def release(self, take: Take, now: datetime) -> list[Claimed]:
        """Turn what came due during a hold into fires that wait, and gaps."""
        with self._together():
            self._run("delete_run", id=take.held_row)
            folded = [self._note_gap(take.job, gap) for gap in take.gaps]
            alone = len(take.wait) == 1
            mine = [self._insert(take.job, fire, now, alone=alone) for fire in take.wait]
            entered = [entry for entry in mine if entry is not None]
            self._name_the_run(take.gaps, folded, entered)
            return entered

    def enter(self, job: JobState, fire: Fire, now: datetime) -> Claimed:
        """Enter a fire somebody asked for, as waiting; where its moment lies ahead, for that."""
        with self._together():
            later = fire.moved if fire.moved > now else None
            entry = self._insert(job, fire, now, not_before=later)
            assert entry is not None
            return entry

    def _next_run(self) -> int:
        """The id of the row that is entered next."""
        return int(self._one("next_run")["id"])

    def _insert(
        self,
        job: JobState,
        fire: Fire,
        now: datetime,
        *,
        start: bool = False,
        alone: bool = False,
        not_before: datetime | None = None,
    ) -> Claimed | None:
        """Enter one fire; None where it has its row already."""
        entry = Claimed(
            run_id=self._next_run(),
            fire=fire,
            taken_at=now,
            start=start,
            alone=alone,
            not_before=not_before,
        )
        return self._insert_all([(job, entry)])[0]

    def _insert_all(self, wanted: Sequence[tuple[JobState, Claimed]]) -> list[Claimed | None]:
        """Enter first attempts, with the ids they bear; None for one whose fire has its row."""
        if self._run_all("insert_run", starmap(first_attempt, wanted)) == len(wanted):
            return [entry for _, entry in wanted]
        rows = self._run("rows_from", id=wanted[0][1].run_id)
        there = {row["id"] for row in rows}
        return [
            entry if entry.run_id in there else self._insert_anyhow(job, entry)
            for job, entry in wanted
        ]

    def _insert_anyhow(self, job: JobState, entry: Claimed) -> Claimed | None:
        """Enter a fire at whose moment there is a row: one of the two was asked for, and moves."""
        while True:
            fire = entry.fire
            if not entry.scheduled:
                fire = replace(fire, at=fire.at + _MILLISECOND, moved=fire.moved + _MILLISECOND)
                entry = replace(entry, fire=fire)
            elif not self._give_way(job, fire.moved):
                return None
            if self._run_all("insert_run", [first_attempt(job, entry)]):
                return entry

    def _give_way(self, job: JobState, fire_at: datetime) -> bool:
        """Whether a fire somebody asked for stood at that moment; it moves by a millisecond."""
        moment = to_ms(fire_at)
        held = self._one("fire_asked_for", job_id=job.id, fire_at=moment, era=job.era)
        if held is None:
            return False
        moment += 1
        while self._one("fire_at", job_id=job.id, fire_at=moment, era=job.era) is not None:
            moment += 1
        self._run("move_fire", id=held["id"], fire_at=moment)
        return True

    def _note_gap(self, job: JobState, gap: Gap) -> int | None:
        """The id of the row that was entered; None where an older row grew."""
        message = gap.message or ("" if gap.exact else f"at least {gap.count} fires")
        newest = self._one("newest_row_of_job", job_id=job.id)
        same = (State.SKIPPED.value, gap.reason.value, job.era)
        if (
            newest is not None
            and job.name not in self._begun
            and gap.reason is not Reason.COALESCED
            and (newest["state"], newest["reason"], newest["era"]) == same
            and newest["fire_until"] is not None
        ):
            values = {"last": to_ms(gap.last), "count": gap.count, "message": message}
            self._run("grow_gap", id=newest["id"], **values)
            return None
        self._begun.discard(job.name)
        values = {
            "job_id": job.id,
            "first": to_ms(gap.first),
            "last": to_ms(gap.last),
            "count": gap.count,
            "era": job.era,
            "reason": gap.reason.value,
            "message": message,
        }
        row = self._one("insert_gap", **values)
        if row is None and self._give_way(job, gap.first):
            row = self._one("insert_gap", **values)
        return None if row is None else int(row["id"])

    def _name_the_run(
        self, gaps: Sequence[Gap], rows: Sequence[int | None], entered: list[Claimed]
    ) -> None:
        """Say in coalesced gaps which run they went into: it has its id only now."""
        for gap, row_id in zip(gaps, rows, strict=True):
            if gap.reason is Reason.COALESCED and row_id is not None and entered:
                message = f"coalesced into run {entered[0].run_id}"
                self._run("set_message", id=row_id, message=message)
                self._run("note_misfires", id=entered[0].run_id, misfires=gap.count + 1)

    # -- runs ----------------------------------------------------------------------------------

    def begin(self, entries: Iterable[Claimed], now: datetime) -> None:
        """Waiting attempts that start now."""
        entries, moment = list(entries), to_ms(now)
        with self._together():
            starts = [(moment, entry.fire.override, entry.run_id) for entry in entries]
            self._run_all("begin_run", starts)
            self._run_all("note_started", [(moment, entry.run_id) for entry in entries])
            self._begun.update(entry.fire.job for entry in entries)

    def note_question(self, entry: Claimed) -> None:
        """How often a waiting fire was asked whether it is ready, and when last."""
        assert entry.asked_at is not None
        now = to_ms(entry.asked_at)
        with self._together():
            self._run("note_question", id=entry.run_id, asked=entry.asked, now=now)

    def note_silence(self, run_id: int, words: str) -> None:
        """Why the last question whether a waiting fire is ready had no answer."""
        with self._together():
            self._run("note_silence", id=run_id, message=words)

    def take_place(self, older: Claimed, newer: Claimed) -> Claimed:
        """A newer waiting fire takes the place of an older one: its limits count from there."""
        first_at = older.first_fire
        with self._together():
            message = f"coalesced into run {newer.run_id}"
            reason = Reason.COALESCED.value
            self._run("skip_waiting", id=older.run_id, reason=reason, message=message)
            values = {"taken_at": to_ms(older.taken_at), "first_at": to_ms(first_at)}
            self._run("take_place", id=newer.run_id, **values)
        return replace(newer, taken_at=older.taken_at, first_at=first_at)

    def failed_attempt(self, run_id: int) -> Claimed | None:
        """The attempt whose period stands still; None where its row is gone."""
        row = self._one("failed_attempt", id=run_id)
        return None if row is None else open_run(row).claimed

    def enter_again(self, claimed: Claimed, now: datetime) -> Claimed | None:
        """Enter the next attempt at a fire, at once; None where there is one already."""
        with self._together():
            latest = self._one("latest_attempt", id=claimed.run_id)
            if latest is None or State(latest["state"]) in (State.WAITING, State.RUNNING):
                return None
            return self._enter_again(replace(claimed, attempt=latest["attempt"]), now, now)

    def note_processes(self, processes: Mapping[int, tuple[int, int]]) -> None:
        """Which process (pid and its start time) carries each run out."""
        with self._together():
            rows = [(pid, started, run_id) for run_id, (pid, started) in processes.items()]
            self._run_all("note_pid", rows)

    def finish(
        self, claimed: Claimed, outcome: Outcome, now: datetime, **more: Any
    ) -> tuple[Claimed | None, list[Claimed]]:
        """How one run ended: `more` as in Ended; what comes back as from `finish_all`."""
        return self.finish_all([Ended(claimed, outcome, now, **more)])[0]

    def finish_all(self, ends: Sequence[Ended]) -> list[tuple[Claimed | None, list[Claimed]]]:
        """How runs ended that do not bear on each other, with what was kept of their output.

        Of each its next attempt, and the fires of the jobs that come after it, come back.
        """
        with self._together():
            for end in ends:
                self.post.write(end.report)
            self._run_all("finish_run", map(last_words, ends))
            self._run_all("insert_output", [output(end) for end in ends if has_output(end)])
            last = [end for end in ends if end.again is None]
            self._run_all("note_ended", [note_of_end(e.claimed, e.at, e.outcome) for e in last])
            return [self._follow(end) for end in ends]

    def _follow(self, end: Ended) -> tuple[Claimed | None, list[Claimed]]:
        """Enter what follows an end."""
        if end.again is not None:
            return self._enter_again(end.claimed, end.at, end.again), []
        if end.line is not None:
            self._run("stop_line", job_id=end.line[0].id, run=end.line[1])
        entered = [self._insert(job, fire, end.at) for job, fire in end.then]
        return None, [entry for entry in entered if entry is not None]

    def _note_ended(self, run_id: int, now: datetime) -> None:
        """An end that is neither good nor bad, of a fire that never started."""
        self._run_all("note_ended", [(to_ms(now), None, None, run_id)])

    def record(self, fire: Fire, outcome: Outcome, *, started: datetime, ended: datetime) -> int:
        """Enter a run that took place outside of the daemon, whole; its id.

        A job the ledger does not know yet has still not been looked at by a daemon.
        """
        with self._together():
            self._run("know_job", name=fire.job)
            job = read_job_state(self._one("job_named", name=fire.job))
            entry = self._insert(job, fire, started, start=True)
            assert entry is not None
            self._run_all("note_started", [(to_ms(started), entry.run_id)])
            self.finish(entry, outcome, ended, took=ended - started)
            return entry.run_id

    def _enter_again(self, claimed: Claimed, now: datetime, again: datetime) -> Claimed | None:
        attempt = claimed.attempt + 1
        row = self._one(
            "insert_next_attempt",
            id=claimed.run_id,
            attempt=attempt,
            taken_at=to_ms(now),
            not_before=to_ms(again),
        )
        if row is None:
            return None
        return Claimed(
            run_id=row["id"],
            fire=replace(claimed.fire, trigger=Trigger.RETRY),
            taken_at=now,
            attempt=attempt,
            not_before=again,
        )

    def was_rerun(self, claimed: Claimed) -> bool:
        """Whether the attempt before this one was interrupted as well."""
        return self._one("interrupted_before", id=claimed.run_id) is not None

    def skip(
        self,
        run_id: int,
        reason: Reason,
        message: str,
        now: datetime | None = None,
        *,
        report: Report | None = None,
    ) -> None:
        """A waiting fire that will not run. With `now` its job counts that as an end.

        The `report` of it is written with it.
        """
        with self._together():
            self.post.write(report)
            self._run("skip_waiting", id=run_id, reason=reason.value, message=message)
            if now is not None:
                self._note_ended(run_id, now)

    def cancel(self, run_id: int, reason: Reason | None, message: str, now: datetime) -> None:
        """A waiting attempt that somebody stopped."""
        with self._together():
            self._run(
                "cancel_waiting",
                id=run_id,
                reason=reason.value if reason else None,
                message=message,
                now=to_ms(now),
            )
            self._note_ended(run_id, now)

    def open_runs(self) -> list[OpenRun]:
        """What a former daemon left waiting or running, oldest first."""
        return [open_run(row) for row in self._run("open_runs")]

    # -- what is forgotten ---------------------------------------------------------------------

    def pruning(
        self,
        keep: Retention,
        now: datetime,
        *,
        stopwatch: Callable[[], float],
        spared: dict[int, int] | None = None,
    ) -> Pruning:
        """A pass that forgets what need not be kept by now, each of its pieces a transaction."""
        access = Access(self._run, self._together, self._grip.write_out)
        return Pruning(access, keep, now, stopwatch=stopwatch, spared=spared)

    def last_pruned(self) -> datetime | None:
        """When the latest pass that came to its end began; None where there was none."""
        row = self._one("last_pruned")
        return None if row is None else from_ms(int(row["value"]))

    # -- the daemon's own life -----------------------------------------------------------------

    def last_life(self) -> Life | None:
        """The newest life of a daemon on this database; None where there was none."""
        return read_life(self._one("last_life"))

    def open_life(self, pid: int, host: str, now: datetime) -> None:
        self._life = self._one("open_life", pid=pid, host=host, now=to_ms(now))["id"]
        self._lived = {"id": self._life, "pid": pid, "host": host, "now": to_ms(now)}

    def beat(self, now: datetime) -> None:
        self._run("beat", id=self._life, now=to_ms(now))

    def close_life(self, now: datetime) -> None:
        self._run("close_life", id=self._life, now=to_ms(now))

    # -- the files under it --------------------------------------------------------------------

    @property
    def damaged(self) -> bool:
        """Whether the database is known to be no longer what it was."""
        return self._grip.damaged

    def loss(self) -> str:
        """What was done to the files the account is in, in words; "" while all is well."""
        return self._lost or self._grip.loss()

    def mend(self, held: Held) -> str:
        """Have an account at its path again after a loss; what was done, in words.

        What the daemon has in hand has its rows afterwards. Until this succeeds nothing can be
        written: raises LedgerDown, and then it may be tried again.
        """
        self._lost = self.loss()
        try:
            done = self._grip.mend()
            self._enter_held(held)
        except Unusable as error:
            raise LedgerDown(f"{self._lost}; {error}") from None
        except (OSError, sqlite3.Error) as error:
            raise LedgerDown(f"{self._lost}; {self.path} cannot be put back: {error}") from None
        self._lost = ""
        return done

    def _enter_held(self, held: Held) -> None:
        ids = {job.name: job for job in held.jobs}
        with transaction(self._db):
            self._execute("set_identity", value=self._identity)
            if self._lived:
                self._execute("enter_life_again", **self._lived)
            for job in held.jobs:
                self._execute("enter_job_again", **job_values(job))
            for run, started in held.runs:
                self._execute("enter_run_again", **run_values(run, started, ids))
            for query, values in self.switches.kept:
                self._execute(query, **values)

    # -- sqlite --------------------------------------------------------------------------------

    @contextmanager
    def _together(self) -> Iterator[None]:
        """One transaction, or a part of one under way: all of it, or nothing and LedgerDown."""
        self._refuse_if_lost()
        if self._db.in_transaction:
            yield
            return
        try:
            with transaction(self._db):
                yield
            self._grip.wrote()
        except sqlite3.Error as error:
            raise self._down(error) from error

    def _one(self, query: str, **values: Any) -> Any:
        """The first row; None where there is none."""
        rows = self._run(query, **values)
        return rows[0] if rows else None

    def _run(self, query: str, **values: Any) -> list[sqlite3.Row]:
        self._refuse_if_lost()
        try:
            return self._execute(query, **values)
        except sqlite3.Error as error:
            raise self._down(error) from error

    def _execute(self, query: str, **values: Any) -> list[sqlite3.Row]:
        return self._db.execute(self._sql[query], values).fetchall()

    def _run_all(self, query: str, rows: Iterable[Sequence[Any]]) -> int:
        """Run a statement with each of the rows, as part of a transaction; how many it changed."""
        try:
            return self._db.executemany(self._sql[query], rows).rowcount
        except sqlite3.Error as error:
            raise self._down(error) from error

    def _down(self, error: sqlite3.Error) -> LedgerDown:
        self._grip.note(error)
        return LedgerDown(str(error))

    def _refuse_if_lost(self) -> None:
        if self._lost or not (self._db.in_transaction or self._grip.holds()):
            raise LedgerDown(self.loss())


def _groups(takes: Iterable[Take]) -> Iterator[list[Take]]:
    """Those whose fires are entered together: only the first has gaps, which are entered before
    its fires, and only the last has something held, which is entered after them."""
    group: list[Take] = []
    for take in takes:
        if group and (take.gaps or group[-1].held is not None):
            yield group
            group = []
        group.append(take)
    if group:
        yield group
