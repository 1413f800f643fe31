"""The floor of an echo turn: parse the activity, post the reply; no SDK, no checks."""

import asyncio
import json
import sys
from typing import Any

import aiohttp
from aiohttp import web


async def main(port: int) -> None:
    """Serve until the process ends."""
    async with aiohttp.ClientSession(connector=aiohttp.TCPConnector(limit=0)) as session:

        async def handle(request: web.Request) -> web.Response:
            activity = json.loads(await request.read())
            async with session.post(_address(activity), json=_reply(activity)) as answer:
                await answer.read()
            return web.Response()

        app = web.Application()
        app.router.add_post("/api/messages", handle)
        runner = web.AppRunner(app, access_log=None)
        await runner.setup()
        await web.TCPSite(runner, "127.0.0.1", port).start()
        await asyncio.Event().wait()


def _address(activity: dict[str, Any]) -> str:
    conversation = f"{activity['serviceUrl']}/v3/conversations/{activity['conversation']['id']}"
    return f"{conversation}/activities/{activity['id']}"


def _reply(activity: dict[str, Any]) -> dict[str, Any]:
    return {
        "type": "message",
        "from": activity["recipient"],
        "recipient": activity["from"],
        "conversation": activity["conversation"],
        "channelId": activity["channelId"],
        "serviceUrl": activity["serviceUrl"],
        "locale": activity["locale"],
        "text": f"Echo: {activity['text']}",
        "inputHint": "acceptingInput",
        "replyToId": activity["id"],
    }


if __name__ == "__main__":
    asyncio.run(main(int(sys.argv[1])))
