"""The lines of a file that was read: they are there when they are asked for, and take no room."""

from __future__ import annotations

from inisched.config.document import Document
from inisched.config.report import Lines

TEXT = "[a]\ncommand = true\nevery = 5 minutes\n\n[b]\ncall = b.c\n  d\nevery = day\n"


def test_what_stands_in_a_file_is_kept_as_its_text_alone(load_text) -> None:
    config = load_text(TEXT)
    assert config.lines._document() is None
    assert config.lines.text == TEXT


def test_what_stands_in_a_file_is_read_again_where_it_is_asked_for(load_text) -> None:
    document = load_text(TEXT).lines.document
    assert [section.name for section in document.sections] == ["a", "b"]
    assert document.sections[1].entries["call"].more == ((7, 3),)


def test_each_line_is_found_by_its_number() -> None:
    lines = Lines(Document("x.ini", TEXT))
    assert [lines._line(number) for number in range(1, 10)] == TEXT.split("\n")
