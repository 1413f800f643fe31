"""What becomes of a message that was not delivered: another attempt later, or a dead letter.

Both resources use this, for either may be the one that knows why: the worker sees that Direct Line
is down, but only the bot's endpoint sees that a channel asked it to wait, or is gone for good.
`contract.retry` decides; this carries it out.
"""

import logging

from bot_logic.clock import Chance, Clock
from bot_logic.contract.dead_letter import dead_letter, undecodable
from bot_logic.contract.envelope import Envelope
from bot_logic.contract.queue_text import plain_text
from bot_logic.contract.retry import NEWER_VERSION_PAUSE, Failure, GiveUp, PutBack, decide
from bot_logic.errors import NewerVersion, PermanentError
from bot_logic.storage.protocols import MAX_DELAY, Queue

logger = logging.getLogger(__name__)


class Redelivery:
    """Puts messages back on the queue, with a delay, or on the poison queue, with the reason."""

    def __init__(
        self, queue: Queue, poison_queue: Queue, clock: Clock, chance: Chance, *, max_attempts: int
    ) -> None:
        self._queue = queue
        self._poison_queue = poison_queue
        self._clock = clock
        self._chance = chance
        self._max_attempts = max_attempts

    async def after_failure(self, envelope: Envelope, error: Failure) -> None:
        """Put a message back, or on the poison queue, after a failed attempt.

        When this returns, the message is stored in one of the two.

        Raises:
            QueueUnavailable: it could not be put anywhere; the caller must keep it.
        """
        match decide(
            envelope,
            error,
            max_attempts=self._max_attempts,
            now=self._clock.now(),
            fraction=self._chance.fraction(),
        ):
            case PutBack(failed, delay):
                await self._queue.put(failed.to_json(), delay=delay)
                logger.warning(
                    "message %s put back after %d failed attempt(s), next in %d s: %s",
                    failed.id,
                    failed.attempt,
                    delay,
                    error,
                )
            case GiveUp(failed, reason):
                await self._poison_queue.put(dead_letter(failed, reason, self._clock.now()))
                _log_end(failed.id, reason)

    async def postpone(self, envelope: Envelope, seconds: float) -> None:
        """Put a message back until it is due, which is no failed attempt.

        Raises:
            QueueUnavailable: it could not be put back; the caller must keep it.
        """
        await self._queue.put(envelope.to_json(), delay=min(int(seconds) + 1, MAX_DELAY))
        logger.info("message %s is due in %d s", envelope.id, seconds)

    async def leave_to_newer(
        self, message: bytes | str, message_id: str, error: NewerVersion
    ) -> None:
        """Put a message back as it is, for an instance that understands it.

        Raises:
            QueueUnavailable: it could not be put back; the caller must keep it.
        """
        await self._queue.put(plain_text(message), delay=NEWER_VERSION_PAUSE)
        logger.warning("message %s put back for a newer instance: %s", message_id, error)

    async def give_up_undecodable(
        self, message: bytes | str, message_id: str, error: PermanentError
    ) -> None:
        """Put what is not a message of ours on the poison queue.

        Raises:
            QueueUnavailable: it could not be put there; the caller must keep it.
        """
        await self._poison_queue.put(undecodable(message, error, self._clock.now()))
        _log_end(message_id, error)


def _log_end(message_id: str, error: Exception) -> None:
    logger.warning("message %s given up: %s: %s", message_id, type(error).__name__, error)
