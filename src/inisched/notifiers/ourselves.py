"""What we call ourselves where others ask who sends."""

from __future__ import annotations

from importlib.metadata import PackageNotFoundError, version


def _version() -> str:
    """The installed version; "0" where only the source is at hand."""
    try:
        return version("inisched")
    except PackageNotFoundError:
        return "0"


VERSION = _version()
AGENT = f"inisched/{VERSION}"
RELEASE = f"inisched@{VERSION}"
