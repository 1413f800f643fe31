"""One Azure Storage queue: put a message, and create the queue if there is none.

Both resources put messages; taking them off is the Functions host's work.
"""

import base64
from http import HTTPStatus
from typing import Final, Protocol

from azure.core.exceptions import AzureError
from azure.storage.queue.aio import QueueClient

from bot_logic.errors import MessageNotInserted, QueueNotCreated
from bot_logic.settings import Secret
from bot_logic.storage_requests import (
    CALL_TIMEOUT,
    RETRIES,
    RETRY_PAUSE,
    Answer,
    NoAnswer,
    Request,
    StorageRequests,
    queue_text,
)
from bot_logic.storage_transport import storage_transport

_NEVER_EXPIRES: Final = -1  # else the service deletes a waiting message after 7 days, silently


class ReceivedMessage(Protocol):
    """What is read of azure.functions.QueueMessage."""

    @property
    def id(self) -> str | None:
        """The queue's id of the message; it stays through all attempts."""

    def get_body(self) -> bytes | str:
        """The message, base64 removed."""


class StorageQueue:
    """Puts messages on one queue, encoded as the Functions host expects them (host.json)."""

    def __init__(self, connection: Secret, name: str) -> None:
        transport = storage_transport()
        self._client = QueueClient.from_connection_string(
            connection.reveal(),
            name,
            transport=transport,
            retry_total=RETRIES,
            initial_backoff=RETRY_PAUSE,
            increment_base=0,
            random_jitter_range=RETRY_PAUSE,
            connection_timeout=CALL_TIMEOUT,
            read_timeout=CALL_TIMEOUT,
        )
        self._requests = StorageRequests(
            transport.session, connection, self._client.url, queue_text
        )

    async def put(self, message: str, *, delay: int = 0) -> None:
        """Put a message on the queue; when this returns, the queue has it.

        Args:
            message: at most 48 KiB.
            delay: seconds in which nobody sees it (visibility timeout); seven days at most.

        Raises:
            QueueNotCreated: there is no queue and it could not be created.
            MessageNotInserted: the queue did not accept the message.
        """
        answer = await self._send(message, delay)
        if answer.status == HTTPStatus.NOT_FOUND:
            await self.create()
            answer = await self._send(message, delay)
        if not answer.fine:
            raise MessageNotInserted(f"{self._name}: {answer.reason}")

    async def create(self) -> None:
        """Create the queue; that it exists already is fine.

        Raises:
            QueueNotCreated: the storage account could not be reached, or refused.
        """
        try:
            await self._client.create_queue()
        except AzureError as error:
            if getattr(error, "error_code", None) != "QueueAlreadyExists":
                raise QueueNotCreated(f"{self._name}: {_reason(error)}") from error

    async def close(self) -> None:
        """Close the connections."""
        await self._client.close()

    @property
    def _name(self) -> str:
        return str(self._client.queue_name)

    async def _send(self, message: str, delay: int) -> Answer:
        text = base64.b64encode(message.encode()).decode()
        request = Request(
            "POST",
            "application/xml",
            f"<QueueMessage><MessageText>{text}</MessageText></QueueMessage>".encode(),
            path="/messages",
            query=f"messagettl={_NEVER_EXPIRES}&visibilitytimeout={delay}",
        )
        try:
            return await self._requests.send(request)
        except NoAnswer as error:
            raise MessageNotInserted(f"{self._name}: {error}") from error


def _reason(error: AzureError) -> str:
    """What went wrong, in a word; the exception's own text may quote a signed request."""
    return str(getattr(error, "error_code", None) or type(error).__name__)
