"""What befalls a database: broken, truncated, taken away, replaced, locked, and never harmed by us."""

from __future__ import annotations

import logging
import os
import re
import signal
import sqlite3
import subprocess
import sys
import tempfile
import threading
import time
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from pathlib import Path

import pytest
from msgspec.structs import replace

from inisched.model.run import State
from inisched.stores import soundness
from inisched.stores.claims import Claimed, Held, OpenRun
from inisched.stores.history import History
from inisched.stores.ledger import Ledger, LedgerDown
from inisched.stores.opening import NotNow, Unusable
from stores.book import LOOK, Book, at, fire

Damage = Callable[[Path], None]

DIES = """
import os, sys, signal
from pathlib import Path
from inisched.stores.ledger import Ledger
{before}
ledger = Ledger(Path(sys.argv[1]))
{after}
os.kill(os.getpid(), signal.SIGKILL)
"""


def made(path: Path) -> Path:
    """A database of ours with enough in it to be broken in the middle."""
    ledger = Ledger(path, full=False)
    ledger.judged({f"job{number}": "x" * 500 for number in range(100)})
    ledger.close()
    return path


def _noise(path: Path) -> None:
    path.write_bytes(os.urandom(path.stat().st_size))


def _noise_after_the_first_page(path: Path) -> None:
    with open(path, "r+b") as file:
        file.seek(4096)
        file.write(os.urandom(path.stat().st_size - 4096))


def _noise_in_the_first_page(path: Path) -> None:
    with open(path, "r+b") as file:
        file.seek(100)
        file.write(os.urandom(3000))


def _cut(path: Path) -> None:
    os.truncate(path, path.stat().st_size // 2)


def _cut_to_a_few_bytes(path: Path) -> None:
    os.truncate(path, 50)


def _text(path: Path) -> None:
    path.write_text("a note to myself, long enough not to be taken for an empty file " * 9)


def _without_a_table(path: Path) -> None:
    with sqlite3.connect(path) as connection:
        connection.execute("DROP VIEW v_runs")
    connection.close()


def _without_identity(path: Path) -> None:
    with sqlite3.connect(path) as connection:
        connection.execute("DELETE FROM meta")
    connection.close()


DAMAGES = [
    _noise,
    _noise_after_the_first_page,
    _noise_in_the_first_page,
    _cut,
    _cut_to_a_few_bytes,
    _text,
    _without_a_table,
    _without_identity,
]


def asides(path: Path) -> list[str]:
    return sorted(p.name for p in path.parent.iterdir() if p.name.startswith(f"{path.name}."))


# -- found broken at the start


@pytest.mark.parametrize("damage", DAMAGES)
def test_a_broken_database_is_moved_aside_and_a_new_one_begins(
    tmp_path: Path, damage: Damage, caplog: pytest.LogCaptureFixture
) -> None:
    path = made(tmp_path / "x.db")
    damage(path)
    content = path.read_bytes()
    ledger = Ledger(path, ours=True)
    assert ledger.jobs() == {}
    ledger.close()
    (aside,) = asides(path)
    assert re.fullmatch(r"x\.db\.broken-\d{8}T\d{6}", aside)
    assert (tmp_path / aside).read_bytes() == content
    (record,) = caplog.records
    assert record.levelno == logging.ERROR
    assert f"the database {path} is broken" in record.getMessage()
    assert f"it is now {tmp_path / aside}, and a new one begins" in record.getMessage()


def test_what_lies_beside_a_broken_database_goes_with_it(tmp_path: Path) -> None:
    path = made(tmp_path / "x.db")
    _text(path)
    (tmp_path / "x.db-wal").write_text("log")
    (tmp_path / "x.db-shm").write_text("index")
    Ledger(path, ours=True).close()
    (aside, index, log) = asides(path)
    assert (index, log) == (f"{aside}-shm", f"{aside}-wal")
    assert (tmp_path / log).read_text() == "log"


def test_two_broken_databases_of_one_second_are_both_kept(tmp_path: Path) -> None:
    path = tmp_path / "x.db"
    for _ in range(3):
        _text(path)
        Ledger(path, ours=True).close()
    assert len(asides(path)) == 3


def test_a_file_of_a_name_somebody_chose_is_left_alone_unless_it_bears_our_mark(
    tmp_path: Path,
) -> None:
    path = made(tmp_path / "x.db")
    _text(path)
    with pytest.raises(Unusable, match=r"x\.db cannot be used: file is not a database\Z"):
        Ledger(path)
    assert asides(path) == []
    made(tmp_path / "y.db")
    _noise_after_the_first_page(tmp_path / "y.db")
    Ledger(tmp_path / "y.db").close()
    assert len(asides(tmp_path / "y.db")) == 1


def test_an_empty_file_is_a_new_database(tmp_path: Path) -> None:
    path = tmp_path / "x.db"
    path.touch()
    ledger = Ledger(path)
    assert ledger.jobs() == {}
    ledger.close()
    assert asides(path) == []


@pytest.mark.parametrize(
    ("make", "text"),
    [
        ("CREATE TABLE theirs (x)", "is a database of another program"),
        ("PRAGMA user_version = 9", "has version 9, this program knows up to 4;"),
    ],
)
def test_a_sound_database_of_others_is_never_moved(tmp_path: Path, make: str, text: str) -> None:
    path = tmp_path / "x.db"
    if "user_version" in make:
        made(path)
    with sqlite3.connect(path) as connection:
        connection.execute(make)
    connection.close()
    before = path.read_bytes()
    with pytest.raises(Unusable, match=text):
        Ledger(path, ours=True)
    assert (asides(path), path.read_bytes()) == ([], before)


def test_a_huge_database_is_only_glanced_at(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    path = made(tmp_path / "x.db")
    monkeypatch.setattr(soundness, "HUGE", 1)
    monkeypatch.setattr(soundness, "_check_pages", lambda connection: pytest.fail("read whole"))
    Ledger(path).close()
    _cut(path)
    Ledger(path).close()
    assert len(asides(path)) == 1


def test_the_look_at_a_database_takes_no_longer_than_its_limit(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    path = made(tmp_path / "x.db")
    monkeypatch.setattr(soundness, "LOOKING", -1.0)
    monkeypatch.setattr(soundness, "_STEPS", 1)
    ledger = Ledger(path)
    assert len(ledger.jobs()) == 100
    ledger.close()


@contextmanager
def locked(path: Path) -> Iterator[sqlite3.Connection]:
    other = sqlite3.connect(path, isolation_level=None)
    other.execute("BEGIN EXCLUSIVE")
    yield other
    other.close()


def test_a_locked_database_is_worth_waiting_for(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    path = made(tmp_path / "x.db")
    connect = sqlite3.connect
    monkeypatch.setattr(sqlite3, "connect", lambda *a, **k: connect(*a, **(k | {"timeout": 0})))
    with locked(path), pytest.raises(NotNow, match="database is locked"):
        Ledger(path)
    Ledger(path).close()
    assert asides(path) == []


def test_a_database_that_may_not_be_written_is_said_at_once(public: Path) -> None:
    path = made(public / "x.db")
    path.chmod(0o444)
    public.chmod(0o555)
    code = """
try:
    open_writer(path, full=True)
except Unusable as error:
    print(type(error).__name__, error)
"""
    assert as_nobody(code, path) == (
        f"Unusable the database {path} cannot be used: attempt to write a readonly database\n"
    )


# -- killed


@pytest.mark.parametrize("moment", range(0, 60, 3))
def test_a_process_killed_while_it_makes_the_database_leaves_nothing_half_done(
    tmp_path: Path, moment: int
) -> None:
    path = tmp_path / "x.db"
    kill = (
        f"left = [{moment}]\n"
        "def step(text):\n"
        "    left[0] -= 1\n"
        "    if left[0] < 0: os.kill(os.getpid(), signal.SIGKILL)\n"
        "import sqlite3\nconnect = sqlite3.connect\n"
        "def traced(*a, **k):\n"
        "    found = connect(*a, **k); found.set_trace_callback(step); return found\n"
        "sqlite3.connect = traced\n"
    )
    died = dying(path, before=kill)
    assert died.returncode == -signal.SIGKILL, died.stderr
    ledger = Ledger(path)
    assert ledger.jobs() == {}
    ledger.close()
    assert asides(path) == []


def test_what_a_killed_process_has_committed_is_there(tmp_path: Path) -> None:
    path = tmp_path / "x.db"
    dying(path, after="ledger.judged({'a': 'x'}); ledger._db.execute('BEGIN IMMEDIATE');"
          "ledger._db.execute('DELETE FROM job')")  # fmt: skip
    ledger = Ledger(path)
    assert list(ledger.jobs()) == ["a"]
    ledger.close()


def dying(path: Path, *, before: str = "", after: str = "pass") -> subprocess.CompletedProcess[str]:
    code = DIES.format(before=before, after=after)
    command = [sys.executable, "-P", "-c", code, str(path)]
    return subprocess.run(command, capture_output=True, text=True, timeout=60)


# -- taken away while it is open


@pytest.fixture
def run(book: Book) -> Claimed:
    """A run under way, of a daemon that has said who it is."""
    book.ledger.open_life(4711, "host", LOOK)
    (claimed,) = book.claim(fire("11:00"), now=at("11:00"))
    return claimed


def held(book: Book, *runs: Claimed) -> Held:
    job = replace(book.job, looked=at("11:00"))
    return Held([job], [(OpenRun(one, State.RUNNING, 12, 34), at("11:00")) for one in runs])


def _delete(path: Path) -> None:
    path.unlink()


def _rename(path: Path) -> None:
    path.rename(path.with_name("elsewhere.db"))


def _delete_all(path: Path) -> None:
    for name in ("x.db", "x.db-wal", "x.db-shm"):
        path.with_name(name).unlink()


def _put_older(path: Path) -> None:
    made(path.with_name("older.db")).rename(path)


def _put_text(path: Path) -> None:
    path.unlink()
    _text(path)


def _put_empty(path: Path) -> None:
    path.unlink()
    path.touch()


def _delete_log(path: Path) -> None:
    path.with_name("x.db-wal").unlink()


def _delete_index(path: Path) -> None:
    path.with_name("x.db-shm").unlink()


@pytest.mark.parametrize(
    ("loss", "words"),
    [
        (_delete, r"/x\.db was deleted"),
        (_rename, r"/x\.db was deleted"),
        (_delete_all, r"/x\.db was deleted"),
        (_put_older, r"/x\.db was replaced by another file"),
        (_put_text, r"/x\.db was replaced by another file"),
        (_put_empty, r"/x\.db was replaced by another file"),
        (_delete_log, r"/x\.db-wal was deleted"),
        (_delete_index, r"/x\.db-shm was deleted"),
    ],
)
def test_the_account_outlives_what_is_done_to_its_files(
    book: Book, run: Claimed, loss: Damage, words: str
) -> None:
    identity = book.ledger.id
    assert book.ledger.loss() == ""
    loss(book.path)
    assert re.search(words + r"\Z", book.ledger.loss())
    book.ledger.mend(held(book, run))
    assert book.ledger.loss() == ""
    book.ledger.finish(run, _done(), at("11:05"))
    assert book.told("id", "state", "fire_at") == [(1, "success", "2026-11-21T11:00:00Z")]
    assert book.ledger.id == identity
    life = book.ledger.last_life()
    assert life is not None
    assert life.pid == 4711
    assert _is_sound(book.path)


def test_what_was_put_in_its_place_is_kept(book: Book, run: Claimed) -> None:
    _put_text(book.path)
    content = book.path.read_bytes()
    done = book.ledger.mend(held(book, run))
    (aside,) = asides(book.path)
    assert re.fullmatch(r"x\.db\.replaced-\d{8}T\d{6}", aside)
    assert book.path.with_name(aside).read_bytes() == content
    assert done == (f"put back as it was; what was there is now {book.path.with_name(aside)}")


def test_a_log_that_came_with_another_database_is_spared(book: Book, run: Claimed) -> None:
    other = Ledger(book.path.with_name("other.db"), full=False)
    other.judged({"theirs": "x"})
    for suffix in ("", "-wal", "-shm"):
        other.path.with_name(f"other.db{suffix}").rename(f"{book.path}{suffix}")
    book.ledger.mend(held(book, run))
    aside = next(book.path.with_name(name) for name in asides(book.path) if "-wal" not in name)
    other._db.close()
    theirs = Ledger(aside)
    assert list(theirs.jobs()) == ["theirs"]
    theirs.close()
    assert list(book.ledger.jobs()) == ["sweep"]


@pytest.mark.parametrize("damage", [_noise, _noise_after_the_first_page, _cut, _emptied := (
    lambda path: os.truncate(path, 0)
)])  # fmt: skip
def test_of_a_database_that_breaks_while_it_is_open_what_is_at_hand_is_entered_anew(
    book: Book, run: Claimed, damage: Damage
) -> None:
    book.ledger._db.execute("PRAGMA wal_checkpoint(TRUNCATE)")
    book.ledger._db.execute("PRAGMA shrink_memory")
    damage(book.path)
    assert book.ledger.loss() == f"{book.path} was written by another program"
    with pytest.raises(LedgerDown, match="was written by another program"):
        book.ledger.finish(run, _done(), at("11:05"))
    done = book.ledger.mend(held(book, run))
    assert re.match(
        r"a new one begins with what is at hand; what was there is now /\S+\.broken-", done
    )
    assert book.ledger.loss() == ""
    book.ledger.finish(run, _done(), at("11:05"))
    assert book.told("id", "state", "started_at") == [(1, "success", "2026-11-21T11:00:00Z")]
    assert book.ledger.jobs()["sweep"].looked == at("11:00")


def test_what_is_still_in_memory_of_a_broken_database_is_put_back(book: Book, run: Claimed) -> None:
    book.ledger._db.execute("PRAGMA wal_checkpoint(TRUNCATE)")
    book.ledger._grip.note_written()
    assert len(book.ledger.open_runs()) == 1
    _noise(book.path)
    assert book.ledger.mend(held(book)).startswith("put back as it was; what was there is now ")
    assert book.told("state") == [("running",)]
    assert _is_sound(book.path)


def test_a_database_that_was_written_and_is_sound_goes_on(book: Book, run: Claimed) -> None:
    other = sqlite3.connect(book.path, isolation_level=None)
    other.execute("INSERT INTO job (name) VALUES ('theirs')")
    other.execute("PRAGMA wal_checkpoint(TRUNCATE)")
    other.close()
    with pytest.raises(LedgerDown, match="was written by another program"):
        book.ledger.beat(LOOK)
    assert book.ledger.mend(held(book, run)) == "it is sound and goes on"
    assert book.ledger.loss() == ""
    assert (asides(book.path), sorted(book.ledger.jobs())) == ([], ["sweep", "theirs"])


def test_the_log_is_written_out_now_and_then(book: Book) -> None:
    for number in range(250):
        book.ledger.judged({"sweep": f"{number}" * 500})
    assert book.ledger.loss() == ""
    assert book.path.with_name("x.db-wal").stat().st_size < 4_000_000
    assert book.path.stat().st_size > 4096


def test_a_foreign_database_in_its_place_is_not_touched_and_nothing_is_written_meanwhile(
    book: Book, run: Claimed
) -> None:
    book.path.unlink()
    with sqlite3.connect(book.path.with_name("theirs.db")) as connection:
        connection.execute("CREATE TABLE theirs (x)")
    connection.close()
    book.path.with_name("theirs.db").rename(book.path)
    before = book.path.read_bytes()
    with pytest.raises(LedgerDown, match="is a database of another program"):
        book.ledger.mend(held(book, run))
    with pytest.raises(LedgerDown, match="was replaced by another file"):
        book.ledger.finish(run, _done(), at("11:05"))
    assert book.path.read_bytes() == before
    book.path.unlink()
    book.ledger.mend(held(book, run))
    book.ledger.finish(run, _done(), at("11:05"))
    assert book.told("state") == [("success",)]


def test_if_there_is_no_room_to_put_it_back_it_is_tried_again(
    book: Book, run: Claimed, monkeypatch: pytest.MonkeyPatch
) -> None:
    book.path.unlink()
    with monkeypatch.context() as full:
        full.setattr("inisched.stores.grip.save", _no_room)
        with pytest.raises(LedgerDown, match="cannot be put back: database or disk is full"):
            book.ledger.mend(held(book, run))
    book.ledger.mend(held(book, run))
    assert book.told("id") == [(1,)]


def _no_room(*_: object) -> bool:
    raise sqlite3.OperationalError("database or disk is full")


def test_an_attempt_at_a_locked_database_is_short(book: Book) -> None:
    with locked(book.path):
        begun = time.monotonic()
        with pytest.raises(LedgerDown):
            book.ledger.beat(LOOK)
        assert time.monotonic() - begun < 1.0


def _done() -> object:
    from inisched.model.run import Outcome

    return Outcome(state=State.SUCCESS)


def _is_sound(path: Path) -> bool:
    connection = sqlite3.connect(f"file:{path}?mode=ro", uri=True)
    found = connection.execute("PRAGMA integrity_check").fetchone()[0]
    connection.close()
    return bool(found == "ok")


# -- read meanwhile


def test_readers_meet_no_error_while_a_daemon_writes_opens_and_closes(tmp_path: Path) -> None:
    path = made(tmp_path / "x.db")
    stop, troubles, answers = threading.Event(), [], []

    def read() -> None:
        while not stop.is_set():
            try:
                history = History(path)
                answers.append(len(history.jobs()))
                history.rows()
                history.close()
            except Exception as error:
                troubles.append(error)

    threads = [threading.Thread(target=read) for _ in range(3)]
    for thread in threads:
        thread.start()
    try:
        for number in range(30):
            ledger = Ledger(path, full=False)
            for other in range(5):
                ledger.judged({f"new{number}.{other}": "x" * 2000})
            ledger._db.execute("PRAGMA wal_checkpoint(TRUNCATE)")
            ledger.close()
    finally:
        stop.set()
        for thread in threads:
            thread.join()
    assert troubles == []
    assert answers == [] or (min(answers) >= 100 and max(answers) <= 250)


def test_a_reader_opened_before_the_daemon_sees_what_it_writes(tmp_path: Path) -> None:
    path = made(tmp_path / "x.db")
    history = History(path)
    assert len(history.jobs()) == 100
    ledger = Ledger(path, full=False)
    ledger.judged({"new": "x"})
    assert "new" in history.jobs()
    ledger.close()
    assert "new" in history.jobs()
    history.close()


def test_a_reader_goes_over_to_a_database_that_was_put_back(book: Book, run: Claimed) -> None:
    history = History(book.path)
    assert len(history.rows()) == 1
    book.path.unlink()
    book.ledger.mend(held(book, run))
    book.claim(fire("12:00"), now=at("12:00"))
    assert len(history.rows()) == 2
    history.close()


def test_a_reader_through_a_link_sees_what_is_not_yet_written_out(book: Book) -> None:
    link = book.path.with_name("link.db")
    link.symlink_to(book.path)
    book.claim(fire("11:00"))
    history = History(link)
    assert len(history.rows()) == 1
    history.close()


@pytest.mark.parametrize("life", ["alive", "closed", "killed"])
def test_a_folder_that_may_not_be_written_can_be_read(public: Path, life: str) -> None:
    path = public / "x.db"
    if life == "killed":
        dying(path, after="ledger.judged({'a': 'x'})")
    else:
        ledger = Ledger(path, full=False)
        ledger.judged({"a": "x"})
    if life == "closed":
        ledger.close()
    for file in public.iterdir():
        file.chmod(0o444)
    public.chmod(0o555)
    before = sorted(os.listdir(public))
    found = as_nobody("print(list(History(path).jobs()))", path)
    assert (found, sorted(os.listdir(public))) == ("['a']\n", before)
    if life == "alive":
        ledger.close()


DROPS = """
import os, sys
from pathlib import Path
from inisched.stores.history import History
from inisched.stores.opening import Unusable, open_writer
from inisched.stores.queries import queries, schema
queries(), schema()
path = Path(sys.argv[1])
if os.geteuid() == 0:
    os.setgroups([]); os.setgid(65534); os.setuid(65534)
"""


def as_nobody(code: str, path: Path) -> str:
    """What the code prints, run by a user who owns nothing here."""
    command = [sys.executable, "-P", "-c", DROPS + code, str(path)]
    found = subprocess.run(command, capture_output=True, text=True, timeout=60)
    assert found.returncode == 0, found.stderr
    return found.stdout


@pytest.fixture
def public() -> Iterator[Path]:
    """A folder that everybody can reach."""
    with tempfile.TemporaryDirectory() as name:
        folder = Path(os.path.realpath(name))
        folder.chmod(0o755)
        yield folder
        folder.chmod(0o755)
