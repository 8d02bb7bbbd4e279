"""References: what is replaced, what views and diagnostics show, what is masked."""

import json
from collections.abc import Callable
from pathlib import Path

import pytest

from inisched.config.drawing import draw
from inisched.config.loader import Config
from inisched.executors.kept import mask
from inisched.model.diagnostic import Level
from inisched.model.job import Argument, Call


def arguments(config: Config) -> dict[str, Argument]:
    action = config.jobs[0].action
    assert isinstance(action, Call)
    return {argument.name: argument for argument in action.arguments}


def call_job(*lines: str) -> str:
    return "\n".join(("[a]", "call = shop.run", "every = day", *lines))


def test_a_variable_is_replaced_and_the_view_shows_the_reference(load_text, monkeypatch) -> None:
    monkeypatch.setenv("CITY", "Hamburg")
    argument = arguments(load_text(call_job("place = in ${env:CITY}!")))["place"]
    assert (argument.text, argument.shown) == ("in Hamburg!", "in ${env:CITY}!")


@pytest.mark.parametrize("value", [None, ""])
def test_a_default_stands_in_for_an_unset_or_empty_variable(value, load_text, monkeypatch) -> None:
    monkeypatch.setenv("CITY", value) if value is not None else monkeypatch.delenv("CITY", False)
    assert arguments(load_text(call_job("place = ${env:CITY:-nowhere}")))["place"].text == "nowhere"


def test_a_set_but_empty_variable_is_empty(load_text, monkeypatch) -> None:
    monkeypatch.setenv("CITY", "")
    assert arguments(load_text(call_job("place = ${env:CITY}")))["place"].text == ""


@pytest.mark.parametrize(
    ("content", "text"), [("x\ny\n", "x\ny"), ("x\r\n", "x"), ("x\n\n", "x\n")]
)
def test_a_file_is_read_without_its_final_line_end(content, text, load_text, tmp_path) -> None:
    (tmp_path / "pw").write_bytes(content.encode())
    assert arguments(load_text(call_job("v = ${file:pw}")))["v"].text == text


def test_what_looks_a_little_like_a_reference_stays_as_it_is(load_text) -> None:
    text = "$HOME ${HOME} ${other:X} $${x} {env:X}"
    assert arguments(load_text(call_job(f"v = {text}")))["v"].text == text


def test_a_replaced_value_is_not_replaced_again(load_text, monkeypatch) -> None:
    monkeypatch.setenv("ONE", "${env:TWO}")
    assert arguments(load_text(call_job("v = ${env:ONE}")))["v"].text == "${env:TWO}"


def test_an_unset_variable_is_an_error_that_breaks_the_job(load_text, monkeypatch) -> None:
    monkeypatch.delenv("NOT_SET", raising=False)
    config = load_text(call_job("v = ${env:NOT_SET}"), strict=True)
    assert [d.level for d in config.diagnostics] == [Level.ERROR]
    assert config.jobs == ()


def test_an_unset_variable_is_a_note_where_nothing_is_run(load_text, monkeypatch) -> None:
    monkeypatch.delenv("NOT_SET", raising=False)
    config = load_text(call_job("v = ${env:NOT_SET}", "grace = ${env:NOT_SET}"), strict=False)
    assert [d.level for d in config.diagnostics] == [Level.NOTE, Level.NOTE]
    assert arguments(config)["v"].text == "${env:NOT_SET}"


def test_a_malformed_reference_is_an_error_everywhere(load_text) -> None:
    config = load_text(call_job("v = ${env:NOT_SET"), strict=False)
    assert [d.level for d in config.diagnostics] == [Level.ERROR]


def test_a_schedule_with_a_reference_shows_the_reference(load_text, monkeypatch) -> None:
    monkeypatch.setenv("EVERY", "2 days")
    config = load_text("[a]\ncommand = true\nevery = ${env:EVERY}\nat = 06:00\n")
    assert config.jobs[0].schedule.every.interval == 2
    assert config.jobs[0].schedule.text == "${env:EVERY} at 06:00"
    assert config.sections[0].schedule_text == "${env:EVERY} at 06:00"


def test_a_zone_with_a_reference_shows_the_reference(load_text, monkeypatch) -> None:
    monkeypatch.setenv("ZONE", "Europe/Paris")
    config = load_text("[a]\ncommand = true\nevery = day\ntimezone = ${env:ZONE}\n")
    assert config.jobs[0].schedule.zone == "Europe/Paris"
    assert config.sections[0].timezone == "${env:ZONE}"
    assert config.sections[0].zone == "Europe/Paris"


def test_a_zone_of_the_file_with_a_reference_is_shown_so_by_its_jobs(
    load_text, monkeypatch
) -> None:
    monkeypatch.setenv("ZONE", "Europe/Paris")
    config = load_text("[inisched]\ntimezone = ${env:ZONE}\n[a]\ncommand = true\nevery = day\n")
    assert config.settings.timezone == "Europe/Paris"
    assert config.sections[0].timezone == "${env:ZONE}"
    assert config.sections[0].zone == "Europe/Paris"


def test_a_callback_with_a_reference_shows_the_reference(load_text, monkeypatch) -> None:
    monkeypatch.setenv("MOD", "shop")
    text = "[a]\ncall = ${env:MOD}.run\nevery = day\n[b]\ncall = shop.run\nevery = day\n"
    actions = [job.action for job in load_text(text).jobs]
    assert [(a.target, a.shown) for a in actions] == [
        ("shop.run", "${env:MOD}.run"),
        ("shop.run", ""),
    ]


def test_a_diagnostic_quotes_the_reference_not_what_stands_behind_it(
    load_text, monkeypatch
) -> None:
    monkeypatch.setenv("EVERY", "hunter2 minutes")
    assert draw(load_text("[a]\ncommand = true\nevery = ${env:EVERY}\n").diagnostics) == (
        "jobs.ini:3:9: error: what '${env:EVERY}' stands for cannot be read\n"
        "    3 | every = ${env:EVERY}\n"
        "      |         ^^^^^^^^^^^^\n"
        "    expected a form such as 10 minutes, day, monday or never\n"
    )


def test_an_empty_reference_is_said_to_be_empty(load_text, monkeypatch) -> None:
    monkeypatch.setenv("EVERY", " ")
    config = load_text("[a]\ncommand = true\nevery = ${env:EVERY}\n")
    assert [d.message for d in config.diagnostics] == ["what '${env:EVERY}' stands for is empty"]


def test_replaced_values_of_eight_characters_are_kept_for_masking_output(
    load_text, monkeypatch
) -> None:
    monkeypatch.setenv("SEVEN", "1234567")
    monkeypatch.setenv("EIGHT", "12345678")
    monkeypatch.setenv("NINE", "123456789")
    text = call_job("a = ${env:SEVEN}${env:EIGHT}", "description = ${env:NINE} ${env:EIGHT}")
    assert load_text(text).jobs[0].secrets == ("12345678", "123456789")


def test_a_secret_of_several_lines_is_known_as_repr_and_json_print_it(
    load_text, tmp_path: Path
) -> None:
    (tmp_path / "key.pem").write_text("-- ä --\nabc\n-- end --\n", encoding="utf-8")
    [job] = load_text(call_job("pem = ${file:key.pem}")).jobs
    assert job.secrets == (
        "-- ä --\nabc\n-- end --",
        r"-- ä --\nabc\n-- end --",
        r"-- \u00e4 --\nabc\n-- end --",
    )


@pytest.mark.parametrize("printed", [repr, json.dumps])
def test_a_secret_is_masked_as_a_program_prints_it(
    printed: Callable[[str], str], load_text, monkeypatch
) -> None:
    secret = 'it\'s\t"quoted"\\\n'
    monkeypatch.setenv("ODD", secret)
    [job] = load_text(call_job("odd = ${env:ODD}")).jobs
    assert mask(printed(secret).encode(), job.secrets)[1:-1] == b"***"


def test_a_default_in_the_file_is_no_secret(load_text, monkeypatch) -> None:
    monkeypatch.delenv("NOT_SET", raising=False)
    assert load_text(call_job("v = ${env:NOT_SET:-production}")).jobs[0].secrets == ()


@pytest.mark.parametrize("key", ["password", "DB_PASSWORD", "client_secret", "Token", "api_key"])
def test_the_value_of_a_key_that_speaks_of_a_secret_is_masked(key: str, load_text) -> None:
    argument = arguments(load_text(call_job(f"{key} = hunter2")))[key]
    assert (argument.text, argument.shown) == ("hunter2", "***")


def test_the_source_line_of_a_secret_is_masked(load_text) -> None:
    text = draw(load_text(call_job("password = hunter2 # the dog", "password = again")).diagnostics)
    assert "hunter2" not in text
    assert "again" not in text
    assert "    4 | password = ***\n      |            ^^^\n" in text


def test_a_later_line_of_a_secret_is_masked(load_text) -> None:
    text = draw(load_text(call_job("password =", "  hunter2 # the dog")).diagnostics)
    assert "    5 |   ***\n      |   ^^^\n" in text
    assert "hunter2" not in text


@pytest.mark.parametrize(
    ("key", "hint"),
    [
        ("command", "the shell has $NAME"),
        ("manage", "no shell reads it: let the command look into its environment or the file"),
    ],
)
def test_a_reference_in_a_command_is_an_error(key: str, hint: str, load_text) -> None:
    config = load_text(f"[a]\n{key} = echo ${{env:HOME}}\nevery = day\n")
    assert config.diagnostics[0].message == f"references are not replaced in '{key}'"
    assert config.diagnostics[0].hint == hint


def test_a_file_behind_a_pipe_is_not_waited_for(load_text, tmp_path: Path) -> None:
    import os

    os.mkfifo(tmp_path / "pipe")
    config = load_text(call_job("v = ${file:pipe}"))
    assert [d.message for d in config.diagnostics] == ["'pipe' is not a regular file"]


def test_a_file_beyond_1_mib_is_refused(load_text, tmp_path: Path) -> None:
    (tmp_path / "big").write_bytes(b"x" * (1024 * 1024 + 1))
    config = load_text(call_job("v = ${file:big}"))
    assert [d.message for d in config.diagnostics] == ["'big' is larger than 1 MiB"]


def test_a_file_that_is_no_text_is_refused(load_text, tmp_path: Path) -> None:
    (tmp_path / "bin").write_bytes(b"\xff\xfe")
    config = load_text(call_job("v = ${file:bin}"))
    assert [d.message for d in config.diagnostics] == ["'bin' is not UTF-8 text"]
