"""The SDK's samples: 02.echo-bot, and 16.proactive-messages, which speaks to one after the other.

https://github.com/microsoft/BotBuilder-Samples/tree/main/samples/python
"""

import sys

from botbuilder.schema import ConversationReference

from benchmarks.bots import EchoBot, Logic, speaker
from benchmarks.peers.sdk_adapter import Configuration, make_adapter, messages
from benchmarks.serving import serve, speaking

ADAPTER = make_adapter()


async def say_in(where: ConversationReference, logic: Logic) -> None:
    """Continue a conversation."""
    await ADAPTER.continue_conversation(where, logic, Configuration.APP_ID)


if __name__ == "__main__":
    speak_first = speaking(speaker(say_in), at_once=1)
    routes = {"/api/messages": messages(ADAPTER, EchoBot()), "/speak-first": speak_first}
    serve(int(sys.argv[1]), routes)
