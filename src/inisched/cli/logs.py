"""The daemon's log: one event a line on standard error."""

from __future__ import annotations

import logging
import sys
import time

from inisched.config.drawing import escaped

LEVELS = {"debug": "DEBUG", "info": "INFO", "warning": "WARNING", "error": "ERROR"}


class OneLine(logging.Formatter):
    """A line per event, whatever stands in it: escapes and line ends are spelled out."""

    def format(self, record: logging.LogRecord) -> str:
        moment = time.strftime("%Y-%m-%dT%H:%M:%S", time.localtime(record.created))
        offset = time.strftime("%z", time.localtime(record.created))
        text = escaped(super().format(record).replace("\n", " | "))
        return f"{moment}{offset} {record.levelname.lower()} {text}"


def set_up_logging(level: str) -> None:
    """Log to standard error; trouble with the log itself never stops the daemon."""
    handler = logging.StreamHandler(sys.stderr)
    handler.setFormatter(OneLine())
    logging.raiseExceptions = False
    root = logging.getLogger("inisched")
    root.handlers[:] = [handler]
    root.propagate = False
    root.setLevel(LEVELS.get(level, "INFO"))
