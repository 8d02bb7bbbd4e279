"""The daemon's numbers in the format of Prometheus."""

from __future__ import annotations

import threading
import time
from collections.abc import Iterator
from pathlib import Path
from typing import Any

from prometheus_client import CollectorRegistry
from prometheus_client.core import (
    CounterMetricFamily,
    GaugeMetricFamily,
    HistogramMetricFamily,
    Metric,
)
from prometheus_client.exposition import choose_encoder
from prometheus_client.registry import Collector

from inisched import __version__
from inisched.engine.control import Unreachable, ask
from inisched.engine.tally import LATE, TOOK
from inisched.model.run import State

PATIENCE = 2.0
"""Seconds the daemon has for each page of its numbers."""

FRESH = 1.0
"""Seconds for which the same numbers are told: however many ask, the daemon is asked once."""

ENDS = [state.value for state in State if state not in (State.WAITING, State.RUNNING)]

OF_THE_DAEMON = (
    ("since", "start_time_seconds", "When the daemon started, since 1970."),
    ("heartbeat", "heartbeat_timestamp_seconds", "When it last gave a sign of life, since 1970."),
    ("active", "jobs", "Jobs that have fires of their own."),
    ("outbox", "outbox_waiting", "Notices that are still to be sent."),
)
OF_A_JOB = (
    ("next", "next_fire_timestamp_seconds", "The next fire of the schedule, since 1970."),
    ("succeeded", "last_success_timestamp_seconds", "When it last ended well, since 1970."),
    ("running", "running", "Runs under way."),
    ("waiting", "waiting", "Fires that wait."),
)
TOOK_HELP = "How long runs took, from start to end."
LATE_HELP = "How long after their fires runs started."

Told = dict[str, Any]


class Exposition:
    """Called with an Accept header, returns the content type and the text."""

    def __init__(self, socket: Path) -> None:
        self._socket = socket
        self._lock = threading.Lock()
        self._told: Told | None = None
        self._asked = float("-inf")

    def __call__(self, accept: str) -> tuple[str, bytes]:
        registry = CollectorRegistry(auto_describe=False)
        registry.register(Numbers(self._numbers()))
        encode, kind = choose_encoder(accept)
        return kind, encode(registry)

    def _numbers(self) -> Told | None:
        """What the daemon tells, at most a second old; None where it does not."""
        with self._lock:
            if time.monotonic() - self._asked >= FRESH:
                self._told = all_pages(self._socket)
                self._asked = time.monotonic()
            return self._told


def all_pages(socket: Path) -> Told | None:
    """Every page of the daemon's numbers as one; None where it does not answer in time."""
    whole: Told = {}
    jobs: list[Told] = []
    first: int | None = 0
    while first is not None:
        try:
            page = ask(socket, {"ask": "metrics", "first": first}, patience=PATIENCE)
        except Unreachable:
            return None
        if "error" in page:
            return None
        whole |= page
        jobs += page["jobs"]
        first = page["next"]
    return whole | {"jobs": jobs}


class Numbers(Collector):
    """The metrics of what a daemon told; None: it told nothing."""

    def __init__(self, told: Told | None) -> None:
        self._told = told

    def collect(self) -> Iterator[Metric]:
        yield GaugeMetricFamily(
            "inisched_up", "Whether the daemon answers.", value=self._told is not None
        )
        if self._told is not None:
            yield from _of_the_daemon(self._told)
            yield from _of_jobs(self._told["jobs"])


def _of_the_daemon(told: Told) -> Iterator[Metric]:
    info = GaugeMetricFamily("inisched_info", "The version that runs.", labels=["version"])
    info.add_metric([__version__], 1)
    yield info
    for key, name, help_ in OF_THE_DAEMON:
        yield GaugeMetricFamily(f"inisched_{name}", help_, value=told[key])
    dropped = "Notices that were given up."
    yield CounterMetricFamily("inisched_notices_dropped", dropped, value=told["dropped"])
    labels = ["job", "kind"]
    incidents = GaugeMetricFamily("inisched_incidents", "Open incidents.", labels=labels)
    for incident in told["incidents"]:
        incidents.add_metric(incident, 1)
    yield incidents


def _of_jobs(jobs: list[Told]) -> Iterator[Metric]:
    yield _ends(jobs)
    yield _skips(jobs)
    took = HistogramMetricFamily("inisched_run_duration_seconds", TOOK_HELP, labels=["job"])
    yield _spread(took, TOOK, jobs, "took")
    late = HistogramMetricFamily("inisched_lateness_seconds", LATE_HELP, labels=["job"])
    yield _spread(late, LATE, jobs, "late")
    for key, name, help_ in OF_A_JOB:
        yield _gauge(GaugeMetricFamily(f"inisched_{name}", help_, labels=["job"]), jobs, key)


def _ends(jobs: list[Told]) -> Metric:
    """With a line for every outcome: a counter that first shows as 1 has no increase."""
    family = CounterMetricFamily("inisched_runs", "Runs that ended.", labels=["job", "outcome"])
    for job in jobs:
        for state in ENDS:
            family.add_metric([job["job"], state], job["ends"].get(state, 0))
    return family


def _skips(jobs: list[Told]) -> Metric:
    help_ = "Fires that did not run."
    family = CounterMetricFamily("inisched_skipped_fires", help_, labels=["job", "reason"])
    for job in jobs:
        for reason, count in job["skips"].items():
            family.add_metric([job["job"], reason], count)
    return family


def _spread(
    family: HistogramMetricFamily, bounds: tuple[float, ...], jobs: list[Told], key: str
) -> Metric:
    """No lines where nothing was counted yet."""
    words = [*map(str, bounds), "+Inf"]
    for job in jobs:
        found = job[key]
        if found is not None:
            buckets = list(zip(words, _added_up(found["counts"]), strict=True))
            family.add_metric([job["job"]], buckets, found["sum"])
    return family


def _added_up(counts: list[int]) -> Iterator[float]:
    """Each bucket with all below it, as the format has them."""
    total = 0
    for count in counts:
        total += count
        yield total


def _gauge(family: GaugeMetricFamily, jobs: list[Told], key: str) -> Metric:
    """No line where there is no value."""
    for job in jobs:
        if job[key] is not None:
            family.add_metric([job["job"]], job[key])
    return family
