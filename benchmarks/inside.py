"""What can only be timed from inside the product: a look, the reader, the next fire, a claim.

A script, run by the rows with the product's Python: `inside.py PART ARGUMENT ...` prints JSON.
"""

from __future__ import annotations

import configparser
import gc
import json
import sys
import time
from collections.abc import Callable
from datetime import UTC, datetime, timedelta
from pathlib import Path
from statistics import median
from typing import TYPE_CHECKING
from zoneinfo import ZoneInfo

if TYPE_CHECKING:
    from inisched.executors.running import Task
    from inisched.model.run import Outcome

SECTION = """\
[job{number}]
command = /usr/bin/work --part {number}
every = day
at = {hour:02}:30
timeout = 5 minutes
description = the part number {number}

"""


def reading(sections: int) -> dict[str, float]:
    """Seconds for the file's sections and values, by our reader and by configparser."""
    from inisched.config.ini import read_ini
    from inisched.config.keys import is_key

    text = "".join(SECTION.format(number=n, hour=n % 24) for n in range(sections))
    gc.disable()  # as `load` does while it reads
    begun = time.perf_counter()
    document = read_ini(text, "jobs.ini", is_key)
    ours = time.perf_counter() - begun
    gc.enable()
    begun = time.perf_counter()
    parser = configparser.ConfigParser()
    parser.read_string(text)
    theirs = time.perf_counter() - begun
    assert len(document.sections) == len(parser.sections()) == sections
    return {"product": ours * 1000, "configparser": theirs * 1000}


def loading(sections: int) -> dict[str, float]:
    """Milliseconds until the file is read, understood and checked."""
    from inisched.config.loader import load

    file = Path("jobs.ini")
    file.write_text("".join(SECTION.format(number=n, hour=n % 24) for n in range(sections)))
    begun = time.perf_counter()
    config = load(file, strict_references=False)
    assert len(config.jobs) == sections, config.diagnostics[:3]
    return {"loading": (time.perf_counter() - begun) * 1000}


def looking(jobs: int, looks: int) -> float:
    """Seconds for one look of the engine with so many idle jobs."""
    from inisched.config.loader import load
    from inisched.engine.engine import Engine
    from inisched.stores.ledger import Ledger

    file = Path("jobs.ini")
    file.write_text(
        "".join(f"[job{n}]\ncommand = /bin/true\nevery = {n % 23 + 1} hours\n" for n in range(jobs))
    )
    config = load(file, strict_references=False)
    ledger = Ledger(config.database, full=False)
    engine = Engine(ledger, _never, max_running=10)
    now = datetime.now(UTC)
    engine.adopt(config.jobs, now)
    assert engine.due is not None
    begun = time.perf_counter()
    for number in range(looks):
        engine.look(now + timedelta(microseconds=number))
        _ = engine.due
    return (time.perf_counter() - begun) / looks


def _never(task: Task) -> Outcome:
    raise AssertionError("nothing is due")


def next_fires(text: str, count: int) -> dict[str, float]:
    """µs per fire of a schedule asked in order, and of cronsim on the expression's own iterator."""
    from cronsim import CronSim

    from inisched.config.loader import load
    from inisched.timing.recurrence import Anchor
    from inisched.timing.rhythm import rhythm

    schedule_text, expression = text.split("|")
    file = Path("jobs.ini")
    file.write_text(
        f"[inisched]\ntimezone = Europe/Berlin\n[one]\ncommand = /bin/true\n{schedule_text}\n"
    )
    config = load(file, strict_references=False)
    start = datetime(2026, 11, 21, 10, 15, tzinfo=UTC)
    beat = rhythm("one", config.jobs[0].schedule, Anchor(start), seed="seed")
    fire: datetime | None = start
    begun = time.perf_counter()
    for _ in range(count):
        assert fire is not None
        fire = beat.next(fire)
    ours = time.perf_counter() - begun
    live = CronSim(expression, start.astimezone(ZoneInfo("Europe/Berlin")))
    begun = time.perf_counter()
    for _ in range(count):
        theirs = next(live)
    cronsims = time.perf_counter() - begun
    assert fire == theirs.astimezone(UTC)
    return {"product": ours / count * 1e6, "cronsim": cronsims / count * 1e6}


def claims(database: str, count: int) -> float:
    """Milliseconds, p50, for the claim of one fire in this database, until it is on the disk."""
    from inisched.model.run import Fire
    from inisched.stores.claims import Take
    from inisched.stores.ledger import Ledger

    ledger = Ledger(Path(database), full=True)
    states = list(ledger.jobs().values())
    now = datetime.now(UTC).replace(microsecond=0)
    taken = []
    for number in range(count):
        state = states[number % len(states)]
        at = now + timedelta(seconds=number)
        fire = Fire(job=state.name, at=at, moved=at)
        begun = time.perf_counter()
        ledger.claim([Take(job=state, upto=at, start=[fire])], at)
        taken.append(time.perf_counter() - begun)
    ledger.close()
    return median(taken) * 1000


PARTS: dict[str, Callable[..., object]] = {
    "reading": reading,
    "loading": loading,
    "looking": looking,
    "next_fires": next_fires,
    "claims": claims,
}

if __name__ == "__main__":
    part, *given = sys.argv[1:]
    result = PARTS[part](*[int(word) if word.isdigit() else word for word in given])
    print(json.dumps(result))
