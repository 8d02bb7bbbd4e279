"""A line of the daemon's log, for people and for programs."""

from __future__ import annotations

import json
import logging
import sys
from datetime import datetime, timedelta, timezone

from inisched.cli.logs import OneLine, OneObject
from inisched.engine.facts import facts

MOMENT = 1_795_428_000.25  # 2026-11-23 10:00:00.250 UTC


def record(message: str, *arguments: object, **facts: object) -> logging.LogRecord:
    made = logging.makeLogRecord(
        {"msg": message, "args": arguments, "levelname": "WARNING", "name": "inisched", **facts}
    )
    made.created = MOMENT
    return made


def told(made: logging.LogRecord) -> dict[str, object]:
    line = OneObject().format(made)
    assert len(line.splitlines()) == 1
    assert line.isascii()
    found = json.loads(line)
    assert isinstance(found, dict)
    return found


def test_an_object_has_the_fields_logstash_wants() -> None:
    assert told(record("%s: run %d ends", "a", 3)) == {
        "@timestamp": "2026-11-23T10:00:00.250Z",
        "@version": "1",
        "message": "a: run 3 ends",
        "level": "WARNING",
        "logger_name": "inisched",
    }


def test_facts_lie_flat_beside_the_message() -> None:
    fire = datetime(2026, 11, 23, 11, 0, tzinfo=timezone(timedelta(hours=1)))
    known = facts(job="ä", run=3, fire_at=fire, duration_s=0.5, exit_code=None)
    found = told(record("x", **known))
    assert list(found)[5:] == ["job", "run", "fire_at", "duration_s"]
    assert (found["job"], found["fire_at"]) == ("ä", "2026-11-23T10:00:00Z")


def test_line_ends_and_bytes_that_are_no_text_stay_inside_the_object() -> None:
    found = told(record("%s", "one\ntwo\u2028three \udcff \x1b[31m"))
    assert found["message"] == "one\ntwo\u2028three \\udcff \x1b[31m"


def test_an_exception_is_a_field_and_no_lines_of_its_own() -> None:
    made = record("a fault")
    try:
        raise ValueError("broken")
    except ValueError:
        made.exc_info = sys.exc_info()
    found = told(made)
    assert found["message"] == "a fault"
    assert str(found["stack_trace"]).startswith("Traceback (most recent call last):\n")
    assert str(found["stack_trace"]).endswith("ValueError: broken")


def test_people_read_a_line_without_the_facts() -> None:
    line = OneLine().format(record("a: run 3\nends", **facts(job="a")))
    assert line[24:] == " warning a: run 3 | ends"
