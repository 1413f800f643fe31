"""Timer triggers: a function is called when its schedule says so, in UTC.

https://learn.microsoft.com/azure/azure-functions/functions-bindings-timer
"""

import asyncio
import json
import logging
from contextlib import suppress
from datetime import UTC, datetime
from typing import Any

from azure.functions.meta import Datum
from croniter import croniter

from local_dev.functions_host.app_loader import Function, InvocationError
from local_dev.functions_host.configuration import StartError, resolved

SIX_FIELDS = 6  # NCRONTAB begins with the second; with five fields it is 0

log = logging.getLogger(__name__)


class Timer:
    """Calls one function again and again; what it missed while it was off, it does not catch up."""

    def __init__(self, function: Function) -> None:
        self._function = function
        schedule = resolved(str(function.trigger.get("schedule", "")))
        fields = schedule.split()
        self._schedule = schedule if len(fields) == SIX_FIELDS else f"0 {schedule}"
        if not croniter.is_valid(self._schedule, second_at_beginning=True):
            raise StartError(f"{function.name}: {schedule!r} is not a schedule this host knows")
        log.info("%s: timerTrigger %s", function.name, schedule)

    async def run(self, stopping: asyncio.Event) -> None:
        """Work until `stopping` is set; a call that is under way is awaited."""
        if self._function.trigger.get("runOnStartup"):
            await self._call()
        while not stopping.is_set():
            with suppress(TimeoutError):
                async with asyncio.timeout(self.seconds_until_next(datetime.now(UTC))):
                    await stopping.wait()
            if not stopping.is_set():
                await self._call()

    def seconds_until_next(self, now: datetime) -> float:
        """Return how many seconds after `now` the schedule calls."""
        due = croniter(self._schedule, now, second_at_beginning=True).get_next(datetime)
        return float((due - now).total_seconds())

    async def _call(self) -> None:
        status: Any = {"Schedule": {}, "ScheduleStatus": None, "IsPastDue": False}
        try:
            await self._function.invoke(Datum(json.dumps(status), "json"), {})
        except InvocationError as error:
            log.error("%s failed\n%s", self._function.name, error)  # noqa: TRY400 - is a trace
        else:
            log.info("%s succeeded", self._function.name)
