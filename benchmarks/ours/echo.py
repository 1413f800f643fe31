"""An echo bot on this app's adapter, without middleware, as the peer has none.

With `MicrosoftAppId` in the environment all requests are authenticated, else none is.
"""

import asyncio
import os
import sys

import azure.functions as func
from botbuilder.core import ActivityHandler, TurnContext

from benchmarks.ours.functions_server import route, serve
from bot_logic.bot_endpoint.adapter import FunctionsAdapter
from bot_logic.settings import Settings
from bot_logic.wiring import Wiring


class EchoBot(ActivityHandler):
    """Says what it hears."""

    async def on_message_activity(self, turn: TurnContext) -> None:
        """A user wrote."""
        await turn.send_activity(f"Echo: {turn.activity.text}")


class EchoWiring(Wiring):
    """The app's own parts, with a bot that needs no storage."""

    def __init__(self, settings: Settings) -> None:
        super().__init__(settings)
        self._echo = EchoBot()
        self._bare_adapter: FunctionsAdapter | None = None

    async def messages(self, request: func.HttpRequest) -> func.HttpResponse:
        """A channel's request."""
        if self._bare_adapter is None:  # made on the running loop, as all that has a session
            self._bare_adapter = FunctionsAdapter(
                self._authentication(), self.settings.service_urls
            )
        return await self._bare_adapter.process(request, self._echo)


def main() -> None:
    """Serve until the process ends."""
    wiring = EchoWiring(Settings.from_environment(os.environ))
    asyncio.run(serve(int(sys.argv[1]), {"/api/messages": route(wiring.messages)}))


if __name__ == "__main__":
    main()
