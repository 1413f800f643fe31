"""The local Direct Line, a bot behind it and a client before it, all on loopback."""

import asyncio
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from dataclasses import dataclass, field
from typing import Any

import aiohttp
from aiohttp import web
from aiohttp.test_utils import TestServer

from local_dev.direct_line import DirectLine, Settings, running
from tests.functional.answer import Answer

SECRET = "a-secret-of-the-tests"
MESSAGE = {"type": "message", "from": {"id": "dl_ann", "name": "Ann"}, "text": "hello"}


@dataclass
class FakeBot:
    """Takes every activity, and answers as it is told."""

    status: int = 200
    delay: float = 0.0
    activities: list[dict[str, Any]] = field(default_factory=list)
    headers: list[dict[str, str]] = field(default_factory=list)
    _arrived: asyncio.Event = field(default_factory=asyncio.Event)

    def app(self) -> web.Application:
        """Return what serves it."""
        app = web.Application()
        app.router.add_post("/api/messages", self.messages)
        return app

    async def messages(self, request: web.Request) -> web.Response:
        self.activities.append(await request.json())
        self.headers.append(dict(request.headers))
        self._arrived.set()
        await asyncio.sleep(self.delay)
        return web.Response(status=self.status)

    async def receives(self, kind: str) -> dict[str, Any]:
        """Return the first activity of a type, once it is there."""
        async with asyncio.timeout(5):
            while True:
                self._arrived.clear()
                for activity in self.activities:
                    if activity["type"] == kind:
                        return activity
                await self._arrived.wait()


@dataclass(frozen=True)
class Scene:
    service: DirectLine
    bot: FakeBot
    session: aiohttp.ClientSession

    async def call(
        self, method: str, path: str, json: object = None, token: str = SECRET, **more: Any
    ) -> Answer:
        headers = {"Authorization": f"Bearer {token}"} if token else {}
        headers |= more.pop("headers", {})
        url = self.service.base_url + path
        async with self.session.request(method, url, json=json, headers=headers, **more) as answer:
            is_json = answer.content_type == "application/json"
            body = await answer.json() if is_json else await answer.text()
            return Answer(answer.status, dict(answer.headers), body)

    async def client(self, method: str, path: str, *args: Any, **more: Any) -> Answer:
        """Call the Direct Line API."""
        return await self.call(method, f"/v3/directline/{path}", *args, **more)

    async def start(self, user_id: str = "") -> dict[str, Any]:
        """Start a conversation, and return what a client gets."""
        body = {"user": {"id": user_id, "name": "Ann"}} if user_id else None
        answer = await self.client("POST", "conversations", body)
        assert answer.status == 201
        return dict(answer.body)

    async def say(self, conversation: dict[str, Any], text: str) -> Answer:
        path = f"conversations/{conversation['conversationId']}/activities"
        return await self.client("POST", path, MESSAGE | {"text": text})

    async def bot_says(self, conversation: dict[str, Any], text: str) -> str:
        path = f"/v3/conversations/{conversation['conversationId']}/activities"
        answer = await self.call("POST", path, {"type": "message", "text": text}, token="")
        assert answer.status == 200
        return str(answer.body["id"])

    async def texts(self, conversation: dict[str, Any], watermark: str = "") -> list[str]:
        """Return what a client that polls sees."""
        path = f"conversations/{conversation['conversationId']}/activities?watermark={watermark}"
        answer = await self.client("GET", path)
        return [activity.get("text", "") for activity in answer.body["activities"]]


@asynccontextmanager
async def scene(**settings: Any) -> AsyncIterator[Scene]:
    """Set the scene; `settings` are those of the service."""
    bot = FakeBot()
    async with TestServer(bot.app()) as server, aiohttp.ClientSession() as session:
        url = str(server.make_url("/api/messages"))
        async with running(Settings(**{"bot_url": url, "secret": SECRET} | settings)) as service:
            yield Scene(service, bot, session)
