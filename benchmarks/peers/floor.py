"""The floor: JSON parsed and posted with aiohttp alone; no SDK, no checks."""

import asyncio
import json
import sys
from typing import Any

import aiohttp
from aiohttp import web

from benchmarks.serving import Handler, serve
from benchmarks.users import conversation_of, reference, text_of

IN_FLIGHT = 24  # proactive messages at once, as many as in ours


def echo(session: aiohttp.ClientSession) -> Handler:
    """Make the handler of an echo turn: parse the activity, post the reply."""

    async def handle(request: web.Request) -> web.Response:
        activity = json.loads(await request.read())
        where = f"{activity['serviceUrl']}/v3/conversations/{activity['conversation']['id']}"
        url = f"{where}/activities/{activity['id']}"
        async with session.post(url, json=_reply(activity)) as answer:
            await answer.read()
        return web.Response()

    return handle


def speak_first(session: aiohttp.ClientSession) -> Handler:
    """Make the handler of ``{"first", "count", "serviceUrl"}``: so many posts, side by side."""

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

    return handle


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


async def main(port: int) -> None:
    """Serve until the process ends."""
    async with aiohttp.ClientSession(connector=aiohttp.TCPConnector(limit=0)) as session:
        await serve(port, {"/api/messages": echo(session), "/speak-first": speak_first(session)})


if __name__ == "__main__":
    asyncio.run(main(int(sys.argv[1])))
