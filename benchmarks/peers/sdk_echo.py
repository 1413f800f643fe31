"""The SDK's echo bot, as in BotBuilder-Samples' 02.echo-bot."""

import sys

from botbuilder.core import ActivityHandler, MessageFactory, TurnContext

from benchmarks.peers.sdk_server import make_adapter, messages, serve


class EchoBot(ActivityHandler):
    """Says what it hears."""

    async def on_message_activity(self, turn_context: TurnContext) -> None:
        """Answer what a user wrote."""
        await turn_context.send_activity(MessageFactory.text(f"Echo: {turn_context.activity.text}"))


if __name__ == "__main__":
    serve(int(sys.argv[1]), {"/api/messages": messages(make_adapter(), EchoBot())})
