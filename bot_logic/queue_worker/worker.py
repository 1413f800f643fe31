"""A message from the queue becomes a trigger for the bot, or is kept for later, or buried."""

import logging
from dataclasses import dataclass
from typing import Any

from bot_logic.envelope import TRIGGER_NAME, Envelope, decode
from bot_logic.errors import RetryHelps, RetryNeverHelps, UndecodableMessage
from bot_logic.queue_worker.direct_line import DirectLine
from bot_logic.settings import Secret
from bot_logic.signature import sign
from bot_logic.storage_queue import ReceivedMessage
from bot_logic.undelivered import Undelivered

logger = logging.getLogger(__name__)


@dataclass(frozen=True, slots=True)
class QueueWorker:
    """Hands queue messages to the bot, one at a time or many at once."""

    direct_line: DirectLine
    undelivered: Undelivered
    signing_keys: tuple[Secret, ...]
    message_lifetime: int  # seconds, for a message that says nothing of its own

    async def handle(self, message: ReceivedMessage) -> None:
        """Deliver one queue message.

        Returning means that it can be deleted from the queue: the bot took it, or it was put back
        for a later attempt, or it is a dead letter.

        Raises:
            QueueUnavailable, OversizedMessage: it could not be put back; leave it on the queue, and
                the host makes it visible again later.
        """
        try:
            envelope = decode(message.get_body(), default_id=message.id or "")
            envelope = envelope.expiring(self.message_lifetime)
        except UndecodableMessage as error:
            await self.undelivered.bury(message.get_body(), message.id or "", error)
            return
        try:
            envelope.check_not_expired()
            await self._hand_to_bot(envelope)
        except (RetryHelps, RetryNeverHelps) as error:
            await self.undelivered.settle(envelope, error)
        else:
            logger.info("message %s handed to the bot", envelope.id)

    async def _hand_to_bot(self, envelope: Envelope) -> None:
        def trigger(conversation_id: str) -> dict[str, Any]:
            value = sign(envelope, conversation_id, self.signing_keys)
            return {"type": "event", "name": TRIGGER_NAME, "value": value}

        await self.direct_line.post(trigger)
