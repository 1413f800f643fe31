"""What becomes of a message that was not delivered: another attempt later, or a dead letter.

Both resources use this, for either may be the one that knows why: the worker sees that Direct Line
is down, but only the bot's endpoint sees that a channel asked it to wait, or is gone for good.
`contract.retry` decides; this carries it out.
"""

from collections.abc import Awaitable, Callable

from bot_logic.clock import Chance, Clock
from bot_logic.contract.dead_letter import dead_letter, undecodable
from bot_logic.contract.envelope import Envelope
from bot_logic.contract.queue_text import plain_text
from bot_logic.contract.retry import NEWER_VERSION_PAUSE, Failure, GiveUp, PutBack, decide
from bot_logic.errors import AskedToWait, HostDown, NewerVersion, PermanentError
from bot_logic.storage.protocols import MAX_DELAY, Queue
from bot_logic.telemetry import OFF, Telemetry
from bot_logic.telemetry.log_events import Event, EventLog, fingerprint
from bot_logic.telemetry.names import CHANNEL, ERROR_TYPE, RETRIED, THROTTLED

IsForgotten = Callable[[Envelope], Awaitable[bool]]  # whether its conversation is, since

log = EventLog(__name__)


async def is_never(_: Envelope) -> bool:
    """Tell that nothing was forgotten, where nobody can know."""
    return False


class Redelivery:
    """Puts messages back on the queue, with a delay, or on the poison queue, with the reason."""

    def __init__(
        self,
        queue: Queue,
        poison_queue: Queue,
        clock: Clock,
        chance: Chance,
        *,
        max_attempts: int,
        telemetry: Telemetry = OFF,
        is_forgotten: IsForgotten = is_never,
    ) -> None:
        self._is_forgotten = is_forgotten
        self._queue = queue
        self._poison_queue = poison_queue
        self._clock = clock
        self._chance = chance
        self._max_attempts = max_attempts
        self._telemetry = telemetry

    async def after_failure(self, envelope: Envelope, error: Failure) -> None:
        """Put a message back, or on the poison queue, after a failed attempt.

        When this returns, the message is stored in one of the two, or dropped, because its
        conversation was forgotten.

        Raises:
            QueueUnavailable: it could not be put anywhere; the caller must keep it.
        """
        if await self._dropped(envelope):
            return
        match decide(
            envelope,
            error,
            max_attempts=self._max_attempts,
            now=self._clock.now(),
            fraction=self._chance.fraction(),
        ):
            case PutBack(failed, delay):
                await self._queue.put(failed.to_json(), delay=delay)
                self._count(failed, error)
                log.warning(
                    Event.MESSAGE_PUT_BACK,
                    message=failed.id,
                    attempt=failed.attempt,
                    delay=delay,
                    error=type(error).__name__,
                    reason=str(error),
                )
            case GiveUp(failed, reason):
                await self._poison_queue.put(dead_letter(failed, reason, self._clock.now()))
                _log_end(failed.id, reason)

    def _count(self, envelope: Envelope, error: Failure) -> None:
        asked = isinstance(error, AskedToWait) and not isinstance(error, HostDown)
        channel = envelope.conversation["channelId"]
        self._telemetry.count(
            THROTTLED if asked else RETRIED, {CHANNEL: channel, ERROR_TYPE: type(error).__name__}
        )

    async def postpone(self, envelope: Envelope, seconds: float) -> None:
        """Put a message back until it is due, which is no failed attempt.

        Raises:
            QueueUnavailable: it could not be put back; the caller must keep it.
        """
        if await self._dropped(envelope):
            return
        await self._queue.put(envelope.to_json(), delay=min(int(seconds) + 1, MAX_DELAY))
        delay = int(seconds)
        log.info(Event.MESSAGE_NOT_DUE, message=envelope.id, delay=delay)

    async def _dropped(self, envelope: Envelope) -> bool:
        forgotten = await self._is_forgotten(envelope)
        if forgotten:
            log.info(Event.MESSAGE_FORGOTTEN, message=fingerprint(envelope.id))
        return forgotten

    async def leave_to_newer(
        self, message: bytes | str, message_id: str, error: NewerVersion
    ) -> None:
        """Put a message back as it is, for an instance that understands it.

        Raises:
            QueueUnavailable: it could not be put back; the caller must keep it.
        """
        await self._queue.put(plain_text(message), delay=NEWER_VERSION_PAUSE)
        log.warning(Event.MESSAGE_LEFT_TO_NEWER, message=message_id, reason=str(error))

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
    log.warning(
        Event.MESSAGE_GIVEN_UP, message=message_id, error=type(error).__name__, reason=str(error)
    )
