"""The app on real Azurite and the local Direct Line, all in one process on loopback.

What the Functions host does in between is done here by hand: a web server calls `messages`, and
`run_worker` takes messages off the queue and calls `deliver`.
"""

import asyncio
import contextlib
import io
import json
from collections.abc import AsyncIterator, Awaitable, Callable
from contextlib import asynccontextmanager
from dataclasses import dataclass, field
from typing import Any

import aiohttp
import azure.functions as func
from aiohttp import web
from aiohttp.test_utils import TestServer
from azure.core.exceptions import ResourceExistsError, ResourceNotFoundError
from azure.storage.queue.aio import QueueClient

from bot_logic.contract.envelope import POISON_QUEUE_NAME, QUEUE_NAME, WORKER_USER_ID
from bot_logic.contract.queue_text import plain_text
from bot_logic.delivery.dead_letter_store import TABLE_NAME as DEAD_LETTERS
from bot_logic.delivery.dead_letter_store import DeadLetterStore, Filed
from bot_logic.settings import Settings
from bot_logic.wiring import Wiring
from local_dev.azurite import ACCOUNT, KEY
from local_dev.direct_line import DirectLine, running
from local_dev.direct_line import Settings as DirectLineSettings
from local_dev.direct_line.faults import Rule
from local_dev.functions_host.route import route
from tests.functional.answer import Answer

SECRET = "a-direct-line-secret-of-the-tests"
SIGNING_KEY = "a-trigger-signing-key-of-the-tests"
APP_ID = "00000000-0000-0000-0000-00000000b071"
APP_PASSWORD = "an-app-password-of-the-tests"
PATIENCE = 10  # seconds
NOWHERE = (
    f"DefaultEndpointsProtocol=http;AccountName={ACCOUNT};AccountKey={KEY};"
    "QueueEndpoint=http://127.0.0.1:1/x;TableEndpoint=http://127.0.0.1:1/x;"
)  # a storage account that nobody can reach


@dataclass(frozen=True)
class ReceivedMessage:
    """As azure.functions.QueueMessage."""

    id: str
    body: bytes

    def get_body(self) -> bytes:
        return self.body


@dataclass
class AppUnderTest:
    wiring: Wiring
    direct_line: DirectLine
    session: aiohttp.ClientSession
    bot_url: str
    queue: QueueClient
    poison_queue: QueueClient
    environ: dict[str, str]
    overrides: dict[str, Any] = field(default_factory=dict)
    answering: int = 0  # requests that the bot has not answered yet

    async def answered(self) -> None:
        """Wait until the bot has answered all that it was sent, as it stores things until then."""
        async with asyncio.timeout(PATIENCE):
            while self.answering:  # noqa: ASYNC110 - no events
                await asyncio.sleep(0.01)

    async def post(self, body: Any, headers: dict[str, str] | None = None) -> Answer:
        """Post to the bot's messaging endpoint, as a channel or a stranger does."""
        raw = body if isinstance(body, bytes) else json.dumps(body).encode()
        headers = {"Content-Type": "application/json"} | (headers or {})
        async with self.session.post(
            self.bot_url, data=io.BytesIO(raw), headers=headers
        ) as response:
            text = await response.text()
            is_json = response.content_type == "application/json"
            content = json.loads(text) if is_json else text
            return Answer(response.status, dict(response.headers), content)

    async def user(self, user_id: str = "dl_ada", name: str = "Ada") -> "ChatUser":
        """Somebody who has just opened a chat."""
        user = ChatUser(self, user_id, name)
        await user.start()
        await user.hears(1)
        await self.answered()
        return user

    async def impostor(self) -> "ChatUser":
        """A visitor who takes the queue worker's name."""
        user = ChatUser(self, WORKER_USER_ID, "Mallory")
        await user.start()
        return user

    async def rewire(self, settings: dict[str, str] | None = None, **overrides: Any) -> None:
        """Go on with other settings, or with other parts than the real ones."""
        self.environ |= settings or {}
        self.overrides |= overrides
        await self.wiring.close()
        self.wiring = Wiring(Settings.from_environment(self.environ), **self.overrides)

    async def restart(self) -> None:
        """Forget all that the process knows, as when the Functions host restarts."""
        await self.wiring.close()
        self.wiring = Wiring(self.wiring.settings, **self.overrides)

    def fail(self, operation: str, status: int, **more: Any) -> Rule:
        """Let the local Direct Line fail in an operation from now on."""
        rule = Rule(operation, status, **more)
        self.direct_line.faults.rules.append(rule)
        return rule

    async def enqueue(self, message: Any) -> None:
        """Put a message on the queue, as any other program can."""
        text = message if isinstance(message, str) else json.dumps(message)
        await self.wiring.storage.queue(QUEUE_NAME).put(text)

    async def put_raw(self, queue: QueueClient, texts: list[str]) -> None:
        """Put texts on a queue as they are, as most clients do."""
        with contextlib.suppress(ResourceExistsError):
            await queue.create_queue()
        for text in texts:
            await queue.send_message(text)

    async def run_worker(self) -> int:
        """Deliver what is on the queue, once each; returns how many were deleted."""
        return await _work_off(self.queue, self.wiring.worker.handle)

    async def put_on_poison_queue(self, text: str) -> None:
        """Put a text on the poison queue, as the Functions host does."""
        await self.wiring.storage.queue(POISON_QUEUE_NAME).put(text)

    async def file_dead_letters(self) -> int:
        """File what is on the poison queue, once each; returns how many were deleted there."""
        return await _work_off(self.poison_queue, self.dead_letter_store.file)

    async def filed(self) -> list[Filed]:
        """The dead letters that an operator finds."""
        return [filed async for filed in self.dead_letter_store.all()]

    @property
    def dead_letter_store(self) -> DeadLetterStore:
        return self.wiring.delivery.dead_letters

    async def run_worker_until(self, done: Callable[[], Awaitable[bool]]) -> None:
        """Deliver what becomes visible on the queue, until this is so."""
        async with asyncio.timeout(PATIENCE):
            while not await done():
                await self.run_worker()
                await asyncio.sleep(0.05)

    async def waiting(self) -> int:
        """How many messages are on the queue, visible or not."""
        return await _count(self.queue)

    async def waiting_as_poison(self) -> int:
        """How many messages are on the poison queue, visible or not."""
        return await _count(self.poison_queue)

    async def queued(self) -> list[Any]:
        """What is on the queue."""
        return await _peek(self.queue)

    async def dead_letters(self) -> list[Any]:
        """What is on the poison queue."""
        return await _peek(self.poison_queue)


@dataclass
class ChatUser:
    """A Direct Line client: says something, and hears what the bot says."""

    app: AppUnderTest
    user_id: str
    name: str
    conversation_id: str = ""

    async def start(self) -> None:
        started = await self._call("POST", "", {"user": {"id": self.user_id, "name": self.name}})
        self.conversation_id = started.body["conversationId"]

    async def says(self, text: str) -> Answer:
        return await self.posts({"type": "message", "text": text})

    async def posts(self, activity: dict[str, Any]) -> Answer:
        sender = {"from": {"id": self.user_id, "name": self.name}}
        return await self._call("POST", f"/{self.conversation_id}/activities", activity | sender)

    async def activities(self) -> list[dict[str, Any]]:
        """All that the bot did in this conversation."""
        answer = await self._call("GET", f"/{self.conversation_id}/activities")
        return [each for each in answer.body["activities"] if each["from"]["id"] != self.user_id]

    async def hears(self, count: int) -> list[str]:
        """What the bot said, once it has said that many things."""
        async with asyncio.timeout(PATIENCE):
            while True:
                said = [each["text"] for each in await self.activities() if "text" in each]
                if len(said) >= count:
                    return said
                await asyncio.sleep(0.02)

    async def _call(self, method: str, path: str, body: Any = None) -> Answer:
        url = f"{self.app.direct_line.base_url}/v3/directline/conversations{path}"
        headers = {"Authorization": f"Bearer {SECRET}"}
        async with self.app.session.request(method, url, json=body, headers=headers) as response:
            return Answer(response.status, dict(response.headers), await response.json())


@asynccontextmanager
async def app_under_test(
    storage_connection: str, *, registered: bool = False, **settings: str
) -> AsyncIterator[AppUnderTest]:
    """Run the app; with `registered`, all requests between bot and channel are authenticated."""
    async with contextlib.AsyncExitStack() as stack:
        session = await stack.enter_async_context(aiohttp.ClientSession())
        server, app_id = _BotServer(), APP_ID if registered else ""
        bot_url = await stack.enter_async_context(server.listening())
        direct_line = await stack.enter_async_context(
            running(DirectLineSettings(bot_url, SECRET, app_id, APP_PASSWORD))
        )
        environ = {
            "AZURE_FUNCTIONS_ENVIRONMENT": "Development",
            "AzureWebJobsStorage": storage_connection,
            "DirectLineEndpoint": direct_line.base_url,
            "DirectLineSecret": SECRET,
            "TriggerSigningKey": SIGNING_KEY,
        }
        if registered:
            environ |= {
                "MicrosoftAppType": "MultiTenant",
                "MicrosoftAppId": APP_ID,
                "MicrosoftAppPassword": APP_PASSWORD,
                "ToChannelFromBotLoginUrl": f"{direct_line.base_url}/botframework.com",
                "ToBotFromChannelOpenIdMetadataUrl": (
                    f"{direct_line.base_url}/v1/.well-known/openidconfiguration"
                ),
            }
        environ |= settings
        wiring = Wiring(Settings.from_environment(environ))
        queues = [_queue(storage_connection, name) for name in (QUEUE_NAME, POISON_QUEUE_NAME)]
        for queue in queues:
            await stack.enter_async_context(queue)
            with contextlib.suppress(ResourceNotFoundError):
                await queue.delete_queue()
        await wiring.storage.table(DEAD_LETTERS).drop()
        server.app = AppUnderTest(
            wiring, direct_line, session, bot_url, queues[0], queues[1], environ
        )
        yield server.app
        await server.app.wiring.close()


class _BotServer:
    """The messaging endpoint on a port of its own, in place of the Functions host."""

    app: AppUnderTest

    @asynccontextmanager
    async def listening(self) -> AsyncIterator[str]:
        app = web.Application(client_max_size=100 * 1024 * 1024)
        app.router.add_post("/api/messages", route(self._answer))
        async with TestServer(app) as server:
            yield str(server.make_url("/api/messages"))

    async def _answer(self, request: func.HttpRequest) -> func.HttpResponse:
        self.app.answering += 1
        try:
            return await self.app.wiring.endpoint.answer(request)
        finally:
            self.app.answering -= 1


def _queue(storage_connection: str, name: str) -> QueueClient:
    return QueueClient.from_connection_string(storage_connection, name)


async def _work_off(queue: QueueClient, function: Callable[[Any], Awaitable[None]]) -> int:
    deleted = 0
    with contextlib.suppress(ResourceNotFoundError):
        async for message in queue.receive_messages(visibility_timeout=1):
            await function(ReceivedMessage(message.id, message.content.encode()))
            await queue.delete_message(message)
            deleted += 1
    return deleted


async def _count(queue: QueueClient) -> int:
    try:
        return (await queue.get_queue_properties()).approximate_message_count or 0
    except ResourceNotFoundError:
        return 0


async def _peek(queue: QueueClient) -> list[Any]:
    try:
        messages = await queue.peek_messages(max_messages=32)
    except ResourceNotFoundError:
        return []
    return [json.loads(plain_text(message.content)) for message in messages]
