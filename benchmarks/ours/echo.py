"""An echo bot on this app's endpoint that stores nothing, as the peer does not.

With `MicrosoftAppId` in the environment all requests are authenticated, else none is.
"""

import asyncio
import os
import sys
from collections.abc import Coroutine
from dataclasses import replace
from functools import cache
from typing import Any

import azure.functions as func
from botbuilder.core import ActivityHandler, TurnContext
from botbuilder.schema import Activity

from benchmarks.ours.functions_server import route
from benchmarks.serving import serve
from bot_logic.bot_endpoint import Endpoint
from bot_logic.bot_endpoint.recorder import ConversationRecorder
from bot_logic.settings import Settings
from bot_logic.wiring import Wiring


class EchoBot(ActivityHandler):
    """Says what it hears."""

    async def on_message_activity(self, turn: TurnContext) -> None:
        """Answer what a user wrote."""
        await turn.send_activity(f"Echo: {turn.activity.text}")


class NoRecorder(ConversationRecorder):
    """Records nothing."""

    async def beside(self, activity: Activity, turn: Coroutine[Any, Any, Any]) -> Any:  # noqa: ARG002
        """Run a turn and return what it returns."""
        return await turn


@cache
def endpoint() -> Endpoint:
    """Return the app's own endpoint around the echo bot; to be made on the running loop."""
    settings = Settings.from_environment(os.environ)
    wiring = Wiring(settings, make_bot=lambda _outbox, _counter: EchoBot())
    return replace(wiring.endpoint, recorder=NoRecorder(wiring.conversations))


async def answer(request: func.HttpRequest) -> func.HttpResponse:
    """Answer a channel's request."""
    return await endpoint().answer(request)


if __name__ == "__main__":
    asyncio.run(serve(int(sys.argv[1]), {"/api/messages": route(answer)}))
