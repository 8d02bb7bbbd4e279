"""Every hand-written expectation is asked of the oracle and of the implementation."""

from __future__ import annotations

import pytest

from timing.plans import Fires, by_oracle, by_recurrence


@pytest.fixture(params=[by_oracle, by_recurrence], ids=["oracle", "recurrence"])
def fires(request: pytest.FixtureRequest) -> Fires:
    return Fires(request.param)
