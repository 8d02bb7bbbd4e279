"""Switches from the command line while no daemon is up: what they say, show and refuse."""

from __future__ import annotations

import json
from datetime import UTC, datetime, timedelta
from pathlib import Path
from typing import Any

import pytest
import time_machine

from inisched.cli import commands
from inisched.stores.history import History

NOW = datetime(2026, 11, 20, 10, 0, tzinfo=UTC)
"""A Friday."""

JOBS = """\
[inisched]
timezone = UTC
[sweep]
command = true
every = hour
[report]
command = true
every = day
at = 06:00
timezone = Europe/Paris
[spare]
command = true
every = day
at = 07:00
active = no
"""


class Shell:
    """Somebody at a terminal on Friday at 10:00; `later` moves that."""

    def __init__(
        self, folder: Path, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
    ) -> None:
        self.database = folder / "jobs.db"
        self.file = folder / "jobs.ini"
        self.file.write_text(JOBS)
        self.now = NOW
        self._patch, self._capsys = monkeypatch, capsys
        monkeypatch.setenv("TZ", "UTC")
        monkeypatch.setenv("INISCHED_PATH", str(self.file))
        self.login("ann")

    def login(self, name: str) -> None:
        self._patch.setenv("SUDO_USER", name)

    def later(self, **later: float) -> None:
        self.now += timedelta(**later)

    def __call__(self, *words: str) -> tuple[int, str, str]:
        """The exit code and both streams."""
        self._patch.setattr("sys.argv", ["inisched", *words])
        with time_machine.travel(self.now, tick=False), pytest.raises(SystemExit) as end:
            commands.main()
        printed = self._capsys.readouterr()
        assert isinstance(end.value.code, int)
        return end.value.code, printed.out, printed.err

    def told(self, *words: str) -> str:
        code, out, err = self(*words)
        assert (code, err) == (0, "")
        return out

    def json(self, *words: str) -> Any:
        return json.loads(self.told(*words, "--json"))

    def job(self, name: str) -> dict[str, Any]:
        found: dict[str, Any] = next(
            job for job in self.json("list", "--all") if job["job"] == name
        )
        return found


@pytest.fixture
def shell(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> Shell:
    return Shell(tmp_path, monkeypatch, capsys)


# -- what they say


@pytest.mark.parametrize(
    ("words", "said"),
    [
        (("enable", "spare"), "spare is enabled\n"),
        (("disable", "sweep"), "sweep is disabled\n"),
        (("pause", "sweep", "--until", "12:00"), "sweep is paused until Fri 12:00 +00:00\n"),
        (("pause", "sweep", "--until", "09:00"), "sweep is paused until Sat 09:00 +00:00\n"),
        (("pause", "sweep", "--until", "90m"), "sweep is paused until Fri 11:30 +00:00\n"),
        (
            ("pause", "report", "--until", "2026-12-01"),
            "report is paused until 2026-12-01 00:00 +01:00\n",
        ),
        (("resume", "sweep"), "sweep is not paused\n"),
        (("clear", "sweep"), "sweep is cleared\n"),
        (
            ("reschedule", "sweep", "--every", "2 hours", "--at", ":30"),
            "sweep is rescheduled: 2 hours at :30\n",
        ),
        (
            ("reschedule", "sweep", "--every", "day", "--at", "06:00", "--at", "18:00"),
            "sweep is rescheduled: day at 06:00, 18:00\n",
        ),
        (
            ("reschedule", "sweep", "--every", "month", "--on-day", "last"),
            "sweep is rescheduled: month on the last day\n",
        ),
        (
            ("reschedule", "sweep", "--every", "5 minutes", "--from-end"),
            "sweep is rescheduled: 5 minutes\n",
        ),
        (("reschedule", "sweep", "--cron", "@daily"), "sweep is rescheduled: 0 0 * * *\n"),
        (("reschedule", "sweep", "--clear"), "sweep is not rescheduled\n"),
        (("hold",), "held: nothing starts until inisched release\n"),
        (("release", "--run-pending"), "nothing is held\n"),
        (("audit",), "Nothing was switched.\n"),
    ],
    ids=str,
)
def test_a_switch_says_what_it_did(shell: Shell, words: tuple[str, ...], said: str) -> None:
    assert shell.told(*words) == said


def test_a_job_taken_back_goes_by_the_file_again(shell: Shell) -> None:
    shell.told("reschedule", "sweep", "--every", "day")
    assert shell.told("reschedule", "sweep", "--clear") == "sweep goes by the file again: hour\n"


def test_a_pause_that_is_ended_is_over(shell: Shell) -> None:
    shell.told("pause", "sweep", "--until", "12:00")
    shell.later(minutes=30)
    assert shell.told("resume", "sweep") == "sweep goes on\n"
    assert shell.told("resume", "sweep") == "sweep is not paused\n"


def test_a_pause_that_has_run_out_is_over(shell: Shell) -> None:
    shell.told("pause", "sweep", "--until", "12:00")
    shell.later(hours=2)
    assert shell.told("resume", "sweep") == "sweep is not paused\n"


@pytest.mark.parametrize(
    ("how", "fate"), [("--run-pending", "runs"), ("--skip-pending", "is skipped")]
)
def test_a_release_says_what_becomes_of_what_waited(shell: Shell, how: str, fate: str) -> None:
    shell.told("hold")
    assert shell.told("release", how) == f"released: what waited {fate}\n"
    assert shell.told("release", how) == "nothing is held\n"


# -- what they refuse


@pytest.mark.parametrize(
    ("words", "said"),
    [
        (
            ("reschedule", "sweep"),
            "a new schedule has --every or --cron; --clear takes it back",
        ),
        (
            ("reschedule", "sweep", "--at", "06:00"),
            "a new schedule has --every or --cron; --clear takes it back",
        ),
        (
            ("reschedule", "sweep", "--every", "day", "--cron", "@daily"),
            "--every and --cron do not go together: give one of them",
        ),
        (
            ("reschedule", "sweep", "--clear", "--every", "day"),
            "--clear stands alone: it takes a new schedule back",
        ),
        (
            ("reschedule", "sweep", "--cron", "@daily", "--at", "06:00"),
            "--at goes with --every, not with --cron",
        ),
        (
            ("reschedule", "sweep", "--every", "dya"),
            "--every: 'dya' is not a unit of time, expected second, minute, hour, day, week, "
            "month or a weekday; did you mean 'day'?",
        ),
        (
            ("reschedule", "sweep", "--every", "day", "--at", ""),
            "--at: the value is empty, expected one or more times, split by commas",
        ),
        (
            ("reschedule", "sweep", "--cron", "61 * * * *"),
            "--cron: '61' does not fit the field minute, expected 0 to 59",
        ),
        (
            ("pause", "sweep", "--until", "2026-11-19"),
            "'2026-11-19' is not ahead: it is Thu 00:00 +00:00, expected a later T",
        ),
        (
            ("pause", "sweep", "--until", "0 s"),
            "'0 s' is not ahead: it is Fri 10:00 +00:00, expected a later T",
        ),
        (
            ("pause", "sweep", "--until", "tomorrow"),
            "'tomorrow' is not a time, expected a date or date-time, HH:MM, or a duration such "
            "as 2h",
        ),
        (
            ("release",),
            "what has come due meanwhile: give --run-pending or --skip-pending",
        ),
        (
            ("release", "--run-pending", "--skip-pending"),
            "--run-pending and --skip-pending do not go together: give one of them",
        ),
        (("hold", "--note", "x" * 1001), "a note has at most 1000 characters"),
    ],
    ids=lambda words: str(words)[:60],
)
def test_misuse_is_exit_2_and_says_what_is_wrong(
    shell: Shell, words: tuple[str, ...], said: str
) -> None:
    assert shell(*words) == (2, "", f"inisched: {said}\n")
    assert not shell.database.exists()


def test_a_pause_without_an_end_is_misuse(shell: Shell) -> None:
    code, out, err = shell("pause", "sweep")
    assert (code, out) == (2, "")
    assert err.endswith("Error: Missing option '--until'.\n")


def test_a_schedule_the_jobs_jitter_does_not_fit_is_refused(shell: Shell) -> None:
    shell.file.write_text(JOBS.replace("every = hour\n", "every = hour\njitter = 5 minutes\n"))
    assert shell("reschedule", "sweep", "--every", "minute") == (
        2,
        "",
        "inisched: the job's jitter of 5 min reaches the following fire, expected a schedule "
        "with more than that between two fires, not 'minute'\n",
    )


@pytest.mark.parametrize(
    "words",
    [
        ("enable", "swep"),
        ("disable", "swep"),
        ("pause", "swep", "--until", "12:00"),
        ("resume", "swep"),
        ("clear", "swep"),
        ("reschedule", "swep", "--every", "day"),
        ("audit", "swep"),
    ],
    ids=str,
)
def test_a_job_nobody_knows_is_exit_4(shell: Shell, words: tuple[str, ...]) -> None:
    message = "inisched: there is no job 'swep'; did you mean 'sweep'?\n"
    assert shell(*words) == (4, "", message)


def test_a_job_that_left_the_file_can_be_switched(shell: Shell) -> None:
    shell.told("disable", "sweep")
    shell.file.write_text("[inisched]\ntimezone = UTC\n")
    assert shell.told("enable", "sweep") == "sweep is enabled\n"


def test_a_broken_job_can_be_switched(shell: Shell) -> None:
    shell.file.write_text(JOBS.replace("every = hour", "every = huor"))
    assert shell.told("disable", "sweep") == "sweep is disabled\n"


def test_a_file_that_cannot_be_read_does_not_stand_in_the_way(shell: Shell) -> None:
    shell.told("disable", "sweep")
    shell.file.write_bytes(b"\xff\xfe\x00")
    code, out, _ = shell("enable", "sweep")
    assert (code, out) == (0, "sweep is enabled\n")


def test_a_database_of_another_program_is_left_alone(shell: Shell) -> None:
    shell.database.write_bytes(b"no database at all")
    code, out, err = shell("hold")
    assert (code, out) == (1, "")
    assert err == (
        f"inisched: nothing was switched: the database {shell.database} cannot be used: "
        "file is not a database\n"
    )
    assert shell.database.read_bytes() == b"no database at all"


# -- where they are shown: list


def test_list_tells_each_switch_with_who_when_and_why(shell: Shell) -> None:
    shell.told("disable", "sweep", "--note", "the disk is full")
    shell.login("bob")
    shell.told("reschedule", "report", "--cron", "0 9 * * *", "--note", "holidays")
    shell.told("pause", "report", "--until", "12:00")
    shell.told("enable", "spare")
    shell.told("hold", "--note", "moving")
    assert shell.told("list") == (
        "STATE     NEXT              LEFT  LAST  TOOK  RESULT  SCHEDULE      JOB\n"
        "disabled  -                 -     -     -     -       hour          sweep\n"
        "paused    Sat 09:00 +01:00  22 h  -     -     -       0 9 * * *     report\n"
        "idle      Sat 07:00 +00:00  21 h  -     -     -       day at 07:00  spare\n"
        "sweep: disabled (by ann, Fri 10:00 +00:00): the disk is full\n"
        "report: paused until Fri 12:00 +01:00 (by bob, Fri 11:00 +01:00)\n"
        "report: rescheduled, in the file it is day at 06:00 (by bob, Fri 11:00 +01:00): "
        "holidays\n"
        "spare: enabled (by bob, Fri 10:00 +00:00)\n"
        "held (by bob, Fri 10:00 +00:00): moving\n"
    )


def test_a_switch_that_says_what_the_file_says_is_not_told_in_the_table(shell: Shell) -> None:
    shell.told("disable", "sweep")
    shell.told("enable", "sweep")
    assert "enabled" not in shell.told("list")
    assert shell.job("sweep")["switches"]["enabled"] is True


def test_a_disabled_job_is_listed_without_all_and_an_inactive_one_is_not(shell: Shell) -> None:
    shell.told("disable", "sweep")
    assert [job["job"] for job in shell.json("list")] == ["sweep", "report"]


def test_an_inactive_job_that_is_disabled_too_is_listed(shell: Shell) -> None:
    shell.told("disable", "spare")
    assert [job["job"] for job in shell.json("list")] == ["sweep", "report", "spare"]


def test_where_nothing_is_switched_json_says_null(shell: Shell) -> None:
    assert shell.job("sweep")["switches"] is None


def test_json_tells_what_is_switched_and_who_did_it_last(shell: Shell) -> None:
    shell.told("disable", "sweep", "--note", "first")
    shell.later(minutes=1)
    shell.login("bob")
    shell.told("reschedule", "sweep", "--every", "day", "--at", "06:00", "--note", "last")
    job = shell.job("sweep")
    assert job["switches"] == {
        "enabled": False,
        "paused_until": None,
        "schedule": "day at 06:00",
        "by": "bob",
        "since": "2026-11-20T10:01:00Z",
        "note": "last",
    }
    facts = (job["active"], job["schedule"], job["next_fire"])
    assert facts == (False, "day at 06:00", None)


def test_json_tells_a_pause_without_a_note(shell: Shell) -> None:
    shell.told("pause", "report", "--until", "12:00")
    assert shell.job("report")["switches"] == {
        "enabled": None,
        "paused_until": "2026-11-20T11:00:00Z",
        "schedule": None,
        "by": "ann",
        "since": "2026-11-20T10:00:00Z",
        "note": None,
    }


def test_a_pause_that_is_over_is_not_told(shell: Shell) -> None:
    shell.told("pause", "sweep", "--until", "12:00")
    shell.later(hours=2)
    assert shell.job("sweep")["switches"] is None
    assert "paused" not in shell.told("list")


def test_an_enabled_job_is_active(shell: Shell) -> None:
    shell.told("enable", "spare")
    job = shell.job("spare")
    assert (job["active"], job["next_fire"]) == (True, "2026-11-21T07:00:00Z")


def test_control_characters_in_a_note_are_escaped(shell: Shell) -> None:
    shell.told("disable", "sweep", "--note", "red \x1b[31m")
    assert "red \\x1b[31m\n" in shell.told("list")


def test_bytes_in_a_note_that_are_no_text_are_shown_as_such(shell: Shell) -> None:
    shell.told("disable", "sweep", "--note", "caf\udce9")
    assert shell.job("sweep")["switches"]["note"] == "caf\\xe9"


# -- where they are shown: next, run --test, status, audit


def test_next_goes_by_the_switches(shell: Shell) -> None:
    shell.told("disable", "sweep")
    shell.told("enable", "spare")
    shell.told("reschedule", "report", "--every", "day", "--at", "20:00")
    assert shell.json("next", "-n", "3") == [
        {"job": "report", "at": "2026-11-20T19:00:00Z", "exact": True},
        {"job": "spare", "at": "2026-11-21T07:00:00Z", "exact": True},
        {"job": "report", "at": "2026-11-21T19:00:00Z", "exact": True},
    ]


def test_next_leaves_out_what_a_pause_covers(shell: Shell) -> None:
    shell.told("pause", "sweep", "--until", "13:00")
    moments = [fire["at"] for fire in shell.json("next", "sweep", "-n", "2")]
    assert moments == ["2026-11-20T13:00:00Z", "2026-11-20T14:00:00Z"]


def test_next_fresh_knows_nothing_of_switches(shell: Shell) -> None:
    shell.told("disable", "sweep")
    shell.told("pause", "sweep", "--until", "13:00")
    [fire] = shell.json("next", "sweep", "-n", "1", "--fresh")
    assert fire["at"] == "2026-11-20T11:00:00Z"


def test_next_tells_the_switches_of_the_job_that_is_asked_for(shell: Shell) -> None:
    shell.told("disable", "sweep", "--note", "the disk is full")
    assert shell.told("next", "sweep") == (
        "Nothing is due.\nsweep: disabled (by ann, Fri 10:00 +00:00): the disk is full\n"
    )


def test_status_tells_a_hold(shell: Shell) -> None:
    shell.told("hold", "--note", "moving")
    code, out, _ = shell("status")
    assert (code, out) == (
        1,
        "down: no daemon has this file's database\nheld (by ann, Fri 10:00 +00:00): moving\n",
    )


def test_status_tells_a_hold_as_json(shell: Shell) -> None:
    assert [json.loads(shell("status", "--json")[1])[k] for k in ("held", "hold")] == [False, None]
    shell.told("hold", "--note", "moving")
    found = json.loads(shell("status", "--json")[1])
    since = "2026-11-20T10:00:00Z"
    assert (found["held"], found["hold"]) == (
        True,
        {"by": "ann", "since": since, "note": "moving"},
    )


def test_a_rehearsal_of_run_goes_by_the_switches(shell: Shell) -> None:
    shell.file.write_text(
        "[inisched]\ntimezone = UTC\n"
        + "".join(
            f"[{name}]\ncommand = true\nevery = never\nrun_at_start = yes\n" for name in "abcd"
        )
    )
    shell.told("disable", "a")
    shell.told("pause", "b", "--until", "12:00")
    assert fates(shell) == [("b", "skip", "paused"), ("c", "run", None), ("d", "run", None)]
    shell.told("hold")
    assert fates(shell) == [("b", "skip", "paused"), ("c", "wait", None), ("d", "wait", None)]


def fates(shell: Shell) -> list[tuple[str, str, str | None]]:
    return [(one["job"], one["outcome"], one["reason"]) for one in shell.json("run", "--test")]


def test_the_audit_tells_who_switched_what_newest_first(shell: Shell) -> None:
    shell.told("disable", "sweep", "--note", "the disk is full")
    shell.login("bob")
    shell.later(minutes=5)
    shell.told("pause", "report", "--until", "12:00")
    shell.told("reschedule", "sweep", "--every", "day")
    shell.told("hold")
    assert shell.told("audit") == (
        "WHEN              BY   SWITCH      JOB     TO                      NOTE\n"
        "Fri 10:05 +00:00  bob  hold        -       -                       -\n"
        "Fri 10:05 +00:00  bob  reschedule  sweep   day                     -\n"
        "Fri 11:05 +01:00  bob  pause       report  until Fri 12:00 +01:00  -\n"
        "Fri 10:00 +00:00  ann  disable     sweep   -                       the disk is full\n"
    )


def test_the_audit_may_be_of_one_job_and_short(shell: Shell) -> None:
    shell.told("disable", "report")
    for _ in range(3):
        shell.told("disable", "sweep")
    assert shell.told("audit", "sweep", "-n", "1") == (
        "WHEN              BY   SWITCH   JOB    TO  NOTE\n"
        "Fri 10:00 +00:00  ann  disable  sweep  -   -\n"
    )


def test_the_audit_is_twenty_entries_long_and_whole_as_json(shell: Shell) -> None:
    for _ in range(21):
        shell.told("disable", "sweep")
    assert len(shell.told("audit").splitlines()) == 21
    assert len(shell.json("audit")) == 21


def test_the_audit_as_json_has_null_for_what_is_not(shell: Shell) -> None:
    shell.told("hold")
    shell.told("disable", "sweep", "--note", "full")
    assert shell.json("audit") == [
        {
            "id": 2,
            "at": "2026-11-20T10:00:00Z",
            "by": "ann",
            "action": "disable",
            "job": "sweep",
            "detail": None,
            "note": "full",
        },
        {
            "id": 1,
            "at": "2026-11-20T10:00:00Z",
            "by": "ann",
            "action": "hold",
            "job": None,
            "detail": None,
            "note": None,
        },
    ]


# -- what they leave behind


def test_the_lock_is_free_afterwards_and_nobody_seems_to_be_up(shell: Shell) -> None:
    shell.told("disable", "sweep")
    assert shell("status")[1] == "down: no daemon has this file's database\n"


def test_a_switch_is_no_first_look(shell: Shell) -> None:
    shell.told("disable", "sweep")
    history = History(shell.database)
    assert history.jobs()["sweep"].looked is None
    history.close()
