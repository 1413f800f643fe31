"""The load generator: connections that send a request as soon as the last one was answered."""

import asyncio
import time
from collections.abc import Callable, Iterator
from functools import partial
from urllib.parse import urlsplit

from benchmarks.raw_http import HttpMessages

PATIENCE = 60.0  # seconds for the last answers


class UnexpectedAnswer(Exception):
    """A server did not do what was asked of it."""


class Load:
    """Keep-alive connections to one server, one request under way on each."""

    def __init__(self, url: str, connections: int) -> None:
        address = urlsplit(url)
        self._host, self._port = address.hostname or "", address.port or 80
        self._connections = connections

    async def run(self, requests: Iterator[bytes], seconds: float) -> None:
        """Send for so many seconds, or until there are no more requests.

        Raises:
            UnexpectedAnswer: an answer was no success.
            TimeoutError: the last answers did not come.
        """
        deadline = time.perf_counter() + seconds

        def following() -> bytes | None:
            return None if time.perf_counter() >= deadline else next(requests, None)

        callers = [_Caller(following) for _ in range(self._connections)]
        loop = asyncio.get_running_loop()
        for caller in callers:
            await loop.create_connection(partial(_itself, caller), self._host, self._port)
        async with asyncio.timeout(seconds + PATIENCE):
            await asyncio.gather(*(caller.finished for caller in callers))


def _itself(caller: "_Caller") -> "_Caller":
    return caller


class _Caller(HttpMessages):
    def __init__(self, following: Callable[[], bytes | None]) -> None:
        super().__init__()
        self._following = following
        self.finished: asyncio.Future[None] = asyncio.get_running_loop().create_future()

    def connection_made(self, transport: asyncio.BaseTransport) -> None:
        super().connection_made(transport)
        self._send()

    def message_received(self, head: bytes, body: bytes) -> None:
        if head[9:10] != b"2":
            self._fail(f"{head[9:12].decode()} {body[:300].decode(errors='replace')}")
        else:
            self._send()

    def connection_lost(self, exc: Exception | None) -> None:
        self._fail(f"the connection was lost: {exc}")

    def _send(self) -> None:
        request = self._following()
        if request is not None:
            self.transport.write(request)
        elif not self.finished.done():
            self.finished.set_result(None)
            self.transport.close()

    def _fail(self, what: str) -> None:
        if not self.finished.done():
            self.finished.set_exception(UnexpectedAnswer(what))
            self.transport.close()
