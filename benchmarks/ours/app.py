"""The whole app as `function_app` wires it, and its adapter's bare `continue_with`."""

import asyncio
import sys
from functools import cache

import azure.functions as func
from aiohttp import web
from botbuilder.core import TurnContext
from botbuilder.schema import ConversationReference

from benchmarks.ours.functions_server import route
from benchmarks.serving import serve
from benchmarks.users import USERS, reference, text_of
from bot_logic.startup import wiring

IN_FLIGHT = 24  # as many as one instance has: batchSize and newBatchThreshold in host.json


@cache  # read with the first messages, which are the warm-up
def stored_references(service_url: str) -> list[ConversationReference]:
    """Return where to speak."""
    return [
        ConversationReference.deserialize(reference(number, service_url)) for number in range(USERS)
    ]


async def speak_first(request: web.Request) -> web.Response:
    """Handle ``{"first", "count", "serviceUrl"}``: so many proactive messages, side by side."""
    order = await request.json()
    references = stored_references(order["serviceUrl"])
    numbers = iter(range(order["first"], order["first"] + order["count"]))
    adapter = wiring().endpoint.adapter

    async def speak() -> None:
        for number in numbers:

            async def say(turn: TurnContext, text: str = text_of(number)) -> None:
                await turn.send_activity(text)

            await adapter.continue_with(references[number % USERS], say, [])

    async with asyncio.TaskGroup() as group:
        for _ in range(IN_FLIGHT):
            group.create_task(speak())
    return web.Response()


async def answer(request: func.HttpRequest) -> func.HttpResponse:
    """Answer a channel's request."""
    return await wiring().endpoint.answer(request)


if __name__ == "__main__":
    routes = {"/api/messages": route(answer), "/speak-first": speak_first}
    asyncio.run(serve(int(sys.argv[1]), routes))
