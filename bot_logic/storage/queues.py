"""One Azure Storage queue: put a message, and create the queue if there is none."""

import asyncio
import html
from http import HTTPStatus
from typing import Final

from azure.core.exceptions import AzureError, ResourceNotFoundError
from azure.storage.queue.aio import QueueClient

from bot_logic.contract.queue_text import as_put
from bot_logic.errors import MessageNotInserted, QueueNotCreated, ServiceUnavailable
from bot_logic.storage.access import Access
from bot_logic.storage.reasons import reason_of
from bot_logic.storage.signed_requests import (
    RETRY_PAUSE,
    TOTAL_TIMEOUT,
    Answer,
    NoAnswer,
    Request,
    SignedRequests,
    queue_text,
)

_NEVER_EXPIRES: Final = -1  # else the service deletes a waiting message after 7 days, silently


class StorageQueue:
    """Puts messages on one queue: in base64, which holds every character, if that fits."""

    def __init__(self, account_url: str, name: str, access: Access) -> None:
        self._name = name
        self._client = QueueClient(
            account_url,
            name,
            initial_backoff=RETRY_PAUSE,
            increment_base=0,
            random_jitter_range=RETRY_PAUSE,
            **access.for_clients(),
        )
        self._requests = SignedRequests(access, f"{account_url}/{name}", queue_text)

    async def put(self, message: str, *, delay: int = 0) -> None:
        """Put a message on the queue, hidden for `delay` seconds; create the queue if need be.

        Raises:
            QueueNotCreated: there is no queue and it could not be created.
            MessageNotInserted: the queue did not accept the message.
        """
        try:
            async with asyncio.timeout(TOTAL_TIMEOUT):
                answer = await self._send(message, delay)
                if answer.status == HTTPStatus.NOT_FOUND:
                    await self.create()
                    answer = await self._send(message, delay)
        except (NoAnswer, TimeoutError) as error:
            reason = str(error) or "TimeoutError"
            raise MessageNotInserted(f"{self._name}: {reason}") from error
        if not answer.ok:
            raise MessageNotInserted(f"{self._name}: {answer.reason}")

    async def create(self) -> None:
        """Create the queue; that it exists already is fine.

        Raises:
            QueueNotCreated: the storage account could not be reached, or refused.
        """
        try:
            async with asyncio.timeout(TOTAL_TIMEOUT):
                await self._client.create_queue()
        except (AzureError, TimeoutError) as error:
            if getattr(error, "error_code", None) != "QueueAlreadyExists":
                raise QueueNotCreated(f"{self._name}: {reason_of(error)}") from error

    async def check(self) -> None:
        """Ask whether the queue can be read; that there is none yet is fine.

        Raises:
            ServiceUnavailable: it cannot.
        """
        try:
            async with asyncio.timeout(TOTAL_TIMEOUT):
                await self._client.get_queue_properties()
        except ResourceNotFoundError:
            return
        except (AzureError, TimeoutError) as error:
            raise ServiceUnavailable(f"{self._name}: {reason_of(error)}") from error

    async def _send(self, message: str, delay: int) -> Answer:
        text = html.escape(as_put(message), quote=False).replace("\r", "&#13;")  # or it gets lost
        return await self._requests.send(
            Request(
                "POST",
                "application/xml",
                f"<QueueMessage><MessageText>{text}</MessageText></QueueMessage>".encode(),
                path="/messages",
                query=f"messagettl={_NEVER_EXPIRES}&visibilitytimeout={delay}",
            )
        )
