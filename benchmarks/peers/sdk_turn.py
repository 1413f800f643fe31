"""The template's turn as it is usually written: the SDK's state, a queue client each time.

The state is kept in memory, as in the samples, or in blobs, as the SDK's documentation advises.
https://learn.microsoft.com/azure/bot-service/bot-builder-howto-v4-storage
"""

import json
import os
import sys

from azure.storage.queue import TextBase64EncodePolicy
from azure.storage.queue.aio import QueueClient
from botbuilder.azure import BlobStorage, BlobStorageSettings
from botbuilder.core import (
    ActivityHandler,
    ConversationState,
    MemoryStorage,
    MessageFactory,
    TurnContext,
)
from botbuilder.schema import Activity, ActivityTypes

from benchmarks.peers.sdk_adapter import make_adapter, messages
from benchmarks.serving import serve

CONNECTION = os.environ["AzureWebJobsStorage"]


class NaiveBot(ActivityHandler):
    """Shows that it is typing, counts, queues, and says so."""

    def __init__(self, state: ConversationState, queue: str) -> None:
        self._state = state
        self._count = state.create_property("count")
        self._queue = queue

    async def on_turn(self, turn_context: TurnContext) -> None:
        """Save the state after each turn, as the samples do."""
        await super().on_turn(turn_context)
        await self._state.save_changes(turn_context)

    async def on_message_activity(self, turn_context: TurnContext) -> None:
        """Answer what a user wrote."""
        text = turn_context.activity.text
        await turn_context.send_activity(Activity(type=ActivityTypes.typing))
        count = await self._count.get(turn_context, lambda: 0) + 1
        await self._count.set(turn_context, count)
        reference = TurnContext.get_conversation_reference(turn_context.activity)
        message = json.dumps({"conversation": reference.serialize(), "text": text})
        async with QueueClient.from_connection_string(
            CONNECTION, self._queue, message_encode_policy=TextBase64EncodePolicy()
        ) as queue:
            await queue.send_message(message)
        reply = f"{count}: You said {text}. Message added to the queue."
        await turn_context.send_activity(MessageFactory.text(reply))


def main(port: str, where: str) -> None:
    """Serve until the process ends."""
    blobs = BlobStorageSettings("state", connection_string=CONNECTION)
    storage = MemoryStorage() if where == "memory" else BlobStorage(blobs)
    bot = NaiveBot(ConversationState(storage), f"peer-{where}")
    serve(int(port), {"/api/messages": messages(make_adapter(), bot)})


if __name__ == "__main__":
    main(*sys.argv[1:])
