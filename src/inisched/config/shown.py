"""What a view may show of the arguments a callback is handed."""

from __future__ import annotations

import math
from datetime import date, timedelta
from decimal import Decimal
from enum import Enum

from inisched.config.problem import is_secret
from inisched.model.job import Argument


def masked(argument: Argument) -> str:
    """An argument's text as views and messages may show it."""
    return "***" if is_secret(argument.name) else argument.shown


def show_argument(argument: Argument, value: object) -> object:
    """What a view may say of a converted argument: a value JSON can hold."""
    if is_secret(argument.name) or argument.text != argument.shown:
        return masked(argument)
    return shown(value)


def shown(value: object) -> object:
    """A converted value as JSON can hold it."""
    match value:
        case Enum():
            return value.name
        case float() if not math.isfinite(value):
            return str(value)
        case None | bool() | int() | float() | str():
            return value
        case date():
            return value.isoformat()
        case timedelta():
            return f"{value.total_seconds():.0f} s"
        case Decimal():
            return str(value)
        case list() | tuple():
            return [shown(v) for v in value]
        case set() | frozenset():
            return sorted((shown(v) for v in value), key=str)
        case dict():
            return {str(k): shown(v) for k, v in value.items()}
    return str(value)
