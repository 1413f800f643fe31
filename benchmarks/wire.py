"""HTTP/1.1 on bare asyncio streams: just enough, so that the measuring side costs little.

Bodies have a Content-Length; nobody here sends chunks. Connections are kept alive.
"""

import asyncio
import contextlib
import json
import re
import time
from collections.abc import AsyncIterator, Callable, Iterator
from contextlib import asynccontextmanager
from typing import Any, Final
from urllib.parse import urlsplit

END_OF_HEAD: Final = b"\r\n\r\n"
PATIENCE: Final = 60.0  # seconds for the last answers
_LENGTH: Final = re.compile(rb"\r\ncontent-length: *(\d+)", re.IGNORECASE)

Message = tuple[bytes, bytes]  # head and body, of a request or of a response
Handler = Callable[[bytes, bytes], bytes]


class UnexpectedAnswer(Exception):
    """A server did not do what was asked of it."""


def post(path: str, body: Any, **headers: str) -> bytes:
    """Make a whole request that carries JSON."""
    fields = {"Host": "127.0.0.1", "Content-Type": "application/json", **headers}
    return _message(f"POST {path} HTTP/1.1", fields, body)


def answer(body: Any, status: str = "200 OK") -> bytes:
    """Make a whole response that carries JSON."""
    return _message(f"HTTP/1.1 {status}", {"Content-Type": "application/json"}, body)


@asynccontextmanager
async def serving(handler: Handler) -> AsyncIterator[str]:
    """Let `handler` answer requests on loopback as long as the block lasts; yield the base URL."""

    async def serve(reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        with contextlib.suppress(EOFError, ConnectionError), contextlib.closing(writer):
            while True:
                writer.write(handler(*await _read(reader)))

    server = await asyncio.start_server(serve, "127.0.0.1", 0)
    try:
        yield f"http://127.0.0.1:{server.sockets[0].getsockname()[1]}"
    finally:
        server.close()


async def load(
    url: str, requests: Iterator[bytes], connections: int, seconds: float = PATIENCE
) -> None:
    """Send for so many seconds, or until there are no more requests; one on each connection.

    Raises:
        UnexpectedAnswer: an answer was no success.
        TimeoutError: the last answers did not come.
    """
    address, deadline = urlsplit(url), time.perf_counter() + seconds

    async def call() -> None:
        reader, writer = await asyncio.open_connection(address.hostname, address.port)
        with contextlib.closing(writer):
            for request in requests:
                writer.write(request)
                head, body = await _read(reader)
                if head[9:10] != b"2":
                    raise UnexpectedAnswer(f"{head[9:12].decode()} {body[:300]!r}")
                if time.perf_counter() >= deadline:
                    return

    try:
        async with asyncio.timeout(seconds + PATIENCE):
            await asyncio.gather(*(call() for _ in range(connections)))
    except (EOFError, ConnectionError) as error:
        raise UnexpectedAnswer(f"the connection was lost: {error}") from error


def _message(first: str, fields: dict[str, str], content: Any) -> bytes:
    body = json.dumps(content).encode()
    fields = {**fields, "Content-Length": str(len(body))}
    return "\r\n".join([first, *map(": ".join, fields.items()), "\r\n"]).encode() + body


async def _read(reader: asyncio.StreamReader) -> Message:
    head = await reader.readuntil(END_OF_HEAD)
    length = _LENGTH.search(head)
    return head, await reader.readexactly(int(length[1])) if length else b""
