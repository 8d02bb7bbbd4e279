"""How much of the past is kept, as `[inisched]` says it; while that is in doubt, all of it."""

from __future__ import annotations

from collections.abc import Callable
from datetime import timedelta

import pytest

from inisched.config.loader import Config
from inisched.model.retention import Retention

Load = Callable[..., Config]

JOB = "[a]\ncommand = true\nevery = day\n"


def test_without_a_word_ninety_days_ten_thousand_rows_and_output_of_fourteen_days_are_kept(
    load_text: Load,
) -> None:
    expected = Retention(history=timedelta(days=90), runs=10_000, output=timedelta(days=14))
    assert load_text(JOB).settings.retention == expected


def test_what_is_kept_is_read(load_text: Load) -> None:
    keys = "history_keep = 1 week\nhistory_keep_runs = 5\noutput_keep = 0\n"
    expected = Retention(history=timedelta(days=7), runs=5, output=timedelta(0))
    config = load_text(f"[inisched]\n{keys}{JOB}")
    assert (config.settings.retention, config.diagnostics) == (expected, ())


@pytest.mark.parametrize(
    "section",
    [
        "[inisched]\nhistory_keep = 400 dayz\n",
        "[inisched]\nhistory_kep = 400 days\n",
        "[inisched]\nhistory_keep = ${env:NOT_SET_ANYWHERE}\n",
        "[inisched]\nhistory_keep = 400 days\nHistory_Keep = 500 days\n",
        "[inisched]\n[inisched]\nhistory_keep = 400 days\n",
        "[inisched]\nmax_running = 0\n",
    ],
    ids=["value", "key", "reference", "twice", "twins", "another"],
)
def test_while_the_section_has_an_error_everything_is_kept(load_text: Load, section: str) -> None:
    assert load_text(section + JOB).settings.retention is None


def test_what_the_shell_does_not_know_is_no_error_where_it_is_not_about_what_is_kept(
    load_text: Load,
) -> None:
    text = f"[inisched]\nsmtp = ${{env:NOT_SET_ANYWHERE}}\n{JOB}"
    assert load_text(text, strict=False).settings.retention == Retention()


def test_where_the_shell_does_not_know_what_is_kept_everything_is(load_text: Load) -> None:
    text = f"[inisched]\noutput_keep = ${{env:NOT_SET_ANYWHERE}}\n{JOB}"
    assert load_text(text, strict=False).settings.retention is None


def test_a_broken_job_says_nothing_of_what_is_kept(load_text: Load) -> None:
    assert load_text("[a]\nevery = dya\n").settings.retention == Retention()
