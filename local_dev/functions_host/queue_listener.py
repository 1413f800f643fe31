"""Queue triggers, the queue's side: polling, back-off, how many messages are in flight.

The rules are those of QueueListener and RandomizedExponentialBackoffStrategy in
https://github.com/Azure/azure-sdk-for-net (Microsoft.Azure.WebJobs.Extensions.Storage.Common).
"""

import asyncio
import itertools
import logging
import random
from collections.abc import Iterator
from contextlib import suppress

from azure.core.exceptions import AzureError, ResourceNotFoundError
from azure.storage.queue import QueueMessage
from azure.storage.queue.aio import QueueClient

from .app_loader import Function, FunctionApp
from .configuration import Configuration, ConfigurationError, connection_string, resolve_settings
from .queue_processor import QueueProcessor

MIN_POLLING_INTERVAL = 0.1  # seconds

log = logging.getLogger(__name__)


class QueueListener:
    """Feeds one function from its queue."""

    def __init__(
        self, app: FunctionApp, function: Function, settings: Configuration, lock_seconds: int
    ) -> None:
        self._settings, self._lock_seconds = settings, lock_seconds
        self.queue_name = resolve_settings(function.trigger["queueName"])
        self._queue = _client(function.trigger["connection"], self.queue_name)
        self._poison = _client(function.trigger["connection"], f"{self.queue_name}-poison")
        self._processor = QueueProcessor(
            app,
            function,
            settings=settings,
            lock_seconds=lock_seconds,
            queue=self._queue,
            poison=self._poison,
        )
        self._in_flight: set[asyncio.Task[None]] = set()
        self._stopping = asyncio.Event()
        self._outage = False

    async def run(self) -> None:
        """Work until `stop`, then let what is under way finish."""
        idle = idle_delays(self._settings.max_polling_interval)
        async with self._queue, self._poison:
            while not self._stopping.is_set():
                if batch := await self._receive():
                    for message in batch:
                        task = asyncio.create_task(self._process(message))
                        self._in_flight.add(task)
                        task.add_done_callback(self._in_flight.discard)
                    await self._until_in_flight(self._settings.new_batch_threshold)
                    idle = idle_delays(self._settings.max_polling_interval)
                else:
                    with suppress(TimeoutError):
                        await asyncio.wait_for(self._stopping.wait(), next(idle))
            await self._until_in_flight(0)

    def stop(self) -> None:
        """Take no further messages."""
        self._stopping.set()

    async def _until_in_flight(self, count: int) -> None:
        while len(self._in_flight) > count:
            await asyncio.wait(self._in_flight, return_when=asyncio.FIRST_COMPLETED)

    async def _receive(self) -> list[QueueMessage]:
        pages = self._queue.receive_messages(
            messages_per_page=self._settings.batch_size, visibility_timeout=self._lock_seconds
        ).by_page()
        batch: list[QueueMessage] = []
        try:
            batch = [message async for message in await anext(pages)]
        except (StopAsyncIteration, ResourceNotFoundError):
            pass  # no message; or no queue yet, which is no error
        except AzureError as error:
            self._storage_failed(error)
            return batch
        if self._outage:
            log.info("%s: storage answers again", self.queue_name)
        self._outage = False
        return batch

    async def _process(self, message: QueueMessage) -> None:
        try:
            await self._processor.process(message)
        except AzureError as error:  # at worst, the message comes back
            self._storage_failed(error)

    def _storage_failed(self, error: AzureError) -> None:
        if not self._outage:
            log.warning("%s: storage fails, will keep trying: %s", self.queue_name, error)
        self._outage = True


def idle_delays(longest: float) -> Iterator[float]:
    """Yield how many seconds to wait after each further poll that found nothing."""
    yield MIN_POLLING_INTERVAL
    for exponent in itertools.count():
        jitter = random.uniform(0.8, 1.2)  # noqa: S311  no secret
        delay = MIN_POLLING_INTERVAL * (1 + jitter * 2**exponent)
        if delay >= longest:
            break
        yield delay
    yield from itertools.repeat(longest)


def _client(connection: str, queue_name: str) -> QueueClient:
    account = connection_string(connection)
    try:  # with one retry by the SDK, after a second, so that a blip is no outage
        return QueueClient.from_connection_string(
            *(account, queue_name),
            retry_total=1,
            initial_backoff=1,
            random_jitter_range=0,
        )
    except ValueError as error:
        raise ConfigurationError(f"the app setting {connection}: {error}") from None
