"""A storage emulator for the measured programs, on the core of the measuring side."""

import contextlib
import json
import tempfile
from collections import Counter
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from pathlib import Path

from azure.core.exceptions import ResourceExistsError
from azure.storage.queue import TextBase64DecodePolicy
from azure.storage.queue.aio import QueueClient

from benchmarks.programs import CannotMeasure
from bot_logic.bot_endpoint.state import TABLE_NAME as STATE
from bot_logic.conversations import TABLE_NAME as CONVERSATIONS
from bot_logic.delivery.idempotency import TABLE_NAME as RECORDS
from bot_logic.settings import storage_location
from bot_logic.storage.account import StorageAccount
from local_dev import azurite
from local_dev.ports import free_ports
from local_dev.programs import running

AT_ONCE = 32  # messages that the service hands out in one call
OUT_OF_SIGHT = 600  # seconds that a message once read is not read again


@asynccontextmanager
async def storage_emulator() -> AsyncIterator[str]:
    """Run Azurite with no data as long as the block lasts; yield the connection string.

    It is two of them, for each stops for seconds at one half of the work: in memory it sweeps the
    queues' messages once a minute, on disk it writes all the tables' rows every few seconds.

    Raises:
        CannotMeasure: it is not installed.
        ProcessError: it does not start.
    """
    if not azurite.PROGRAM.exists():
        raise CannotMeasure("Azurite is not installed; `make bench` does it")
    blob, queue, *others, table = free_ports(6)
    with (
        tempfile.TemporaryDirectory() as folder,
        running(azurite.program(Path(folder), blob, queue, others[0])),
        running(azurite.program(None, others[1], others[2], table)),
    ):
        connection = azurite.connection_string(blob, queue, table)
        await _make_tables(connection)
        yield connection


@asynccontextmanager
async def existing_queue(connection: str, name: str) -> AsyncIterator[QueueClient]:
    """Create a queue unless there is one, and yield its client."""
    policy = TextBase64DecodePolicy()
    async with QueueClient.from_connection_string(
        connection, name, message_decode_policy=policy
    ) as queue:
        with contextlib.suppress(ResourceExistsError):
            await queue.create_queue()
        yield queue


async def queued_texts(queue: QueueClient) -> Counter[str]:
    """Return what is said in all messages on the queue, and empty it."""
    messages = queue.receive_messages(messages_per_page=AT_ONCE, visibility_timeout=OUT_OF_SIGHT)
    texts = Counter([json.loads(message.content)["text"] async for message in messages])
    await queue.clear_messages()
    return texts


async def _make_tables(connection: str) -> None:
    """Make them as they are in use: the first turns, which do, are not what is measured."""
    account = StorageAccount(storage_location({"AzureWebJobsStorage": connection}))
    try:
        for name in (CONVERSATIONS, STATE, RECORDS):
            await account.table(name).create()
    finally:
        await account.close()
