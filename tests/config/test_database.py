"""Databases that no run can use are refused before one tries."""

import os
import socket
from pathlib import Path

import pytest

from inisched.config.drawing import draw
from inisched.config.loader import Config
from inisched.model.place import Place


def with_database(load_text, name: str) -> Config:
    return load_text(f"[inisched]\ndatabase = {name}\n[a]\ncommand = x\nevery = day\n")


def refusal(load_text, name: str) -> str:
    config = with_database(load_text, name)
    [found] = config.diagnostics
    assert (found.code, found.place) == ("bad-database", Place("jobs.ini", 2, 12))
    assert found.expected == "the path of a file, there or to be made, in a folder that is there"
    assert found.hint
    assert config.settings_broken
    return found.message


def test_a_name_too_long_for_the_system_is_refused_where_it_stands(load_text) -> None:
    assert refusal(load_text, "x" * 300) == "the database cannot be used: File name too long"


def test_a_refusal_names_what_is_expected_and_a_cure(load_text) -> None:
    assert draw(with_database(load_text, "var/state.db").diagnostics) == (
        "jobs.ini:2:12: error: there is no folder 'var'\n"
        "    2 | database = var/state.db\n"
        "      |            ^^^^^^^^^^^^\n"
        "    expected the path of a file, there or to be made, in a folder that is there\n"
        "    hint: make the folder first\n"
    )


def test_a_folder_that_is_a_file_is_refused(load_text, tmp_path: Path) -> None:
    (tmp_path / "var").write_text("")
    assert refusal(load_text, "var/state.db") == "the database cannot be used: Not a directory"


def test_a_folder_below_a_missing_one_is_refused(load_text) -> None:
    assert refusal(load_text, "/nowhere/at/all.db") == "there is no folder '/nowhere/at'"


def test_a_pipe_is_refused_without_waiting(load_text, tmp_path: Path) -> None:
    os.mkfifo(tmp_path / "pipe.db")
    assert refusal(load_text, "pipe.db") == "'pipe.db' is a named pipe"


def test_a_device_is_refused(load_text) -> None:
    assert refusal(load_text, "/dev/null") == "'/dev/null' is a device"


def test_a_socket_is_refused(load_text, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.chdir(tmp_path)
    with socket.socket(socket.AF_UNIX) as server:
        server.bind("s.db")
        assert refusal(load_text, "s.db") == "'s.db' is a socket"


def test_a_link_that_leads_round_is_refused(load_text, tmp_path: Path) -> None:
    (tmp_path / "a.db").symlink_to("b.db")
    (tmp_path / "b.db").symlink_to("a.db")
    assert refusal(load_text, "a.db") == (
        "the database cannot be used: Too many levels of symbolic links"
    )


def test_the_ini_file_by_another_path_is_refused(load_text, tmp_path: Path) -> None:
    (tmp_path / "link.db").symlink_to("jobs.ini")
    assert refusal(load_text, "link.db") == "the database cannot be the INI file itself"
    assert refusal(load_text, "./jobs.ini") == "the database cannot be the INI file itself"


@pytest.mark.parametrize("name", ["state.lock", "state.sock"])
def test_a_name_the_daemon_needs_itself_is_refused(name: str, load_text) -> None:
    assert refusal(load_text, name) == f"the daemon itself keeps a file of that name: '{name}'"


def test_what_a_reference_stands_for_is_not_quoted(
    load_text, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("WHERE", "/nowhere/at/all.db")
    text = draw(with_database(load_text, "${env:WHERE}").diagnostics)
    assert "${env:WHERE}" in text
    assert "nowhere" not in text


def test_a_database_that_is_there_or_can_be_made_is_fine(load_text, tmp_path: Path) -> None:
    (tmp_path / "there.db").write_bytes(b"")
    (tmp_path / "link.db").symlink_to("to_be_made.db")
    for name in ("there.db", "new.db", "link.db", str(tmp_path / "new.db")):
        assert with_database(load_text, name).diagnostics == ()
