"""Queue triggers, one message's side: lock, invoke, then delete, release or move to poison.

The rules are those of QueueProcessor and UpdateQueueMessageVisibilityCommand in
https://github.com/Azure/azure-sdk-for-net (Microsoft.Azure.WebJobs.Extensions.Storage.Common).
"""

import asyncio
import base64
import json
import logging
import time
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager, suppress
from datetime import datetime

from azure.core.exceptions import AzureError, HttpResponseError
from azure.functions.meta import Datum
from azure.storage.queue import QueueMessage
from azure.storage.queue.aio import QueueClient

from .app_loader import Function, FunctionApp, InvocationError
from .configuration import Configuration

log = logging.getLogger(__name__)


class QueueProcessor:
    """Sees each message of one queue through to its end."""

    def __init__(
        self,
        app: FunctionApp,
        function: Function,
        *,
        settings: Configuration,
        lock_seconds: int,
        queue: QueueClient,
        poison: QueueClient,
    ) -> None:
        self._app, self._function, self._settings = app, function, settings
        self._lock_seconds, self._queue, self._poison = lock_seconds, queue, poison

    async def process(self, message: QueueMessage) -> None:
        """Invoke the function; raise AzureError if storage does not take the outcome."""
        attempts, limit = message.dequeue_count or 1, self._settings.max_dequeue_count
        if attempts > limit:  # the host died of its last attempt
            await self._move_to_poison(message, f"{limit} attempts")
            return
        try:
            body = self._decode(message.content)
        except ValueError:
            await self._move_to_poison(message, "not base64, see messageEncoding")
            return
        async with self._locked(message):
            succeeded = await self._invoke(message, body)
        try:
            if succeeded:
                await self._queue.delete_message(message.id, message.pop_receipt)
            elif attempts == limit:
                await self._move_to_poison(message, f"{limit} attempts")
            else:
                await self._hide(message, self._settings.visibility_timeout)
        except HttpResponseError as error:
            if error.status_code not in {400, 404}:  # PopReceiptMismatch, MessageNotFound
                raise
            log.warning("%s lost its lock on id=%s", self._function.name, message.id)

    async def _invoke(self, message: QueueMessage, body: bytes) -> bool:
        started, failure = time.monotonic(), ""
        try:
            text = body.decode()
            metadata = trigger_metadata(message, text)
            await self._app.invoke(self._function, Datum(text, "string"), metadata)
        except (InvocationError, UnicodeDecodeError) as error:
            failure = f"\n{error}"
        log.log(
            logging.ERROR if failure else logging.INFO,
            "%s %s id=%s dequeue=%s %d ms%s",
            *(self._function.name, "failed" if failure else "succeeded"),
            *(message.id, message.dequeue_count, (time.monotonic() - started) * 1000, failure),
        )
        return not failure

    def _decode(self, content: str) -> bytes:
        if not self._settings.base64:
            return content.encode()
        return base64.b64decode("".join(content.split()), validate=True)

    @asynccontextmanager
    async def _locked(self, message: QueueMessage) -> AsyncIterator[None]:
        """Keep a message hidden for as long as its function runs."""
        finished = asyncio.Event()
        renewal = asyncio.create_task(self._renew(message, finished))
        try:
            yield
        finally:
            finished.set()
            await renewal  # cancelling it could lose the new pop receipt

    async def _renew(self, message: QueueMessage, finished: asyncio.Event) -> None:
        while True:
            with suppress(TimeoutError):
                await asyncio.wait_for(finished.wait(), self._lock_seconds / 2)
                return
            try:
                await self._hide(message, self._lock_seconds)
            except AzureError as error:
                log.warning("cannot renew the lock on id=%s: %s", message.id, error)

    async def _hide(self, message: QueueMessage, seconds: int) -> None:
        updated = await self._queue.update_message(
            message.id, message.pop_receipt, visibility_timeout=seconds
        )
        message.pop_receipt = updated.pop_receipt

    async def _move_to_poison(self, message: QueueMessage, reason: str) -> None:
        with suppress(HttpResponseError):  # it exists, or else sending will fail
            await self._poison.create_queue()
        await self._poison.send_message(message.content)
        log.warning("moved id=%s to %s: %s", message.id, self._poison.queue_name, reason)
        await self._queue.delete_message(message.id, message.pop_receipt)


def trigger_metadata(message: QueueMessage, text: str) -> dict[str, Datum]:
    """Describe a message in the encoding that func.QueueMessage is decoded from."""
    metadata = {
        "Id": message.id,
        "PopReceipt": message.pop_receipt,
        "DequeueCount": message.dequeue_count,
        "ExpirationTime": message.expires_on,
        "InsertionTime": message.inserted_on,
        "NextVisibleTime": message.next_visible_on,
    }
    # In the real host, an `id` in a JSON body becomes the id of func.QueueMessage, and so on:
    # https://github.com/Azure/azure-functions-python-worker/issues/1373
    names = {name.lower(): name for name in metadata}
    with suppress(ValueError):
        body = json.loads(text)
        for key, value in body.items() if isinstance(body, dict) else ():
            if key.lower() in names and isinstance(value, str | int | float):
                metadata[names[key.lower()]] = str(value)
    encoded = {
        name: json.dumps(value, default=datetime.isoformat) for name, value in metadata.items()
    }
    return {name: Datum(value, "json") for name, value in encoded.items()}
