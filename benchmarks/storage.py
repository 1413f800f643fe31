"""A storage emulator for the measured programs, on the core of the measuring side."""

import asyncio
import contextlib
import json
import tempfile
from collections import Counter
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from dataclasses import dataclass
from pathlib import Path

from azure.core.exceptions import ResourceExistsError
from azure.storage.queue import TextBase64DecodePolicy
from azure.storage.queue.aio import QueueClient

from benchmarks.programs import CannotMeasure
from bot_logic.bot_endpoint.conversations import TABLE_NAME as CONVERSATIONS_TABLE
from bot_logic.bot_endpoint.state import TABLE_NAME as STATE_TABLE
from bot_logic.deliveries import TABLE_NAME as DELIVERIES_TABLE
from bot_logic.settings import Secret
from bot_logic.table import Table
from local_dev import azurite
from local_dev.ports import free_ports

TABLES = (CONVERSATIONS_TABLE, STATE_TABLE, DELIVERIES_TABLE)

START_TIMEOUT = 30.0  # seconds
AT_ONCE = 32  # messages that the service hands out in one call
OUT_OF_SIGHT = 600  # seconds that a message once read is not read again


@dataclass(frozen=True)
class ReceivedMessage:
    """As azure.functions.QueueMessage."""

    id: str
    body: bytes

    def get_body(self) -> bytes:
        """The message, base64 removed."""
        return self.body


@dataclass(frozen=True)
class Ports:
    """Where an Azurite listens."""

    blob: int
    queue: int
    table: int


@asynccontextmanager
async def storage_emulator() -> AsyncIterator[str]:
    """Run Azurite with no data as long as the block lasts; gives the connection string.

    It is two of them, for each stops for seconds at one half of the work: in memory it sweeps the
    queues' messages once a minute, on disk it writes all the tables' rows every few seconds.
    """
    with tempfile.TemporaryDirectory() as folder:
        async with _azurite(Path(folder)) as on_disk, _azurite(None) as in_memory:
            connection = azurite.connection_string(on_disk.blob, on_disk.queue, in_memory.table)
            await _make_tables(connection)
            yield connection


@asynccontextmanager
async def _azurite(location: Path | None) -> AsyncIterator[Ports]:
    if not azurite.PROGRAM.exists():
        raise CannotMeasure("Azurite is not installed; `make bench` does it")
    ports = Ports(*free_ports(3))
    process = await asyncio.create_subprocess_exec(
        *azurite.command(location, ports.blob, ports.queue, ports.table),
        stdin=asyncio.subprocess.DEVNULL,
        stdout=asyncio.subprocess.DEVNULL,
    )
    try:
        for port in (ports.queue, ports.table):
            await _listening(port)
        yield ports
    finally:
        process.terminate()
        await process.wait()


@asynccontextmanager
async def existing_queue(connection: str, name: str) -> AsyncIterator[QueueClient]:
    """A queue that exists, and its client."""
    policy = TextBase64DecodePolicy()
    async with QueueClient.from_connection_string(
        connection, name, message_decode_policy=policy
    ) as queue:
        with contextlib.suppress(ResourceExistsError):
            await queue.create_queue()
        yield queue


async def received(queue: QueueClient, count: int) -> list[ReceivedMessage]:
    """Take so many messages off the queue, 32 at most, as the Functions host does."""
    pages = queue.receive_messages(messages_per_page=count, visibility_timeout=OUT_OF_SIGHT)
    messages = [message async for message in await anext(pages.by_page())]
    for message in messages:
        await queue.delete_message(message)
    return [ReceivedMessage(message.id, message.content.encode()) for message in messages]


async def queued_texts(queue: QueueClient) -> Counter[str]:
    """What is said in all messages on the queue, which is empty afterwards."""
    messages = queue.receive_messages(messages_per_page=AT_ONCE, visibility_timeout=OUT_OF_SIGHT)
    texts = Counter([json.loads(message.content)["text"] async for message in messages])
    await queue.clear_messages()
    return texts


async def _make_tables(connection: str) -> None:
    """As they are in use: the first turns, which make them, are not what is measured."""
    for name in TABLES:
        table = Table(Secret(connection), name)
        await table.create()
        await table.close()


async def _listening(port: int) -> None:
    async with asyncio.timeout(START_TIMEOUT):
        while True:
            with contextlib.suppress(OSError):
                _, writer = await asyncio.open_connection("127.0.0.1", port)
                writer.close()
                return
            await asyncio.sleep(0.05)
