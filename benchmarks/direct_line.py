"""Direct Line as the worker sees it: starts a conversation, and passes activities on to the bot.

It counts what passes, and does nothing else; `local_dev.direct_line` is the one for users.
"""

from collections import Counter
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from dataclasses import dataclass, field
from typing import Any

import aiohttp
from aiohttp import web

CONVERSATIONS = "/v3/directline/conversations"
_CONVERSATION = "the-workers-conversation"


@dataclass
class PassingDirectLine:
    """The service; `bot_url` is the bot's messaging endpoint, or empty for no bot at all.

    Attributes:
        calls: requests by who sent them to whom.
    """

    session: aiohttp.ClientSession
    service_url: str
    bot_url: str = ""
    calls: Counter[str] = field(default_factory=Counter)

    async def start(self, _request: web.Request) -> web.Response:
        """A new conversation, of which the bot is told, as the real service does."""
        self.calls["worker to Direct Line, new conversation"] += 1
        await self._pass_on({"type": "conversationUpdate"}, "new conversation")
        return web.json_response({"conversationId": _CONVERSATION}, status=201)

    async def post(self, request: web.Request) -> web.Response:
        """An activity; the answer says whether the bot took it."""
        self.calls["worker to Direct Line"] += 1
        taken = await self._pass_on(await request.json())
        return web.json_response({"id": "posted"}, status=200 if taken else 502)

    async def _pass_on(self, activity: dict[str, Any], what: str = "") -> bool:
        if not self.bot_url:
            return True
        self.calls[f"Direct Line to bot, {what}".rstrip(", ")] += 1
        whole = self.as_sent(activity)
        async with self.session.post(self.bot_url, json=whole) as answer:
            await answer.read()
            return answer.ok

    def as_sent(self, activity: dict[str, Any]) -> dict[str, Any]:
        """An activity with all that the service adds to it."""
        return {
            "id": "an-activity",
            "channelId": "directline",
            "serviceUrl": self.service_url,
            "conversation": {"id": _CONVERSATION},
            "from": {"id": "dl_queue-worker"},
            "recipient": {"id": "bot@benchmarks", "name": "bot"},
            **activity,
        }


@asynccontextmanager
async def passing_direct_line(
    service_url: str, bot_url: str = ""
) -> AsyncIterator[tuple[PassingDirectLine, str]]:
    """The service as long as the block lasts, and its base URL."""
    connector = aiohttp.TCPConnector(limit=0)
    async with aiohttp.ClientSession(connector=connector) as session:
        service = PassingDirectLine(session, service_url, bot_url)
        app = web.Application()
        app.router.add_post(CONVERSATIONS, service.start)
        app.router.add_post(f"{CONVERSATIONS}/{_CONVERSATION}/activities", service.post)
        async with serving_app(app) as url:
            yield service, url


@asynccontextmanager
async def serving_app(app: web.Application) -> AsyncIterator[str]:
    """Serve on loopback as long as the block lasts; gives the base URL."""
    runner = web.AppRunner(app, access_log=None, shutdown_timeout=1.0)
    await runner.setup()
    try:
        await web.TCPSite(runner, "127.0.0.1", 0).start()
        yield f"http://127.0.0.1:{runner.addresses[0][1]}"
    finally:
        await runner.cleanup()
