"""DirectLineJS, Microsoft's own client, in a page of another origin than the service.

It is the npm package `botframework-directlinejs` as the npm package of Web Chat brings it.
"""

from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from dataclasses import dataclass
from enum import IntEnum
from typing import Any

from aiohttp import web
from aiohttp.test_utils import TestServer
from playwright.async_api import Browser, Page

from local_dev.direct_line.service import WEB_CHAT

# Keeps in the page what the client tells, as it cannot be handed over to Python.
OBSERVE = """
  window.open$ = ({ userId, ...options }) => {
    window.client?.end();
    const client = (window.client = WebChat.createDirectLine(options));
    const seen = (window.seen = []);
    client.getRetryDelay = () => 100; // milliseconds, instead of up to 15 s
    if (userId) client.setUserId(userId);
    client.activity$.subscribe((activity) => seen.push(activity));
  };
  window.first$ = (observable) =>
    new Promise((resolve, reject) => observable.subscribe(resolve, reject));
"""


class Status(IntEnum):
    """How a client says it is doing.

    https://github.com/microsoft/BotFramework-DirectLineJS/blob/main/src/directLine.ts
    """

    ONLINE = 2
    EXPIRED_TOKEN = 3
    ENDED = 5


@dataclass(frozen=True)
class Client:
    """One user's client, in a page; in the same page, another that connects ends it."""

    page: Page
    service: str

    async def connect(self, **options: Any) -> None:
        """Connect with the client's own options, and wait until it is online."""
        domain = f"{self.service}/v3/directline"
        options = {"domain": domain, "pollingInterval": 200, **options}
        await self.page.evaluate("(options) => open$(options)", options)
        await self.becomes(Status.ONLINE)

    async def becomes(self, status: Status) -> None:
        """Wait until the client says that it is doing so."""
        await self.page.wait_for_function(
            "(status) => client.connectionStatus$.getValue() === status", arg=status, timeout=5_000
        )

    async def posts(self, activity: dict[str, Any]) -> str:
        """Post an activity, and return its id. Raises playwright's Error if it is refused."""
        script = "(activity) => first$(client.postActivity(activity))"
        return str(await self.page.evaluate(script, activity))

    async def sees(self, text: str) -> dict[str, Any]:
        """Return the activity with this text once it is there."""
        find = "(text) => seen.find((activity) => activity.text === text)"
        found = await self.page.wait_for_function(find, arg=text, timeout=5_000)
        return dict(await found.json_value())

    async def texts(self) -> list[str]:
        """Return all it has seen so far."""
        return list(await self.page.evaluate("seen.map((activity) => activity.text)"))

    async def has(self, name: str) -> str:
        """Return what the client keeps under this name."""
        return str(await self.page.evaluate("(name) => client[name]", name))


@asynccontextmanager
async def page_with_direct_line_js(browser: Browser) -> AsyncIterator[Page]:
    """Open a page that has DirectLineJS; it takes a second."""

    async def blank(_: web.Request) -> web.Response:
        return web.Response(text="<!doctype html>", content_type="text/html")

    app = web.Application()
    app.router.add_get("/", blank)
    async with TestServer(app) as server, await browser.new_context() as context:
        page = await context.new_page()
        await page.goto(str(server.make_url("/")))
        await page.add_script_tag(path=WEB_CHAT / "webchat.js")
        await page.add_script_tag(content=OBSERVE)
        yield page
