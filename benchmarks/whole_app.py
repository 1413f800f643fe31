"""The whole app in this process, between a storage emulator, a Direct Line and a channel."""

from collections.abc import AsyncIterator
from contextlib import AsyncExitStack, asynccontextmanager
from dataclasses import dataclass

from aiohttp import web
from azure.storage.queue.aio import QueueClient

from benchmarks.channel import Channel
from benchmarks.direct_line import PassingDirectLine, passing_direct_line, serving_app
from benchmarks.ours.functions_server import route
from benchmarks.raw_http import serving
from benchmarks.settings import SETTINGS
from benchmarks.storage import ReceivedMessage, existing_queue, received, storage_emulator
from benchmarks.triggers import Triggers
from bot_logic.envelope import QUEUE_NAME
from bot_logic.settings import Settings
from bot_logic.wiring import Wiring


@dataclass(frozen=True)
class WholeApp:
    """The app and its neighbours."""

    wiring: Wiring
    channel: Channel
    direct_line: PassingDirectLine
    queue: QueueClient
    service_url: str
    connection: str

    async def enqueue(self, number: int) -> None:
        """Put a message on the queue, as the bot does."""
        await self.wiring.queue.put(self.message(number))

    async def take(self) -> ReceivedMessage:
        """Take a message off the queue, as the Functions host does."""
        (message,) = await received(self.queue, 1)
        return message

    def message(self, number: int) -> str:
        """A queue message of its own, for this number's conversation."""
        return Triggers(self.service_url).envelope(number).to_json()


@asynccontextmanager
async def whole_app() -> AsyncIterator[WholeApp]:
    """Run it as long as the block lasts."""
    channel, server = Channel(), web.Application()
    async with AsyncExitStack() as stack:
        service_url = await stack.enter_async_context(serving(channel))
        connection = await stack.enter_async_context(storage_emulator())
        queue = await stack.enter_async_context(existing_queue(connection, QUEUE_NAME))
        direct_line, url = await stack.enter_async_context(passing_direct_line(service_url))
        wiring = Wiring(
            Settings.from_environment(
                SETTINGS | {"AzureWebJobsStorage": connection, "DirectLineEndpoint": url}
            )
        )
        stack.push_async_callback(wiring.close)
        server.router.add_post("/api/messages", route(wiring.messages))
        bot_url = await stack.enter_async_context(serving_app(server))
        direct_line.bot_url = f"{bot_url}/api/messages"
        yield WholeApp(wiring, channel, direct_line, queue, service_url, connection)
