"""Queue triggers: polling and back-off; then lock, invoke, and delete, release or move to poison.

The rules are those of QueueListener, RandomizedExponentialBackoffStrategy and QueueProcessor in
https://github.com/Azure/azure-sdk-for-net (Microsoft.Azure.WebJobs.Extensions.Storage.Common).
"""

import asyncio
import binascii
import json
import logging
import os
import random
import re
from collections.abc import Awaitable, Iterator
from contextlib import suppress
from datetime import UTC, datetime
from typing import Any

from azure.core.exceptions import AzureError, ResourceExistsError, ResourceNotFoundError
from azure.functions.meta import Datum
from azure.storage.queue import QueueMessage
from azure.storage.queue.aio import QueueClient

from local_dev.functions_host.app_loader import Function, InvocationError
from local_dev.functions_host.configuration import Configuration, StartError

MIN_POLLING_SECONDS = 0.1
RETRY: Any = {"retry_total": 1, "initial_backoff": 1, "increment_base": 0}  # a blip is no outage

log = logging.getLogger(__name__)


class QueueListener:
    """Feeds one function from its queue."""

    def __init__(self, function: Function, settings: Configuration, lock_seconds: int) -> None:
        self._function, self._settings, self._lock_seconds = function, settings, lock_seconds
        self._name, connection = function.trigger["queueName"], function.trigger["connection"]
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
        while not stopping.is_set():
            if batch := await self._watch(self._receive()):
                in_flight |= {asyncio.create_task(self._watch(self._process(m))) for m in batch}
                while len(in_flight) > self._settings.new_batch_threshold:
                    _, in_flight = await asyncio.wait(in_flight, return_when="FIRST_COMPLETED")
                idle = idle_delays(self._settings.max_polling_seconds)
            else:
                with suppress(TimeoutError):
                    await asyncio.wait_for(stopping.wait(), next(idle))
        await asyncio.gather(*in_flight)

    async def _watch(self, storage: Awaitable[Any]) -> Any:
        """Wait for storage; log when it begins to fail and when it works again."""
        try:
            answer = await storage
        except AzureError as error:  # at worst, a message comes back
            if not self._outage:
                log.warning("%s: storage fails, will keep trying: %s", self._name, error)
            self._outage = True
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
        body = _body(message.content, is_base64=self._settings.is_base64)
        if body is None:
            await self._move_to_poison(message, "not base64")
            return
        may_run = attempts <= limit or not self._poison
        if may_run and await self._invoke_locked(message, body):
            await self._queue.delete_message(message)
        elif not self._poison:
            return  # when its lock has run out, it comes back
        elif attempts >= limit:  # more, if the host died of the last one
            await self._move_to_poison(message, f"{limit} attempts")
        else:
            await self._hide(message, self._settings.visibility_seconds)

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
        with suppress(ResourceExistsError):
            await self._poison.create_queue()
        await self._poison.send_message(message.content)
        log.warning("moved id=%s to %s-poison: %s", message.id, self._name, reason)
        await self._queue.delete_message(message)


def _body(content: str, *, is_base64: bool) -> bytes | None:
    """Return what a message's text stands for; None if it ought to be base64 and is not.

    .NET's base64 allows white space anywhere, and nothing else that is not of the alphabet.
    """
    if not is_base64:
        return content.encode()
    text = re.sub(r"[ \t\r\n]", "", content)
    try:
        # Before Python 3.13, more padding than is due does not count as wrong.
        return None if len(text) % 4 else binascii.a2b_base64(text, strict_mode=True)
    except ValueError:
        return None


def idle_delays(longest: float) -> Iterator[float]:
    """Yield how many seconds to wait after each further poll that found nothing."""
    yield MIN_POLLING_SECONDS
    growth = 1.0
    while True:
        jitter = random.uniform(0.8, 1.2)  # noqa: S311 - no secret
        yield min(MIN_POLLING_SECONDS * (1 + jitter * growth), longest)
        growth *= 2


def trigger_metadata(message: QueueMessage, text: str = "") -> dict[str, Datum]:
    """Describe a message in the encoding that func.QueueMessage is decoded from.

    As in the real host, an `id` in a JSON text becomes the id of func.QueueMessage, and so on:
    https://github.com/Azure/azure-functions-python-worker/issues/1373
    """
    metadata: dict[str, Any] = {
        "Id": message.id,
        "PopReceipt": message.pop_receipt,
        "DequeueCount": message.dequeue_count,
        "ExpirationTime": message.expires_on,
        "InsertionTime": message.inserted_on,
        "NextVisibleTime": message.next_visible_on,
    }
    with suppress(ValueError, RecursionError, AttributeError):  # not JSON; not an object
        body = {key.lower(): value for key, value in json.loads(text).items()}
        for name in metadata:
            if isinstance(value := body.get(name.lower()), str | int | float | dict):
                metadata[name] = value if isinstance(value, dict) else _as_read(str(value))
    encode = json.JSONEncoder(default=datetime.isoformat).encode
    return {name: Datum(encode(value), "json") for name, value in metadata.items()}


def _as_read(value: str) -> str:
    """Return a JSON string as the host's reader hands it on: a date in another notation."""
    if not re.match(r"\d{4}-\d\d-\d\dT\d\d:\d\d:\d\d", value):
        return value
    try:
        date = datetime.fromisoformat(value)
    except ValueError:
        return value
    return (date.astimezone(UTC) if date.tzinfo else date).strftime("%m/%d/%Y %H:%M:%S")


def _client(setting: str, queue_name: str) -> QueueClient:
    parts = os.environ.get(setting, "").split(";")  # the SDK takes no blanks between them
    try:
        return QueueClient.from_connection_string(
            ";".join(filter(None, map(str.strip, parts))),
            queue_name,
            random_jitter_range=0,
            **RETRY,
        )
    except ValueError as error:
        raise StartError(f"the app setting {setting} is not set or wrong: {error}") from None
