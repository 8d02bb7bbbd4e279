"""The callbacks of scheduler.ini: ordinary functions, in a module beside the file."""

import random
from datetime import datetime

from inisched import STATUS, Result


def greet(to_whom: str) -> None:
    """Say hello; what it prints is kept with the run."""
    print(f"Hello, {to_whom}!")


def fetch_prices(chance: float) -> str:
    """Return a text, or raise with the given chance: then the run is a failure."""
    if random.random() < chance:
        raise ConnectionError("the shop did not answer")
    return "42 prices fetched"


def report(scheduled_for: datetime) -> Result:
    """A callback that names `scheduled_for` is told which fire it is carrying out."""
    return Result(
        STATUS.SUCCESS,
        message=f"the report of {scheduled_for:%d %B} is out",
        output="3 pages, 12 recipients",
    )
