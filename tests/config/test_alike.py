"""Sections that say the same as one before them, but for what they run."""

from datetime import timedelta

import pytest

from inisched.config.desk import Desk
from inisched.model.job import Call, Command
from inisched.model.place import Place


def test_a_section_like_another_keeps_its_own_name_place_command_and_description(load_text) -> None:
    config = load_text("""\
        [a]
        command = one
        every = day
        description = the first
        timeout = 5 minutes
        [b]
        command = two
        every = day
        description = the second
        timeout = 5 minutes
        """)
    one, two = config.jobs
    assert (two.name, two.place, two.action) == ("b", Place("jobs.ini", 6, 2), Command("two"))
    assert (one.description, two.description) == ("the first", "the second")
    assert (two.schedule, two.timeout) == (one.schedule, timedelta(minutes=5))


def test_the_rest_of_a_section_like_another_is_not_read_again(load_text, monkeypatch) -> None:
    read: list[str] = []
    value = Desk._value

    def noting(desk: Desk, name: str, reader: object) -> object:
        if name in desk.known and desk.name is not None:
            read.append(f"{desk.name}: {name}")
        return value(desk, name, reader)

    monkeypatch.setattr(Desk, "_value", noting)
    load_text("[a]\ncommand = x\nevery = day\n[b]\ncommand = y\nevery = day\n")
    assert sorted(read) == ["a: command", "a: every", "b: command"]


def test_arguments_of_a_callback_have_the_places_of_their_own_section(load_text) -> None:
    config = load_text("""\
        [a]
        call = shop.run
        every = day
        copies = 1
        [b]
        call = shop.stop
        every = day
        copies = 2
        """)
    call = config.jobs[1].action
    assert isinstance(call, Call)
    assert (call.target, call.place) == ("shop.stop", Place("jobs.ini", 6, 8))
    assert (call.arguments[0].text, call.arguments[0].place) == ("2", Place("jobs.ini", 8, 10))


@pytest.mark.parametrize(
    ("line", "code"),
    [
        ("every = dya", "bad-value"),
        ("every = day\nretry_dealy = 5 s", "unknown-key"),
        ("every = day\npool = none-such", "unknown-pool"),
        ("every = day\ncwd = ${env:NOTHING_BEHIND_IT}", "unset-reference"),
        ("every = day\ndescription = why # so", "trailing-comment"),
    ],
)
def test_what_is_wrong_with_sections_that_are_alike_is_said_of_each(
    line: str, code: str, load_text
) -> None:
    config = load_text(f"[a]\ncommand = x\n{line}\n[b]\ncommand = y\n{line}\n")
    assert [(one.job, one.code) for one in config.diagnostics] == [("a", code), ("b", code)]


def test_an_empty_command_is_refused_though_the_section_is_like_a_sound_one(load_text) -> None:
    config = load_text("[a]\ncommand = x\nevery = day\n[b]\ncommand =\nevery = day\n")
    assert [job.name for job in config.jobs] == ["a"]
    assert [(one.job, one.code) for one in config.diagnostics] == [("b", "empty-value")]


def test_a_gate_stands_where_its_own_section_has_it(load_text) -> None:
    text = "[a]\ncommand = x\nevery = day\nready = shop.ready\n"
    config = load_text(text + text.replace("[a]", "[b]"))
    gate = config.jobs[1].gates.ready
    assert gate is not None
    assert gate.place == Place("jobs.ini", 8, 9)


def test_only_what_is_judged_knows_where_its_keys_stand(load_text) -> None:
    config = load_text("[a]\ncommand = x\nevery = day\n[b]\ncall = shop.run\nevery = day\n")
    assert [sorted(section.keys_set) for section in config.sections] == [[], ["call", "every"]]
