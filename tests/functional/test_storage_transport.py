"""The connections on which storage is reached."""

import asyncio
from collections.abc import AsyncIterator

import pytest
from aiohttp import web
from aiohttp.test_utils import TestServer
from azure.core.pipeline.transport import AioHttpTransport
from azure.core.rest import HttpRequest

from bot_logic.storage_transport import storage_transport

KEEP_ALIVE = 0.1  # seconds


@pytest.fixture
async def service() -> AsyncIterator[TestServer]:
    """Answers with the port that it was called from."""

    async def handle(request: web.Request) -> web.Response:
        assert request.transport is not None
        return web.Response(text=str(request.transport.get_extra_info("peername")[1]))

    app = web.Application()
    app.router.add_get("/", handle)
    server = TestServer(app)
    async with server:
        yield server


async def _port(transport: AioHttpTransport, service: TestServer) -> str:
    response = await transport.send(HttpRequest("GET", str(service.make_url("/"))))
    return str((await response.read()).decode())


async def test_calls_in_close_succession_share_a_connection(service: TestServer) -> None:
    async with storage_transport(KEEP_ALIVE) as transport:
        assert await _port(transport, service) == await _port(transport, service)


async def test_a_connection_that_was_idle_for_long_is_not_used_again(service: TestServer) -> None:
    async with storage_transport(KEEP_ALIVE) as transport:
        before = await _port(transport, service)
        await asyncio.sleep(3 * KEEP_ALIVE)
        assert await _port(transport, service) != before
