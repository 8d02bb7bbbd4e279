"""What stands around every command: exit codes, and streams that carry any name."""

from __future__ import annotations

import errno
import os
import sys
from collections.abc import Callable
from typing import NoReturn

from inisched.cli.exits import BROKEN_OFF, Exit, Trouble


def carry_out(command: Callable[[], object]) -> NoReturn:
    """Exit with what the command returns, 0 where that is no number; never with a traceback."""
    _speak_utf8()
    try:
        code = command()
        sys.stdout.flush()
    except Trouble as error:
        from inisched.config.drawing import escaped

        complain(escaped(str(error)))
        sys.exit(error.code)
    except KeyboardInterrupt:
        sys.exit(BROKEN_OFF)
    except BrokenPipeError:
        _leave_quietly(Exit.FINE)
    except OSError as error:
        if error.errno != errno.ENOSPC:
            raise
        complain(f"the output cannot be written: {error.strerror}")
        _leave_quietly(Exit.PROBLEM)
    except Exception as error:
        if os.environ.get("INISCHED_DEBUG"):
            raise
        fault = f"a fault of its own: {type(error).__name__}: {error}"
        complain(f"{fault} (INISCHED_DEBUG=1 shows where)")
        sys.exit(Exit.PROBLEM)
    sys.exit(code if isinstance(code, int) else Exit.FINE)


def complain(text: str) -> None:
    """One line on standard error."""
    sys.stderr.write(f"inisched: {text}\n")
    sys.stderr.flush()


def _leave_quietly(code: Exit) -> NoReturn:
    """Nobody reads the rest: do not let the interpreter stumble over it at its end."""
    os.dup2(os.open(os.devnull, os.O_WRONLY), 1)
    sys.exit(code)


def _speak_utf8() -> None:
    """Print any name, whatever the locale says and whoever closed the streams."""
    for name in ("stdout", "stderr"):
        stream = getattr(sys, name)
        if stream is None:
            setattr(sys, name, open(os.devnull, "w", encoding="utf-8"))  # noqa: SIM115
            continue
        stream.reconfigure(encoding="utf-8", errors="backslashreplace")
