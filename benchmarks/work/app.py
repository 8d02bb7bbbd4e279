"""A callback in a module that imports what those of applications do."""

from __future__ import annotations

import json
import logging
import sqlite3
import urllib.request

IMPORTED = (json, logging, sqlite3, urllib.request)


def say() -> None:
    """A small callback with something to capture."""
    print("captured", flush=True)
