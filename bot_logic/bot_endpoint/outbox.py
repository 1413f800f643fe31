"""The bot's way to speak later: what it puts on the queue comes back to its `on_trigger`."""

from collections.abc import Mapping
from typing import Any, Final

from botbuilder.core import TurnContext

from bot_logic.bot_endpoint.moments import Moment, as_in_json
from bot_logic.bot_endpoint.notifier import Notifier
from bot_logic.bot_endpoint.recorder import reference_of
from bot_logic.bot_endpoint.subscriber import Subscriber
from bot_logic.clock import Chance, Clock
from bot_logic.contract.envelope import Envelope
from bot_logic.deadline import within
from bot_logic.errors import BadRequest, MessageNotInserted
from bot_logic.storage.protocols import MAX_DELAY, Queue
from bot_logic.telemetry import OFF, Telemetry
from bot_logic.telemetry.log_events import Event, EventLog
from bot_logic.telemetry.names import CHANNEL, ENQUEUED, MESSAGE_ID, SEND

PUT_TIMEOUT: Final = 6  # seconds; the queue itself takes 5 at most
TIME_TO_SAY_SO: Final = 1  # seconds of the turn that are left for telling the user

log = EventLog(__name__)


class Outbox:
    """Puts messages on the queue, addressed to the turn's conversation.

    Attributes:
        notifications: tell others, too.
        subscriber: what the person of a turn may change about what they are told.
    """

    def __init__(
        self,
        queue: Queue,
        clock: Clock,
        chance: Chance,
        message_lifetime: int,
        notifications: Notifier,
        *,
        subscriber: Subscriber,
        telemetry: Telemetry = OFF,
    ) -> None:
        self._queue = queue
        self.notifications = notifications
        self.subscriber = subscriber
        self._clock = clock
        self._chance = chance
        self._message_lifetime = message_lifetime
        self._telemetry = telemetry

    async def put(
        self,
        turn: TurnContext,
        text: str,
        *,
        data: Mapping[str, Any] | None = None,
        delay: int = 0,
        at: Moment | None = None,
    ) -> str:
        """Put a text on the queue, and return the message's id; then the queue has it.

        Args:
            turn: whose conversation it comes back to.
            text: what `on_trigger` finds in `envelope.text`.
            data: what it finds in `envelope.data`, as JSON: for example what this message is for.
            delay: seconds after which it comes back, at the earliest; a reminder.
            at: the same, as `notifications.send` takes it: a `datetime` with its time zone …

        Raises:
            BadRequest: `at` is no such moment, or comes beside `delay`.
            OversizedMessage: it does not fit into a queue message.
            QueueNotCreated: there is no queue and it could not be created.
            MessageNotInserted: the queue did not accept it.
        """
        now = self._clock.now()
        wait = delay if at is None else _seconds_until(at, now, delay)
        message_id, channel = self._chance.new_id(), {CHANNEL: turn.activity.channel_id}
        with self._telemetry.span(SEND, {MESSAGE_ID: message_id, **channel}):
            envelope = Envelope.new(
                reference_of(turn.activity),
                text,
                message_id=message_id,
                now=now,
                lifetime=self._message_lifetime,
                data=data,
                delay=wait,
                traceparent=self._telemetry.traceparent(),
            )
            envelope.check_size()
            await self._put(envelope, min(wait, MAX_DELAY))
        self._telemetry.count(ENQUEUED, channel)
        log.info(Event.MESSAGE_QUEUED, message=envelope.id)
        return envelope.id

    async def _put(self, envelope: Envelope, delay: int) -> None:
        try:
            async with within(PUT_TIMEOUT, leaving=TIME_TO_SAY_SO):
                await self._queue.put(envelope.to_json(), delay=delay)
        except TimeoutError:
            raise MessageNotInserted("no time was left in this turn") from None


def _seconds_until(at: Moment, now: float, delay: int) -> int:
    """Return how long it is until then; 0 if it is past."""
    # Only a process that is told a time pays for the import.
    from bot_logic.notifications.request import moment_of  # noqa: PLC0415

    if delay:
        raise BadRequest("goes without delay", field="at")
    return max(0, int(moment_of(as_in_json(at), "at", now, now)) - int(now))
