"""The reader held against RawConfigParser: no error of ours means the same sections and values."""

import io
import random
from configparser import Error, RawConfigParser

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from inisched.config.document import DEFAULT, Document
from inisched.config.ini import read_ini
from inisched.config.keys import is_key
from inisched.model.diagnostic import Level

Sections = dict[str, dict[str, str]]

SPACES = (" ", "\t", "  ", "    ", "\x0b", "\x0c", "\x1c", "\x85", "\xa0", "\u2028", "\u3000", "")
WORDS = (
    "a", "b", "every", "call", "command", "at", "x", "[a]", "[b]", "[DEFAULT]", "[a b]", "[", "]",
    "[]", "[ a ]", "=", "==", ":", "#", ";", "# note", "; note", "=x", "key", "é", "\ufeff",
    "\u200b", "日本", "%(a)s", "${env:A}", "[c]]", "[d] ", "k=v", "k = v", "k: v", "\0",
)  # fmt: skip
ENDS = ("\n", "\n", "\n", "\n", "\r\n", "\n\n", "\n \n", "\r", "")


def ours(text: str) -> Sections | None:
    """Sections with their values as our reader has them; None where it reports an error."""
    document: Document = read_ini(text, "f.ini", is_key)
    if any(problem.level is Level.ERROR for problem in document.problems):
        return None
    named = [(DEFAULT, document.default), *((s.name, s) for s in document.sections)]
    return {name: {e.key: e.value for e in s.entries.values()} for name, s in named}


def theirs(text: str) -> Sections | None:
    """The same as RawConfigParser has them; None where it raises."""
    parser = RawConfigParser(delimiters=("=",), strict=True)
    parser.optionxform = str  # type: ignore[assignment,method-assign]
    try:
        parser.read_file(io.StringIO(text, newline=None))
    except Error:
        return None
    own = {name: dict(parser._sections[name]) for name in parser.sections()}  # type: ignore[attr-defined]
    return {DEFAULT: dict(parser.defaults()), **own}


def differs(text: str) -> bool:
    found = ours(text)
    return found is not None and found != theirs(text)


def nasty_line(dice: random.Random) -> str:
    words = [dice.choice(WORDS) + dice.choice(SPACES) for _ in range(dice.randrange(5))]
    return dice.choice(SPACES) + "".join(words) + dice.choice(ENDS)


def orderly_line(dice: random.Random) -> str:
    """A line that is mostly fine, so that whole files are accepted often enough."""
    kind, number = dice.random(), dice.randrange(40)
    value = dice.choice(("", "1", "two words", "a = b", "[x]", "é ", "\x1cx", "# no comment"))
    if kind < 0.2:
        return f"{dice.choice(('', '', ' '))}[section {number}]{dice.choice(('', ' '))}\n"
    if kind < 0.65:
        return f"{dice.choice(('', '', ' '))}key{number}{dice.choice(SPACES)}={value}\n"
    if kind < 0.85:
        return f"{dice.choice(('  ', chr(9), '      '))}{value}\n"
    return dice.choice(("\n", "  \n", "# comment\n", "   ; comment\n", "\r\n", "\x0b\n"))


def file_of(dice: random.Random) -> str:
    line = nasty_line if dice.random() < 0.4 else orderly_line
    start = "[first]\n" if dice.random() < 0.8 else ""
    return start + "".join(line(dice) for _ in range(dice.randrange(14)))


@pytest.mark.parametrize("seed", range(8))
def test_a_thousand_random_files_read_as_configparser_reads_them(seed: int) -> None:
    dice = random.Random(seed)
    files = [file_of(dice) for _ in range(1000)]
    assert [text for text in files if differs(text)] == []


def test_the_random_files_are_good_and_bad_in_fair_shares() -> None:
    dice = random.Random(99)
    good = sum(1 for _ in range(1000) if ours(file_of(dice)) is not None)
    assert 200 < good < 800


@settings(max_examples=500, deadline=None)
@given(st.lists(st.tuples(st.sampled_from(SPACES), st.sampled_from(WORDS), st.text(max_size=8))))
def test_any_text_reads_as_configparser_reads_it(parts: list[tuple[str, str, str]]) -> None:
    text = "[a]\n" + "\n".join("".join(part) for part in parts)
    assert not differs(text)
