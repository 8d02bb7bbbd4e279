"""A rhythm begun earlier, for a clock that was set back behind its beginning."""

from __future__ import annotations

from datetime import UTC, datetime, timedelta
from itertools import islice

import pytest
from hypothesis import example, given, settings
from hypothesis import strategies as st

from inisched.model.schedule import Schedule
from inisched.timing.earlier import earlier
from inisched.timing.recurrence import Anchor, recurrence
from timing.plans import moment, plan

ZONES = ["UTC", "Europe/Berlin", "America/New_York", "Australia/Lord_Howe", "Asia/Kathmandu"]
RHYTHMS = [
    ("minute", ":30"),
    ("7 minutes", ":15"),
    ("hour", ":20"),
    ("2 hours", ":15"),
    ("5 hours", ":45"),
    ("day", ""),
    ("day", "09:00, 18:00"),
    ("3 days", ""),
    ("3 days", "12:00"),
    ("week", ""),
    ("2 weeks", "10:00"),
    ("monday, friday", "2:30"),
    ("weekday", ""),
    ("month", ""),
    ("month", "04:00"),
    ("5 months", ""),
    ("7 months", "10:00"),
]
begins = st.datetimes(datetime(2026, 1, 1), datetime(2030, 1, 1)).map(
    lambda found: found.replace(microsecond=0, tzinfo=UTC)
)
backs = st.one_of(st.integers(1, 100), st.integers(1, 40_000_000), st.integers(1, 2 * 10**9))


def fires(schedule: Schedule, anchor: Anchor, since: datetime, number: int) -> list[datetime]:
    def told():  # type: ignore[no-untyped-def]
        rule = recurrence(schedule, anchor, job="a")
        fire = rule.after(since)
        while fire is not None:
            yield fire
            fire = rule.after(fire)

    return list(islice(told(), number))


@settings(max_examples=300, deadline=None)
@given(
    st.sampled_from(RHYTHMS),
    st.sampled_from(ZONES),
    begins,
    backs,
    st.sampled_from([None, 31, "last"]),
)
@example(("day", ""), "Europe/Berlin", moment("2027-06-01T02:30+02:00"), 65 * 86400, None)
@example(("month", ""), "UTC", moment("2028-02-29T10:00+00:00"), 86400, None)
@example(
    ("2 hours", ":15"), "Australia/Lord_Howe", moment("2027-05-01T02:30+00:00"), 30 * 86400, None
)
def test_a_rhythm_begun_earlier_goes_on_as_it_was(
    words: tuple[str, str], zone: str, begin: datetime, back: int, on_day: str | int | None
) -> None:
    rhythm, at = words
    schedule = plan(rhythm, zone=zone, at=at, on_day=on_day if "month" in rhythm else None)
    present = begin - timedelta(seconds=back)
    anchor = earlier(schedule, Anchor(begin), present)
    assert anchor.moment <= present
    usual = fires(schedule, Anchor(begin), begin, 5)
    just_before = usual[0] - timedelta(microseconds=1)
    assert fires(schedule, anchor, just_before, 5) == usual


@pytest.mark.parametrize("rhythm", ["cron */5 * * * *", "cron 30 2 * * *"])
def test_cron_has_no_beginning_of_its_own(rhythm: str) -> None:
    schedule, present = plan(rhythm, zone="UTC"), moment("2027-01-01T00:00:30+00:00")
    found = earlier(schedule, Anchor(moment("2098-01-01T00:00+00:00")), present)
    assert found == Anchor(present)
