"""A message to many by this app without notifications: a queue message for each of them.

python -m benchmarks.ours.queued PORT
"""

import asyncio
import json
import os
import sys
from dataclasses import dataclass
from functools import cache

from aiohttp import web
from azure.storage.queue.aio import QueueClient

from benchmarks.ours.broadcast import Way
from benchmarks.serving import IN_FLIGHT, serve
from bot_logic.contract.envelope import QUEUE_NAME
from bot_logic.settings import Settings
from bot_logic.wiring import Wiring


@dataclass(frozen=True)
class Received:
    """A queue message, as the Functions host hands it out."""

    id: str
    content: str

    def get_body(self) -> str:
        """Return what was put."""
        return self.content


@cache
def wiring() -> Wiring:
    """Return the app's parts; to be made on the running loop."""
    return Wiring(Settings.from_environment(os.environ), triggers=Way(wiring))


async def broadcast(request: web.Request) -> web.Response:
    """Queue a message for each, then hand all to the bot, as many at once as in host.json."""
    order = await request.json()
    queue = wiring().storage.queue(QUEUE_NAME)
    messages = [
        json.dumps(
            {
                "conversation": {
                    "channelId": "directline",
                    "serviceUrl": order["serviceUrl"],
                    "conversation": {"id": f"c{number:07}"},
                    "user": {"id": f"dl_{number:07}"},
                    "bot": {"id": "bot@benchmarks"},
                },
                "activity": {"type": "message", "text": order["text"]},
            }
        )
        for number in range(order["count"])
    ]
    places = asyncio.Semaphore(IN_FLIGHT)

    async def put(message: str) -> None:
        async with places:
            await queue.put(message)

    await asyncio.gather(*map(put, messages))
    connection = os.environ["AzureWebJobsStorage"]
    async with QueueClient.from_connection_string(connection, QUEUE_NAME) as received:
        while page := [each async for each in received.receive_messages(max_messages=IN_FLIGHT)]:
            handed = (wiring().worker.handle(Received(each.id, each.content)) for each in page)
            await asyncio.gather(*handed)
            await asyncio.gather(*map(received.delete_message, page))
    return web.Response()


if __name__ == "__main__":
    serve(int(sys.argv[1]), {"/broadcast": broadcast})
