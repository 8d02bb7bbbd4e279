"""Every file in files/ beside the whole text it must produce."""

from pathlib import Path

import pytest

from inisched.config.drawing import draw, summary
from inisched.config.loader import load
from inisched.model.diagnostic import Level

FILES = Path(__file__).parent / "files"


def report(path: str) -> str:
    config = load(path, strict_references=True)
    jobs, fine = len(config.sections), len(config.jobs)
    return draw(config.diagnostics) + summary(config.diagnostics, file=path, jobs=jobs, fine=fine)


@pytest.mark.parametrize("name", sorted(path.stem for path in FILES.glob("*.ini")))
def test_a_file_gives_the_text_beside_it(name: str, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.chdir(FILES)
    monkeypatch.setenv("SET_GRACE", "not a duration")
    for unset in ("NOT_SET", "NOT_SET_REGION", "DJANGO_SETTINGS_MODULE"):
        monkeypatch.delenv(unset, raising=False)
    assert report(f"{name}.ini") == (FILES / f"{name}.expected").read_text(encoding="utf-8")


@pytest.mark.parametrize("name", sorted(path.stem for path in FILES.glob("*.ini")))
def test_every_error_says_what_was_expected_or_names_a_cure(
    name: str, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.chdir(FILES)
    monkeypatch.setenv("SET_GRACE", "not a duration")
    found = load(f"{name}.ini", strict_references=True).diagnostics
    bare = [d.message for d in found if d.level is Level.ERROR and not (d.expected or d.hint)]
    assert bare == []
