"""Damaged and outsized files: never an exception, never a wait, always a place."""

import random
from pathlib import Path

import pytest

from inisched.config.drawing import draw
from inisched.config.keys import TABLES
from inisched.config.loader import Config, load
from inisched.model.diagnostic import Level

GOOD = [path.read_bytes() for path in (Path(__file__).parent / "files").glob("*.ini")]
WORDS = [word.encode() for table in TABLES for word in table.words]
PIECES = [
    *WORDS, b"day", b"06:00", b"0 6 * * *", b"@reboot", b"${env:NOPE}", b"${file:nope}", b"${env:",
    b"[DEFAULT]\n", b"[inisched]\n", b"[a]\n", b"[", b"]", b"=", b" = ", b"\n", b"\n  ", b"# ",
    b"\xff", b"\0", b"\r", b"\x1b[31m", b"\xe2\x80\xae", b"9" * 30, b"-1", b"9990-12-31",
]  # fmt: skip


def damaged(data: bytes, dice: random.Random) -> bytes:
    """The data with a few bytes changed, removed, put in or said twice."""
    broken = bytearray(data)
    for _ in range(dice.randrange(1, 8)):
        place, kind = dice.randrange(len(broken) + 1), dice.randrange(4)
        if kind == 0:
            broken[place : place + 1] = bytes([dice.randrange(256)])
        elif kind == 1:
            del broken[place : place + dice.randrange(12)]
        elif kind == 2:
            broken[place:place] = dice.choice(PIECES)
        else:
            other = dice.randrange(len(broken) + 1)
            broken[place:place] = broken[other : other + dice.randrange(40)]
    return bytes(broken)


def claims(config: Config, lines: int) -> None:
    """What holds for every file."""
    for diagnostic in config.diagnostics:
        _, line, column = diagnostic.place
        assert 1 <= line <= lines
        assert column >= 1
        if diagnostic.source is not None and not config.fatal:
            assert column <= len(diagnostic.source) + 1
    drawing = draw(config.diagnostics).replace("\n", "")
    assert not [character for character in drawing if ord(character) < 32]
    errors = [d for d in config.diagnostics if d.level is Level.ERROR]
    assert bool(errors) >= bool(config.broken or config.fatal)
    fine = {job.name for job in config.jobs}
    assert [d for d in errors if d.job in fine] == []


@pytest.mark.parametrize("seed", range(4))
def test_damaged_files_are_told_about_and_never_raise(seed: int, tmp_path: Path) -> None:
    dice, path = random.Random(seed), tmp_path / "x.ini"
    for _ in range(250):
        data = damaged(dice.choice(GOOD), dice)
        path.write_bytes(data)
        claims(load(path, strict_references=True), data.count(b"\n") + 1)


def lines_drawn(text: str, path: Path) -> int:
    path.write_text(text, encoding="utf-8")
    return draw(load(path, strict_references=True).diagnostics).count("\n")


MANY, LONG = 5_000, 1_000_000
OUTSIZED = {
    "many jobs": "".join(f"[{i}]\ncall = a.b\nevery = 5 minutes\nx = {i}\n" for i in range(MANY)),
    "many misspelt keys": "".join(f"[{i}]\ncall = a.b\nevery = day\ngrcae{i} = 1\n" for i in range(MANY)),
    "one wrong zone": "".join(f"[{i}]\ncommand = x\nevery = day\ntimezone = X/Y\n" for i in range(MANY)),
    "one long ring": "".join(f"[{i}]\ncommand = x\nevery = day\nafter = {(i + 1) % MANY}\n" for i in range(MANY)),
    "unknown names": "".join(f"[{i}]\ncommand = x\nevery = day\nafter = no{i}\n" for i in range(MANY)),
    "a long command": "[a]\ncommand = " + "x " * (LONG // 2) + "\nevery = day\n",
    "a long interval": "[a]\ncommand = x\nevery = " + "1 " * (LONG // 2),
    "a long list": "[a]\ncommand = x\nevery = day\nafter = " + "b, " * (LONG // 3),
    "many lines in a value": "[a]\ncommand =\n" + "  x\n" * (LONG // 4) + "every = day\n",
    "many empty lines": "[a]\ncommand = x\n" + "\n" * LONG + "  y\nevery = day\n",
    "many open references": "[a]\ncall = a.b\nevery = day\nx = " + "${env:" * (LONG // 6),
    "many comments in a value": "[a]\ncall = a.b\nevery = day\nx = " + " #" * (LONG // 2),
    "many brackets": "[" * LONG,
    "a long key": "[a]\ncommand = x\nevery = day\n" + "k" * LONG + " = 1\n",
    "a long name": "[" + "a" * LONG + "]\n",
    "many lone carriage returns": "[a]\n" + "x\ry\n" * (LONG // 20),
    "many twin sections": "[a]\n" * 50_000,
    "many swallowed keys": "[a]\ncall = a.b\n" + "  every = day\n" * 50_000,
}  # fmt: skip


@pytest.mark.parametrize("name", OUTSIZED)
def test_an_outsized_file_is_read_to_its_end_and_its_report_is_short(
    name: str, tmp_path: Path
) -> None:
    assert lines_drawn(OUTSIZED[name], tmp_path / "x.ini") <= 100 * 5 + 1
