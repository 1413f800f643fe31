"""HTTP/1.1 on bare asyncio protocols: just enough, so that the measuring side costs little.

Bodies have a Content-Length; nobody here sends chunks. Connections are kept alive.
"""

import asyncio
from collections.abc import AsyncIterator, Callable
from contextlib import asynccontextmanager
from typing import cast

END_OF_HEAD = b"\r\n\r\n"

Handler = Callable[[bytes, bytes], bytes]


class UnreadableHttp(Exception):
    """What came over the wire is more than this module understands."""


def head_of(path: str, length: int, **headers: str) -> bytes:
    """Make the head of a POST of JSON to this machine."""
    fields = {"Host": "127.0.0.1", "Content-Type": "application/json", **headers}
    lines = "".join(f"{name.replace('_', '-')}: {value}\r\n" for name, value in fields.items())
    return f"POST {path} HTTP/1.1\r\n{lines}Content-Length: {length}\r\n\r\n".encode()


def json_answer(body: bytes, status: str = "200 OK") -> bytes:
    """Make a whole response that carries JSON."""
    head = f"HTTP/1.1 {status}\r\nContent-Type: application/json\r\nContent-Length: {len(body)}"
    return head.encode() + END_OF_HEAD + body


class HttpMessages(asyncio.Protocol):
    """Cuts what comes over a connection into messages: requests or responses alike."""

    def __init__(self) -> None:
        self._received = b""
        self.transport: asyncio.Transport

    def connection_made(self, transport: asyncio.BaseTransport) -> None:
        """Keep the way back."""
        self.transport = cast("asyncio.Transport", transport)

    def data_received(self, data: bytes) -> None:
        """Hand on each message that is complete."""
        received = self._received + data if self._received else data
        while (end := received.find(END_OF_HEAD)) >= 0:
            head = received[:end]
            body_at = end + len(END_OF_HEAD)
            next_at = body_at + _content_length(head)
            if len(received) < next_at:
                break
            body, received = received[body_at:next_at], received[next_at:]
            self.message_received(head, body)
        self._received = received

    def message_received(self, head: bytes, body: bytes) -> None:
        """Take one message; its head is without the empty line."""
        raise NotImplementedError


class _Served(HttpMessages):
    def __init__(self, handler: Handler) -> None:
        super().__init__()
        self._handler = handler

    def message_received(self, head: bytes, body: bytes) -> None:
        self.transport.write(self._handler(head, body))


@asynccontextmanager
async def serving(handler: Handler) -> AsyncIterator[str]:
    """Let `handler` answer requests on loopback as long as the block lasts; yield the base URL."""
    loop = asyncio.get_running_loop()
    server = await loop.create_server(lambda: _Served(handler), "127.0.0.1", 0)
    try:
        yield f"http://127.0.0.1:{server.sockets[0].getsockname()[1]}"
    finally:
        server.close()


def _content_length(head: bytes) -> int:
    lower = head.lower()
    at = lower.find(b"\r\ncontent-length:")
    if at >= 0:
        return int(lower[at + 17 :].split(b"\r\n", 1)[0])
    if b"\r\ntransfer-encoding:" in lower:
        raise UnreadableHttp("a body in chunks")
    return 0
