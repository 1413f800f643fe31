"""The floor: JSON parsed and posted with aiohttp alone; no SDK, no checks."""

import json
import sys
from functools import cache
from typing import Any

import aiohttp
from aiohttp import web

from benchmarks.sayings import conversation_of, reference, text_of
from benchmarks.serving import serve, speaking


@cache
def session() -> aiohttp.ClientSession:
    """Return the connections; to be made on the running loop."""
    return aiohttp.ClientSession(connector=aiohttp.TCPConnector(limit=0))


async def echo(request: web.Request) -> web.Response:
    """Parse the activity, post the reply."""
    heard = json.loads(await request.read())
    where = f"{heard['serviceUrl']}/v3/conversations/{heard['conversation']['id']}"
    reply = message(heard, heard["recipient"], heard["from"], f"Echo: {heard['text']}")
    reply |= {"locale": heard["locale"], "replyToId": heard["id"]}
    await post(f"{where}/activities/{heard['id']}", reply)
    return web.Response()


async def say(number: int, service_url: str) -> None:
    """Post one message."""
    where = reference(number, service_url)
    url = f"{service_url}/v3/conversations/{conversation_of(number)}/activities"
    await post(url, message(where, where["bot"], where["user"], text_of(number)))


async def post(url: str, content: dict[str, Any]) -> None:
    """Post an activity, and read the answer."""
    async with session().post(url, json=content) as answer:
        await answer.read()


def message(where: dict[str, Any], sender: Any, recipient: Any, text: str) -> dict[str, Any]:
    """Make what a bot says there."""
    return {
        "type": "message",
        "from": sender,
        "recipient": recipient,
        "conversation": where["conversation"],
        "channelId": where["channelId"],
        "serviceUrl": where["serviceUrl"],
        "text": text,
        "inputHint": "acceptingInput",
    }


if __name__ == "__main__":
    serve(int(sys.argv[1]), {"/api/messages": echo, "/speak-first": speaking(say)})
