"""Azurite's queues behind a port of their own, where one operation can be made to fail."""

from collections.abc import AsyncIterator, Awaitable, Callable
from contextlib import asynccontextmanager
from enum import StrEnum

import aiohttp
from aiohttp import web
from aiohttp.test_utils import TestServer
from yarl import URL

from tests.functional.azurite_process import Azurite

OF_ONE_HOP = {"connection", "content-length", "keep-alive", "transfer-encoding"}


class Operation(StrEnum):
    """What a listener asks of a queue.

    https://learn.microsoft.com/rest/api/storageservices/queue-service-rest-api
    """

    RECEIVE = "receive"
    PUT = "put"
    DELETE = "delete"
    UPDATE = "update"

    @classmethod
    def of(cls, request: web.BaseRequest) -> "Operation | None":
        before, _, message = request.path.partition("/messages")
        operations = {("GET", ""): cls.RECEIVE, ("POST", ""): cls.PUT} if before else {}
        if message.strip("/"):
            operations = {("DELETE", "/"): cls.DELETE, ("PUT", "/"): cls.UPDATE}
        return operations.get((request.method, message[:1]))


class Failure(StrEnum):
    RESET = "reset"  # the connection ends without an answer
    BUSY = "503"


class QueueWeather:
    """Fails one operation in one way, for as long as it is told to."""

    connection_string: str

    def __init__(self) -> None:
        self.failed = 0
        self._now: tuple[Operation, Failure] | None = None

    def fail(self, operation: Operation, failure: Failure) -> None:
        self._now = (operation, failure)

    def clear(self) -> None:
        self._now = None

    def strikes(self, request: web.Request) -> Failure | None:
        if self._now is None or Operation.of(request) != self._now[0]:
            return None
        self.failed += 1
        return self._now[1]


@asynccontextmanager
async def queue_weather(azurite: Azurite) -> AsyncIterator[QueueWeather]:
    """Forward to Azurite what the weather lets through."""
    weather, azurites = QueueWeather(), f"http://127.0.0.1:{azurite.queue_port}"
    async with aiohttp.ClientSession(
        auto_decompress=False, skip_auto_headers=("Accept", "Accept-Encoding", "Content-Type")
    ) as session:
        server = web.Application()
        server.router.add_route("*", "/{path:.*}", _forwarding(session, azurites, weather))
        async with TestServer(server) as listening:
            here = str(listening.make_url("")).rstrip("/")
            weather.connection_string = azurite.connection_string.replace(azurites, here)
            yield weather


def _forwarding(
    session: aiohttp.ClientSession, there: str, weather: QueueWeather
) -> Callable[[web.Request], Awaitable[web.Response]]:
    async def forward(request: web.Request) -> web.Response:
        failure = weather.strikes(request)
        if failure == Failure.RESET and request.transport is not None:
            request.transport.abort()
        if failure is not None:
            return web.Response(status=503, headers={"x-ms-error-code": "ServerBusy"})
        url = URL(there + request.raw_path, encoded=True)
        headers = {name: value for name, value in request.headers.items() if _travels(name)}
        body = await request.read() or None
        async with session.request(request.method, url, data=body, headers=headers) as answer:
            kept = {name: value for name, value in answer.headers.items() if _travels(name)}
            return web.Response(status=answer.status, body=await answer.read(), headers=kept)

    return forward


def _travels(header: str) -> bool:
    return header.lower() not in OF_ONE_HOP
