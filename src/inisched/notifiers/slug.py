"""What Sentry calls a job."""

from __future__ import annotations

import hashlib
import re

LONGEST = 50
_HASH = 8


def slug(job: str) -> str:
    """The job's name in the letters Sentry allows: a-z, 0-9, _ and -, at most 50.

    A name that loses letters by this gets a hash behind it, so that two jobs stay two.
    """
    plain = re.sub(r"[\s./:-]+", "-", job.lower())
    allowed = re.sub(r"[^a-z0-9_-]+", "", plain).strip("-")
    whole = allowed == plain.strip("-") and len(allowed) <= LONGEST
    if whole and not allowed.isdigit():
        return allowed
    digest = hashlib.sha256(job.encode(errors="surrogateescape")).hexdigest()[:_HASH]
    head = allowed[: LONGEST - _HASH - 1].strip("-") or "job"
    return f"{head}-{digest}"
