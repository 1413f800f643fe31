"""The floor of proactive messages: posts of ready JSON, side by side; no SDK, no checks."""

import asyncio
import sys
from typing import Any

import aiohttp
from aiohttp import web

from benchmarks.users import conversation_of, reference, text_of

IN_FLIGHT = 24  # as many as in ours


async def main(port: int) -> None:
    """Serve until the process ends."""
    async with aiohttp.ClientSession(connector=aiohttp.TCPConnector(limit=0)) as session:

        async def handle(request: web.Request) -> web.Response:
            order = await request.json()
            url = order["serviceUrl"]
            numbers = iter(range(order["first"], order["first"] + order["count"]))

            async def speak() -> None:
                for number in numbers:
                    address = f"{url}/v3/conversations/{conversation_of(number)}/activities"
                    async with session.post(address, json=_message(number, url)) as answer:
                        await answer.read()

            async with asyncio.TaskGroup() as group:
                for _ in range(IN_FLIGHT):
                    group.create_task(speak())
            return web.Response()

        app = web.Application()
        app.router.add_post("/speak-first", handle)
        runner = web.AppRunner(app, access_log=None)
        await runner.setup()
        await web.TCPSite(runner, "127.0.0.1", port).start()
        await asyncio.Event().wait()


def _message(number: int, service_url: str) -> dict[str, Any]:
    where = reference(number, service_url)
    return {
        "type": "message",
        "from": where["bot"],
        "recipient": where["user"],
        "conversation": where["conversation"],
        "channelId": where["channelId"],
        "serviceUrl": service_url,
        "text": text_of(number),
        "inputHint": "acceptingInput",
    }


if __name__ == "__main__":
    asyncio.run(main(int(sys.argv[1])))
