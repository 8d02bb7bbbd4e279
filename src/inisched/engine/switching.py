"""What the engine does when a switch has been thrown; it is in the ledger by then."""

from __future__ import annotations

from datetime import datetime, timedelta

from msgspec.structs import replace

from inisched.engine.change import Action, Change
from inisched.engine.engine import Engine
from inisched.engine.seat import Seat, dated
from inisched.model.job import Job, Misfire
from inisched.model.run import Fire, Gap, Reason, Trigger
from inisched.stores.claims import Stretch, Take
from inisched.stores.ledger import LedgerDown
from inisched.timing.rhythm import Accounted, Rhythm

_INSTANT = timedelta(microseconds=1)
_MILLISECOND = timedelta(milliseconds=1)


def take_effect(engine: Engine, change: Change, now: datetime) -> None:
    """Go by a change from now on. Raises LedgerDown, and then it may be tried again."""
    job = change.job or ""
    engine.switches = engine.ledger.switches.all()
    match change.action:
        case Action.ENABLE | Action.DISABLE | Action.RESCHEDULE:
            engine.adopt_again(now)
        case Action.HOLD:
            hold(engine, now)
        case Action.RELEASE:
            finish_release(engine, now)
        case Action.PAUSE:
            assert change.until is not None
            pause(engine, job, change.until, now)
        case Action.RESUME:
            resume(engine, job, now)
        case Action.CLEAR:
            clear(engine, job, now)


def begin(engine: Engine, now: datetime) -> list[Change]:
    """A daemon begins, and has adopted its jobs: a hold of before lasts on, and nothing that came
    due meanwhile starts.

    What comes back is to take effect once the waiting fires are back in their places.
    """
    switches = engine.ledger.switches
    released = switches.releasing()
    if released or switches.held():
        engine.gates.held = True
    return [Change(action=Action.RELEASE, by="", run=released.run)] if released else []


def finish_release(engine: Engine, now: datetime) -> None:
    """Tell what waits what becomes of it, if a release is still to be carried out.

    A daemon that died over it, or a command without a daemon, leaves that to the next daemon.
    """
    release_ = engine.ledger.switches.releasing()
    if release_ is not None:
        engine.look(min(now, release_.at))
        release(engine, now, run=release_.run)
        engine.ledger.switches.released()


def hold(engine: Engine, now: datetime) -> None:
    """Start nothing from now on; what comes due is one waiting row per job."""
    engine.look(now)
    engine.gates.held = True


def release(engine: Engine, now: datetime, *, run: bool) -> None:
    """End the hold: what came due meanwhile is carried out as misfires, or not at all.

    Raises LedgerDown, and may then be asked again.
    """
    engine.gates.held = False
    settle_held(engine, now, run=run)
    engine.look(now)


def settle_held(engine: Engine, now: datetime, *, run: bool) -> None:
    """Turn the rows of a hold that is over into runs and gaps, or into gaps alone."""
    for seat in engine.seats.values():
        if seat.held is None:
            continue
        entry, stretch = seat.held
        if not run:
            engine.ledger.skip(entry.run_id, Reason.HELD, "")
            engine.count_skip(entry, Reason.HELD, stretch.count)
        else:
            take = _misfires(seat, entry.run_id, _as_it_was(engine, seat, stretch))
            engine.enter_line(seat, engine.ledger.release(take, now))
            engine.count_gaps(take.gaps)
            engine.untried.add(seat.job.name)
        seat.held = None


def _as_it_was(engine: Engine, seat: Seat, stretch: Stretch) -> Rhythm:
    """The job's rhythm when these fires came due, without those that had run before that."""
    if seat.job.schedule.elapsed:
        return seat.rhythm
    ran = engine.ledger.ran_within(seat.state.id, stretch.first_moved, stretch.last_moved)
    looked, ahead = stretch.first - _INSTANT, Accounted(ran, seat.state.pruned)
    return replace(seat.state, looked=looked, ahead=ahead).rhythm(seat.job, seat.rhythm.seed)


def _misfires(seat: Seat, held_row: int, beat: Rhythm) -> Take:
    """What becomes of the fires of a hold: all of them are misfires, and some of them run."""
    assert seat.held is not None
    stretch = seat.held[1]
    take = Take(seat.state, seat.looked, held_row=held_row)
    fires = _fires(seat.job, beat, stretch)
    keep = seat.job.max_catchup if seat.job.misfire is Misfire.ALL else 1
    take.wait = [dated(seat.job, fire) for fire in fires[-keep:]]
    gone = stretch.count - len(take.wait)
    if gone > 0:
        reason = Reason.MISFIRE if seat.job.misfire is Misfire.ALL else Reason.COALESCED
        name, first = seat.job.name, stretch.first_moved
        last = fires[-keep - 1].moved if len(fires) > keep else stretch.last_moved - _MILLISECOND
        last = first if gone == 1 else max(first, last)
        take.gaps = [Gap(job=name, first=first, last=last, count=gone, reason=reason)]
    return take


def _fires(job: Job, beat: Rhythm, stretch: Stretch) -> list[Fire]:
    """The newest fires of a hold, as many as may run and one more, oldest first.

    Where the rhythm has changed since, or the clock has jumped over fires that nobody saw, only
    the last of them is known.
    """
    wanted = 1 + (job.max_catchup if job.misfire is Misfire.ALL else 1)
    since, upto = stretch.first - _INSTANT, beat.upto(stretch.last_moved)
    count, exact = beat.count(since, upto)
    found: list[Fire] = []
    while len(found) < wanted and (at := beat.latest(since, upto)) is not None:
        found.append(Fire(job=job.name, at=at, moved=beat.moved(at), trigger=Trigger.CATCHUP))
        upto = at - _INSTANT
    found.reverse()
    known = count == stretch.count or not exact
    if not known or not found or found[-1].moved != stretch.last_moved:
        last = stretch.last_moved
        return [Fire(job=job.name, at=last, moved=last, trigger=Trigger.CATCHUP)]
    return found


def pause(engine: Engine, job: str, until: datetime, now: datetime) -> None:
    """Let the fires of a job go by until then, exclusive."""
    engine.look(now)
    if job in engine.seats:
        engine.seats[job].paused_from, engine.seats[job].paused_until = now, until
        engine.seats[job].patient = False
        engine.telling.expect(engine.seats[job])


def resume(engine: Engine, job: str, now: datetime) -> None:
    """End a pause before its time."""
    engine.look(now)
    seat = engine.seats.get(job)
    if seat is not None and seat.is_paused(now):
        seat.paused_until = now
        engine.telling.expect(seat)
    engine.look(now)


def clear(engine: Engine, job: str, now: datetime) -> None:
    """Later periods of the job go on, although one has failed."""
    engine.telling.recall()
    seat = engine.seats.get(job)
    if seat is not None:
        seat.failed = None
        engine.telling.expect(seat)
    try:
        engine.advance(now)
    except LedgerDown as error:
        engine.put_off(error)
