"""Schedules in the words of others."""

from __future__ import annotations

import pytest

from inisched.config.loader import load
from inisched.timing.crontab import as_crontab, as_interval


@pytest.mark.parametrize(
    ("lines", "crontab", "interval"),
    [
        ("every = day\nat = 02:30", "30 2 * * *", (1, "day")),
        ("every = day\nat = 09:00, 17:00", "0 9,17 * * *", (1, "day")),
        ("every = day\nat = 09:00, 17:30", None, (1, "day")),
        ("every = day\nat = 02:30:15", None, (1, "day")),
        ("every = monday, sunday\nat = 06:05", "5 6 * * 0,1", None),
        ("every = weekday\nat = 06:00", "0 6 * * 1,2,3,4,5", None),
        ("every = hour\nat = :20", "20 * * * *", (1, "hour")),
        ("every = month\non_day = 15\nat = 04:00", "0 4 15 * *", (1, "month")),
        ("every = month\non_day = last\nat = 04:00", None, (1, "month")),
        ("every = 2 days\nat = 04:00", None, (2, "day")),
        ("every = 10 minutes", None, (10, "minute")),
        ("every = 120 seconds", None, (2, "minute")),
        ("every = 30 seconds", None, None),
        ("every = 5 to 10 minutes", None, None),
        ("every = never", None, None),
        ("cron = */5 * * * mon-fri", "*/5 * * * mon-fri", None),
        ("cron = 30 */5 * * * *", None, None),
    ],
)
def test_a_schedule_as_cron_fields_and_as_an_interval(
    lines: str, crontab: str | None, interval: tuple[int, str] | None, tmp_path
) -> None:
    (tmp_path / "a.ini").write_text(f"[a]\ncommand = true\n{lines}\n")
    [job] = load(tmp_path / "a.ini", strict_references=True).jobs
    assert (as_crontab(job.schedule), as_interval(job.schedule)) == (crontab, interval)
