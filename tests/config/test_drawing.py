"""How diagnostics look on a terminal and in JSON."""

from inisched.config.drawing import as_json, draw, escaped, summary
from inisched.model.diagnostic import Diagnostic, Level
from inisched.model.place import Place


def at(source: str, start: int, length: int = 1, message: str = "wrong") -> Diagnostic:
    place = Place("x.ini", 3, start + 1)
    return Diagnostic(place=place, code="c", message=message, length=length, source=source)


def caret_and_what_is_above(text: str) -> tuple[str, str]:
    """The carets of a drawing and the piece of the line they stand under."""
    line, carets = text.splitlines()[1:3]
    start, end = carets.index("^"), carets.rindex("^") + 1
    return carets[start:end], line[start:end]


def test_a_diagnostic_is_drawn_with_line_caret_expectation_and_hint() -> None:
    diagnostic = Diagnostic(
        place=Place("x.ini", 12, 9),
        code="c",
        message="'dya' is not a unit of time",
        length=3,
        expected="day",
        hint="did you mean 'day'?",
        source="every = dya",
    )
    assert draw([diagnostic]) == (
        "x.ini:12:9: error: 'dya' is not a unit of time\n"
        "   12 | every = dya\n"
        "      |         ^^^\n"
        "    expected day\n"
        "    hint: did you mean 'day'?\n"
    )


def test_the_caret_of_a_line_beyond_99999_stands_right() -> None:
    diagnostic = Diagnostic(
        place=Place("x.ini", 1234567, 2), code="c", message="wrong", source="ab"
    )
    assert draw([diagnostic]).splitlines()[1:] == ["1234567 | ab", "        |  ^"]


def test_one_about_the_whole_file_has_a_place_but_no_line_to_show() -> None:
    diagnostic = Diagnostic(place=Place("x.ini", 1, 1), code="c", message="gone")
    assert draw([diagnostic]) == "x.ini:1:1: error: gone\n"


def test_after_the_first_hundred_the_rest_is_counted() -> None:
    text = draw([at("a", 0)] * 103)
    assert text.count("x.ini:3:1") == 100
    assert text.endswith("\n… and 3 more\n")


def test_control_characters_are_spelled_out_with_the_caret_under_the_right_place() -> None:
    text = draw([at("a\x1b[31m\u202eb = c", 11)])
    assert caret_and_what_is_above(text) == ("^", "c")
    assert "\\x1b[31m\\u202eb" in text


def test_a_wide_character_takes_two_columns() -> None:
    assert draw([at("日本 = x", 5)]).splitlines()[2] == "      |        ^"


def test_carets_under_wide_characters_are_as_wide() -> None:
    assert draw([at("日本 = x", 0, 2)]).splitlines()[2] == "      | ^^^^"


def test_a_combining_character_takes_no_column() -> None:
    assert draw([at("e\u0301 = x", 5)]).splitlines()[2] == "      |     ^"


def test_a_tab_is_drawn_as_one_space() -> None:
    assert draw([at("every\t=\tx", 8)]).splitlines()[1:] == [
        "    3 | every = x",
        "      |         ^",
    ]


def test_a_long_line_is_cut_to_200_characters_around_the_caret() -> None:
    text = draw([at("a" * 500_000 + "b" + "c" * 500_000, 500_000)])
    line = text.splitlines()[1].removeprefix("    3 | ")
    assert len(line) == 200
    assert (line[0], line[-1]) == ("…", "…")
    assert caret_and_what_is_above(text) == ("^", "b")


def test_a_long_line_of_escapes_is_cut_to_200_characters_too() -> None:
    text = draw([at("\x1b" * 500 + "b", 500)])
    line = text.splitlines()[1].removeprefix("    3 | ")
    assert len(line) <= 200
    assert caret_and_what_is_above(text) == ("^", "b")


def test_a_long_underlined_part_is_cut_with_its_carets() -> None:
    line, carets = draw([at("x = " + "y" * 1000, 4, 1000)]).splitlines()[1:3]
    assert len(line.removeprefix("    3 | ")) <= 200
    assert len(carets) <= len(line)


def test_a_message_has_its_control_characters_spelled_out() -> None:
    text = draw([at("a", 0, message="'\x1b[2J\u200b\x07\ud800' is wrong")])
    assert "'\\x1b[2J\\u200b\\x07\\ud800' is wrong" in text


def test_a_caret_beyond_the_end_of_the_line_is_drawn_after_it() -> None:
    assert draw([at("ab", 2)]).splitlines()[2] == "      |   ^"


def test_ordinary_letters_of_any_language_are_left_alone() -> None:
    assert escaped("Müller → 日本 🎉") == "Müller → 日本 🎉"


def test_json_has_the_keys_of_the_contract() -> None:
    diagnostic = Diagnostic(
        place=Place("x.ini", 3, 9),
        code="bad-value",
        message="wrong",
        level=Level.WARNING,
        job="a",
        key="every",
        expected="day",
        hint="look",
        source="every = dya",
    )
    assert as_json(diagnostic) == {
        "file": "x.ini",
        "line": 3,
        "column": 9,
        "level": "warning",
        "code": "bad-value",
        "job": "a",
        "key": "every",
        "message": "wrong",
        "expected": "day",
        "hint": "look",
    }


def counted(errors: int, warnings: int, *, jobs: int, fine: int) -> str:
    place = Place("x.ini", 1, 1)
    diagnostics = [
        Diagnostic(place=place, code="c", message="m", level=level)
        for level, number in ((Level.ERROR, errors), (Level.WARNING, warnings), (Level.NOTE, 1))
        for _ in range(number)
    ]
    return summary(diagnostics, file="x.ini", jobs=jobs, fine=fine)


def test_the_summary_counts_problems_warnings_and_jobs() -> None:
    assert counted(1, 0, jobs=2, fine=1) == "1 problem in x.ini; 1 of 2 jobs is fine\n"
    assert counted(2, 1, jobs=3, fine=2) == (
        "2 problems in x.ini and 1 warning; 2 of 3 jobs are fine\n"
    )
    assert counted(0, 2, jobs=3, fine=3) == (
        "no problems, 2 warnings in x.ini; 3 of 3 jobs are fine\n"
    )
    assert counted(0, 0, jobs=1, fine=1) == "no problems in x.ini; 1 of 1 job is fine\n"
    assert counted(0, 0, jobs=0, fine=0) == "no problems in x.ini; no jobs\n"
