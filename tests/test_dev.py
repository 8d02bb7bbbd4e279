"""dev.py keeps `.venv` usable: what is whole is left alone, what is half made is made afresh."""

import importlib.util
import os
import subprocess
import sys
from pathlib import Path
from types import ModuleType

import pytest

ROOT = Path(__file__).parent.parent


@pytest.fixture
def dev(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> ModuleType:
    """dev.py as if its checkout were an empty folder, where nothing is ever installed."""
    spec = importlib.util.spec_from_file_location("dev", ROOT / "dev.py")
    assert spec is not None
    assert spec.loader is not None
    module = importlib.util.module_from_spec(spec)
    spec.loader.exec_module(module)
    (tmp_path / "pyproject.toml").write_text("[project]\n")
    monkeypatch.setattr(module, "ROOT", tmp_path)
    monkeypatch.setattr(module, "install", lambda folder, extra: True)
    return module


@pytest.fixture
def made(dev: ModuleType, monkeypatch: pytest.MonkeyPatch) -> list[Path]:
    """The environments that were made; each is a folder with a Python that says it is sound."""
    seen: list[Path] = []

    def make(folder: Path) -> None:
        seen.append(folder)
        (folder / "bin").mkdir(parents=True, exist_ok=True)
        (folder / "pyvenv.cfg").touch()
        python = folder / "bin" / "python"
        python.write_text(f"#!/bin/sh\necho '{folder} {dev.version()}'\n")
        python.chmod(0o755)

    monkeypatch.setattr(dev, "make", make)
    return seen


def test_a_missing_environment_is_made(dev: ModuleType, made: list[Path]) -> None:
    assert dev.environment("test") == dev.ROOT / ".venv" / "bin" / "python"
    assert made == [dev.ROOT / ".venv"]


def test_an_environment_that_is_up_to_date_is_left_alone(
    dev: ModuleType, made: list[Path], monkeypatch: pytest.MonkeyPatch
) -> None:
    dev.environment("test")
    monkeypatch.setattr(dev, "prepare", lambda folder, extra: pytest.fail("touched again"))
    dev.environment("test")


def test_a_changed_pyproject_installs_again_into_the_same_environment(
    dev: ModuleType, made: list[Path], monkeypatch: pytest.MonkeyPatch
) -> None:
    dev.environment("")
    (dev.ROOT / "pyproject.toml").write_text("[project]\nname = 'other'\n")
    installed: list[str] = []

    def install(folder: Path, extra: str) -> bool:
        installed.append(extra)
        return True

    monkeypatch.setattr(dev, "install", install)
    dev.environment("")
    assert (len(made), installed) == (1, [""])


def test_an_interrupted_installation_is_made_afresh(
    dev: ModuleType, made: list[Path], monkeypatch: pytest.MonkeyPatch
) -> None:
    def interrupted(folder: Path, extra: str) -> bool:
        raise KeyboardInterrupt

    with monkeypatch.context() as patch:
        patch.setattr(dev, "install", interrupted)
        with pytest.raises(KeyboardInterrupt):
            dev.environment("")
    dev.environment("")
    assert len(made) == 2


def test_a_failed_installation_is_tried_again_in_the_same_environment(
    dev: ModuleType, made: list[Path], monkeypatch: pytest.MonkeyPatch
) -> None:
    with monkeypatch.context() as patch:
        patch.setattr(dev, "install", lambda folder, extra: False)
        with pytest.raises(SystemExit, match="the installation failed"):
            dev.environment("")
    dev.environment("")
    assert len(made) == 1


def test_an_environment_without_its_python_is_made_afresh(
    dev: ModuleType, made: list[Path]
) -> None:
    (dev.environment("")).unlink()
    dev.environment("")
    assert len(made) == 2


def test_an_environment_of_another_folder_is_made_afresh(dev: ModuleType, made: list[Path]) -> None:
    dev.environment("")
    (dev.ROOT / ".venv" / "dev-made").write_text("Python 3.11 /somewhere/else")
    dev.environment("")
    assert len(made) == 2


def test_a_working_environment_made_by_hand_is_taken_over(
    dev: ModuleType, made: list[Path]
) -> None:
    dev.make(dev.ROOT / ".venv")
    dev.environment("")
    assert len(made) == 1


def test_making_clears_what_was_there_and_marks_it_unfinished(
    dev: ModuleType, monkeypatch: pytest.MonkeyPatch
) -> None:
    old = dev.ROOT / ".venv" / "lib" / "old.py"
    old.parent.mkdir(parents=True)
    old.touch()
    done = subprocess.CompletedProcess[str]([], returncode=0)
    monkeypatch.setattr(dev.subprocess, "run", lambda *words, **options: done)
    dev.make(dev.ROOT / ".venv")
    assert [path.name for path in (dev.ROOT / ".venv").iterdir()] == [dev.UNFINISHED]


@pytest.mark.skipif(os.geteuid() == 0, reason="root may write everywhere")
def test_in_a_checkout_of_somebody_else_the_environment_lies_in_the_users_cache(
    dev: ModuleType, made: list[Path], tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    cache = tmp_path / "cache"
    cache.mkdir()
    monkeypatch.setenv("XDG_CACHE_HOME", str(cache))
    tmp_path.chmod(0o555)
    try:
        assert dev.environment("").is_relative_to(cache)
    finally:
        tmp_path.chmod(0o755)


def test_where_the_database_cannot_lie_beside_the_example_a_copy_runs(
    dev: ModuleType, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(dev, "ROOT", ROOT)
    monkeypatch.setattr(dev, "can_write", lambda folder: False)
    monkeypatch.setenv("XDG_CACHE_HOME", str(tmp_path))
    first, again = dev.example(), dev.example()
    assert first == again
    assert first.is_relative_to(tmp_path)
    assert sorted(p.name for p in first.parent.iterdir()) == ["jobs.py", "scheduler.ini"]


@pytest.mark.parametrize(("words", "code"), [([], 2), (["dance"], 2), (["--help"], 0)])
def test_it_says_what_it_can_do(words: list[str], code: int) -> None:
    done = subprocess.run(
        [sys.executable, ROOT / "dev.py", *words], capture_output=True, text=True, check=False
    )
    assert done.returncode == code
    assert "dev.py" in done.stdout + done.stderr
    assert "Traceback" not in done.stderr
