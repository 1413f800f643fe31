"""The local Functions host's timers come when their schedule says so."""

from collections.abc import Mapping
from datetime import UTC, datetime
from typing import Any

import pytest
from azure.functions.meta import Datum

from local_dev.functions_host.configuration import StartError
from local_dev.functions_host.timer import Timer

NOON = datetime(2026, 1, 2, 12, tzinfo=UTC)  # a Friday


class Function:
    name = "f"

    def __init__(self, schedule: str) -> None:
        self.trigger: Mapping[str, Any] = {"type": "timerTrigger", "schedule": schedule}

    async def invoke(self, value: Datum, metadata: Mapping[str, Datum]) -> Datum | None:
        raise NotImplementedError


@pytest.mark.parametrize(
    ("schedule", "seconds"),
    [
        ("*/5 * * * * *", 5),
        ("0 */5 * * * *", 300),
        ("0 17 * * * *", 17 * 60),
        ("30 0 12 * * *", 30),
        ("0 0 9-17 * * MON-FRI", 3600),
        ("0 0 0 * * 1", 2 * 86400 + 12 * 3600),
        ("*/5 * * * *", 300),
        ("%Schedule%", 3600),
    ],
)
def test_a_timer_waits_until_its_schedule_says_so(
    schedule: str, seconds: float, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("Schedule", "0 0 * * * *")
    assert Timer(Function(schedule)).seconds_until_next(NOON) == seconds


def test_a_schedule_in_a_setting_that_is_not_there_is_named() -> None:
    with pytest.raises(StartError, match="the app setting Missing is not set"):
        Timer(Function("%Missing%"))


@pytest.mark.parametrize("schedule", ["", "soon", "61 * * * * *", "00:00:05"])
def test_what_is_no_schedule_is_named(schedule: str) -> None:
    with pytest.raises(StartError, match=r"f: .* is not a schedule"):
        Timer(Function(schedule))
