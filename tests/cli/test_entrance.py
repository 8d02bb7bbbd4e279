"""Two ways lead to the daemon, and neither it nor a view carries what it does not use."""

import subprocess
import sys
from pathlib import Path

import pytest

ENTRANCE = (sys.executable, "-m", "inisched")


def run(folder: Path, *words: str) -> tuple[int, str, str]:
    done = subprocess.run(
        [*ENTRANCE, "run", *words], cwd=folder, capture_output=True, text=True, timeout=20
    )
    return done.returncode, done.stdout, done.stderr


def imported_by(*modules: str) -> set[str]:
    code = f"import sys, {', '.join(modules)}; print(*sys.modules)"
    return set(subprocess.check_output([sys.executable, "-c", code], text=True).split())


def test_a_daemon_carries_neither_click_nor_argparse() -> None:
    assert imported_by("inisched.cli.serve").isdisjoint({"click", "argparse"})


def test_a_view_imports_neither_the_loop_nor_the_log() -> None:
    found = imported_by("inisched.cli.listing", "inisched.questions.overview")
    assert found.isdisjoint(
        {"schedule", "filelock", "logging", "socket", "subprocess", "inisched.stores.ledger"}
    )


def test_help_is_there_before_any_value_is() -> None:
    assert "msgspec" not in imported_by("inisched.cli.commands")


@pytest.mark.parametrize(
    "text",
    [None, "no header\n", "[inisched]\ndatabase = nowhere/x.db\n"],
    ids=["missing", "no INI", "bad settings"],
)
def test_a_file_that_cannot_be_run_is_told_the_same_on_both_ways(
    tmp_path: Path, text: str | None
) -> None:
    if text is not None:
        (tmp_path / "jobs.ini").write_text(text)
    straight = run(tmp_path, "-P", "jobs.ini")
    by_click = run(tmp_path, "-P", "jobs.ini", "--for", "0s")
    assert straight == by_click
    assert straight[0] == 1


def test_without_a_file_both_ways_say_where_one_is_looked_for(tmp_path: Path) -> None:
    text = (
        "inisched: no file given: use -P FILE, set INISCHED_PATH, or put a scheduler.ini into "
        "this folder or into its folder config\n"
    )
    assert run(tmp_path) == run(tmp_path, "--for", "1s") == (1, "", text)


def test_a_path_that_is_no_option_is_taken_as_it_stands(tmp_path: Path) -> None:
    assert run(tmp_path, "-P", "--once") == run(tmp_path, "--path", "--once", "--for", "1s")
