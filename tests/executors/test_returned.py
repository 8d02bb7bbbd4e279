"""Joining a verdict with the end of its process."""

import json

import pytest

from inisched.executors.returned import LIMIT, Verdict, outcome, signal_name, within
from inisched.model.result import STATUS
from inisched.model.run import Outcome, State

GOOD = Verdict(STATUS.SUCCESS, "sent", "all of it").encode()


def test_a_verdict_counts_when_the_process_ended_as_it_announced() -> None:
    assert outcome(GOOD, 0) == Outcome(
        state=State.SUCCESS, exit_code=0, message="sent", output="all of it"
    )


@pytest.mark.parametrize("result", [None, b"", b"{", b"[]", b'{"status": "odd"}', GOOD[:-3]])
def test_without_a_whole_verdict_a_run_has_failed(result: bytes | None) -> None:
    assert outcome(result, 3) == Outcome(
        state=State.FAILURE,
        exit_code=3,
        message="the process ended with exit code 3 before the callback had returned",
    )


def test_an_exit_code_can_be_declared_a_success() -> None:
    exited = Verdict(None, "exit code 3", exit_code=3).encode()
    assert outcome(exited, 3, success_codes=(0, 3)).state is State.SUCCESS
    assert outcome(exited, 3).state is State.FAILURE


def test_a_failure_killed_on_its_way_out_keeps_its_message() -> None:
    told = Verdict(STATUS.FAILURE, "ValueError: text", exit_code=1).encode()
    found = outcome(told, -9)
    assert (found.state, found.exit_code, found.message) == (
        State.FAILURE,
        -9,
        "ValueError: text",
    )


def test_the_streams_are_kept_with_their_totals() -> None:
    found = outcome(GOOD, 0, stdout=b"ab", stderr=b"c", stdout_total=500)
    assert (found.stdout, found.stdout_total) == (b"ab", 500)
    assert (found.stderr, found.stderr_total) == (b"c", 1)


@pytest.mark.parametrize("text", ["a", "é", "\x00", "\U0001f600", '"'])
def test_an_encoded_verdict_never_passes_its_limit(text: str) -> None:
    told = Verdict(STATUS.SUCCESS, text * 4096, text * 2_000_000).encode()
    assert len(told) <= LIMIT
    assert json.loads(told)["output"].startswith(text)


def test_an_unknown_signal_is_named_by_its_number() -> None:
    assert (signal_name(11), signal_name(200)) == ("SIGSEGV", "signal 200")


# -- output_limit


def kept(text: str, limit: int, *, message: str = "") -> Outcome:
    told = Verdict(STATUS.SUCCESS, message, text).encode()
    return outcome(told, 0, output_limit=limit)


def test_a_long_output_keeps_its_head_and_tail_and_says_so() -> None:
    found = kept("a" * 25_000_000 + "b" * 25_000_000, 64 * 1024)
    assert found.message == "output cut: 50 MB, 64 KiB kept"
    assert found.output == "a" * 32768 + "\n[… 50 MB cut here …]\n" + "b" * 32768


def test_a_message_of_the_run_is_not_overwritten_by_a_cut() -> None:
    found = kept("a" * 100, 10, message="sent")
    assert (found.message, found.output) == ("sent", "aaaaa\n[… 90 B cut here …]\naaaaa")


def test_an_output_within_its_limit_is_kept_whole() -> None:
    assert kept("a" * 100, 100) == Outcome(state=State.SUCCESS, exit_code=0, output="a" * 100)


def test_an_output_cut_on_its_way_says_so_under_a_larger_limit_too() -> None:
    found = kept("a" * 50_000_000, 8 * 1024 * 1024)
    assert found.message == "output cut: 50 MB, 1 MiB kept"
    assert found.output.count("cut") == 1


def test_a_cut_leaves_no_half_characters() -> None:
    assert kept("é" * 100, 11).output == "ééé\n[… 189 B cut here …]\néé"


def test_an_outcome_made_inside_the_daemon_is_cut_alike() -> None:
    long = Outcome(state=State.SUCCESS, exit_code=0, output="a" * 3_000_000)
    assert within(long, 4_000_000) is long
    assert within(long, 2_000_000).message == "output cut: 3 MB, 1.9 MiB kept"


@pytest.mark.parametrize("code", [0, 9])
def test_the_limit_holds_however_the_process_ended(code: int) -> None:
    told = Verdict(STATUS.SUCCESS, "", "a" * 1000).encode()
    assert len(outcome(told, code, output_limit=10).output) < 50
