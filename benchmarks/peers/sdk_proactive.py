"""Proactive messages one after the other, as in BotBuilder-Samples' 16.proactive-messages.

https://github.com/microsoft/BotBuilder-Samples/tree/main/samples/python/16.proactive-messages
"""

import sys
from functools import cache

from aiohttp import web
from botbuilder.core import CloudAdapterBase, TurnContext
from botbuilder.schema import ConversationReference

from benchmarks.peers.sdk_server import Configuration, make_adapter, serve
from benchmarks.serving import Handler
from benchmarks.users import USERS, reference, text_of


@cache  # read with the first messages, which are the warm-up
def stored_references(service_url: str) -> list[ConversationReference]:
    """Return where to speak."""
    return [
        ConversationReference.deserialize(reference(number, service_url)) for number in range(USERS)
    ]


def speak_first(adapter: CloudAdapterBase) -> Handler:
    """Make the handler of ``{"first", "count", "serviceUrl"}``: so many proactive messages."""

    async def handle(request: web.Request) -> web.Response:
        order = await request.json()
        references = stored_references(order["serviceUrl"])
        for number in range(order["first"], order["first"] + order["count"]):

            async def say(turn: TurnContext, text: str = text_of(number)) -> None:
                await turn.send_activity(text)

            await adapter.continue_conversation(
                references[number % USERS], say, Configuration.APP_ID
            )
        return web.Response()

    return handle


if __name__ == "__main__":
    serve(int(sys.argv[1]), {"/speak-first": speak_first(make_adapter())})
