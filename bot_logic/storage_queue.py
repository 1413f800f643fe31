"""One Azure Storage queue: put a message, and create the queue if there is none.

Both resources put messages; taking them off is the Functions host's work.
"""

from typing import Protocol

from azure.core.exceptions import AzureError, ResourceNotFoundError
from azure.storage.queue import TextBase64EncodePolicy
from azure.storage.queue.aio import QueueClient

from bot_logic.errors import MessageNotInserted, QueueNotCreated
from bot_logic.settings import Secret
from bot_logic.storage_transport import direct_transport

CALL_TIMEOUT = 2  # seconds for one attempt; a turn has 15 for everything
RETRIES = 1
RETRY_PAUSE = 1  # seconds
_NEVER_EXPIRES = -1  # else the service deletes a waiting message after seven days, silently


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
        self._client = QueueClient.from_connection_string(
            connection.reveal(),
            name,
            transport=direct_transport(),
            message_encode_policy=TextBase64EncodePolicy(),
            retry_total=RETRIES,
            initial_backoff=RETRY_PAUSE,
            increment_base=0,
            random_jitter_range=RETRY_PAUSE,
            connection_timeout=CALL_TIMEOUT,
            read_timeout=CALL_TIMEOUT,
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
        try:
            await self._send(message, delay)
        except ResourceNotFoundError:
            await self.create()
            try:
                await self._send(message, delay)
            except AzureError as error:
                raise MessageNotInserted(f"{self._name}: {_reason(error)}") from error
        except AzureError as error:
            raise MessageNotInserted(f"{self._name}: {_reason(error)}") from error

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

    async def _send(self, message: str, delay: int) -> None:
        await self._client.send_message(
            message, visibility_timeout=delay, time_to_live=_NEVER_EXPIRES
        )


def _reason(error: AzureError) -> str:
    """What went wrong, in a word; the exception's own text may quote a signed request."""
    return str(getattr(error, "error_code", None) or type(error).__name__)
