"""`inisched diff`: what it prints, as text and as JSON, and how it ends."""

from __future__ import annotations

import json
from collections.abc import Callable
from datetime import UTC, datetime
from pathlib import Path
from typing import Any

import pytest
import time_machine

from inisched.cli import commands

Diff = Callable[..., tuple[int, str, str]]

NOW = datetime(2026, 11, 21, 7, 0, tzinfo=UTC)
"""A Saturday."""

DAILY = "[a]\ncommand = true\nevery = day\nat = 06:00\ntimezone = UTC\n"


@pytest.fixture
def diff(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> Diff:
    """Compare two texts, saved as old.ini and new.ini, from Saturday 07:00 UTC on.

    Returns the exit code and both streams. A text of None is a file that is not there.
    """
    monkeypatch.chdir(tmp_path)
    monkeypatch.setenv("TZ", "UTC")

    def run(old: str | None, new: str | None, *options: str) -> tuple[int, str, str]:
        for name, text in (("old.ini", old), ("new.ini", new)):
            if text is not None:
                Path(name).write_text(text)
        monkeypatch.setattr("sys.argv", ["inisched", "diff", "old.ini", "new.ini", *options])
        with time_machine.travel(NOW, tick=False), pytest.raises(SystemExit) as end:
            commands.main()
        printed = capsys.readouterr()
        assert isinstance(end.value.code, int)
        return end.value.code, printed.out, printed.err

    return run


def job(*lines: str) -> str:
    """A job that is never due by itself."""
    return "\n".join(["[a]", "command = true", "every = never", "timezone = UTC", *lines, ""])


def told(diff: Diff, old: str, new: str, *options: str) -> Any:
    code, out, err = diff(old, new, "--json", *options)
    assert (code, err) == (3, "")
    return json.loads(out)


# -- how it ends


def test_equal_files_end_with_0(diff: Diff) -> None:
    assert diff(DAILY, DAILY) == (0, "no difference\n", "")


def test_equal_files_are_five_empty_lists_as_json(diff: Diff) -> None:
    code, out, _ = diff(DAILY, DAILY, "--json")
    empty: dict[str, list[Any]] = {
        "added": [], "removed": [], "changed": [], "gained": [], "lost": [],
    }  # fmt: skip
    assert (code, json.loads(out)) == (0, empty)


def test_a_missing_file_ends_with_1(diff: Diff) -> None:
    assert diff(DAILY, None) == (1, "", "new.ini:1:1: error: there is no such file\n")


def test_both_files_that_are_no_ini_are_told(diff: Diff) -> None:
    assert diff("x = 1\n", "y = 1\n") == (
        1,
        "",
        "old.ini:1:1: error: there is text before the first section\n"
        "    1 | x = 1\n"
        "      | ^^^^^\n"
        "    expected a line such as [name], which starts a job\n"
        "new.ini:1:1: error: there is text before the first section\n"
        "    1 | y = 1\n"
        "      | ^^^^^\n"
        "    expected a line such as [name], which starts a job\n",
    )


@pytest.mark.parametrize("text", ["0", "-1", "nan", "1e3", "soon", "36500.5", "9" * 400])
def test_a_number_of_days_that_is_none_is_misuse(diff: Diff, text: str) -> None:
    code, out, err = diff(DAILY, DAILY, "--days", text)
    assert (code, out) == (2, "")
    assert err.splitlines()[-1] == (
        f"Error: Invalid value for '--days': '{text}' is not a number of days, "
        "expected a number above 0 and not above 36,500, such as 7 or 0.5"
    )


def test_problems_of_a_file_are_counted_on_standard_error(diff: Diff) -> None:
    both = DAILY + "[b]\ncommand = true\nevery = 5 minuts\n"
    assert diff(both, DAILY)[2] == "1 problem in old.ini; 1 of 2 jobs is fine\n"


# -- the text


def test_a_changed_key_is_told_with_both_values(diff: Diff) -> None:
    assert diff(job("grace = 5 m"), job("grace = 10 m")) == (3, "~ a\n    grace: 5 m -> 10 m\n", "")


def test_a_key_that_is_not_there_is_not_set(diff: Diff) -> None:
    assert diff(job("grace = 5 m"), job())[1] == "~ a\n    grace: 5 m -> (not set)\n"


def test_sections_stand_in_the_order_of_the_new_file_then_what_is_gone(diff: Diff) -> None:
    b, c = job().replace("[a]", "[b]"), job().replace("[a]", "[c]")
    pool, settings = "[pool:db]\nmax = 2\n", "[inisched]\nmax_running = 5\n"
    assert diff(b + job(), pool + c + job("grace = 5") + settings)[1] == (
        "+ [pool:db]\n"
        "    max: (not set) -> 2\n"
        "+ c  (never)\n"
        "~ a\n"
        "    grace: (not set) -> 5\n"
        "~ [inisched]\n"
        "    max_running: (not set) -> 5\n"
        "- b  (never)\n"
    )


def test_fires_are_counted_and_the_first_three_shown_in_the_jobs_zone(diff: Diff) -> None:
    old = DAILY.replace("UTC", "Europe/Paris")
    assert diff(old, old.replace("06:00", "05:00, 06:00"))[1] == (
        "~ a\n"
        "    at: 06:00 -> 05:00, 06:00\n"
        "    gained 7 fires: Sun 05:00 +01:00, Mon 05:00 +01:00, Tue 05:00 +01:00, …\n"
    )


def test_utc_shows_moments_in_utc(diff: Diff) -> None:
    old = DAILY.replace("UTC", "Europe/Paris")
    assert diff(old, job("active = no"), "--days", "1", "--utc")[1].splitlines()[-1] == (
        "    lost 1 fire: Sun 05:00 +00:00"
    )


def test_an_added_job_gains_its_fires_and_a_removed_one_loses_them(diff: Diff) -> None:
    assert diff(DAILY, DAILY.replace("[a]", "[b]"), "--days", "1")[1] == (
        "+ b  (day at 06:00)\n"
        "    gained 1 fire: Sun 06:00 +00:00\n"
        "- a  (day at 06:00)\n"
        "    lost 1 fire: Sun 06:00 +00:00\n"
    )


def test_an_added_job_that_is_inactive_is_told_so_and_gains_nothing(diff: Diff) -> None:
    new = DAILY.replace("[a]", "[b]") + "active = no\n"
    assert diff(DAILY, DAILY + new)[1] == "+ b  (day at 06:00, inactive)\n"


def test_where_too_many_fires_move_a_lower_bound_is_told(diff: Diff) -> None:
    assert diff(job(), job().replace("never", "second"))[1] == (
        "~ a\n"
        "    every: never -> second\n"
        "    gained at least 25,000 fires: "
        "Sat 07:00:01 +00:00, Sat 07:00:02 +00:00, Sat 07:00:03 +00:00, …\n"
    )


def test_a_long_stretch_of_common_fires_is_told_as_far_as_it_was_looked_at(diff: Diff) -> None:
    seconds, cron = job().replace("never", "second"), job().replace(
        "every = never", "cron = * * * * * *"
    )  # fmt: skip
    assert diff(seconds, cron)[1] == (
        "~ a\n"
        "    cron: (not set) -> * * * * * *\n"
        "    every: second -> (not set)\n"
        "    the first 25,000 fires are the same\n"
    )


def test_a_job_broken_in_one_file_is_told_so_and_loses_its_fires(diff: Diff) -> None:
    assert diff(DAILY, DAILY + "grace = soon\n", "--days", "1") == (
        3,
        "~ a\n    grace: (not set) -> soon\n    broken in new.ini\n"
        "    lost 1 fire: Sun 06:00 +00:00\n",
        "1 problem in new.ini; 0 of 1 job is fine\n",
    )


def test_a_job_broken_without_a_changed_key_is_a_difference(diff: Diff) -> None:
    code, out, _ = diff(job("grace = 5"), job("grace = 5", "grace = 5"))
    assert (code, out) == (3, "~ a\n    broken in new.ini\n")


def test_a_job_broken_alike_in_both_files_is_no_difference(diff: Diff) -> None:
    assert diff(job("grace = soon"), job("grace = soon"))[:2] == (0, "no difference\n")


def test_long_values_are_cut_to_80_characters_around_where_they_differ(diff: Diff) -> None:
    old, new = (job(f"description = {'x' * 100}{end}{'y' * 100}") for end in "12")
    shown = "…" + "x" * 20 + "%d" + "y" * 57 + "…"
    assert diff(old, new)[1] == f"~ a\n    description: {shown % 1} -> {shown % 2}\n"


def test_control_characters_are_spelled_out(diff: Diff) -> None:
    assert diff(job(), job("description = a\x1b[31m"))[1] == (
        "~ a\n    description: (not set) -> a\\x1b[31m\n"
    )


def test_the_lines_of_a_script_stand_on_one(diff: Diff) -> None:
    new = job().replace("true", "true\n  false")
    assert diff(job(), new)[1] == "~ a\n    command: true -> true\\nfalse\n"


# -- what is shown


def test_two_secrets_that_differ_are_a_change_without_their_values(diff: Diff) -> None:
    old, new = job("env.DB_PASSWORD = one"), job("env.DB_PASSWORD = two")
    assert diff(old, new)[1] == "~ a\n    env.DB_PASSWORD: *** -> ***\n"


def test_a_reference_is_shown_as_it_is_written(diff: Diff, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("SOON", "5 m")
    old, new = job("grace = 10 m"), job("grace = ${env:SOON}")
    assert diff(old, new)[1] == "~ a\n    grace: 10 m -> ${env:SOON}\n"


# -- JSON


def test_json_has_names_keys_and_moments(diff: Diff) -> None:
    kept = DAILY.replace("[a]", "[kept]")
    new = kept.replace("06:00", "07:30") + DAILY.replace("[a]", "[added]")
    assert told(diff, DAILY + kept, new, "--days", "1") == {
        "added": ["added"],
        "removed": ["a"],
        "changed": [{"job": "kept", "key": "at", "old": "06:00", "new": "07:30"}],
        "gained": [
            {"job": "kept", "at": "2026-11-21T07:30:00Z"},
            {"job": "added", "at": "2026-11-22T06:00:00Z"},
        ],
        "lost": [
            {"job": "kept", "at": "2026-11-22T06:00:00Z"},
            {"job": "a", "at": "2026-11-22T06:00:00Z"},
        ],
    }


def test_json_has_null_where_a_key_is_not_written(diff: Diff) -> None:
    assert told(diff, job(), job("grace = 5"))["changed"] == [
        {"job": "a", "key": "grace", "old": None, "new": "5"}
    ]


def test_reserved_sections_change_key_by_key_under_their_own_names(diff: Diff) -> None:
    old = "[pool:db]\nmax = 2\n[inisched]\ndrain = 5\n" + job("pool = db")
    new = "[pool:db]\nmax = 3\n[pool:x]\n[notify:ops]\nurl = json://b.c\n" + job("pool = db")
    assert told(diff, old, new)["changed"] == [
        {"job": "inisched", "key": "drain", "old": "5", "new": None},
        {"job": "pool:db", "key": "max", "old": "2", "new": "3"},
        {"job": "notify:ops", "key": "url", "old": None, "new": "json://b.c"},
    ]


def test_a_zone_of_the_whole_file_moves_the_fires_of_jobs_that_name_none(diff: Diff) -> None:
    daily = DAILY.replace("timezone = UTC\n", "")
    found = told(diff, daily, daily + "[inisched]\ntimezone = Europe/Paris\n", "--days", "1")
    assert found == {
        "added": [],
        "removed": [],
        "changed": [{"job": "inisched", "key": "timezone", "old": None, "new": "Europe/Paris"}],
        "gained": [{"job": "a", "at": "2026-11-22T05:00:00Z"}],
        "lost": [{"job": "a", "at": "2026-11-22T06:00:00Z"}],
    }


def test_days_may_be_a_fraction(diff: Diff) -> None:
    new = job().replace("never", "hour")
    assert told(diff, job(), new, "--days", "0.1")["gained"] == [
        {"job": "a", "at": "2026-11-21T08:00:00Z"},
        {"job": "a", "at": "2026-11-21T09:00:00Z"},
    ]
