"""What becomes of a message that was not delivered: another attempt later, or a dead letter.

Both resources use this, for either may be the one that knows why: the worker sees that Direct Line
is down, but only the bot's endpoint sees that a channel asked it to wait, or is gone for good.
"""

import logging
import random
from typing import Final

from bot_logic.dead_letters.letter import dead_letter, illegible_letter
from bot_logic.envelope import Envelope
from bot_logic.errors import RetryHelps, RetryNeverHelps, UndecodableMessage
from bot_logic.storage_queue import StorageQueue

FIRST_PAUSE: Final = 5.0  # seconds before the second attempt; doubles with each further one
LONGEST_PAUSE: Final = 3600.0  # seconds

logger = logging.getLogger(__name__)


class Undelivered:
    """Puts messages back on the queue, with a delay, or on the poison queue, with the reason."""

    def __init__(
        self, queue: StorageQueue, poison_queue: StorageQueue, *, max_attempts: int
    ) -> None:
        self._queue = queue
        self._poison_queue = poison_queue
        self._max_attempts = max_attempts

    async def settle(self, envelope: Envelope, error: RetryHelps | RetryNeverHelps) -> None:
        """See to a message after a failed attempt; when this returns, it is in safe hands.

        Raises:
            QueueUnavailable: it could not be put anywhere; the caller must keep it.
            OversizedMessage: so large that it cannot note its attempts; the caller must keep it.
        """
        failed = envelope.after_failure(str(error))
        if isinstance(error, RetryNeverHelps) or failed.attempts >= self._max_attempts:
            await self._poison_queue.put(dead_letter(failed, error))
            _log_end(envelope.id, error)
            return
        pause = pause_before_next(failed.attempts, error.retry_after)
        await self._queue.put(failed.to_json(), delay=pause)
        logger.warning(
            "message %s attempt %d failed, next in %d s: %s",
            envelope.id,
            failed.attempts,
            pause,
            error,
        )

    async def bury(self, message: bytes | str, message_id: str, error: UndecodableMessage) -> None:
        """Put what is no message of ours on the poison queue.

        Raises:
            QueueUnavailable: it could not be put there; the caller must keep it.
        """
        await self._poison_queue.put(illegible_letter(message, error))
        _log_end(message_id, error)


def pause_before_next(attempts: int, retry_after: int | None) -> int:
    """How many seconds to wait after so many attempts.

    As long as a neighbour asked for, to the second; else twice as long each time, give or take a
    quarter, so that what failed together does not come back together.
    """
    if retry_after is not None:
        return retry_after
    pause = min(FIRST_PAUSE * 2.0 ** min(attempts - 1, 30), LONGEST_PAUSE)
    return round(pause * random.uniform(0.75, 1.25))  # noqa: S311 - jitter


def _log_end(message_id: str, error: Exception) -> None:
    logger.warning("message %s given up: %s: %s", message_id, type(error).__name__, error)
