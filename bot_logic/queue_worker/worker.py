"""A message from the queue becomes a trigger for the bot, or is kept for later, or given up."""

import math
from collections.abc import Callable
from dataclasses import dataclass
from typing import Any, Final, Protocol

from bot_logic.addresses import base_url, printable_id
from bot_logic.clock import Clock
from bot_logic.contract.envelope import TRIGGER_NAME, Envelope, decode
from bot_logic.contract.trigger_token import sign
from bot_logic.delivery.host_gate import HostGate
from bot_logic.delivery.idempotency import IdempotencyRecords
from bot_logic.delivery.redelivery import Redelivery
from bot_logic.errors import (
    BotFailed,
    DirectLineDown,
    NewerVersion,
    OversizedMessage,
    PermanentError,
    RetryableError,
    ServiceUnavailable,
    TurnedAway,
    UndecodableMessage,
)
from bot_logic.secret import Secret
from bot_logic.storage.protocols import ReceivedMessage
from bot_logic.telemetry import Attributes, Span, Telemetry
from bot_logic.telemetry.log_events import Event, EventLog
from bot_logic.telemetry.names import (
    ATTEMPT,
    CHANNEL,
    MESSAGE_ID,
    POST_TRIGGER,
    PROCESS,
    QUEUE_AGE,
)

DIRECT_LINE: Final = "Direct Line"
HOLD: Final = 5.0  # seconds for which a message waits here while Direct Line is down

log = EventLog(__name__)


class Triggers(Protocol):
    """The way to the bot: Direct Line, or what stands in for it in a test."""

    async def post(self, activity_for: Callable[[str], dict[str, Any]]) -> None:
        """Post an activity and wait until the bot has handled it.

        Args:
            activity_for: makes the activity for the conversation with this id.

        Raises:
            DirectLineDown, BotFailed, AskedToWait: the bot may have done its work all the same.
            Refused: this activity will never be taken.
        """


@dataclass(frozen=True, slots=True)
class QueueWorker:
    """Hands queue messages to the bot, one at a time or many at once."""

    triggers: Triggers
    records: IdempotencyRecords
    redelivery: Redelivery
    gate: HostGate
    clock: Clock
    signing_keys: tuple[Secret, ...]
    message_lifetime: int  # seconds, for a message that says nothing of its own
    telemetry: Telemetry

    async def handle(self, message: ReceivedMessage) -> None:
        """Hand one queue message to the bot.

        Returning means that it can be deleted from the queue: the bot took it, or it was put back
        for a later attempt, or it is a dead letter.

        Raises:
            QueueUnavailable: it could not be put back; leave it on the queue, and the host makes it
                visible again later.
        """
        body, message_id = message.get_body(), printable_id(message.id)
        try:
            envelope = decode(body, default_id=message_id, now=self.clock.now())
        except (UndecodableMessage, OversizedMessage) as error:
            await self.redelivery.give_up_undecodable(body, message_id, error)
        except NewerVersion as error:
            await self.redelivery.leave_to_newer(body, message_id, error)
        else:
            await self._process(envelope.expiring(self.message_lifetime))

    async def _process(self, envelope: Envelope) -> None:
        about: Attributes = {
            MESSAGE_ID: envelope.id,
            ATTEMPT: envelope.attempt + 1,
            **_channel(envelope),
        }
        with self.telemetry.span(PROCESS, about, cause=envelope.traceparent) as span:
            await self._see_to(envelope, span)

    async def _see_to(self, envelope: Envelope, span: Span) -> None:
        now = self.clock.now()
        try:
            envelope.check_not_expired(now)
            if too_early := envelope.seconds_until_due(now):
                await self.redelivery.postpone(envelope, too_early)
                return
            self.telemetry.measure(QUEUE_AGE, max(0, now - envelope.due), _channel(envelope))
            await self._hand_to_bot(envelope)
        except (RetryableError, PermanentError) as error:
            span.failed(error)
            asked = not isinstance(error, TurnedAway)
            if asked and await self._has_successor(envelope):
                log.info(Event.MESSAGE_HANDED_OVER, message=envelope.id, although=str(error))
            else:
                await self.redelivery.after_failure(envelope, error)
        else:
            log.info(Event.MESSAGE_HANDED_OVER, message=envelope.id)

    async def _has_successor(self, envelope: Envelope) -> bool:
        """Tell whether the bot has seen to a message, although Direct Line says that it failed."""
        try:
            return await self.records.has_successor(envelope.key, envelope.attempt + 1)
        except ServiceUnavailable:
            return False  # rather a copy too many, which is dropped later

    async def _hand_to_bot(self, envelope: Envelope) -> None:
        def trigger(conversation_id: str) -> dict[str, Any]:
            value = sign(
                envelope,
                conversation_id,
                self.signing_keys,
                self.clock.now(),
                traceparent=self.telemetry.traceparent(),
            )
            return {"type": "event", "name": TRIGGER_NAME, "value": value}

        address = base_url(envelope.conversation["serviceUrl"])
        channel = "" if address is None else address.host
        # Direct Line waits for the bot, which waits for the channel: so it is that which hangs.
        async with (
            self.gate.through(
                DIRECT_LINE, envelope.key, fails=DirectLineDown, max_slow=math.inf, hold=HOLD
            ),
            self.gate.through(f"the bot, for {channel},", envelope.key, fails=BotFailed),
        ):
            with self.telemetry.span(POST_TRIGGER, {}):
                await self.triggers.post(trigger)


def _channel(envelope: Envelope) -> dict[str, str]:
    return {CHANNEL: envelope.conversation["channelId"]}
