"""Serves the daemon's numbers to Prometheus, as a process of its own: `python -m` this module.

It says `ready` once it listens, or in one line why it cannot, and leaves when its daemon has.
"""

from __future__ import annotations

import os
import sys
from collections.abc import Callable
from pathlib import Path

from inisched.model.address import Address
from inisched.web.serving import Server

NEEDED = "the package prometheus_client is missing: pip install 'inisched[metrics]'"


def main() -> None:
    """HOST PORT SOCKET PID: where to listen, where the daemon does, and which process it is."""
    host, port, socket, parent = sys.argv[1:]
    try:
        render = _renderer(Path(socket))
        server = Server(Address(host, int(port)), {"/metrics": render})
    except ImportError:
        sys.exit(NEEDED)
    except OSError as error:
        sys.exit(error.strerror or str(error))
    print("ready", flush=True)  # noqa: T201
    server.serve_while(lambda: os.getppid() == int(parent))


def _renderer(socket: Path) -> Callable[[str], tuple[str, bytes]]:
    from inisched.web.exposition import Exposition

    return Exposition(socket)


if __name__ == "__main__":
    main()
