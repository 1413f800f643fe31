"""Notifications of this app to more people than a storage emulator holds.

python -m benchmarks.ours.crowd PORT

The rows of the table of audiences are made when they are read; all else is Azurite's.
"""

import os
import resource
import sys
import time
from collections.abc import AsyncIterator
from functools import cache
from typing import Any, Final

from aiohttp import web

from benchmarks.ours.broadcast import Way
from benchmarks.serving import serve
from bot_logic.clock import SYSTEM_CLOCK
from bot_logic.conversations.audiences import TABLE_NAME
from bot_logic.notifications.orders import Request
from bot_logic.settings import Settings
from bot_logic.storage.account import StorageAccount
from bot_logic.storage.protocols import Between, Key, StoredRow
from bot_logic.wiring import Wiring

DAY: Final = 24 * 3600  # seconds
KIB: Final = 1024
DIGITS: Final = 40  # of a row key
REFERENCE: Final = (
    '{"channelId": "crowd", "serviceUrl": "%s", "conversation": {"id": "c%040x"}, '
    '"user": {"id": "u%040x"}, "bot": {"id": "b"}}'
)


class Crowd:
    """A table of so many people, as far as notifications read it."""

    count = 0
    service_url = ""

    async def rows(
        self, partition: str, *, between: Between, **_others: Any
    ) -> AsyncIterator[StoredRow]:
        """Yield those in a range of keys."""
        for number in range(_number(between.after), self.count):
            row = f"{number:040x}"
            if row > between.last:
                return
            columns = {"reference": REFERENCE % (self.service_url, number, number)}
            yield StoredRow(Key(partition, row), columns, "")


def _number(after: str) -> int:
    """Return the number of the first row behind a key, or behind the beginning of one."""
    return int(after.ljust(DIGITS, "0"), 16) + (len(after) == DIGITS)


class Storage(StorageAccount):
    """An account with a crowd in it."""

    def table(self, name: str) -> Any:
        """Return a table."""
        return CROWD if name == TABLE_NAME else super().table(name)


CROWD: Final = Crowd()


@cache
def wiring() -> Wiring:
    """Return the app's parts; to be made on the running loop."""
    settings = Settings.from_environment(os.environ)
    return Wiring(settings, storage=Storage(settings.storage), triggers=Way(wiring))


async def plan(request: web.Request) -> web.Response:
    """Plan a notification to so many people; answer with what it took."""
    before = time.process_time()
    notification = await _planned(await request.json())
    return await _took(notification, before)


async def broadcast(request: web.Request) -> web.Response:
    """Tell so many people; answer with what it took."""
    before = time.process_time()
    notification = await _planned(await request.json())
    (lane,) = [lane async for lane in wiring().notifications.lanes.idle_lanes(SYSTEM_CLOCK.now())]
    await wiring().wake_ups.pump.run(lane)
    return await _took(notification, before)


async def _planned(order: dict[str, Any]) -> str:
    CROWD.count, CROWD.service_url = order["count"], order["serviceUrl"]
    now, parts = int(SYSTEM_CLOCK.now()), wiring().notifications
    asked = Request({"topic": "crowd"}, {"type": "message", "text": "News"}, now, now + DAY)
    notification = await parts.orders.store_once(asked)
    while not (await parts.orders.report(notification.id)).notification.planned:  # type: ignore[union-attr]
        await parts.planner.plan(notification.id)
    return notification.id


async def _took(notification: str, before: float) -> web.Response:
    used = time.process_time() - before
    report = await wiring().notifications.orders.report(notification)
    peak = resource.getrusage(resource.RUSAGE_SELF).ru_maxrss / KIB
    counts = report.counts if report else {}
    return web.json_response({"counts": counts, "cpu": used, "peak": peak})


if __name__ == "__main__":
    serve(int(sys.argv[1]), {"/plan": plan, "/broadcast": broadcast})
