"""A hostile page in a real browser, on all that `make run` starts; it knows every secret."""

import datetime as dt
from collections.abc import AsyncIterator
from typing import Any

import pytest
import pytest_asyncio
from aiohttp.test_utils import TestServer
from aiohttp.web import Application, Request, Response
from azure.storage.queue import QueueSasPermissions, generate_queue_sas
from azure.storage.queue.aio import QueueClient
from playwright.async_api import Browser, Page

from local_dev import azurite
from tests.end_to_end.conftest import SECRET, RunningStack
from tests.resilience.local_direct_line import CONVERSATIONS

pytestmark = pytest.mark.asyncio(loop_scope="session")

EVIL, OWN = "evil.example", "127.0.0.1"  # both are this machine; only their names differ
QUEUE = "of-a-page"
FETCH = """async ([url, options]) => {
  try { return (await fetch(url, options)).type } catch (error) { return error.name }
}"""
OPEN = """(url) => new Promise((resolve) => {
  const socket = new WebSocket(url);
  socket.onopen = () => resolve("open");
  socket.onerror = () => resolve("refused");
})"""


class Site:
    """A web site of one empty page, and what that page can do."""

    def __init__(self, page: Page, port: int) -> None:
        self._page, self._port = page, port

    async def fetches(self, host: str, url: str, **options: Any) -> str:
        """What comes of a call from this site: the type of the answer, or the error's name."""
        await self._visit(host)
        return str(await self._page.evaluate(FETCH, [url, {"method": "POST", **options}]))

    async def opens(self, host: str, url: str) -> str:
        await self._visit(host)
        return str(await self._page.evaluate(OPEN, url))

    async def status(self, url: str) -> int:
        """What the browser's user gets to see at this address."""
        response = await self._page.goto(url)
        assert response is not None
        return response.status

    async def _visit(self, host: str) -> None:
        assert await self.status(f"http://{host}:{self._port}/") == 200


@pytest_asyncio.fixture(loop_scope="session")
async def site(browser: Browser) -> AsyncIterator[Site]:
    async def empty(_request: Request) -> Response:
        return Response(text="<!doctype html><title>A site</title>", content_type="text/html")

    server, context = Application(), await browser.new_context()
    server.router.add_get("/", empty)
    async with TestServer(server) as listening:
        assert listening.port is not None
        yield Site(await context.new_page(), listening.port)
    await context.close()


async def test_no_other_site_starts_a_conversation(site: Site, running: RunningStack) -> None:
    url = f"{running.chat_page}{CONVERSATIONS}"
    known = {"headers": {"Authorization": f"Bearer {SECRET}"}}
    async with running.direct_line() as direct_line:
        before = len(await direct_line.call("GET", "/local/conversations"))
        assert await site.fetches(EVIL, url, **known) == "TypeError"
        assert len(await direct_line.call("GET", "/local/conversations")) == before
        assert await site.fetches(OWN, url, **known) == "cors"
        assert len(await direct_line.call("GET", "/local/conversations")) == before + 1


async def test_no_other_site_starts_one_as_the_bot(site: Site, running: RunningStack) -> None:
    url = f"{running.chat_page}/v3/conversations"  # what an anonymous bot may call
    plain = {"mode": "no-cors", "body": "{}"}  # no browser asks first whether it may send that
    async with running.direct_line() as direct_line:
        before = len(await direct_line.call("GET", "/local/conversations"))
        await site.fetches(EVIL, url, **plain)
        assert len(await direct_line.call("GET", "/local/conversations")) == before
        await site.fetches(OWN, url, **plain)
        assert len(await direct_line.call("GET", "/local/conversations")) == before + 1


async def test_no_other_site_hears_what_is_said(site: Site, running: RunningStack) -> None:
    async with running.direct_line() as direct_line:
        started = await direct_line.call("POST", CONVERSATIONS, {"user": {"id": "dl_ann"}})
    assert await site.opens(EVIL, started["streamUrl"]) == "refused"
    assert await site.opens(OWN, started["streamUrl"]) == "open"


async def test_no_other_site_puts_a_message_on_a_queue(site: Site, running: RunningStack) -> None:
    until = dt.datetime.now(dt.UTC) + dt.timedelta(hours=1)
    # Azurite's key is public, so any site can sign; a signed address needs no preflight.
    signature = generate_queue_sas(
        azurite.ACCOUNT, QUEUE, azurite.KEY, QueueSasPermissions(add=True), until
    )
    base = f"http://127.0.0.1:{running.stack.ports.queue}/{azurite.ACCOUNT}/{QUEUE}"
    body = "<QueueMessage><MessageText>x</MessageText></QueueMessage>"
    message = {"mode": "no-cors", "body": body}
    connection = running.stack.storage_connection
    async with QueueClient.from_connection_string(connection, QUEUE) as queue:
        await queue.create_queue()
        await site.fetches(EVIL, f"{base}/messages?{signature}", **message)
        assert len(await queue.peek_messages(32)) == 0
        await site.fetches(OWN, f"{base}/messages?{signature}", **message)
        assert len(await queue.peek_messages(32)) == 1


async def test_a_name_that_was_made_to_mean_this_machine_opens_nothing(
    site: Site, running: RunningStack
) -> None:
    ports = running.stack.ports
    assert await site.status(f"http://localhost:{ports.chat}/") == 200
    assert await site.status(f"http://localhost:{ports.functions}/api/health") == 200
    for address in (
        f"{EVIL}:{ports.chat}/",
        f"{EVIL}:{ports.chat}/local/conversations",
        f"{EVIL}:{ports.functions}/api/health",
        f"devstoreaccount1.{EVIL}:{ports.queue}/bot-queue/messages?peekonly=true",
        f"devstoreaccount1.{EVIL}:{ports.table}/conversations",
    ):
        assert await site.status(f"http://{address}") == 403, address
