"""The exit codes, frozen."""

from enum import IntEnum


class Exit(IntEnum):
    """What a command's exit code says."""

    FINE = 0
    PROBLEM = 1
    MISUSE = 2
    DIFFERENT = 3
    UNKNOWN = 4
    ALREADY_RUNNING = 5
    UNREACHABLE = 6
    NOT_NOW = 75


BROKEN_OFF = 130
"""Ctrl-C ended the command."""


class Trouble(Exception):
    """Ends the command with a message on standard error and an exit code."""

    def __init__(self, message: str, code: Exit = Exit.PROBLEM) -> None:
        super().__init__(message)
        self.code = code
