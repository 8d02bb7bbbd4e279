"""What is opened and what is refused, before a line of it is read."""

import os
import socket
from pathlib import Path

import pytest

from inisched.config.drawing import draw
from inisched.config.loader import load

JOB = b"[a]\ncommand = true\nevery = day\n"


def refusal(path: Path | str) -> str:
    config = load(path, strict_references=True)
    assert config.fatal
    return draw(config.diagnostics)


def test_a_missing_file_is_named_with_a_cure() -> None:
    assert refusal("nowhere/x.ini") == (
        "nowhere/x.ini:1:1: error: there is no such file\n    hint: name the file with -P\n"
    )


def test_a_folder_is_no_file(tmp_path: Path) -> None:
    assert "error: this is a folder\n" in refusal(tmp_path)


def test_a_named_pipe_is_refused_without_waiting(tmp_path: Path) -> None:
    os.mkfifo(tmp_path / "pipe.ini")
    assert "error: this is a named pipe\n" in refusal(tmp_path / "pipe.ini")


def test_a_device_is_refused() -> None:
    assert refusal("/dev/zero") == (
        "/dev/zero:1:1: error: this is a device\n    expected an INI file\n"
    )


def test_a_socket_is_refused(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.chdir(tmp_path)
    with socket.socket(socket.AF_UNIX) as server:
        server.bind("s.ini")
        assert "error: this is a socket\n" in refusal("s.ini")


@pytest.mark.skipif(os.geteuid() == 0, reason="root may read everything")
def test_a_file_without_permission_is_refused(tmp_path: Path) -> None:
    (tmp_path / "x.ini").write_bytes(JOB)
    (tmp_path / "x.ini").chmod(0)
    assert "error: this file may not be read by this user\n" in refusal(tmp_path / "x.ini")


def test_a_name_that_can_be_no_path_is_refused() -> None:
    assert "error: the file cannot be read: " in refusal("x\0.ini")


def test_a_file_as_part_of_a_path_is_refused(tmp_path: Path) -> None:
    (tmp_path / "x").write_bytes(JOB)
    assert "error: the file cannot be read: Not a directory\n" in refusal(tmp_path / "x" / "y.ini")


def test_more_than_16_mib_is_refused(tmp_path: Path) -> None:
    (tmp_path / "x.ini").write_bytes(JOB + b"# " + b"x" * 17 * 1024 * 1024)
    assert "error: the file is 17 MiB long\n    expected at most 16 MiB\n" in refusal(
        tmp_path / "x.ini"
    )


def test_8_mib_are_read(tmp_path: Path) -> None:
    (tmp_path / "x.ini").write_bytes(JOB + b"# comment\n" * 800_000)
    assert len(load(tmp_path / "x.ini", strict_references=True).jobs) == 1


@pytest.mark.parametrize(
    "data", [b"\xef\xbb\xbf" + JOB, JOB.replace(b"\n", b"\r\n"), JOB.rstrip(b"\n")]
)
def test_a_byte_order_mark_crlf_and_a_missing_line_end_are_fine(
    data: bytes, tmp_path: Path
) -> None:
    (tmp_path / "x.ini").write_bytes(data)
    assert load(tmp_path / "x.ini", strict_references=True).diagnostics == ()


@pytest.mark.parametrize("encoding", ["utf-16", "utf-16-le", "utf-16-be", "utf-32", "utf-32-le"])
def test_utf_16_and_utf_32_are_refused(encoding: str, tmp_path: Path) -> None:
    (tmp_path / "x.ini").write_bytes(JOB.decode().encode(encoding))
    text = refusal(tmp_path / "x.ini")
    assert "error: this file is UTF-" in text
    assert text.endswith("    expected UTF-8 text\n    hint: save the file as UTF-8\n")


def test_latin_1_is_refused_at_its_first_byte(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.chdir(tmp_path)
    Path("x.ini").write_bytes(b"[a]\r\ndescription = caf\xe9 cr\xe8me\r\n")
    assert refusal("x.ini") == (
        "x.ini:2:18: error: the byte 0xe9 is not UTF-8\n"
        "    2 | description = café crème\n"
        "      |                  ^\n"
        "    expected UTF-8 text\n"
        "    hint: in Latin-1 this byte is 'é': save the file as UTF-8\n"
    )


@pytest.mark.parametrize("line", [b"password = geh\xe9im", b"password = ge\n  h\xe9im"])
def test_a_secret_in_latin_1_is_not_shown(line: bytes, tmp_path: Path) -> None:
    (tmp_path / "x.ini").write_bytes(b"[a]\n" + line)
    text = refusal(tmp_path / "x.ini")
    assert "***" in text
    assert "im" not in text.replace(str(tmp_path), "")
    assert "é" not in text


def test_the_line_of_a_lone_cr_is_refused_and_its_job_is_broken(tmp_path: Path) -> None:
    (tmp_path / "x.ini").write_bytes(b"[a]\ncommand = a\rb\nevery = day\n[b]\n" + JOB[4:])
    config = load(tmp_path / "x.ini", strict_references=True)
    assert [(d.code, d.place.line, d.place.column) for d in config.diagnostics] == [
        ("lone-cr", 2, 12)
    ]
    assert [job.name for job in config.jobs] == ["b"]


def test_a_file_with_old_line_ends_only_is_refused_in_its_first_line(tmp_path: Path) -> None:
    (tmp_path / "x.ini").write_bytes(JOB.replace(b"\n", b"\r"))
    config = load(tmp_path / "x.ini", strict_references=True)
    assert "lone-cr" in [d.code for d in config.diagnostics]
    assert config.jobs == ()


def test_a_nul_is_refused_where_it_stands(tmp_path: Path) -> None:
    (tmp_path / "x.ini").write_bytes(JOB + b"description = a\0b\n")
    config = load(tmp_path / "x.ini", strict_references=True)
    assert [(d.code, d.place.line, d.place.column) for d in config.diagnostics] == [("nul", 4, 16)]


def test_a_link_is_followed_to_the_real_file(tmp_path: Path) -> None:
    (tmp_path / "real").mkdir()
    (tmp_path / "real" / "x.ini").write_bytes(JOB)
    (tmp_path / "link.ini").symlink_to(tmp_path / "real" / "x.ini")
    config = load(tmp_path / "link.ini", strict_references=True)
    assert config.path == str(tmp_path / "link.ini")
    assert config.real_path == tmp_path / "real" / "x.ini"
    assert config.database == tmp_path / "real" / "x.db"
