"""This app behind the web server that its peers have.

python -m benchmarks.ours.app PORT        as `function_app` wires it
python -m benchmarks.ours.app PORT echo   with the peers' echo bot, and nothing stored outside
"""

import os
import sys
from functools import cache

import azure.functions as func
from botbuilder.schema import ConversationReference

from benchmarks.bots import EchoBot, Logic, speaker
from benchmarks.serving import serve, speaking
from bot_logic import startup
from bot_logic.settings import Settings
from bot_logic.storage.memory.account import MemoryStorage
from bot_logic.wiring import Wiring
from local_dev.functions_host.route import route


@cache
def wiring() -> Wiring:
    """Return the app's parts; to be made on the running loop."""
    if "echo" not in sys.argv:
        return startup.wiring()
    settings = Settings.from_environment(os.environ)
    return Wiring(settings, storage=MemoryStorage(), make_bot=lambda _outbox, _counter: EchoBot())


async def answer(request: func.HttpRequest) -> func.HttpResponse:
    """Answer a channel's request."""
    return await wiring().endpoint.answer(request)


async def say_in(where: ConversationReference, logic: Logic) -> None:
    """Continue a conversation."""
    await wiring().endpoint.adapter.continue_with(where, logic, [])


if __name__ == "__main__":
    routes = {"/api/messages": route(answer), "/speak-first": speaking(speaker(say_in))}
    serve(int(sys.argv[1]), routes)
