"""What the fires that wait, wait for."""

from __future__ import annotations

from collections import Counter
from collections.abc import Iterable

from inisched.config.loader import Config
from inisched.stores.history import Row


def waiting(rows: Iterable[Row], config: Config) -> list[tuple[Row, str]]:
    """Waiting rows, oldest first, each with its gate: "retry", "line", "overlap", "pool:NAME" or
    "max_running". A fire asked for later waits for nothing but its moment, and is left out.
    """
    rows = list(rows)
    running = {row["job"] for row in rows if row["state"] == "running"}
    pools = {job.name: job.pool for job in config.jobs}
    taken = Counter(pools.get(row["job"]) for row in rows if row["state"] == "running")
    found: list[tuple[Row, str]] = []
    seen: set[str] = set()
    for row in rows:
        if row["state"] != "waiting" or (row["not_before"] and row["trigger"] != "retry"):
            continue
        job = row["job"]
        pool = config.pools.get(pools.get(job) or "")
        if row["trigger"] == "retry" and row["not_before"]:
            gate = "retry"
        elif job in seen:
            gate = "line"
        elif job in running:
            gate = "line" if row["trigger"] == "catchup" else "overlap"
        elif pool is not None and taken[pools[job]] >= pool.max:
            gate = f"pool:{pools[job]}"
        else:
            gate = "max_running"
        seen.add(job)
        found.append((row, gate))
    return found
