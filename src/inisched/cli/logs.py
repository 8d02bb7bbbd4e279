"""The daemon's log: one event a line on standard error, for people or for programs."""

from __future__ import annotations

import json
import logging
import sys
import time
from datetime import UTC, datetime

from inisched.config.drawing import escaped
from inisched.questions.moments import iso_utc

LEVELS = {"debug": "DEBUG", "info": "INFO", "warning": "WARNING", "error": "ERROR"}


class OneLine(logging.Formatter):
    """A line per event, whatever stands in it: escapes and line ends are spelled out."""

    def format(self, record: logging.LogRecord) -> str:
        moment = time.strftime("%Y-%m-%dT%H:%M:%S", time.localtime(record.created))
        offset = time.strftime("%z", time.localtime(record.created))
        text = escaped(super().format(record).replace("\n", " | "))
        return f"{moment}{offset} {record.levelname.lower()} {text}"


class OneObject(logging.Formatter):
    """A JSON object per event, in ASCII, as logstash takes it: what is known of a job lies flat."""

    def format(self, record: logging.LogRecord) -> str:
        moment = datetime.fromtimestamp(record.created, UTC)
        told: dict[str, object] = {
            "@timestamp": moment.isoformat(timespec="milliseconds").replace("+00:00", "Z"),
            "@version": "1",
            "message": record.getMessage(),
            "level": record.levelname,
            "logger_name": record.name,
        }
        told |= getattr(record, "facts", {})
        if record.exc_info:
            told["stack_trace"] = self.formatException(record.exc_info)
        return json.dumps({name: _plain(value) for name, value in told.items()})


def _plain(value: object) -> object:
    """As JSON holds it; bytes that were no text are spelled out."""
    if isinstance(value, datetime):
        return iso_utc(value)
    if isinstance(value, str):
        return value.encode("utf-8", "backslashreplace").decode()
    return value


def set_up_logging(level: str, form: str) -> None:
    """Log to standard error; trouble with the log itself never stops the daemon."""
    handler = logging.StreamHandler(sys.stderr)
    handler.setFormatter(OneObject() if form == "json" else OneLine())
    logging.raiseExceptions = False
    root = logging.getLogger("inisched")
    root.handlers[:] = [handler]
    root.propagate = False
    root.setLevel(LEVELS.get(level, "INFO"))


def is_json() -> bool:
    """Whether each line of the log is an object, as it is now."""
    handlers = logging.getLogger("inisched").handlers
    return any(isinstance(handler.formatter, OneObject) for handler in handlers)
