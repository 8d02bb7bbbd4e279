"""Opening the database: what is made, what is refused, and what a reader leaves alone."""

from __future__ import annotations

import os
import sqlite3
import stat
from contextlib import closing
from pathlib import Path

import pytest

from inisched.stores.history import History
from inisched.stores.opening import (
    APPLICATION_ID,
    Unusable,
    create_private,
    open_writer,
    transaction,
)
from inisched.stores.queries import schema
from inisched.stores.reading import open_reader


@pytest.fixture
def path(tmp_path: Path) -> Path:
    return tmp_path / "x.db"


@pytest.fixture
def closed(path: Path) -> Path:
    """A database of ours that was closed cleanly."""
    open_writer(path, full=True).close()
    return path


def foreign(path: Path) -> Path:
    with sqlite3.connect(path) as connection:
        connection.execute("CREATE TABLE theirs (x)")
    connection.close()
    return path


def newer(path: Path) -> Path:
    connection = open_writer(path, full=True)
    connection.execute("PRAGMA user_version = 7")
    connection.close()
    return path


def seen(folder: Path) -> dict[str, tuple[int, int, bytes]]:
    """Every file of a folder with its size, time of change and content."""
    return {
        file.name: (file.stat().st_size, file.stat().st_mtime_ns, file.read_bytes())
        for file in folder.iterdir()
    }


def refused(path: Path) -> tuple[str, str]:
    """What the writer and the reader say of it."""
    with pytest.raises(Unusable) as writing:
        open_writer(path, full=True)
    with pytest.raises(Unusable) as reading:
        open_reader(path)
    return str(writing.value), str(reading.value)


# -- making


def test_a_new_database_is_its_owners_alone(path: Path) -> None:
    before = os.umask(0)
    try:
        open_writer(path, full=True).close()
    finally:
        os.umask(before)
    assert stat.S_IMODE(path.stat().st_mode) == 0o600


def test_a_new_database_is_marked_as_ours(closed: Path) -> None:
    with sqlite3.connect(closed) as connection:
        marks = [
            connection.execute(f"PRAGMA {name}").fetchone()[0]
            for name in ("application_id", "user_version", "journal_mode", "auto_vacuum")
        ]
    connection.close()
    assert marks == [APPLICATION_ID, 4, "wal", 2]


@pytest.mark.parametrize(("full", "level"), [(True, 2), (False, 1)])
def test_durability_decides_when_a_commit_is_on_the_disk(
    path: Path, full: bool, level: int
) -> None:
    connection = open_writer(path, full=full)
    assert connection.execute("PRAGMA synchronous").fetchone()[0] == level
    connection.close()


def test_a_database_keeps_its_identity_when_it_moves(closed: Path) -> None:
    def identity(path: Path) -> str:
        connection = open_writer(path, full=True)
        found = connection.execute("SELECT value FROM meta WHERE key = 'id'").fetchone()[0]
        connection.close()
        return str(found)

    before = identity(closed)
    assert identity(closed.rename(closed.with_name("moved.db"))) == before


def test_a_file_that_is_there_keeps_its_content(path: Path) -> None:
    path.write_text("kept")
    create_private(path)
    assert path.read_text() == "kept"


@pytest.mark.skipif(os.geteuid() != 0, reason="only root can give a file away")
def test_what_root_makes_belongs_to_the_owner_of_the_folder(path: Path) -> None:
    os.chown(path.parent, 1234, 2345)
    create_private(path)
    assert (path.stat().st_uid, path.stat().st_gid) == (1234, 2345)


# -- refusing


def test_a_database_of_another_program_is_refused(path: Path) -> None:
    text = f"{path} is a database of another program; set [inisched] database"
    assert refused(foreign(path)) == (text, text)


def test_a_newer_database_is_refused(path: Path) -> None:
    text = (
        f"the database {path} has version 7, this program knows up to 4; "
        "use the newer inisched that made it"
    )
    assert refused(newer(path)) == (text, text)


@pytest.mark.parametrize("make", [foreign, newer])
def test_a_refused_database_stays_as_it_was(path: Path, make: object) -> None:
    assert callable(make)
    make(path)
    before = seen(path.parent)
    refused(path)
    assert seen(path.parent) == before


def test_a_file_that_is_no_database_is_refused(path: Path) -> None:
    path.write_text("just some text, and long enough not to be taken for an empty file" * 50)
    assert refused(path) == (
        f"the database {path} cannot be used: file is not a database",
        f"the database {path} cannot be read: file is not a database",
    )


def test_a_folder_in_its_place_is_refused(path: Path) -> None:
    path.mkdir()
    text = f"{path} is no regular file; set [inisched] database"
    assert refused(path) == (text, text)


def test_a_missing_folder_is_said(path: Path) -> None:
    with pytest.raises(Unusable) as caught:
        open_writer(path / "x.db", full=True)
    assert str(caught.value) == (
        f"the database {path / 'x.db'} cannot be opened: No such file or directory"
    )


# -- reading


def test_without_a_file_there_is_nothing_to_read(path: Path) -> None:
    assert (open_reader(path), path.exists()) == (None, False)


def test_an_empty_file_holds_nothing_to_read(path: Path) -> None:
    path.touch()
    assert open_reader(path) is None


def test_a_reader_of_a_cleanly_closed_database_changes_no_file(closed: Path) -> None:
    before = seen(closed.parent)
    connection = open_reader(closed)
    assert connection is not None
    assert connection.execute("SELECT count(*) FROM run").fetchone()[0] == 0
    during = seen(closed.parent)
    connection.close()
    assert [during, seen(closed.parent)] == [before, before]


def test_a_reader_needs_no_right_to_write(closed: Path) -> None:
    closed.chmod(0o400)
    closed.parent.chmod(0o500)
    try:
        connection = open_reader(closed)
        assert connection is not None
        assert connection.execute("SELECT count(*) FROM run").fetchone()[0] == 0
        connection.close()
    finally:
        closed.parent.chmod(0o700)


def test_a_reader_sees_what_a_living_daemon_has_committed(path: Path) -> None:
    writer = open_writer(path, full=True)
    writer.execute("INSERT INTO job (name) VALUES ('sweep')")
    reader = open_reader(path)
    assert reader is not None
    assert [row["name"] for row in reader.execute("SELECT name FROM job")] == ["sweep"]
    reader.close()
    writer.close()


def test_a_reader_is_not_kept_waiting_by_a_writer(path: Path) -> None:
    writer = open_writer(path, full=True)
    writer.execute("BEGIN IMMEDIATE")
    writer.execute("INSERT INTO job (name) VALUES ('sweep')")
    reader = open_reader(path)
    assert reader is not None
    assert reader.execute("SELECT count(*) FROM job").fetchone()[0] == 0
    reader.close()
    writer.close()


@pytest.mark.parametrize("alive", [False, True])
def test_a_reader_cannot_write(path: Path, alive: bool) -> None:
    writer = open_writer(path, full=True)
    if not alive:
        writer.close()
    reader = open_reader(path)
    assert reader is not None
    with pytest.raises(sqlite3.OperationalError, match="attempt to write a readonly database"):
        reader.execute("INSERT INTO job (name) VALUES ('sweep')")
    reader.close()
    writer.close()


@pytest.mark.parametrize("name", ["what? #1 100%41.db", "größe.db", os.fsdecode(b"\xff.db")])
def test_a_database_may_have_any_name(tmp_path: Path, name: str) -> None:
    open_writer(tmp_path / name, full=True).close()
    reader = open_reader(tmp_path / name)
    assert reader is not None
    assert reader.execute("SELECT count(*) FROM run").fetchone()[0] == 0
    reader.close()
    assert os.listdir(tmp_path) == [name]


def test_a_path_may_begin_with_two_slashes(closed: Path) -> None:
    reader = open_reader(Path(f"/{closed}"))
    assert reader is not None
    reader.close()


# -- together


def together(connection: sqlite3.Connection, *statements: str) -> None:
    """All in one transaction; "!" is someone who interrupts."""
    with transaction(connection):
        for statement in statements:
            if statement == "!":
                raise KeyboardInterrupt
            connection.execute(statement)


SWEEP = "INSERT INTO job (name) VALUES ('sweep')"


def test_a_broken_transaction_leaves_nothing(path: Path) -> None:
    connection = open_writer(path, full=True)
    with pytest.raises(KeyboardInterrupt):
        together(connection, SWEEP, "!")
    assert connection.execute("SELECT count(*) FROM job").fetchone()[0] == 0
    connection.close()


def test_after_a_broken_transaction_the_next_one_works(path: Path) -> None:
    connection = open_writer(path, full=True)
    with pytest.raises(KeyboardInterrupt):
        together(connection, SWEEP, "!")
    together(connection, SWEEP)
    assert connection.execute("SELECT count(*) FROM job").fetchone()[0] == 1
    connection.close()


def test_after_a_commit_that_failed_the_next_transaction_works(path: Path) -> None:
    connection = open_writer(path, full=True)
    of_nobody = (
        "INSERT INTO run (job_id, fire_at, state, trigger, fire_unmoved) VALUES (9,0,'','',0)"
    )
    with pytest.raises(sqlite3.IntegrityError):
        together(connection, "PRAGMA defer_foreign_keys = ON", of_nobody)
    together(connection, SWEEP)
    assert connection.execute("SELECT count(*) FROM run").fetchone()[0] == 0
    connection.close()


@pytest.fixture
def former(tmp_path: Path) -> Path:
    """A database of the version before, with a job in it."""
    path = tmp_path / "x.db"
    with closing(sqlite3.connect(path, isolation_level=None)) as connection:
        connection.executescript(schema(upto=1))
        connection.execute(f"PRAGMA application_id = {APPLICATION_ID}")
        connection.execute("PRAGMA user_version = 1")
        connection.execute("INSERT INTO meta (key, value) VALUES ('id', 'the same')")
        connection.execute("INSERT INTO job (name) VALUES ('kept')")
    return path


def test_a_database_of_the_version_before_is_brought_up_with_all_it_holds(former: Path) -> None:
    with closing(open_writer(former, full=False)) as connection:
        assert connection.execute("PRAGMA user_version").fetchone()[0] == 4
        assert [row["name"] for row in connection.execute("SELECT name FROM job")] == ["kept"]
        assert connection.execute("SELECT value FROM meta WHERE key = 'id'").fetchone()[0] == (
            "the same"
        )
        assert connection.execute("SELECT count(*) FROM incident").fetchone()[0] == 0


def test_a_database_of_the_version_before_is_read_as_it_is(former: Path) -> None:
    history = History(former)
    assert (history.incidents(), history.outbox(), history.dropped()) == ([], 0, 0)
    assert list(history.jobs()) == ["kept"]
    history.close()


def test_a_database_of_the_version_before_that_lacks_something_is_moved_aside(
    former: Path,
) -> None:
    with closing(sqlite3.connect(former)) as connection:
        connection.execute("DROP TABLE absence")
    open_writer(former, full=False).close()
    assert len(list(former.parent.glob("x.db.broken-*"))) == 1
