"""`inisched prune`: what need not be kept goes, with the daemon up and down."""

from __future__ import annotations

import json
import os
import signal
import sqlite3
from collections.abc import Callable
from contextlib import ExitStack
from datetime import UTC, datetime, timedelta

import click
import pytest
from click.testing import CliRunner

from inisched.cli import pruning
from inisched.cli.commands import group
from inisched.cli.pruning import StandIn
from inisched.engine.lock import InstanceLock
from inisched.model.run import Fire, Outcome, State, Trigger
from inisched.stores.ledger import Ledger
from story.site import Site, stop

Make = Callable[..., Site]

JOB = "[a]\ncommand = true\nevery = never\n"
FEW = f"[inisched]\nhistory_keep_runs = 5\n{JOB}"


def told(site: Site, *words: str) -> tuple[int, str, str]:
    done = site.inisched("prune", *words)
    return done.returncode, done.stdout, done.stderr


def fill(site: Site, rows: int, *, stdout: bytes = b"", ago: timedelta = timedelta(0)) -> None:
    """A ledger of so many runs, the last of them so long ago."""
    ledger = Ledger(site.ini.with_suffix(".db"), full=False)
    for number in range(rows):
        when = datetime.now(UTC) - ago - timedelta(seconds=rows - number)
        fire = Fire(job="a", at=when, moved=when, trigger=Trigger.MANUAL)
        outcome = Outcome(state=State.SUCCESS, stdout=stdout, stdout_total=len(stdout))
        ledger.record(fire, outcome, started=when, ended=when)
    ledger.close()


def test_rows_go_with_the_daemon_up_and_down(site: Make) -> None:
    s = site("[inisched]\nhistory_keep_runs = 5\n[a]\ncommand = true\nevery = second\n")
    fill(s, 8)
    with s.daemon() as daemon:
        code, out, err = told(s)
        assert (code, err) == (0, "")
        oldest = s.rows()[0]["id"]
        assert out == f"pruned {oldest - 1} rows\n"
        assert oldest >= 4
        s.wait_for_rows(lambda rows: rows[-1]["id"] >= oldest + 6)
        assert stop(daemon) == 0
    before = len(s.rows())
    assert told(s) == (0, f"pruned {before - 5} rows\n", "")
    assert len(s.rows()) == 5
    assert told(s) == (0, "nothing to prune\n", "")


def test_what_went_is_said(site: Make) -> None:
    s = site(f"[inisched]\nhistory_keep_runs = 1200\n{JOB}")
    fill(s, 1300, stdout=b"text", ago=timedelta(days=20))
    assert told(s) == (0, "pruned 100 rows and the output of 1,200 runs\n", "")


def test_what_went_is_said_as_json(site: Make) -> None:
    s = site(FEW)
    fill(s, 8, stdout=b"text")
    code, out, _ = told(s, "--json")
    assert (code, json.loads(out)) == (0, {"rows": 3, "outputs": 0})


def test_the_default_keeps_what_is_of_late(site: Make) -> None:
    s = site(JOB)
    fill(s, 8, stdout=b"text")
    assert told(s) == (0, "nothing to prune\n", "")


def test_after_ninety_days_only_the_newest_stays(site: Make) -> None:
    s = site(JOB)
    fill(s, 3, ago=timedelta(days=91))
    assert told(s) == (0, "pruned 2 rows\n", "")


def test_without_a_database_there_is_nothing_to_prune_and_none_is_made(site: Make) -> None:
    s = site(FEW)
    assert told(s) == (0, "nothing to prune\n", "")
    assert os.listdir(s.folder) == ["jobs.ini"]


def test_an_error_in_the_section_keeps_everything(site: Make) -> None:
    s = site(f"[inisched]\nhistory_keep_runs = none\n{JOB}")
    fill(s, 8)
    assert told(s) == (
        1,
        "",
        f"{s.ini}:2:21: error: 'none' is not a whole number\n"
        "    2 | history_keep_runs = none\n"
        "      |                     ^^^^\n"
        "    expected a whole number not below 1\n",
    )
    assert len(s.rows()) == 8


def test_a_daemon_that_does_not_answer_is_exit_6(site: Make) -> None:
    s = site(FEW)
    with s.daemon() as daemon:
        daemon.send_signal(signal.SIGSTOP)
        assert told(s) == (
            6,
            "",
            "inisched: the daemon does not answer within 5 s; see inisched status\n",
        )


def test_a_database_that_is_locked_is_left_as_it_is(site: Make) -> None:
    s = site(FEW)
    fill(s, 8)
    other = sqlite3.connect(s.ini.with_suffix(".db"), isolation_level=None)
    other.execute("BEGIN IMMEDIATE")
    code, out, err = told(s)
    other.close()
    assert (code, out) == (1, "")
    assert err.startswith("inisched: nothing more is pruned: the database ")
    assert len(s.rows()) == 8


def in_pauses(monkeypatch: pytest.MonkeyPatch, meanwhile: Callable[[], object]) -> None:
    """Let the command rest after every piece, and something happen meanwhile."""
    monkeypatch.setattr(pruning, "HELD", 0.0)
    monkeypatch.setattr(StandIn, "rest", lambda _: meanwhile())


def pruned(site: Site) -> tuple[int, str]:
    """The command, in this process."""
    done = CliRunner().invoke(group, ["prune", "-P", str(site.ini)], standalone_mode=False)
    return done.return_value, done.output


def test_between_its_pieces_the_command_leaves_the_lock_to_others(
    site: Make, monkeypatch: pytest.MonkeyPatch
) -> None:
    s = site(FEW)
    fill(s, 40)
    pauses = []

    def take_the_lock() -> None:
        lock = InstanceLock(s.ini.with_suffix(".db"))
        lock.acquire("command", patience=0)
        lock.release()
        pauses.append(len(s.rows()))

    in_pauses(monkeypatch, take_the_lock)
    assert pruned(s) == (0, "pruned 35 rows\n")
    assert pauses == sorted(pauses, reverse=True)
    assert len({*pauses}) > 2
    assert (pauses[0], pauses[-1]) == (40, 5)


def test_a_daemon_that_starts_meanwhile_goes_on_with_it(
    site: Make, monkeypatch: pytest.MonkeyPatch
) -> None:
    s = site(FEW)
    fill(s, 40)
    with ExitStack() as stack:

        def start_a_daemon() -> None:
            if len(s.rows()) < 40 and not s.log:
                stack.enter_context(s.daemon())

        in_pauses(monkeypatch, start_a_daemon)
        assert pruned(s) == (0, "pruned 35 rows\n")
        assert "pruned 19 rows\n" in s.log


def test_ctrl_c_leaves_a_ledger_that_can_be_pruned_on(
    site: Make, monkeypatch: pytest.MonkeyPatch
) -> None:
    s = site(FEW)
    fill(s, 40)

    def press_ctrl_c() -> None:
        if len(s.rows()) < 40:
            raise KeyboardInterrupt

    with monkeypatch.context() as patch:
        in_pauses(patch, press_ctrl_c)
        with pytest.raises(click.Abort):
            CliRunner().invoke(
                group, ["prune", "-P", str(s.ini)], standalone_mode=False, catch_exceptions=False
            )
    assert len(s.rows()) == 24
    assert told(s) == (0, "pruned 19 rows\n", "")


def test_a_single_pass_prunes_at_its_end(site: Make) -> None:
    s = site(FEW)
    fill(s, 8)
    assert s.inisched("run", "--once").returncode == 0
    assert len(s.rows()) == 5


@pytest.mark.parametrize("up", [True, False])
def test_what_after_and_the_rhythm_need_is_still_there(site: Make, up: bool) -> None:
    s = site("[inisched]\nhistory_keep = 0\n[a]\ncommand = exit 1\nevery = second\n")
    fill(s, 3)
    with s.daemon() as daemon:
        s.wait_for_rows(lambda rows: sum(row["state"] == "failure" for row in rows) >= 3)
        if up:
            assert told(s)[0] == 0
        assert stop(daemon) == 0
    assert told(s)[0] == 0
    assert (s.rows()[0]["id"], s.rows()[0]["state"]) == (3, "success")
    assert 2 <= len(s.rows()) <= 4
