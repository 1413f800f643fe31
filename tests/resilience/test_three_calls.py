"""What a message costs on the wire, from the worker to the user."""

from collections import Counter

from aiohttp import web
from aiohttp.test_utils import TestServer

from bot_logic.clock import SYSTEM_CHANCE, SYSTEM_CLOCK
from bot_logic.contract.envelope import QUEUE_NAME, Envelope
from bot_logic.settings import Settings
from bot_logic.storage.memory import MemoryStorage
from bot_logic.wiring import Wiring

MESSAGES = 5


class Outside:
    """Direct Line, the way in to the bot, and the channel, counting what is asked of each."""

    def __init__(self) -> None:
        self.calls: Counter[str] = Counter()
        self.wiring: Wiring

    def app(self) -> web.Application:
        app = web.Application()
        app.router.add_post("/v3/directline/conversations", self.start)
        app.router.add_post("/v3/directline/conversations/worker/activities", self.post)
        app.router.add_post("/channel/v3/conversations/{id}/activities", self.say)
        return app

    async def start(self, _request: web.Request) -> web.Response:
        self.calls["worker to Direct Line, once"] += 1
        return web.json_response({"conversationId": "worker"}, status=201)

    async def post(self, request: web.Request) -> web.Response:
        self.calls["worker to Direct Line"] += 1
        activity = await request.json()
        activity |= {"channelId": "directline", "serviceUrl": str(request.url.origin())}
        activity |= {"conversation": {"id": "worker"}, "recipient": {"id": "bot"}}
        self.calls["Direct Line to bot"] += 1
        body = web.json_response(activity).body
        assert isinstance(body, bytes)
        await self.wiring.endpoint.take(body, {"Content-Type": "application/json"})
        return web.json_response({"id": "posted"})

    async def say(self, _request: web.Request) -> web.Response:
        self.calls["bot to channel"] += 1
        return web.json_response({"id": "said"})


async def test_a_message_takes_three_http_calls() -> None:
    outside = Outside()
    async with TestServer(outside.app()) as server:
        storage = MemoryStorage(SYSTEM_CLOCK, SYSTEM_CHANCE)
        url = str(server.make_url("")).rstrip("/")
        outside.wiring = Wiring(Settings.from_environment(settings(url)), storage=storage)
        for number in range(MESSAGES):
            await storage.queue(QUEUE_NAME).put(message(number, f"{url}/channel"))
        for received in storage.queue(QUEUE_NAME).receive():
            await outside.wiring.worker.handle(received)
        await outside.wiring.close()
    assert outside.calls == {
        "worker to Direct Line, once": 1,
        "worker to Direct Line": MESSAGES,
        "Direct Line to bot": MESSAGES,
        "bot to channel": MESSAGES,
    }


def settings(url: str) -> dict[str, str]:
    return {
        "AZURE_FUNCTIONS_ENVIRONMENT": "Development",
        "AzureWebJobsStorage": "UseDevelopmentStorage=true",
        "DirectLineEndpoint": url,
        "DirectLineSecret": "a-direct-line-secret-of-the-tests",
        "TriggerSigningKey": "a-trigger-signing-key-of-these-tests",
    }


def message(number: int, service_url: str) -> str:
    reference = {
        "channelId": "test",
        "serviceUrl": service_url,
        "conversation": {"id": f"conversation-{number}"},
    }
    return Envelope.new(
        reference,
        f"message {number}",
        message_id=str(number),
        now=SYSTEM_CLOCK.now(),
        lifetime=3600,
    ).to_json()
