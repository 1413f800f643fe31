"""A web server of aiohttp on loopback, until the process ends.

Imported by measured programs, so it imports next to nothing.
"""

import asyncio
from collections.abc import Awaitable, Callable, Mapping

from aiohttp import web

IN_FLIGHT = 24  # proactive messages: batchSize and newBatchThreshold in host.json

Handler = Callable[[web.Request], Awaitable[web.StreamResponse]]


def serve(port: int, routes: Mapping[str, Handler]) -> None:
    """Answer POSTs to these paths until the process ends."""
    app = web.Application()
    for path, handler in routes.items():
        app.router.add_post(path, handler)
    web.run_app(app, host="127.0.0.1", port=port, access_log=None, print=None)


def speaking(say: Callable[[int, str], Awaitable[None]], at_once: int = IN_FLIGHT) -> Handler:
    """Make the handler of ``{"first", "count", "serviceUrl"}``: so many proactive messages."""

    async def handle(request: web.Request) -> web.Response:
        order = await request.json()
        numbers = iter(range(order["first"], order["first"] + order["count"]))

        async def speak() -> None:
            for number in numbers:
                await say(number, order["serviceUrl"])

        async with asyncio.TaskGroup() as group:
            for _ in range(at_once):
                group.create_task(speak())
        return web.Response()

    return handle
