"""Two files compared by meaning: what is a change, what is another spelling, which fires move."""

from __future__ import annotations

from collections.abc import Callable
from datetime import UTC, datetime, timedelta
from pathlib import Path

import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from inisched.config.loader import load
from inisched.questions.difference import pairs
from inisched.questions.exchange import Side, exchange
from inisched.timing.zone import host_zone

Changed = Callable[[str, str], list[str]]

HEAD = "[inisched]\ntimezone = Europe/Paris\n"
NOW = datetime(2026, 11, 21, 7, 0, tzinfo=UTC)


@pytest.fixture
def changed(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Changed:
    """The keys that two texts mean differently, as "section.key"; names alone where jobs come or
    go or break."""
    monkeypatch.setenv("TZ", "UTC")
    monkeypatch.delenv("NOTHING", raising=False)
    return lambda old, new: compare(tmp_path, old, new)


def compare(folder: Path, old: str, new: str) -> list[str]:
    (folder / "old.ini").write_text(old)
    (folder / "new.ini").write_text(new)
    one = load(folder / "old.ini", strict_references=False)
    other = load(folder / "new.ini", strict_references=False)
    found = []
    for pair in pairs(one, other):
        found += [f"{pair.name}.{change.key}" for change in pair.changes]
        if pair.differs and not pair.changes:
            found.append(pair.name)
        steps = exchange(pair.old_job, pair.new_job, NOW, NOW + timedelta(days=2))
        if any(side is not Side.BOTH for _, side in steps) and not pair.differs:
            found.append(f"{pair.name} fires otherwise")
    return found


def job(*lines: str, every: str = "every = hour") -> str:
    return HEAD + "\n".join(["[a]", "command = true", every, *lines, ""])


def call(*lines: str) -> str:
    return HEAD + "\n".join(["[a]", "call = m.f", "every = hour", *lines, ""])


# -- spellings that mean the same


SAME = {
    "durations": (job("timeout = 5m"), job("timeout = 300 s")),
    "elapsed intervals": (job(every="every = 60 minutes"), job(every="every = hour")),
    "names of crons": (job(every="cron = @daily"), job(every="cron = 0  0 * * *")),
    "weekdays": (job(every="every = friday, monday"), job(every="every = monday,friday")),
    "times of day": (
        job(every="every = day\nat = 9:30, 06:00"),
        job(every="every = day\nat = 06:00\n  09:30:00"),
    ),
    "start only": (job(every="cron = @reboot"), job("run_at_start = on", every="every = never")),
    "moments": (job("active_from = 2026-01-01"), job("active_from = 2026-01-01T00:00")),
    "moments in another zone": (
        job("active_until = 2026-01-01 01:00"),
        job("active_until = 2026-01-01T00:00:00+00:00"),
    ),
    "last moments": (job("active_from = 2027-01-01"), job("active_from = 2026-12-31T23:00Z")),
    "yes and no": (job("linger = yes"), job("linger = TRUE")),
    "masks": (job("umask = 022"), job("umask = 0022")),
    "sizes": (job("output_limit = 1 MiB"), job("output_limit = 1024k")),
    "numbers": (job("retries = 3"), job("retries = +03")),
    "words in any case": (job("overlap = QUEUE"), job("overlap = queue")),
    "exit codes": (job("success_codes = 3, 0, 1"), job("success_codes = 0\n  1\n  3")),
    "names in any order": (job("after = b, c"), job("after = c, b")),
    "what is heard of": (job("notify_on = late, failure"), job("notify_on = Failure, Late")),
    "paths": (job("cwd = work/"), job("cwd = ./work")),
    "the file's own folder": (job("cwd = ."), job()),
    "folders": (HEAD + "python_path = lib/, .\n", HEAD + "python_path = lib\n  ./\n"),
    "the colon of a target": (call(), call().replace("m.f", "m:f")),
    "an alias": (call(), call().replace("call", "callback")),
    "keys in any case": (job("grace = 5"), job("GRACE = 5")),
    "two ways to pass": (call("x = 1"), call("arg.x = 1")),
    "spaces between words of manage": (
        HEAD + "[a]\nmanage = go 'x'  y\nevery = day\n",
        HEAD + "[a]\nmanage = go x y\nevery = day\n",
    ),
    "comments": (job(), "# hello\n" + job("; hello")),
    "a default written out": (job("misfire = coalesce"), job()),
    "the default of a report": (
        job("report_period = day", "misfire = all"),
        job("report_period = day"),
    ),
    "the default beside itself": (
        job("after_future = a", "overlap = queue"),
        job("after_future = a"),
    ),
    "names twice": (job("then = b, b"), job("then = b")),
    "gates": (job("data_available = m:g"), job("ready = m.g")),
    "gates' durations": (job("ready_every = 900", "after_on = SUCCESS"), job()),
    "a default duration": (job("grace = 1 minute"), job()),
    "a default number": (job("retry_backoff = 2.0"), job()),
    "a default size": (job("output_limit = 64k"), job()),
    "a default list": (job("notify_on = recovery, failure"), job()),
    "the zone of the file": (job("timezone = Europe/Paris"), job()),
    "the zone of the host": ("[inisched]\ntimezone = " + host_zone() + "\n", ""),
    "settings that are defaults": (HEAD + "max_running = 10\nreload = auto\n", HEAD),
    "the folder of callbacks": (HEAD + "python_path = .\n", HEAD),
    "an empty description": (job("description ="), job()),
    "an empty DEFAULT": (job(), "[DEFAULT]\n" + job()),
    "a default of all jobs": (job("grace = 5"), "[DEFAULT]\ngrace = 5 s\n" + job()),
    "an argument of all jobs": (call("x = 1"), "[DEFAULT]\nx = 1\n" + call()),
    "an argument that no command takes": (job(), "[DEFAULT]\nx = 1\n" + job()),
    "a default that is silenced": (job(), "[DEFAULT]\nevery = day\nat = 06:00\n" + job()),
    "the order of sections": (
        job() + "[b]\ncommand = x\nevery = day\n",
        "[b]\ncommand = x\nevery = day\n" + job(),
    ),
    "a reference in both": (job("grace = ${env:NOTHING}"), job("GRACE = ${env:NOTHING}")),
}


@pytest.mark.parametrize(("old", "new"), SAME.values(), ids=SAME)
def test_another_spelling_is_no_difference(changed: Changed, old: str, new: str) -> None:
    assert changed(old, new) == []
    assert changed(new, old) == []


# -- what is a change


OTHER = {
    "a report that does not catch up": (
        job("report_period = day", "misfire = coalesce"),
        job("report_period = day"),
        "a.misfire",
    ),
    "a gate": (job("ready = m.g"), job("ready = m.h"), "a.ready"),
    "a day is not 24 hours": (job(every="every = 24 hours"), job(every="every = day"), "a.every"),
    "minutes with a time count minutes": (
        job(every="every = 60 minutes\nat = :30"),
        job(every="every = hour\nat = :30"),
        "a.every",
    ),
    "random steps are drawn in their unit": (
        job(every="every = 1 to 2 minutes"),
        job(every="every = 60 to 120 seconds"),
        "a.every",
    ),
    "the order of folders": (
        HEAD + "python_path = a, b\n",
        HEAD + "python_path = b, a\n",
        "inisched.python_path",
    ),
    "the order of modules": (
        HEAD + "preload = a, b\n",
        HEAD + "preload = b, a\n",
        "inisched.preload",
    ),
    "another database": (HEAD, HEAD + "database = state.db\n", "inisched.database"),
    "a script by its text": (job(), job().replace("true", "true ;"), "a.command"),
    "an argument by its text": (call("x = 1"), call("x = 1.0"), "a.x"),
    "an argument as it is written": (call("arg.grace = 1"), call("arg.grace = 2"), "a.arg.grace"),
    "an alias by its own name": (call(), call().replace("call = m.f", "CallBack = m.g"), "a.call"),
    "a default in force": (job("grace = 61"), job(), "a.grace"),
    "an empty variable": (job("env.X ="), job(), "a.env.X"),
    "a reference for a value": (job("grace = 5"), job("grace = ${env:NOTHING:-5}"), "a.grace"),
    "a value that cannot be read": (job("grace = soon"), job("grace = later"), "a.grace"),
    "a default of all jobs": (
        "[DEFAULT]\ngrace = 5\n" + job(),
        "[DEFAULT]\ngrace = 6\n" + job(),
        "a.grace",
    ),
    "an unknown setting": (HEAD, HEAD + "colour = red\n", "inisched.colour"),
    "a job that is renamed": (job(), job().replace("[a]", "[b]"), "b a"),
    "a name in capitals": (job(), job().replace("[a]", "[A]"), "A a"),
    "start only no more": (job(every="cron = @reboot"), job(), "a.every a.cron"),
}


@pytest.mark.parametrize(("old", "new", "keys"), OTHER.values(), ids=OTHER)
def test_another_meaning_is_a_change(changed: Changed, old: str, new: str, keys: str) -> None:
    assert changed(old, new) == keys.split()


def test_a_list_that_is_one_jobs_name_is_that_name(changed: Changed) -> None:
    named = "[x, y]\ncommand = x\nevery = day\n"
    assert changed(job("after = x, y") + named, job("after = y, x") + named) == ["a.after"]


def test_the_database_each_file_has_anyway_may_be_named(changed: Changed) -> None:
    old, new = HEAD + "database = ./old.db\n", HEAD + "database = new.db\n"
    assert changed(old, new) == []


def test_a_reference_to_a_file_that_says_something_else_is_a_change(tmp_path: Path) -> None:
    old, new = tmp_path / "old", tmp_path / "new"
    for folder, text in ((old, "5"), (new, "6")):
        folder.mkdir()
        (folder / "x.ini").write_text(job("grace = ${file:grace.txt}"))
        (folder / "grace.txt").write_text(text)
    both = [load(folder / "x.ini", strict_references=False) for folder in (old, new)]
    shown = [(c.key, c.old, c.new) for pair in pairs(*both) for c in pair.changes]
    assert shown == [("grace", "${file:grace.txt}", "${file:grace.txt}")]


# -- fires


def moves(folder: Path, old: str, new: str, hours: float) -> list[tuple[str, str]]:
    (folder / "old.ini").write_text(old)
    (folder / "new.ini").write_text(new)
    one, other = (load(folder / f"{n}.ini", strict_references=False).jobs for n in ("old", "new"))
    found = exchange(one[0], other[0], NOW, NOW + timedelta(hours=hours))
    return [(f"{at:%H:%M:%S}", side.value) for at, side in found]


def test_fires_are_told_by_moment_with_who_has_them(tmp_path: Path) -> None:
    old, new = job(every="every = 2 hours"), job(every="every = 3 hours")
    assert moves(tmp_path, old, new, 6) == [
        ("09:00:00", "old"),
        ("10:00:00", "new"),
        ("11:00:00", "old"),
        ("13:00:00", "both"),
    ]


def test_a_job_that_is_due_as_before_is_not_walked_through(tmp_path: Path) -> None:
    assert moves(tmp_path, job("from_end = yes"), job("from_end = yes", "grace = 5"), 6) == []


def test_from_end_counted_otherwise_moves_fires(tmp_path: Path) -> None:
    old, new = job("from_end = yes"), job("from_end = yes", every="every = 90 minutes")
    assert moves(tmp_path, old, new, 2) == [
        ("08:00:00", "old"),
        ("08:30:00", "new"),
        ("09:00:00", "old"),
    ]


def test_an_inactive_job_has_no_fires(tmp_path: Path) -> None:
    assert moves(tmp_path, job(), job("active = no"), 1) == [("08:00:00", "old")]


def test_a_jitter_moves_fires(tmp_path: Path) -> None:
    found = moves(tmp_path, job(), job("jitter = 10 minutes"), 1.5)
    assert [side for _, side in found] == ["old", "new"]


# -- properties


_KEYS: dict[str, list[str | None]] = {
    "grace": ["90", "90 s", "1m30s", "1 minute 30 seconds"],
    "misfire": ["all", "ALL"],
    "overlap": ["skip", "SKIP", None],
    "success_codes": ["0, 3", "3,0", "0\n  3"],
    "active": ["yes", "on", "1", None],
    "retries": ["0", "00", None],
    "retry_delay": ["60", "1 m", None],
    "timeout": ["2 h", "120 minutes"],
    "jitter": ["0", "0 s", None],
    "every": ["hour", "1 hour", "60 minutes", "3600 seconds"],
    "kill_after": ["5", "5 s", None],
    "umask": ["077", "0077"],
    "timezone": ["Europe/Paris", None],
}
"""Texts that mean the same for a key; None: it is left out."""


@st.composite
def spelled(draw: st.DrawFn, keys: list[str]) -> str:
    """A job that says these keys, one way or another, in any order and in any place."""
    own, default = [], []
    for key in draw(st.permutations(keys)):
        value = draw(st.sampled_from(_KEYS[key]))
        if value is not None:
            line = f"{draw(st.sampled_from([key, key.upper(), key.title()]))} = {value}"
            draw(st.sampled_from([own, default])).append(line)
        own += draw(st.sampled_from([[], ["# a comment"], [""]]))
    if "every" not in keys:
        own.append("every = day")
    sections = ["\n".join(["[a]", "command = true", *own]), "\n".join(["[DEFAULT]", *default])]
    return "\n".join([HEAD, *draw(st.permutations(sections)), ""])


@st.composite
def two_spellings(draw: st.DrawFn) -> tuple[str, str]:
    keys = draw(st.lists(st.sampled_from(sorted(_KEYS)), unique=True))
    return draw(spelled(keys)), draw(spelled(keys))


_calm = settings(
    max_examples=60, deadline=None, suppress_health_check=[HealthCheck.function_scoped_fixture]
)


@_calm
@given(two_spellings())
def test_respelling_makes_no_difference(tmp_path: Path, texts: tuple[str, str]) -> None:
    assert compare(tmp_path, *texts) == []


@_calm
@given(st.lists(st.sampled_from([text for pair in SAME.values() for text in pair]), min_size=1))
def test_a_file_differs_from_itself_in_nothing(tmp_path: Path, texts: list[str]) -> None:
    text = "".join(dict.fromkeys(texts))
    assert compare(tmp_path, text, text) == []


@_calm
@given(st.text(alphabet="[]=ab${}: \n,every05", max_size=60))
def test_whatever_stands_in_it_a_file_differs_from_itself_in_nothing(
    tmp_path: Path, text: str
) -> None:
    assert compare(tmp_path, text, text) == []
