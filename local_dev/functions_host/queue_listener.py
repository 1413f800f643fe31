"""Queue triggers: polling and back-off; then lock, invoke, and delete, release or move to poison.

The rules are those of QueueListener, RandomizedExponentialBackoffStrategy and QueueProcessor in
https://github.com/Azure/azure-sdk-for-net (Microsoft.Azure.WebJobs.Extensions.Storage.Common).
"""

import asyncio
import logging
import os
import random
from collections.abc import Awaitable, Callable, Iterator
from contextlib import suppress
from typing import TypeVar

from azure.core.exceptions import (
    AzureError,
    ResourceExistsError,
    ResourceNotFoundError,
)
from azure.functions.meta import Datum
from azure.storage.queue import QueueMessage
from azure.storage.queue.aio import QueueClient

from local_dev.functions_host.app_loader import Function, InvocationError
from local_dev.functions_host.configuration import Configuration, StartError, resolved
from local_dev.functions_host.queue_message import body_of, trigger_metadata
from local_dev.functions_host.storage_tries import WAITS, insist, is_no_answer, may_pass

MIN_POLLING_SECONDS = 0.1
T = TypeVar("T")
log = logging.getLogger(__name__)


class QueueListener:
    """Feeds one function from its queue."""

    def __init__(
        self,
        function: Function,
        settings: Configuration,
        lock_seconds: int,
        on_trouble: Callable[[], None] | None = None,
    ) -> None:
        """Take what the function is fed with.

        Args:
            function: with its trigger.
            settings: of host.json.
            lock_seconds: how long a message is hidden that was received.
            on_trouble: called when storage has failed for so long that the real host shuts down;
                without it, storage is waited for.

        Raises:
            StartError: the trigger's connection is not set or wrong.
        """
        self._function, self._settings, self._lock_seconds = function, settings, lock_seconds
        self._on_trouble = on_trouble
        self._name = resolved(function.trigger["queueName"])
        connection = function.trigger["connection"]
        self._queue = _client(connection, self._name)
        self._poison = None  # of a poison queue: there a message stays until it succeeds
        if not self._name.endswith("-poison"):
            self._poison = _client(connection, f"{self._name}-poison")
        self._outage = False
        log.info("%s: queueTrigger %s", function.name, self._name)

    @property
    def queue_url(self) -> str:
        """The address of the queue."""
        return str(self._queue.url)

    async def run(self, stopping: asyncio.Event) -> None:
        """Work until `stopping` is set, then let what is under way finish."""
        in_flight: set[asyncio.Task[None]] = set()
        idle = idle_delays(self._settings.max_polling_seconds)
        waits = WAITS if self._on_trouble else WAITS[:1]  # a blip is no outage
        while not stopping.is_set():
            if batch := await self._watch(insist(self._receive, waits), is_no_answer):
                in_flight |= {asyncio.create_task(self._finish(message)) for message in batch}
                while len(in_flight) > self._settings.new_batch_threshold:
                    _, in_flight = await asyncio.wait(in_flight, return_when="FIRST_COMPLETED")
                idle = idle_delays(self._settings.max_polling_seconds)
            else:
                with suppress(TimeoutError):
                    await asyncio.wait_for(stopping.wait(), next(idle))
        await asyncio.gather(*in_flight)

    async def _finish(self, message: QueueMessage) -> None:
        await self._watch(self._process(message), may_pass)

    async def _watch(
        self, storage: Awaitable[T], is_trouble: Callable[[AzureError], bool]
    ) -> T | None:
        """Wait for storage; log when it begins to fail and when it works again.

        Args:
            storage: what it is asked.
            is_trouble: which errors end the real host, if it gets nothing else for so long.
        """
        try:
            answer = await storage
        except AzureError as error:  # at worst, a message comes back
            if not self._outage:
                log.warning("%s: storage fails, will keep trying: %s", self._name, error)
            self._outage = True
            if self._on_trouble and is_trouble(error):
                self._on_trouble()
            return None
        if self._outage:
            log.info("%s: storage answers again", self._name)
        self._outage = False
        return answer

    async def _receive(self) -> list[QueueMessage]:
        size, lock = self._settings.batch_size, self._lock_seconds
        messages = self._queue.receive_messages(messages_per_page=size, visibility_timeout=lock)
        with suppress(StopAsyncIteration, ResourceNotFoundError):  # the queue may come later
            return [message async for message in await anext(messages.by_page())]
        return []

    async def _process(self, message: QueueMessage) -> None:
        attempts, limit = message.dequeue_count or 1, self._settings.max_dequeue_count
        body = body_of(message.content, is_base64=self._settings.is_base64)
        if body is None:
            await self._move_to_poison(message, "not base64")
            return
        may_run = attempts <= limit or not self._poison
        if may_run and await self._invoke_locked(message, body):
            await self._delete(message)
        elif not self._poison:
            return  # when its lock has run out, it comes back
        elif attempts >= limit:  # more, if the host died of the last one
            await self._move_to_poison(message, f"{limit} attempts")
        else:
            await insist(lambda: self._hide(message, self._settings.visibility_seconds))

    async def _invoke_locked(self, message: QueueMessage, body: bytes) -> bool:
        """Keep the message hidden for as long as its function runs; tell if that succeeded."""
        invocation = asyncio.create_task(self._invoke(message, body))
        while not (await asyncio.wait([invocation], timeout=self._lock_seconds / 2))[0]:
            with suppress(AzureError):  # a lock that is lost shows at the end
                await self._hide(message, self._lock_seconds)
        return invocation.result()

    async def _invoke(self, message: QueueMessage, body: bytes) -> bool:
        event = (self._function.name, message.id, message.dequeue_count)
        try:
            if self._function.trigger.get("dataType") == "BINARY":
                await self._function.invoke(Datum(body, "bytes"), trigger_metadata(message))
            else:
                text = body.decode()
                await self._function.invoke(Datum(text, "string"), trigger_metadata(message, text))
        except (InvocationError, UnicodeDecodeError) as error:
            log.error("%s failed id=%s dequeue=%s\n%s", *event, error)  # noqa: TRY400 - is a trace
            return False
        log.info("%s succeeded id=%s dequeue=%s", *event)
        return True

    async def _hide(self, message: QueueMessage, seconds: int) -> None:
        receipt = message.pop_receipt
        updated = await self._queue.update_message(message.id, receipt, visibility_timeout=seconds)
        message.pop_receipt = updated.pop_receipt

    async def _move_to_poison(self, message: QueueMessage, reason: str) -> None:
        if not self._poison:
            return
        poison = self._poison
        await insist(lambda: _put(poison, message.content))
        log.warning("moved id=%s to %s-poison: %s", message.id, self._name, reason)
        await self._delete(message)

    async def _delete(self, message: QueueMessage) -> None:
        with suppress(ResourceNotFoundError):  # somebody else has, after its lock ran out
            await insist(lambda: self._queue.delete_message(message))


async def _put(queue: QueueClient, content: str) -> None:
    with suppress(ResourceExistsError):
        await queue.create_queue()
    await queue.send_message(content)


def idle_delays(longest: float) -> Iterator[float]:
    """Yield how many seconds to wait after each further poll that found nothing."""
    yield MIN_POLLING_SECONDS
    growth = 1.0
    while True:
        jitter = random.uniform(0.8, 1.2)  # noqa: S311 - no secret
        yield min(MIN_POLLING_SECONDS * (1 + jitter * growth), longest)
        growth *= 2


def _client(setting: str, queue_name: str) -> QueueClient:
    parts = os.environ.get(setting, "").split(";")  # the SDK takes no blanks between them
    try:
        return QueueClient.from_connection_string(
            ";".join(filter(None, map(str.strip, parts))),
            queue_name,
            retry_total=0,
        )
    except ValueError as error:
        raise StartError(f"the app setting {setting} is not set or wrong: {error}") from None
