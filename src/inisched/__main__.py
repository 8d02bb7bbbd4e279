"""The program's entrance: `inisched`, and `python -m inisched`."""

from __future__ import annotations

import os
import sys


def main() -> None:
    """Run the command line; a daemon that is only just starting already heeds its signals."""
    if "run" in sys.argv[1:]:
        _heed_early_signals()
    match sys.argv[1:]:
        case ["run"]:
            _run_daemon(None)
        case ["run", "-P" | "--path", path]:
            _run_daemon(path)
        case _:
            from inisched.cli.commands import main as command_line

            command_line()


def _run_daemon(path: str | None) -> None:
    """Not by way of click: the daemon would carry that for as long as it lives."""
    from inisched.cli.guard import carry_out
    from inisched.cli.serve import serve

    carry_out(lambda: serve(path))


def _heed_early_signals() -> None:
    """Nothing runs yet, so TERM and INT simply end it; the file is about to be read anyway."""
    import signal

    for number in (signal.SIGTERM, signal.SIGINT):
        signal.signal(number, lambda *_: os._exit(0))
    for number in (signal.SIGHUP, signal.SIGUSR1):
        signal.signal(number, signal.SIG_IGN)


if __name__ == "__main__":
    main()
