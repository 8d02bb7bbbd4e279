"""When an edited file is read again."""

from __future__ import annotations

import os
from pathlib import Path

import pytest

from inisched.engine.watch import Watch


@pytest.fixture
def file(tmp_path: Path) -> Path:
    file = tmp_path / "jobs.ini"
    file.write_text("[a]\n")
    return file


def test_a_file_that_stays_as_it_is_has_not_changed(file: Path) -> None:
    watch = Watch(str(file), 0.0)
    assert [watch.changed(now) for now in (4.0, 8.0, 12.0)] == [False, False, False]


def test_an_edit_is_noticed_within_five_seconds(file: Path) -> None:
    watch = Watch(str(file), 0.0)
    file.write_text("[a]\n[b]\n")
    assert [watch.changed(now) for now in (3.9, 4.0, 4.5)] == [False, False, True]


def test_a_change_is_noticed_once(file: Path) -> None:
    watch = Watch(str(file), 0.0)
    file.write_text("[a]\n[b]\n")
    assert [watch.changed(now) for now in (4.0, 4.5, 8.5, 12.5)] == [False, True, False, False]


def test_a_file_still_being_written_is_waited_for(file: Path) -> None:
    watch = Watch(str(file), 0.0)
    file.write_text("[a]\n[b")
    assert watch.changed(4.0) is False
    file.write_text("[a]\n[b]\n[c]")
    assert watch.changed(4.5) is False
    assert watch.changed(5.0) is True


def test_a_rename_onto_the_file_is_a_change(file: Path) -> None:
    watch = Watch(str(file), 0.0)
    other = file.with_name("new")
    other.write_text("[z]\n")
    os.utime(other, ns=(file.stat().st_atime_ns, file.stat().st_mtime_ns))
    other.rename(file)
    watch.changed(4.0)
    assert watch.changed(4.5) is True


def test_a_switched_link_is_a_change(file: Path, tmp_path: Path) -> None:
    link = tmp_path / "link.ini"
    link.symlink_to(file)
    other = tmp_path / "other.ini"
    other.write_text("[o]\n[p]\n")
    watch = Watch(str(link), 0.0)
    link.unlink()
    link.symlink_to(other)
    watch.changed(4.0)
    assert watch.changed(4.5) is True


def test_a_file_that_is_gone_is_a_change_once(file: Path) -> None:
    watch = Watch(str(file), 0.0)
    file.unlink()
    assert [watch.changed(now) for now in (4.0, 4.5, 8.5)] == [False, True, False]
