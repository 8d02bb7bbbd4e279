"""A simulation of one INI file, and short ways to say what it came to."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from datetime import datetime, timedelta
from pathlib import Path

from engine.world import START
from inisched.config.loader import load
from inisched.engine.paper import PaperRun, PaperSkip
from inisched.engine.simulation import Peak
from inisched.model.duration import read_duration
from inisched.questions.prediction import lengths, simulation
from inisched.questions.switched import standing
from inisched.stores.history import History


@dataclass(frozen=True)
class Play:
    """What was predicted."""

    rows: list[PaperRun]
    gaps: list[PaperSkip]
    peak: Peak

    @property
    def runs(self) -> list[str]:
        """ "a 10:10:00 to 10:10:05", with "(10:09:00, overlap)" where the fire had to wait."""
        return [_run(row) for row in self.rows]

    @property
    def skips(self) -> list[str]:
        """ "a 10:10:00 overlap x2"."""
        return [f"{g.job} {g.fire_at:%H:%M:%S} {g.reason.value} x{g.count}" for g in self.gaps]


def _run(row: PaperRun) -> str:
    waited = "" if row.start_at == row.fire_at else f" ({row.fire_at:%H:%M:%S}, {row.waited_for})"
    return f"{row.job} {row.start_at:%H:%M:%S} to {row.end_at:%H:%M:%S}{waited}"


def play(
    folder: Path,
    text: str,
    *,
    since: datetime = START,
    assume: Mapping[str, str] | None = None,
    settings: str = "",
    **stretch: float,
) -> Play:
    """Write `jobs.ini` and play it for so long; its ledger is used where there is one."""
    file = folder / "jobs.ini"
    file.write_text(f"[inisched]\ntimezone = UTC\n{settings}\n{text}")
    config = load(file, strict_references=True)
    assert config.diagnostics == ()
    history = History(config.database)
    assumed = {job: read_duration(length) for job, length in (assume or {}).items()}
    known = lengths(config.jobs, history, assumed)
    played = simulation(config, history, standing(config.jobs, history, since), since, known)
    history.close()
    runs = list(played.play(config.jobs, since, since + timedelta(**stretch)))
    return Play(runs, played.skips, played.peak)
