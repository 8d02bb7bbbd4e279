#!/usr/bin/env python3
"""Everything a developer types. Needs Python 3.11 or newer with venv, and nothing else.

It keeps an environment in `.venv` up to date and hands over to what runs inside it. What is
installed, and for which Python and folder, stands in stamp files inside `.venv`; a run that was
interrupted leaves a mark there, and the next one starts that environment afresh.
"""

from __future__ import annotations

import argparse
import contextlib
import hashlib
import os
import shutil
import subprocess
import sys
import tempfile
from collections.abc import Iterator
from pathlib import Path

if sys.version_info < (3, 11):
    sys.exit(f"dev.py needs Python 3.11 or newer; this is {sys.version.split()[0]}.")

import fcntl  # after the check, so that a system without it hears of the version first

ROOT = Path(__file__).resolve().parent
UNFINISHED = "dev-unfinished"
"""Lies in an environment while it is being made or changed."""


def main() -> None:
    parser = argparse.ArgumentParser(prog="dev.py", description=__doc__.split("\n")[0])
    commands = parser.add_subparsers(dest="command", metavar="COMMAND", required=True)
    for name, (_, text) in COMMANDS.items():
        commands.add_parser(name, help=text, add_help=False)
    chosen, rest = parser.parse_known_args()
    COMMANDS[chosen.command][0](rest)


# The commands ----------------------------------------------------------------------------------


def run(rest: list[str]) -> None:
    """Run the example in the foreground; `rest` goes to `inisched run`."""
    python = environment("")
    ini = example()
    print(
        f"""
The jobs of {ini} run now, the first within seconds. What becomes of them
is kept in {ini.with_suffix(".db").name} beside it. To look, in another terminal:

    cd {ROOT}
    {inner(python.with_name("inisched"))} list -P {inner(ini)}
    {inner(python.with_name("inisched"))} history -P {inner(ini)}
    {inner(python.with_name("inisched"))} show RUN -P {inner(ini)}    (RUN: an id of the history)

Ctrl-C stops the daemon.
""",
        flush=True,
    )
    become(python, "-P", "-m", "inisched", "run", "-P", str(ini), *rest)


def test(rest: list[str]) -> None:
    """Run the tests; `rest` goes to pytest, with paths as seen from the root of the checkout."""
    python = environment("test")
    os.chdir(ROOT)
    alone = any(word in ("--pdb", "-s", "--collect-only") or word[:2] == "-n" for word in rest)
    become(python, "-m", "pytest", *([] if alone else ["-n", "4", "--dist", "worksteal"]), *rest)


def lint(rest: list[str]) -> None:
    """Ask ruff and mypy, all of them even where one complains."""
    python = environment("dev")
    os.chdir(ROOT)
    failed = []
    for words in ("ruff check", "ruff format --check", "mypy --strict"):
        print(f"-- {words}", flush=True)
        if subprocess.run([python, "-m", *words.split(), *rest], env=surroundings()).returncode:
            failed.append(words)
    sys.exit(f"failed: {', '.join(failed)}" if failed else 0)


def docs(rest: list[str]) -> None:
    """Write the reference of the keys anew, from their table."""
    become(environment(""), str(ROOT / "docs" / "make_keys.py"), *rest)


def bench(rest: list[str]) -> None:
    """Measure speed beside peers and bare loops; they have an environment of their own."""
    plain = environment("", ".venv-plain")  # without what tests bring: imports would find more
    peers = environment("bench", ".venv-bench")
    os.chdir(ROOT)
    given = ["--plain", str(plain), "--peers", str(peers)]
    become(peers, "-m", "benchmarks", *given, *rest)


COMMANDS = {
    "run": (run, "run examples/scheduler.ini (more words go to `inisched run`)"),
    "test": (test, "run all tests (more words go to pytest)"),
    "lint": (lint, "ruff check, ruff format --check, mypy --strict"),
    "bench": (bench, "measure speed beside peers (more words: rows, --quick, --large, --json F)"),
    "docs": (docs, "write docs/reference/keys.md anew, from the table of keys"),
}


# The environment -------------------------------------------------------------------------------


def environment(extra: str, name: str = ".venv") -> Path:
    """Python of an environment that holds the package with `extra`, made or mended as needed."""
    folder = ROOT / name
    if not is_ready(folder, extra) and not can_write(folder if folder.exists() else ROOT):
        folder = own_folder() / name.lstrip(".")
    if not is_ready(folder, extra):
        with alone_in(folder.parent):
            if not is_ready(folder, extra):  # another dev.py may have done it meanwhile
                prepare(folder, extra)
    return folder / "bin" / "python"


def is_ready(folder: Path, extra: str) -> bool:
    return (
        made_for(folder) == made_here()
        and not (folder / UNFINISHED).exists()
        and (folder / "pyvenv.cfg").exists()
        and os.access(folder / "bin" / "python", os.X_OK)
        and read(installed(folder, extra)) == wanted()
    )


def prepare(folder: Path, extra: str) -> None:
    """Make the environment if it is not usable, and install the package with `extra` into it.

    The mark stays only when this is interrupted: a failed installation is whole, only not done.
    """
    if not is_sound(folder):
        make(folder)
    (folder / UNFINISHED).touch()
    if not install(folder, extra):
        (folder / UNFINISHED).unlink()
        sys.exit("dev.py: the installation failed; what went wrong stands above.")
    installed(folder, extra).write_text(wanted())
    (folder / "dev-made").write_text(made_here())
    give_to_owner(folder)
    (folder / UNFINISHED).unlink()


def is_sound(folder: Path) -> bool:
    """True for an environment that was finished, is meant for this Python and folder, and works.

    One that somebody made by hand has no stamps, and is taken over if it works.
    """
    if (folder / UNFINISHED).exists() or made_for(folder) not in ("", made_here()):
        return False
    question = "import sys, pip; print(sys.prefix, '%d.%d' % sys.version_info[:2])"
    try:
        answer = subprocess.run(
            [folder / "bin" / "python", "-c", question], capture_output=True, text=True, check=True
        )
    except (OSError, subprocess.CalledProcessError):
        return False
    return answer.stdout.strip() == f"{folder} {version()}"


def make(folder: Path) -> None:
    """Make an empty environment in place of what is there.

    The old one's pyvenv.cfg goes first and the mark stands before anything new, so that no
    instant of this, seen after a crash, looks like a sound environment.
    """
    print(f"Making {folder} ...", flush=True)
    if folder.is_symlink() or folder.is_file():
        folder.unlink()
    (folder / "pyvenv.cfg").unlink(missing_ok=True)
    if folder.exists():
        shutil.rmtree(folder)
    folder.mkdir()
    (folder / UNFINISHED).touch()
    base = getattr(sys, "_base_executable", None) or sys.executable
    if subprocess.run([base, "-m", "venv", folder], env=surroundings()).returncode:
        sys.exit(
            "dev.py: this Python cannot make virtual environments.\n"
            "On Debian and Ubuntu `apt install python3-venv` brings what is missing."
        )


def install(folder: Path, extra: str) -> bool:
    """True once the package and its dependencies are in: by uv, or by pip where that fails."""
    extras = f"[{extra}]" if extra else ""
    print(f"Installing inisched{extras} into {folder} ...", flush=True)
    python = str(folder / "bin" / "python")
    pip = [python, "-m", "pip", "install", "--quiet"]
    uv = [python, "-m", "uv", "pip", "install", "--quiet", "--python", python]
    has_uv = succeeds([python, "-m", "uv", "--version"]) or succeeds([*pip, "uv"])
    if has_uv and succeeds([*uv, "--editable", f"{ROOT}{extras}"], shown_output=True):
        return True
    print("uv cannot do it here; pip takes over, which may take a minute or two ...", flush=True)
    return succeeds([*pip, "--editable", f"{ROOT}{extras}"], shown_output=True)


def succeeds(words: list[str], *, shown_output: bool = False) -> bool:
    target = None if shown_output else subprocess.DEVNULL
    done = subprocess.run(
        words, cwd=ROOT, env=surroundings(), stdin=subprocess.DEVNULL, stdout=target, stderr=target
    )
    return done.returncode == 0


def installed(folder: Path, extra: str) -> Path:
    return folder / f"dev-installed-{extra or 'core'}"


def wanted() -> str:
    """What an installation depends on, as one line."""
    return hashlib.sha256((ROOT / "pyproject.toml").read_bytes()).hexdigest()


def made_here() -> str:
    return f"Python {version()} {ROOT}"


def made_for(folder: Path) -> str:
    return read(folder / "dev-made")


def version() -> str:
    return f"{sys.version_info[0]}.{sys.version_info[1]}"


def read(path: Path) -> str:
    """The text of a stamp; nothing where there is none."""
    try:
        return path.read_text()
    except OSError:
        return ""


# Users, folders, processes ---------------------------------------------------------------------


def example() -> Path:
    """The example's file: a copy of its folder where the database cannot lie beside it."""
    folder = ROOT / "examples"
    if not can_write(folder):
        folder = own_folder() / "examples"
        folder.mkdir(exist_ok=True)
        for name in ("scheduler.ini", "jobs.py"):
            shutil.copyfile(ROOT / "examples" / name, folder / name)
    return folder / "scheduler.ini"


def own_folder() -> Path:
    """A folder of this user's for this checkout, for when the checkout itself is read-only."""
    cache = os.environ.get("XDG_CACHE_HOME") or Path.home() / ".cache"
    name = f"inisched-{hashlib.sha256(os.fsencode(ROOT)).hexdigest()[:12]}"
    try:
        folder = Path(cache) / name
        folder.mkdir(parents=True, exist_ok=True)
    except OSError:  # a user without a home
        folder = Path(tempfile.gettempdir()) / f"{name}-{os.geteuid()}"
        folder.mkdir(mode=0o700, exist_ok=True)
        if folder.stat().st_uid != os.geteuid():
            sys.exit(f"dev.py: {folder} belongs to somebody else.")
    return folder


def can_write(folder: Path) -> bool:
    """False also on a read-only file system, where root meets it too."""
    return os.access(folder, os.W_OK | os.X_OK, effective_ids=True)


@contextlib.contextmanager
def alone_in(folder: Path) -> Iterator[None]:
    """Hold a lock on the folder itself: no file is left, and a dead holder frees it."""
    descriptor = os.open(folder, os.O_RDONLY)
    try:
        try:
            fcntl.flock(descriptor, fcntl.LOCK_EX | fcntl.LOCK_NB)
        except BlockingIOError:
            print("Another dev.py is at work on the environment; waiting for it ...", flush=True)
            fcntl.flock(descriptor, fcntl.LOCK_EX)
        except OSError:  # a file system without locks: then nobody else is likely to be here
            pass
        yield
    finally:
        os.close(descriptor)


def give_to_owner(folder: Path) -> None:
    """What root installed in somebody's checkout shall not stand in that person's way."""
    owner = folder.parent.stat()
    if os.geteuid() != 0 or owner.st_uid == 0:
        return
    for place, folders, files in os.walk(folder):
        for name in (".", *folders, *files):
            os.lchown(Path(place, name), owner.st_uid, owner.st_gid)


def surroundings() -> dict[str, str]:
    """The environment variables for what runs inside: none that lead to another Python."""
    kept = {k: v for k, v in os.environ.items() if k not in ("PYTHONHOME", "VIRTUAL_ENV")}
    # Copies, not links: files handed to another owner must not be those of root's cache.
    return {**kept, "PIP_USER": "0", "PIP_DISABLE_PIP_VERSION_CHECK": "1", "UV_LINK_MODE": "copy"}


def become(python: Path, *words: str) -> None:
    """Hand over to the environment's Python, named by its full path, or another would start."""
    os.execve(python, [str(python), *words], surroundings())


def inner(path: Path) -> Path:
    """The path as it may be typed in the root of the checkout."""
    return path.relative_to(ROOT) if path.is_relative_to(ROOT) else path


if __name__ == "__main__":
    try:
        main()
    except KeyboardInterrupt:
        sys.exit(130)
