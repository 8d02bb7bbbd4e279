"""What is kept of a stream, what is said of the rest, and what is kept from view."""

from __future__ import annotations

import pytest
from hypothesis import given
from hypothesis import strategies as st

from inisched.executors.kept import Kept, cut_message, mask, show_size


def kept(limit: int, *pieces: bytes) -> Kept:
    stream = Kept(limit)
    for piece in pieces:
        stream.add(piece)
    return stream


# -- head and tail


def test_a_short_stream_is_kept_whole() -> None:
    assert kept(10, b"hello", b"world").data() == b"helloworld"


def test_a_long_stream_loses_its_middle() -> None:
    assert kept(6, b"abc", b"defgh", b"ijk").data() == (
        "abc\n[… 5 B cut here …]\nijk".encode()  # of 11 bytes
    )


def test_of_an_odd_limit_the_head_has_the_greater_half() -> None:
    assert kept(3, b"abcde").data() == "ab\n[… 2 B cut here …]\ne".encode()


def test_a_limit_of_0_keeps_only_the_mark() -> None:
    assert kept(0, b"abc").data() == "\n[… 3 B cut here …]\n".encode()


def test_nothing_is_nothing() -> None:
    assert (kept(0).data(), kept(0).cut) == (b"", False)


def test_the_total_counts_every_byte() -> None:
    assert kept(4, b"a" * 1000, b"b").total == 1001


def test_asking_in_between_changes_nothing() -> None:
    stream = kept(6, b"abcdefgh")
    stream.data()
    stream.add(b"ijk")
    assert stream.data() == kept(6, b"abcdefghijk").data()


@given(st.integers(0, 40), st.lists(st.binary(max_size=30), max_size=20))
def test_the_pieces_a_stream_comes_in_do_not_matter(limit: int, pieces: list[bytes]) -> None:
    whole = b"".join(pieces)
    head, tail = whole[: (limit + 1) // 2], whole[len(whole) - limit // 2 :]
    mark = f"\n[… {show_size(len(whole) - limit)} cut here …]\n".encode()
    assert kept(limit, *pieces).data() == (whole if len(whole) <= limit else head + mark + tail)


def test_a_flood_takes_little_memory() -> None:
    stream = Kept(1024)
    for _ in range(1000):
        stream.add(b"x" * 65536)
        assert len(stream._head) + len(stream._tail) <= 2 * 65536
    assert stream.total == 65_536_000


# -- what is said


def test_uncut_streams_say_nothing() -> None:
    assert cut_message(kept(5, b"hello"), kept(5)) == ""


def test_a_cut_says_how_much_there_was_and_how_much_is_kept() -> None:
    stream = Kept(64 * 1024)
    stream.total = 500_000_000
    assert cut_message(stream, Kept(64 * 1024)) == "output cut: 500 MB, 64 KiB kept"


def test_two_cut_streams_are_counted_together() -> None:
    assert cut_message(kept(512, b"x" * 1000), kept(512, b"y" * 600)) == (
        "output cut: 1.6 kB, 512 B kept"
    )


@pytest.mark.parametrize(
    ("size", "decimal", "binary"),
    [
        (0, "0 B", "0 B"),
        (999, "999 B", "999 B"),
        (1000, "1 kB", "1000 B"),
        (1536, "1.5 kB", "1.5 KiB"),
        (65536, "66 kB", "64 KiB"),
        (1_048_576, "1.0 MB", "1 MiB"),
        (5_000_000_000_000, "5000 GB", "4657 GiB"),
    ],
)
def test_a_size_is_shown_at_a_glance(size: int, decimal: str, binary: str) -> None:
    assert (show_size(size), show_size(size, binary=True)) == (decimal, binary)


# -- secrets


@pytest.mark.parametrize(
    ("data", "secrets", "masked"),
    [
        (b"the password is hunter2hunter2", ("hunter2hunter2",), b"the password is ***"),
        (b"aaaa-bbbb aaaa-bbbb", ("aaaa-bbbb",), b"*** ***"),
        (b"longsecret-long", ("longsecret", "longsecret-long"), b"***"),
        (b"a.c a+c abc", ("a.c", "a+c"), b"*** *** abc"),
        ("straße und maß".encode(), ("straße",), "*** und maß".encode()),
        (b"\xff byte", ("\udcff byte",), b"***"),
        (b"nothing here", (), b"nothing here"),
    ],
)
def test_secrets_are_masked(data: bytes, secrets: tuple[str, ...], masked: bytes) -> None:
    assert mask(data, secrets) == masked


# -- secrets


def test_a_secret_across_the_cut_is_hidden_whole() -> None:
    kept = Kept(20)
    kept.hide(("hunter2hunter2",))
    kept.add(b"12345 hunter2hunter2 " + b"x" * 50)
    assert b"hunte" not in kept.data()


def test_a_secret_that_comes_in_pieces_is_hidden() -> None:
    kept = Kept(1000)
    kept.hide(("hunter2hunter2",))
    for piece in (b"it is hun", b"ter2hun", b"ter2", b" and more"):
        kept.add(piece)
    assert kept.data() == b"it is *** and more"
