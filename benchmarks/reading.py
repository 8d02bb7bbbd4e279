"""Reading 10,000 sections, and finding the next fire."""

from __future__ import annotations

from functools import partial

from benchmarks.bench import Bench
from benchmarks.row import Goal, Line, Row


def reading(bench: Bench) -> Row:
    return Row(
        turns=[
            lambda: dict(bench.plain_script("inside.py", "reading", 10_000)),
            lambda: dict(bench.plain_script("inside.py", "loading", 10_000)),
        ],
        lines=[
            Line(
                "reading 10,000 sections",
                "ms",
                peers=["configparser"],
                goals=[Goal("configparser", most=0.2)],
            ),
            Line(
                "the same, understood and checked",
                "ms",
                product="loading",
                peers=["configparser"],
            ),
        ],
        rounds=bench.several(5),
    )


SCHEDULES = {
    "cron = */15 * * * *": "*/15 * * * *",
    "cron = 30 2 * * mon-fri": "30 2 * * mon-fri",
    "every = day at 02:30": "30 2 * * *",
}
"""Schedules, and what they are for cronsim; both in a zone with summer time."""


def next_fire(bench: Bench) -> Row:
    return Row(
        turns=[partial(_turn, bench, said, cron) for said, cron in SCHEDULES.items()],
        lines=[
            Line(
                f"next fire, {said}",
                "µs",
                product=said,
                peers=[_cronsim(said)],
                goals=[Goal(_cronsim(said), most=0.3)],
            )
            for said in SCHEDULES
        ],
        rounds=bench.several(5),
    )


def _cronsim(said: str) -> str:
    return f"cronsim, {SCHEDULES[said]}"


def _turn(bench: Bench, said: str, cron: str) -> dict[str, float]:
    keys = said.replace(" at ", "\nat = ")
    found = bench.plain_script("inside.py", "next_fires", f"{keys}|{cron}", 3000)
    return {said: found["product"], _cronsim(said): found["cronsim"]}
