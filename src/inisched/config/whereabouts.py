"""Where else a missing module lies, and where in people's own code an exception was raised."""

from __future__ import annotations

import sys
import sysconfig
from collections.abc import Iterator, Sequence
from pathlib import Path
from types import TracebackType

_MOST_FOLDERS = 200
_OURS = str(Path(__file__).parent.parent)


def where_else(names: Sequence[str], *, folder: Path, python_path: Sequence[str]) -> str:
    """A hint naming the folder beside the file's in which module `names` can be found."""
    known = {str(Path(p).resolve()) for p in python_path}
    try:
        for name, place in _places(folder):
            if str(place.resolve()) not in known and _holds(place, names):
                return f"found in `{name}`: add `python_path = {name}`"
    except OSError:
        pass
    return ""


def _places(folder: Path) -> Iterator[tuple[str, Path]]:
    for name in ("..", "src", "../src"):
        yield name, folder / name
    below = sorted(p for p in folder.iterdir() if p.is_dir() and not p.name.startswith("."))
    for place in below[:_MOST_FOLDERS]:
        yield place.name, place


def _holds(place: Path, names: Sequence[str]) -> bool:
    package = place / names[0]
    if package.with_name(f"{names[0]}.py").is_file() or (package / "__init__.py").is_file():
        return True
    if len(names) > 1:
        return package.is_dir() and _holds(package, names[1:])
    return any(package.glob("*.py"))


def raised_at(error: BaseException, *, folder: Path) -> str:
    """FILE:LINE of the deepest frame in people's own code, relative to `folder` where it can be."""
    if isinstance(error, SyntaxError) and error.filename and error.lineno:
        return _shown(error.filename, error.lineno, folder)
    frames = list(_frames(error.__traceback__))
    own = [f for f in frames if not f[0].startswith(("<", _OURS, *_libraries()))]
    if not own:
        return ""
    return _shown(*own[-1], folder)


def _frames(traceback: TracebackType | None) -> Iterator[tuple[str, int]]:
    while traceback is not None:
        yield traceback.tb_frame.f_code.co_filename, traceback.tb_lineno
        traceback = traceback.tb_next


def _libraries() -> tuple[str, ...]:
    paths = sysconfig.get_paths()
    kept = {paths[k] for k in ("stdlib", "platstdlib", "purelib", "platlib")}
    return (*kept, sys.base_prefix + "/lib/python")


def _shown(file: str, line: int, folder: Path) -> str:
    try:
        file = str(Path(file).relative_to(folder))
    except ValueError:
        pass
    return f"{file}:{line}"
