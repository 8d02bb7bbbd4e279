"""The text of a notice."""

from __future__ import annotations

from datetime import date, timedelta

from msgspec.structs import replace

from inisched.model.event import Kind
from inisched.model.run import Trigger
from inisched.notifiers.words import body, digest_body
from notifiers.samples import AT, FIRE, event


def test_the_text_tells_all_there_is() -> None:
    whole = event(
        description="Copies the orders",
        trigger=Trigger.CATCHUP,
        attempt=2,
        stdout="one\ntwo\n",
        stderr="disk is full\n",
        result="{'rows': 3}",
        period_start=date(2026, 11, 14),
        period_end=date(2026, 11, 20),
        override=True,
        failures=45,
        since=FIRE - timedelta(minutes=20),
        changed=("`command` is another one", "it took 2 s before"),
        again="inisched test flaky -P /srv/x.ini",
        file="/srv/x.ini",
    )
    assert body(whole) == (
        "flaky failed: exit code 3\n"
        "\n"
        "job:        flaky\n"
        "about:      Copies the orders\n"
        "run:        17 (catchup, attempt 2)\n"
        "fire:       2026-11-21 02:30:00 +01:00\n"
        "started:    2026-11-21 02:30:00 +01:00\n"
        "ended:      2026-11-21 02:30:12 +01:00\n"
        "took:       12 s\n"
        "exit code:  3\n"
        "period:     2026-11-14 to 2026-11-20, although its data was not ready\n"
        "message:    exit code 3\n"
        "returned:   {'rows': 3}\n"
        "\n"
        "Incident: 45 failures since 2026-11-21 02:10:00 +01:00\n"
        "\n"
        "What is different since it last worked:\n"
        "- `command` is another one\n"
        "- it took 2 s before\n"
        "\n"
        "Standard output:\n"
        "\n"
        "    one\n"
        "    two\n"
        "\n"
        "Standard error:\n"
        "\n"
        "    disk is full\n"
        "\n"
        "To run it again:\n"
        "\n"
        "    inisched test flaky -P /srv/x.ini\n"
        "\n"
        "-- \n"
        "/srv/x.ini at web1\n"
    )


def test_what_there_is_nothing_to_say_of_is_left_out() -> None:
    late = event(Kind.LATE, late_since=FIRE, host="")
    assert body(late) == (
        "flaky is late: nothing started for its fire of 02:30\n"
        "\n"
        "job:   flaky\n"
        "fire:  2026-11-21 02:30:00 +01:00\n"
        "\n"
        "Incident: nothing started for its fire of 2026-11-21 02:30:00 +01:00\n"
    )


def test_a_trial_notice_says_that_it_is_one() -> None:
    assert body(event(Kind.TEST, job="", file="/srv/x.ini")) == (
        "This is a trial notice from inisched: what it has to tell will come this way.\n"
        "\n"
        "-- \n"
        "/srv/x.ini at web1\n"
    )


def test_fires_skipped_together_are_told_as_one_stretch() -> None:
    skipped = event(Kind.SKIPPED, fire_at=FIRE, fire_until=AT, count=1200)
    shown = "fire:  2026-11-21 02:30:00 +01:00 to 2026-11-21 02:30:12 +01:00 (1,200 fires)\n"
    assert shown in body(skipped)


def test_one_stream_alone_has_no_heading() -> None:
    text = body(event(stderr="disk is full\n"))
    assert text.endswith("message:    exit code 3\n\n    disk is full\n\n-- \nweb1\n")


def test_only_the_last_40_lines_are_told() -> None:
    text = body(event(stdout="".join(f"line {number}\n" for number in range(100))))
    assert [line.strip() for line in text.split("\n") if "line " in line] == [
        f"line {number}" for number in range(60, 100)
    ]


def test_a_long_line_is_cut_at_500_characters() -> None:
    assert f"    {'x' * 499}…\n" in body(event(stdout="x" * 10_000))


def test_colours_and_what_was_overwritten_are_not_told() -> None:
    text = body(event(stdout="10 %\r99 %\r100 %\r\n\x1b[1;31mred\x1b[0m\x07\n"))
    assert "\n    100 %\n    red\\x07\n" in text


def test_a_message_of_several_lines_keeps_its_lines() -> None:
    text = body(event(message="Traceback:\n  line 1\nValueError"))
    assert "message:    Traceback:\n              line 1\n            ValueError\n" in text


def test_a_digest_lists_its_events_and_tells_each() -> None:
    text = digest_body([event(), event(Kind.RECOVERY, job="backup")])
    assert text.startswith(
        "02:30  flaky failed: exit code 3\n02:30  backup works again\n\n" + "-" * 72 + "\n\n"
    )
    assert text.count("-" * 72) == 2


def test_a_digest_of_one_event_is_its_text() -> None:
    assert digest_body([event()]) == body(event())


def test_a_digest_of_a_thousand_events_stays_short() -> None:
    many = [replace(event(), stdout="x" * 20_000, run=number) for number in range(1000)]
    text = digest_body(many)
    assert "… and 800 more\n\nThe first 20 of them in full:\n" in text
    assert len(text) < 100_000
