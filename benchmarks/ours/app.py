"""The whole app as `function_app` wires it, its worker, and its adapter's bare `speak_first`."""

import asyncio
import os
import sys
from functools import cache

from aiohttp import web
from botbuilder.core import TurnContext
from botbuilder.schema import ConversationReference

from benchmarks.ours.functions_server import Handler, route, serve
from benchmarks.storage import existing_queue, received
from benchmarks.users import USERS, reference, text_of
from bot_logic.envelope import QUEUE_NAME
from bot_logic.settings import Settings
from bot_logic.wiring import Wiring

BATCH = 16  # messages that the Functions host takes off a queue at once, by host.json
IN_FLIGHT = 24  # as many as one instance has: batchSize and newBatchThreshold in host.json


@cache  # read with the first messages, which are the warm-up
def stored_references(service_url: str) -> list[ConversationReference]:
    """Where to speak."""
    return [
        ConversationReference.deserialize(reference(number, service_url)) for number in range(USERS)
    ]


def speak_first(wiring: Wiring) -> Handler:
    """Handles ``{"first", "count", "serviceUrl"}``: so many proactive messages, side by side."""

    async def handle(request: web.Request) -> web.Response:
        order = await request.json()
        references = stored_references(order["serviceUrl"])
        numbers = iter(range(order["first"], order["first"] + order["count"]))

        async def speak() -> None:
            for number in numbers:

                async def say(turn: TurnContext, text: str = text_of(number)) -> None:
                    await turn.send_activity(text)

                await wiring.adapter.speak_first(references[number % USERS], say)

        async with asyncio.TaskGroup() as group:
            for _ in range(IN_FLIGHT):
                group.create_task(speak())
        return web.Response()

    return handle


def drain(wiring: Wiring) -> Handler:
    """Handles ``{"count"}``: takes so many messages off the queue and delivers them."""

    async def handle(request: web.Request) -> web.Response:
        left = (await request.json())["count"]
        connection = wiring.settings.storage_connection.reveal()
        async with existing_queue(connection, QUEUE_NAME) as queue:
            while left:
                batch = await received(queue, min(left, BATCH))
                async with asyncio.TaskGroup() as group:
                    for message in batch:
                        group.create_task(wiring.deliver(message))
                left -= len(batch)
        return web.Response()

    return handle


def main() -> None:
    """Serve until the process ends."""
    wiring = Wiring(Settings.from_environment(os.environ))
    routes = {
        "/api/messages": route(wiring.messages),
        "/speak-first": speak_first(wiring),
        "/drain": drain(wiring),
    }
    asyncio.run(serve(int(sys.argv[1]), routes))


if __name__ == "__main__":
    main()
