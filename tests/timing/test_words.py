"""A whole schedule in one line, as `next --expr` takes it."""

from __future__ import annotations

import pytest

from inisched.model.diagnostic import Unreadable
from inisched.timing.words import read_expression


@pytest.mark.parametrize(
    ("text", "shown"),
    [
        ("monday at 09:30", "monday at 09:30"),
        ("every 5 minutes", "5 minutes"),
        ("Every day AT 9:30", "day at 09:30"),
        ("5 to 10 minutes", "5 to 10 minutes"),
        ("2 hours at :15, :45", "2 hours at :15, :45"),
        ("2 days at 06:00, 12:00, 18:00", "2 days at 06:00, 12:00, 18:00"),
        ("0 5 * * 1-5", "0 5 * * 1-5"),
        ("30 0 5 * * 1-5", "30 0 5 * * 1-5"),
        ("*/5 * * * *", "*/5 * * * *"),
        ("@daily", "0 0 * * *"),
    ],
)
def test_a_line_is_an_every_with_its_at_or_a_cron_expression(text: str, shown: str) -> None:
    assert read_expression(text, "Europe/Paris").text == shown


def test_reboot_has_no_coming_fires() -> None:
    with pytest.raises(Unreadable) as caught:
        read_expression("@reboot", "UTC")
    assert (caught.value.problem, caught.value.expected) == (
        "'@reboot' has no coming fires",
        "a schedule",
    )
