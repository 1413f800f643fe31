"""A broadcast by this app: planning, pump and sending in one process, so all of it is counted.

python -m benchmarks.ours.broadcast PORT

Direct Line is left out: its two calls for each page of 250 are a function call here.
"""

import asyncio
import json
import os
import sys
from collections.abc import Callable
from functools import cache
from typing import Any

from aiohttp import web

from benchmarks.serving import serve
from bot_logic.clock import SYSTEM_CLOCK
from bot_logic.contract.envelope import WORKER_USER_ID
from bot_logic.notifications.request import parse
from bot_logic.settings import Settings
from bot_logic.storage.account import StorageAccount
from bot_logic.wiring import Wiring


class Way:
    """Takes the pump's triggers to the endpoint."""

    def __init__(self, wiring: Callable[[], Wiring]) -> None:
        self._wiring = wiring

    async def post(self, activity_for: Callable[[str], dict[str, Any]]) -> None:
        """Hand an activity to the bot."""
        activity = {
            "channelId": "directline",
            "serviceUrl": "http://127.0.0.1",
            "conversation": {"id": "the-workers"},
            "from": {"id": WORKER_USER_ID},
            "recipient": {"id": "bot"},
            **activity_for("the-workers"),
        }
        headers = {"Content-Type": "application/json"}
        await self._wiring().endpoint.take(json.dumps(activity).encode(), headers)


@cache
def settings() -> Settings:
    """Return the app's settings, of the environment."""
    return Settings.from_environment(os.environ)


@cache
def wiring() -> Wiring:
    """Return the app's parts; to be made on the running loop."""
    return Wiring(settings(), storage=StorageAccount(settings().storage), triggers=Way(wiring))


async def prepare(request: web.Request) -> web.Response:
    """Let the bot know so many people, in a topic named by their number."""
    order = await request.json()
    count, known = order["count"], wiring().conversations
    references = [
        {
            "channelId": "directline",
            "serviceUrl": order["serviceUrl"],
            "conversation": {"id": f"c{number:07}"},
            "user": {"id": f"dl_{number:07}"},
            "bot": {"id": "bot@benchmarks"},
        }
        for number in range(count)
    ]
    for start in range(0, count, 50):
        some = references[start : start + 50]
        await asyncio.gather(*map(known.remember, some))
        await asyncio.gather(*(known.subscribe(each, str(count)) for each in some))
    return web.Response()


async def broadcast(request: web.Request) -> web.Response:
    """Tell everybody in a topic, and answer when it is done."""
    order = await request.json()
    parts = wiring().notifications
    asked = {"to": {"topic": str(order["count"])}, "text": order["text"]}
    body = json.dumps(asked).encode()
    taken = await parts.orders.take(parse(body, SYSTEM_CLOCK.now(), parts.orders.lifetime))
    (lane,) = [lane async for lane in parts.lanes.idle_lanes(SYSTEM_CLOCK.now())]
    await wiring().wake_ups.pump.run(lane)
    report = await parts.orders.report(taken.id)
    assert report is not None  # noqa: S101 - it was just taken
    return web.json_response({"state": report.state, **report.counts})


if __name__ == "__main__":
    serve(int(sys.argv[1]), {"/prepare": prepare, "/broadcast": broadcast})
