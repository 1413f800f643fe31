"""A message from the queue becomes a trigger for the bot, or a dead letter with its reason."""

import logging
from dataclasses import dataclass
from typing import Any, Final, Protocol

from bot_logic.dead_letter import dead_letter
from bot_logic.envelope import TRIGGER_NAME, decode
from bot_logic.errors import RetryHelps, RetryNeverHelps
from bot_logic.queue_worker.direct_line import DirectLine
from bot_logic.settings import Secret
from bot_logic.signature import sign
from bot_logic.storage_queue import StorageQueue

MAX_DEQUEUE_COUNT: Final = 5  # as maxDequeueCount in host.json

logger = logging.getLogger(__name__)


class ReceivedMessage(Protocol):
    """What the worker reads of azure.functions.QueueMessage."""

    @property
    def id(self) -> str | None:
        """The queue's id of the message; it stays through all attempts."""

    @property
    def dequeue_count(self) -> int | None:
        """Which attempt this is, from 1."""

    def get_body(self) -> bytes | str:
        """The message, base64 removed."""


@dataclass(frozen=True, slots=True)
class QueueWorker:
    """Hands queue messages to the bot, one at a time or many at once."""

    direct_line: DirectLine
    poison_queue: StorageQueue
    signing_keys: tuple[Secret, ...]

    async def handle(self, message: ReceivedMessage) -> None:
        """Deliver one queue message.

        Returning means that the message has come to its end and is deleted from the queue: the
        bot took it, or it is a dead letter.

        Raises:
            RetryHelps: leave it on the queue; the host makes it visible again later.
        """
        attempt = message.dequeue_count or 1
        try:
            await self._hand_to_bot(message)
        except RetryNeverHelps as error:
            await self._bury(message, error, attempt)
        except RetryHelps as error:
            if attempt < MAX_DEQUEUE_COUNT:
                logger.warning("message %s attempt %d failed: %s", message.id, attempt, error)
                raise
            await self._bury(message, error, attempt)
        else:
            logger.info("message %s handed to the bot, attempt %d", message.id, attempt)

    async def _hand_to_bot(self, message: ReceivedMessage) -> None:
        envelope = decode(message.get_body(), default_id=message.id or "")
        envelope.check_not_expired()

        def trigger(conversation_id: str) -> dict[str, Any]:
            value = sign(envelope, conversation_id, self.signing_keys)
            return {"type": "event", "name": TRIGGER_NAME, "value": value}

        await self.direct_line.post(trigger)

    async def _bury(self, message: ReceivedMessage, error: Exception, attempt: int) -> None:
        await self.poison_queue.put(dead_letter(message.get_body(), error, attempts=attempt))
        logger.error(
            "message %s dead-lettered after attempt %d: %s: %s",
            message.id,
            attempt,
            type(error).__name__,
            error,
        )
