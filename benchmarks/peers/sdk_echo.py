"""The SDK's samples: 02.echo-bot, and 16.proactive-messages, which speaks to one after the other.

https://github.com/microsoft/BotBuilder-Samples/tree/main/samples/python
"""

import asyncio
import sys

from botbuilder.schema import ConversationReference

from benchmarks.bots import EchoBot, Logic, speaker
from benchmarks.peers.sdk_adapter import Configuration, make_adapter, messages
from benchmarks.sayings import PACE
from benchmarks.serving import serve, speaking

ADAPTER = make_adapter()


async def say_in(where: ConversationReference, logic: Logic) -> None:
    """Continue a conversation."""
    await ADAPTER.continue_conversation(where, logic, Configuration.APP_ID)


async def say_in_turn(where: ConversationReference, logic: Logic) -> None:
    """Continue a conversation, and wait a moment, so that there are not too many in a second."""
    await say_in(where, logic)
    await asyncio.sleep(1 / PACE)


if __name__ == "__main__":
    routes = {
        "/api/messages": messages(ADAPTER, EchoBot()),
        "/speak-first": speaking(speaker(say_in), at_once=1),
        "/speak-paced": speaking(speaker(say_in_turn), at_once=1),
    }
    serve(int(sys.argv[1]), routes)
