"""The documents say what is so: keys, commands, JSON, snippets, and what examples print."""

from __future__ import annotations

import json
import re
import runpy
import shlex
import sqlite3
import subprocess
import sys
import time
from collections.abc import Iterator
from dataclasses import dataclass
from datetime import UTC, datetime, timedelta
from pathlib import Path
from typing import Any

import click
import pytest
import time_machine
from click.testing import CliRunner

from engine.world import World
from inisched.cli.commands import COMMANDS, LATER, group
from inisched.cli.exits import Exit
from inisched.config.keys import TABLES
from inisched.config.loader import load
from inisched.executors.kept import show_size
from inisched.model.diagnostic import Level
from inisched.model.run import Reason, State, Trigger
from inisched.stores.opening import open_writer
from questions.watched import Watched

ROOT = Path(__file__).parent.parent
DOCS = ROOT / "docs"
REFERENCE = DOCS / "reference"
PAGES = [ROOT / "README.md", *sorted(p for p in DOCS.rglob("*.md") if "decisions" not in p.parts)]
LATER_MARK = "not in force in this version"


@dataclass(frozen=True)
class Block:
    """A fenced block: ```language words."""

    page: Path
    line: int
    language: str
    words: tuple[str, ...]
    text: str

    def __str__(self) -> str:
        return f"{self.page.name}:{self.line}"


def blocks(*pages: Path, language: str = "") -> list[Block]:
    found = []
    for page in pages:
        text = page.read_text()
        for match in re.finditer(r"^```(\S+)([^\n]*)\n(.*?)^```$", text, re.DOTALL | re.MULTILINE):
            line = text.count("\n", 0, match.start()) + 1
            found.append(Block(page, line, match[1], tuple(match[2].split()), match[3]))
    return [block for block in found if language in ("", block.language)]


def commands() -> dict[str, click.Command]:
    context = click.Context(group)
    found = {name: group.get_command(context, name) for name in COMMANDS}
    return {name: command for name, command in found.items() if command is not None}


def section(page: Path, heading: str) -> str:
    """What stands under a heading of the second level."""
    match = re.search(rf"^## {re.escape(heading)}\n(.*?)(?=^## |\Z)", page.read_text(), re.M | re.S)
    assert match is not None, f"{page.name} has no section '{heading}'"
    return match[1]


def rows_of(text: str) -> set[str]:
    """The words in backquotes in the first cells of tables."""
    cells = re.findall(r"^\| ([^|]*`[^|]*)\|", text, re.MULTILINE)
    return {word for cell in cells for word in re.findall(r"`([^`]+)`", cell)}


# -- keys ---------------------------------------------------------------------------------------


def test_the_page_of_keys_is_what_dev_py_docs_writes() -> None:
    written = runpy.run_path(str(DOCS / "make_keys.py"))["page"]()
    assert (REFERENCE / "keys.md").read_text() == written, "run: python3 dev.py docs"


@pytest.mark.parametrize("table", TABLES, ids=lambda table: table.heading)
def test_every_key_stands_in_its_table_with_default_help_and_force(table: Any) -> None:
    text = section(REFERENCE / "keys.md", table.heading[:1].upper() + table.heading[1:])
    lines = {line.split("`")[1]: line for line in text.splitlines() if line.startswith("| `")}
    assert list(lines) == [key.name for key in table.keys]
    for key in table.keys:
        line = lines[key.name]
        assert f"| {key.default or '–'} |" in line
        assert key.help in line
        assert all(f"`{word}`" in line for word in (*key.aliases, *key.later))
        assert (LATER_MARK in line) == (not key.in_force or bool(key.later))


# -- commands -----------------------------------------------------------------------------------


@pytest.mark.parametrize("name", COMMANDS)
def test_every_option_of_a_command_is_told(name: str) -> None:
    page = REFERENCE / "commands.md"
    common = page.read_text().split("\n## ")[0]
    told = set(re.findall(r"`(--?[A-Za-z-]+)", common + section(page, name)))
    for option in commands()[name].params:
        if isinstance(option, click.Option):
            assert not set(option.opts) - told, f"{option.opts} of {name}"


@pytest.mark.parametrize("name", COMMANDS)
def test_no_option_is_told_that_a_command_does_not_have(name: str) -> None:
    told = rows_of(section(REFERENCE / "commands.md", name))
    options = {word.split()[0] for word in told if word.startswith("-")}
    assert options <= {word for option in commands()[name].params for word in option.opts}


@pytest.mark.parametrize("name", COMMANDS)
def test_an_option_is_marked_as_its_help_says(name: str) -> None:
    text = section(REFERENCE / "commands.md", name)
    for option in commands()[name].params:
        if isinstance(option, click.Option) and f"| `{option.opts[0]}" in text:
            row = text.split(f"| `{option.opts[0]}")[1].split("\n")[0]
            assert (LATER_MARK in row) == (LATER_MARK in (option.help or "").lower())


def test_commands_not_in_force_are_listed_as_such() -> None:
    told = section(REFERENCE / "commands.md", "Not in force in this version")
    assert set(re.findall(r"`([a-z]+)`", told)) == set(LATER)


def test_every_exit_code_is_told() -> None:
    told = re.findall(r"^\| (\d+) \|", section(REFERENCE / "commands.md", "Exit codes"), re.M)
    assert [int(code) for code in told] == [*Exit, 130]


# -- JSON ---------------------------------------------------------------------------------------


TENANT = """\
[inisched]
max_running = 1
drain = 0 s
[a]
command = echo a
every = never
run_at_start = yes
then = d
[e]
command = false
every = never
run_at_start = yes
[b]
command = sleep 30
every = never
run_at_start = yes
[c]
command = echo c
every = 10 minuts
[d]
command = true
every = never
run_at_start = yes
"""

TWO_FILES = (
    "[sweep]\ncommand = a\nevery = day\nat = 06:00\n[cleanup]\ncommand = b\nevery = never\n",
    "[sweep]\ncommand = a\nevery = day\nat = 07:00\n[report]\ncommand = b\nevery = never\n",
)
"""What `diff` compares: something of every kind differs."""


@pytest.fixture(scope="module")
def told(tmp_path_factory: pytest.TempPathFactory) -> Iterator[dict[str, Any]]:
    """What each command prints as JSON while a daemon is up, a job runs and another waits."""
    ini = tmp_path_factory.mktemp("tenant") / "scheduler.ini"
    ini.write_text(TENANT)

    def ask(*words: str) -> Any:
        return json.loads(printed(["inisched", *words, "--json", "-P", str(ini)]))

    daemon = subprocess.Popen(
        inisched("run", "-P", str(ini)), stdin=subprocess.DEVNULL, stderr=subprocess.DEVNULL
    )
    try:
        deadline = time.monotonic() + 30
        while not all(
            (status := ask("status"))[key] for key in ("running", "waiting", "incidents")
        ):
            assert time.monotonic() < deadline
            time.sleep(0.05)
        printed(["inisched", "disable", "c", "-P", str(ini)])
        plain = ("list", "history", "validate", "audit", "graph")
        questions = (*([name] for name in plain), ["show", "1"], ["why", "a"])
        coming = json.loads(printed(["inisched", "next", "--expr", "day", "--json"]))
        files = ini.with_name("old.ini"), ini.with_name("new.ini")
        for file, text in zip(files, TWO_FILES, strict=True):
            file.write_text(text)
        diff = json.loads(printed(["inisched", "diff", *map(str, files), "--json"]))
        asked = {words[0]: ask(*words) for words in questions}
        asked |= {"status": status, "next": coming, "diff": diff}
        yield asked | {"simulate": foretold(ini.parent)}
    finally:
        daemon.terminate()
        daemon.wait(30)


def foretold(folder: Path) -> Any:
    """A prediction with a run and a skip."""
    ini = folder / "other.ini"
    ini.write_text("[greet]\ncommand = true\nevery = 10 minutes\n")
    words = ["--assume", "greet=12m", "--days", "0.02", "--json"]
    return json.loads(printed(["inisched", "simulate", *words, "-P", str(ini)]))


def inisched(*words: str) -> list[str]:
    return [sys.executable, "-P", "-m", "inisched", *words]


def shape(value: Any) -> Any:
    """The keys of a JSON value, in order; of a list those of its first element."""
    if isinstance(value, list):
        return [shape(value[0])] if value else []
    return {key: shape(inner) for key, inner in value.items()} if isinstance(value, dict) else None


SHAPED = [
    "next", "list", "history", "show", "why", "status", "graph", "simulate", "validate", "diff",
    "audit",
]  # fmt: skip


@pytest.mark.parametrize("name", SHAPED)
def test_the_json_that_is_told_has_the_keys_that_are_printed(
    name: str, told: dict[str, Any]
) -> None:
    text = section(REFERENCE / "commands.md", "JSON")
    documented = json.loads(re.split(rf"^`{name}`", text, flags=re.M)[1].split("```")[1][4:])
    printed = told[name][0] if isinstance(told[name], list) else told[name]
    without = {"passed"}  # its keys are the callback's
    assert _ordered(shape(documented), without) == _ordered(shape(printed), without)


def _ordered(found: Any, without: set[str]) -> list[tuple[str, Any]]:
    return [(key, None if key in without else inner) for key, inner in found.items()]


# -- the ledger ---------------------------------------------------------------------------------


def test_the_columns_of_v_runs_are_told(tmp_path: Path) -> None:
    database: sqlite3.Connection = open_writer(tmp_path / "x.db", full=False)
    columns = {word[0] for word in database.execute("SELECT * FROM v_runs").description}
    database.close()
    assert rows_of(section(REFERENCE / "ledger.md", "v_runs")) == columns


@pytest.mark.parametrize(
    ("heading", "kind"), [("States", State), ("Reasons", Reason), ("Triggers", Trigger)]
)
def test_every_state_reason_and_trigger_is_told(heading: str, kind: Any) -> None:
    text = section(REFERENCE / "ledger.md", heading)
    words = set(re.findall(r"`([a-z_]+)`", text))
    assert words >= {member.value for member in kind}


def test_the_limits_that_are_told_are_those_of_the_program() -> None:
    from inisched.config import drawing, kinds, references, source

    text = section(REFERENCE / "files.md", "Limits")
    assert show_size(source.LARGEST, binary=True) in text
    assert show_size(references.LARGEST, binary=True) in text
    assert f"{kinds.LONGEST_VALUE:,} characters" in text
    assert f"{kinds.MOST_NAMES:,}" in text
    assert f"first {drawing.MOST_SHOWN} problems" in (REFERENCE / "files.md").read_text()


# -- machines -----------------------------------------------------------------------------------


def test_every_metric_is_told_with_its_type_and_labels() -> None:
    from inisched.web.exposition import Numbers

    text = section(REFERENCE / "machines.md", "Metrics")
    told = {
        tuple(row) for row in re.findall(r"^\| `(inisched_[a-z_{},]+)` \| (\w+) \|", text, re.M)
    }
    daemon = ("since", "heartbeat", "active", "outbox", "dropped")
    numbers = Numbers({**dict.fromkeys(daemon, 0), "incidents": [], "jobs": []})
    assert told == {(_named(metric), metric.type) for metric in numbers.collect()}


def _named(metric: Any) -> str:
    total = "_total" if metric.type == "counter" else ""
    labels = ",".join(getattr(metric, "_labelnames", ()))
    return f"{metric.name}{total}" + (f"{{{labels}}}" if labels else "")


def test_the_line_of_the_log_that_is_shown_has_the_fields_that_are_told() -> None:
    page = REFERENCE / "machines.md"
    [block] = blocks(page, language="json")
    told = rows_of(section(page, "The log"))
    assert set(json.loads(block.text)) == told - {"reason", "stack_trace"}


# -- snippets and links -------------------------------------------------------------------------


@pytest.mark.parametrize("block", blocks(*PAGES, language="ini"), ids=str)
def test_every_ini_snippet_loads_and_those_marked_wrong_do_not(
    block: Block, tmp_path: Path
) -> None:
    (tmp_path / "x.ini").write_text(block.text)
    found = load(tmp_path / "x.ini", strict_references=False).diagnostics
    errors = [one.message for one in found if one.level is Level.ERROR]
    assert bool(errors) == ("wrong" in block.words), errors


@pytest.mark.parametrize("block", blocks(*PAGES, language="python"), ids=str)
def test_every_python_snippet_runs(block: Block) -> None:
    from inisched import schedule

    before = list(schedule.registrations)
    exec(compile(block.text, str(block), "exec"), {"__name__": "snippet"})
    schedule.registrations[:] = before


@pytest.mark.parametrize("page", PAGES, ids=lambda page: page.name)
def test_every_link_to_a_file_leads_somewhere(page: Path) -> None:
    links = re.findall(r"\]\(([^)#:]+)(?:#[^)]*)?\)", page.read_text())
    assert [link for link in links if not (page.parent / link).exists()] == []


@pytest.mark.parametrize("page", PAGES, ids=lambda page: page.name)
def test_every_option_in_an_example_exists(page: Path) -> None:
    for block in blocks(page, language="console"):
        for words, _ in sessions(block):
            if words[0] != "inisched" or words[1] not in COMMANDS:
                continue
            known = {name for option in commands()[words[1]].params for name in option.opts}
            options = {word for word in words[2:] if word.startswith("-")}
            assert options <= known, f"{block}: {' '.join(words)}"


# -- what examples print ------------------------------------------------------------------------


def sessions(block: Block) -> list[tuple[list[str], str]]:
    """Each command of a console block with what it prints."""
    found: list[tuple[list[str], str]] = []
    for line in block.text.splitlines(keepends=True):
        if line.startswith("$ "):
            found.append((shlex.split(line[2:], comments=True), ""))
        else:
            found[-1] = (found[-1][0], found[-1][1] + line)
    return found


def test_the_readme_prints_what_the_program_prints(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    """To the letter: on Friday at 10:00 before the first run, and after a weekend without power."""
    page = ROOT / "README.md"
    for block in blocks(page):
        if block.words:
            (tmp_path / block.words[0]).write_text(block.text)
    before, after = [sessions(b) for b in blocks(page, language="console") if "\n$ " in b.text]
    monkeypatch.setenv("TZ", "UTC")
    monkeypatch.chdir(tmp_path)
    with time_machine.travel(datetime(2026, 11, 20, 10, tzinfo=UTC), tick=False):
        assert [printed(words) for words, _ in before] == [text for _, text in before]
    world = World(tmp_path, (tmp_path / "scheduler.ini").read_text())
    while world.now < datetime(2026, 11, 20, 18, tzinfo=UTC):
        world.go(minutes=10)
        end_all(world, seconds=1)
        world.now -= timedelta(seconds=1)
    world.restart(days=2, hours=14, minutes=5)
    end_all(world, seconds=4)
    monkeypatch.setenv("INISCHED_PATH", str(world.file))
    with time_machine.travel(datetime(2026, 11, 23, 8, 7, tzinfo=UTC), tick=False):
        assert [printed(words) for words, _ in after] == [text for _, text in after]


def test_why_answers_as_its_page_tells(tmp_path: Path) -> None:
    """To the letter, but for the number of the first run."""
    text = section(REFERENCE / "commands.md", "why")
    (block,) = re.findall(r"^```console\n(.*?)^```$", text, re.DOTALL | re.MULTILINE)
    world = Watched(tmp_path, "[hourly]\ncommand = true\ncron = 0 * * * *\n")
    world.go(minutes=20, seconds=3)
    world.kill()
    world.start(hours=2, minutes=40, seconds=26)
    for _ in range(2):
        world.go(seconds=4)
        world.end("hourly")
    world.to("13:10:00")
    for words, expected in sessions(Block(REFERENCE, 0, "console", (), block)):
        when = words[words.index("--at") + 1] if "--at" in words else None
        told = re.sub(
            r"run (\d+)", lambda run: f"run {int(run[1]) + 40}", world.why(when, job="hourly")
        )
        assert f"{told}\n" == expected
    world.kill()


def printed(words: list[str]) -> str:
    return CliRunner().invoke(group, words[1:], standalone_mode=False).output


def end_all(world: World, *, seconds: float) -> None:
    world.now += timedelta(seconds=seconds)
    while world.engine.runs:
        world.end(next(iter(world.engine.runs.values())).seat.job.name)


def test_the_tutorial_goes_as_told(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """Every file is written and every command run in order; moments, durations and ids aside."""
    monkeypatch.setenv("TZ", "UTC")
    monkeypatch.chdir(tmp_path)
    for block in blocks(DOCS / "tutorial.md"):
        if block.language in ("ini", "python"):
            (tmp_path / block.words[-1]).write_text(block.text)
            continue
        for words, expected in sessions(block):
            if words[0] == "inisched":
                told = live(words) if words[1] == "run" else printed(words)
                told = told.replace(str(tmp_path), "/srv/shop")
                assert plain(told) == plain(expected), f"{block}: {' '.join(words)}"


def live(words: list[str]) -> str:
    """What a daemon of its own prints, both streams."""
    return subprocess.run(
        inisched(*words[1:]),
        stdin=subprocess.DEVNULL,
        stdout=subprocess.PIPE,
        stderr=subprocess.STDOUT,
        text=True,
    ).stdout


def test_the_mistake_in_the_page_on_files_is_told_as_shown(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    page = REFERENCE / "files.md"
    [wrong] = [block for block in blocks(page, language="ini") if "wrong" in block.words]
    [[(words, expected)]] = [sessions(block) for block in blocks(page, language="console")]
    (tmp_path / "scheduler.ini").write_text(wrong.text)
    monkeypatch.chdir(tmp_path)
    assert printed(words) == expected


def test_the_prediction_in_the_page_on_commands_is_what_the_program_prints(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    """To the letter: on Friday at 10:00, before the first run."""
    page = REFERENCE / "commands.md"
    [ini] = blocks(page, language="ini")
    [[(words, expected)]] = [
        sessions(block) for block in blocks(page, language="console") if "simulate" in block.text
    ]
    (tmp_path / "scheduler.ini").write_text(ini.text)
    monkeypatch.chdir(tmp_path)
    with time_machine.travel(datetime(2026, 11, 20, 10, tzinfo=UTC), tick=False):
        assert printed(words) == expected


_LOOSE = [
    (r"\d{4}-\d\d-\d\dT[\d:]+\+0000", "MOMENT"),
    (r"\b(Mon|Tue|Wed|Thu|Fri|Sat|Sun) [\d:]+ [+-]\d\d:\d\d", "MOMENT"),
    (r"\b\d+(\.\d+)? (s|min|h|d)( \d+ (s|min|h))?(?!\w)", "DURATION"),
    (r"\bpid \d+", "pid N"),
    (r"\brun \d+|^\d+(?= )", "RUN"),
    (r" +", " "),
]


def plain(text: str) -> list[str]:
    """Lines without moments, durations, ids and padding; equal neighbours are said once.

    That a run is waited for at the end is left out: it depends on the instant.
    """
    lines: list[str] = []
    for line in text.splitlines():
        if "time is up: waiting" in line:
            continue
        if not re.match(r" *\d* \|", line):
            for pattern, word in _LOOSE:
                line = re.sub(pattern, word, line)
        if lines[-1:] != [line]:
            lines.append(line.rstrip())
    return lines
